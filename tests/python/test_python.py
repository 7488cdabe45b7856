"""`import synthbench as sb`: the commands from Python, and what they return."""

import json
import re
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest

import synthbench as sb
from synthbench.commands import score as score_module
from synthbench.storage.code_version import code_of
from tests.helpers.mini import Distance, Failing, MeanNoise, Squares


class Constant(sb.Generator):
    """One grey level: a class that no entry point and no file name knows."""

    name: ClassVar[str] = "constant"
    level: int = 90

    def fit(self, train, ctx):
        return lambda labels, rng: np.full((len(labels), *train.shape), self.level, np.uint8)


def benchmark(*generators, **changes):
    return {
        "name": "mine",
        "samples": 10,
        "headline": "distance.gap",
        "baselines": False,
        "dataset": Squares(n=24),
        "generators": list(generators),
        "evaluators": [Distance],
        **changes,
    }


def run(mini, *generators, out="out", **changes):
    return sb.run(benchmark(*generators, **changes), out=mini.folder / out, device="cpu")


def test_importing_it_loads_neither_pandas_nor_torch():
    script = "import sys, synthbench as sb; print({'pandas', 'torch', 'numpy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_classes_and_instances_stand_in_place_of_names(mini):
    result = run(mini, Constant, {"use": Constant, "level": 200, "label": "bright"}, MeanNoise(sigma=3))
    board = result.leaderboard
    assert isinstance(board, pd.DataFrame)
    assert sorted(board["generator"]) == ["bright", "constant", "mean-noise"]
    assert board["generator"].iloc[-1] == "bright", "200 lies farthest from 110"
    options = {
        row["label"]: row
        for row in json.loads((result.folder / "run.json").read_text())["benchmark"]["generators"]
    }
    assert (options["bright"]["level"], options["mean-noise"]["sigma"]) == (200, 3.0)
    assert options["bright"]["use"].endswith(".Constant")


def test_a_mapping_says_what_the_same_file_says(mini, monkeypatch):
    mini.write({"use": "MeanNoise", "sigma": 4.0, "label": "quiet"})
    monkeypatch.chdir(mini.folder)
    of_file = sb.run("bench.yaml", out="a", device="cpu")
    entry = {"use": "mini.py:MeanNoise", "sigma": 4, "label": "quiet"}
    of_mapping = sb.run(
        benchmark(
            entry,
            name="mini",
            dataset={"use": Path("mini.py:Squares"), "label": "squares"},
            evaluators=[{"use": "mini.py:Distance", "label": "distance"}],
        ),
        out="b",
        device="cpu",
    )
    pd.testing.assert_frame_equal(of_file.scores, of_mapping.scores)


def test_options_are_those_of_the_command(mini):
    result = sb.run(
        benchmark(Constant, MeanNoise),
        out=str(mini.folder / "out"),
        only=["constant"],
        overrides=["generators.0.level=7"],
        require=["distance.gap<=1"],
        device="cpu",
    )
    assert list(result.leaderboard["generator"]) == ["constant"]
    assert result.missed == [f"required distance.gap <= 1: constant has {result.intervals['value'][0]:.4g}"]


def test_a_run_is_its_tables_and_its_report(mini):
    result = run(mini, Constant, MeanNoise)
    assert set(result.scores["generator"]) == {"constant", "mean-noise"}
    assert result.comparisons.columns[0]
    flags = result.folder / "intervals.csv"  # where every cell is filled, they are no column of mixed kinds
    pd.read_csv(flags).assign(wide=[True, *[None] * (len(result.intervals) - 1)]).to_csv(flags, index=False)
    assert result.intervals["wide"].iloc[0] == True  # noqa: E712 - NumPy's or a text's
    assert result.report == mini.folder / "out/report.html"
    pd.testing.assert_frame_equal(sb.Run(result.folder).leaderboard, result.leaderboard)
    with pytest.raises(sb.DataError, match="no table 'board'; there is: leaderboard, scores"):
        result.table("board")
    with pytest.raises(sb.DataError, match="has no leaderboard"):
        sb.Run(mini.folder)


def test_what_is_required_stands_in_the_file_or_beside_it_and_is_known_later(mini):
    result = run(mini, Constant, require=["distance.gap<=1", "distance.gap>=0"])
    (line,) = result.missed
    assert line.startswith("required distance.gap <= 1: constant has ")
    assert sb.Run(result.folder).missed == [line]
    assert line in repr(result)


def test_damaged_runs_are_one_message_wherever_they_are_read(mini):
    result = run(mini, MeanNoise)
    board = result.folder / "leaderboard.csv"
    whole = board.read_bytes()
    for damaged in (
        b"",
        whole.split(b"\n")[0] + b"\n",
        whole.replace(b",", b"\0", 3),
        b"\xff\xfe\xff" + whole,
        b'a,b\n1,2\n"',
    ):
        board.write_bytes(damaged)
        for read in (
            lambda: sb.Run(result.folder),
            lambda: result.leaderboard,
            lambda: repr(result),
            result._repr_html_,
        ):
            with suppress(sb.SynthbenchError):  # no other error
                read()
    with pytest.raises(sb.DataError, match="damaged"):
        repr(result)
    with pytest.raises(sb.DataError, match=r"leaderboard\.csv is damaged"):
        _ = result.leaderboard


def test_a_mapping_that_extends_a_file_needs_a_name(mini):
    with pytest.raises(sb.ConfigError, match="extends: give it a `name` of its own"):
        sb.run({"extends": "quickstart", "samples": 5}, out=mini.folder / "out")


def test_it_shows_the_table_with_which_the_report_begins(mini):
    result = run(mini, MeanNoise, {"use": Failing, "label": "<b>bold"})
    shown = result._repr_html_()
    assert "<th>distance.gap</th>" in shown
    assert "&lt;b&gt;bold" in shown
    assert "<b>bold" not in shown
    text = repr(result)
    assert text.startswith("mine: ranked by distance.gap on test")
    assert [line.split()[0] for line in text.splitlines()[1:3]] == ["generator", "mean-noise"]
    assert "loss is NaN" in text
    assert len(result.failed) == 1


def test_labels_of_a_folder_from_elsewhere_steer_no_terminal(mini):
    result = run(mini, {"use": MeanNoise, "label": "red"})
    for file in ("leaderboard.csv", "intervals.csv", "run.json"):
        path = result.folder / file
        path.write_text(
            path.read_text().replace("red", "\x1b[31mred\x07\u202e" if file.endswith("csv") else "red")
        )
    shown = repr(sb.Run(result.folder))
    assert "?[31mred??" in shown
    assert all(c.isprintable() or c == "\n" for c in shown)


def test_an_instance_takes_matrix_and_checkpoints_as_its_class_does(mini):
    rows = [{"use": MeanNoise(offset=2), "matrix": {"sigma": [3.0, 5.0]}}]
    assert set(run(mini, *rows).leaderboard["generator"]) == {"mean-noise-sigma=3.0", "mean-noise-sigma=5.0"}
    with pytest.raises(sb.ConfigError, match="offset belongs to the row itself"):
        run(mini, {"use": MeanNoise(offset=2), "matrix": {"offset": [3, 5]}})


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: sb.score("real", []), "synthetic: no path is given"),
        (
            lambda: sb.score(np.zeros((2, 8, 8)), "synthetic"),
            "real: expected the path of a file or a folder, found an arr",
        ),
        (lambda: sb.score("real", np.zeros((2, 8, 8))), "synthetic: expected the path"),
        (lambda: sb.score("real", None), "synthetic: expected the path of a file or a folder, found None"),
        (
            lambda: sb.score("real", "synthetic", samples="10"),
            "samples: expected a whole number above 0, found '10'",
        ),
        (lambda: sb.run(None), "benchmark: expected a file, a name or a mapping, found None"),
        (lambda: sb.run(["quickstart"]), "benchmark: expected a file"),
        (lambda: sb.run("quickstart", only=3), "only: expected a list of texts, found 3"),
        (lambda: sb.run("quickstart", only="acgn"), "--only acgn: no such generator. Did you mean 'acgan'"),
        (lambda: sb.run("quickstart", require="tstr.auroc"), "'tstr.auroc' is no condition"),
        (lambda: sb.check(3), "plugin: expected a name"),
        (lambda: sb.run("quickstart", overrides={"samples": object}), "overrides: samples: no file can hold"),
        (lambda: sb.score("real", "other", size=float("inf")), "size: expected a whole number above 0, found inf"),
    ],
)
def test_a_mistake_in_a_call_is_one_message(tmp_path, monkeypatch, call, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(sb.ConfigError, match=re.escape(message)):
        call()


@pytest.mark.parametrize(
    "overrides", ["samples=7", ["samples=7"], {"samples": np.int64(7), "ranking.alpha": 1e-5}]
)
def test_overrides_are_a_text_several_or_a_mapping(mini, overrides):
    result = sb.run(benchmark(MeanNoise), out=mini.folder / "out", overrides=overrides)
    assert json.loads((result.folder / "run.json").read_text())["benchmark"]["samples"] == 7
    alpha = json.loads((result.folder / "run.json").read_text())["benchmark"]["ranking"]["alpha"]
    assert alpha == (1e-5 if isinstance(overrides, dict) else 0.05)


def test_what_no_file_could_hold_is_refused_with_its_place(mini):
    with pytest.raises(sb.ConfigError, match=r"benchmark: generators.0.level: expected text, a number"):
        run(mini, {"use": Constant, "level": np.zeros(3)})
    with pytest.raises(sb.ConfigError, match=r"benchmark: generators.0.levl: unknown key. Did you mean 'level'"):
        run(mini, {"use": Constant, "levl": 3})
    with pytest.raises(sb.ConfigError, match=r"benchmark: generators.0.use: .*Distance.* is not a subclass"):
        run(mini, Distance)
    with pytest.raises(sb.ConfigError, match=r"two entries have the label 'constant'"):
        run(mini, Constant, Constant(level=3))


def test_score_hands_its_folders_on(monkeypatch, tmp_path):
    calls = []

    def score(*places, **options):
        calls.append((places, options))
        return SimpleNamespace(out="score")

    monkeypatch.setattr("synthbench.python.functions.score_folders", score)
    monkeypatch.setattr("synthbench.python.functions.Run", lambda out: f"run in {out}")
    assert sb.score("real", "gan", test="others", trained_on="train") == "run in score"
    sb.score("real", ["gan", Path("flow")], out=tmp_path)
    assert calls[0][0] == (Path("real"), [Path("gan")])
    assert (calls[0][1]["test"], calls[0][1]["out"]) == (Path("others"), Path("score"))
    assert calls[1][0][1] == [Path("gan"), Path("flow")]
    taken = set(score_module.scoring_file.__kwdefaults__) | {"out", "device", "require"}
    assert set(calls[0][1]) == taken, "an option of the command is missing here"


def test_check_takes_a_name_a_class_or_an_instance():
    by_class = sb.check(MeanNoise, {"offset": 3})
    assert by_class.plugin == "mean-noise"
    assert '{"sigma":10.0,"offset":3}' in set(by_class.findings["found"])
    assert not by_class.passed, "its sampler is a lambda, which cannot be pickled"
    assert "sampler pickled" in repr(by_class)
    assert "<th>advice</th>" in by_class._repr_html_()
    by_instance = sb.check(MeanNoise(offset=3))
    pd.testing.assert_frame_equal(by_instance.findings, by_class.findings)
    with pytest.raises(sb.ConfigError, match="offst: unknown key"):
        sb.check(MeanNoise, {"offst": 3})


def test_audit_counts_what_training_knows(mini):
    leaks = sb.audit(benchmark(Constant), out=mini.folder / "out")
    assert list(leaks.counts["part"]) == ["test"]
    assert leaks.file == mini.folder / "out/audit.csv"
    assert leaks.leaking == leaks.audited.leaking
    assert "images that the training set knows" in repr(leaks)
    assert "<th>leaked_exact</th>" in leaks._repr_html_()


CELLS = [
    "import numpy as np\nfrom synthbench import Generator, resize_square",
    "LEVEL = 5\n\ndef grey(labels):\n    return np.uint8(LEVEL)",
    "class Own(Generator):\n    name = 'own'\n    def fit(self, train, ctx):\n        return grey",
    "this is no Python",
]


@pytest.fixture
def notebook(monkeypatch):
    """The classes of a notebook: `__main__` without a file, and the cells that IPython keeps."""
    main = type(sys)("__main__")
    monkeypatch.setitem(sys.modules, "__main__", main)

    def cells(*texts):
        main.In = ["", *texts]
        return code_of(type("Own", (Constant,), {"__module__": "__main__"}))

    return cells


def test_a_notebooks_class_counts_by_the_cells_that_it_rests_on(notebook):
    before = notebook(*CELLS)
    assert before["numpy"] == np.__version__
    assert notebook(CELLS[1], *CELLS, "OTHER = 3") == before, "neither order nor other cells count"
    assert notebook(*CELLS, "LEVEL = 6") != before
    assert notebook(*CELLS, CELLS[1].replace("return", "return 1 +")) != before
    assert notebook(*CELLS, CELLS[2].replace("return grey", "# said\n        return grey")) == before
    with pytest.raises(sb.PluginError, match="Own: its source is known neither as a file nor as a cell"):
        notebook(*CELLS[:2])


def test_names_come_back_as_they_are(mini):
    """Of digits, with a sign before them: no numbers, and without the apostrophe that keeps spreadsheets quiet."""
    names = ["007", "500", "-x"]
    mini.write(*({"use": "MeanNoise", "label": name, "offset": k} for k, name in enumerate(names)))
    assert mini.run() == 0
    result = sb.Run(mini.out)
    assert sorted(result.leaderboard.generator) == sorted(names)
    assert set(result.comparisons.a) | set(result.comparisons.b) == set(names)
    assert pd.api.types.is_numeric_dtype(result.leaderboard["rank"])
