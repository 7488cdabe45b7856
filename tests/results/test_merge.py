"""`synthbench leaderboard`: what is ranked across runs, what is marked and why."""

import json
import math
import shutil

import pandas as pd
import pytest

from synthbench import cli
from synthbench.errors import ConfigError, DataError
from synthbench.progress import Progress
from synthbench.report import write_report
from synthbench.results.bundle import export
from synthbench.results.comparability import incomparable
from synthbench.results.merge import merge, run_names
from synthbench.storage.versions import RUN
from tests.helpers.judged_runs import Runs, edited

GOOD = {"label": "good"}
BAD = {"label": "bad", "offset": 15.0}
AWFUL = {"label": "awful", "offset": 40.0}


def merged(runs, *folders):
    return merge(folders, Progress(False), runs.folder)


def by_generator(found):
    return found.leaderboard.set_index("generator")


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    return Runs(tmp_path_factory.mktemp("runs"))


@pytest.fixture
def two(runs):
    """Two runs of one protocol with different generators."""
    return runs("a", GOOD, AWFUL), runs("b", BAD)


def test_ranks_across_runs_are_those_of_one_run_with_all_generators(runs, two):
    found = merged(runs, *two)
    whole = pd.read_csv((one := runs("c", GOOD, AWFUL, BAD)) / "comparisons.csv")
    for column in ("a", "b", "better"):
        assert found.comparisons[column].tolist() == whole[column].tolist()
    for column in ("difference", "low", "high", "p", "p_holm"):
        assert found.comparisons[column].tolist() == pytest.approx(whole[column].tolist(), rel=1e-6)
    board = by_generator(found)
    alone = pd.read_csv(one / "leaderboard.csv").set_index("generator")
    assert list(board.index) == list(alone.index) == ["good", "bad", "awful"]
    assert board["rank"].astype(int).to_dict() == alone["rank"].to_dict()
    assert set(alone["rank"]) == {1, 2, 3}
    assert board["run"].to_dict() == {"good": "a", "awful": "a", "bad": "b"}
    assert set(board["comparable"]) == {"yes"}


def test_columns_whose_names_begin_like_those_of_ranks_stay(runs):
    """As `judges_auroc` does, of a board that is ranked by the judges' mean."""
    judge = {"evaluator": {"label": "ranker"}, "headline": "ranker.accuracy"}
    folders = runs("d", GOOD, **judge), runs("e", BAD, **judge)
    board = by_generator(merged(runs, *folders))
    assert float(board.loc["good", "ranker_accuracy"]) == 0.95
    assert "rank_high" in board.columns


def test_numbers_are_those_of_the_runs_to_the_last_digit(runs, two):
    board = by_generator(merged(runs, *two))
    theirs = pd.read_csv(two[1] / "leaderboard.csv", dtype=str, keep_default_na=False).set_index("generator")
    for column in theirs.drop(columns=["rank", "rank_high"]):
        assert board.loc["bad", column] == theirs.loc["bad", column], column


def test_a_label_of_several_runs_is_told_apart_by_run(runs):
    a = runs("a", {"label": "x"})
    b = runs("b", {"label": "x", "offset": 30.0}, {"label": "y", "offset": 10.0})
    board = by_generator(merged(runs, a, b))
    assert set(board.index) == {"x (a)", "x (b)", "y"}
    assert board["rank"].to_dict() == {"x (a)": "1", "y": "2", "x (b)": "3"}


def test_a_generator_with_the_same_numbers_is_shown_once(runs):
    a, b = runs("a", GOOD, BAD), runs("b", GOOD, AWFUL)
    found = merged(runs, a, b)
    assert sorted(found.leaderboard["generator"]) == ["awful", "bad", "good"]
    assert found.notes == ["b: good is that of a: shown once"]
    assert len(found.comparisons) == 3


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"samples": 30}, "samples 30, not 20"),
        ({"seeds": 2}, "seeds 2, not 1"),
        ({"evaluator": {"slope": 0.2}}, "evaluators.judge.slope 0.2, not 0.1"),
        ({"headline": "judge.doubt"}, "headline judge.doubt, not judge.accuracy"),
        ({"dataset": {"shift": 5}}, "other test images; dataset.shift 5, not 0"),
    ],
)
def test_another_protocol_is_marked_with_the_reason_and_not_ranked(runs, changes, reason):
    a = runs("a", GOOD, BAD)
    b = runs("b", {"label": "other"}, **changes)
    found = merged(runs, a, b)
    board = by_generator(found)
    assert board.loc["other", "comparable"] == f"no: {reason}"
    assert board.loc["other", ["rank", "rank_high"]].tolist() == ["", ""]
    assert board.loc["good", "rank"] == "1"
    assert list(board.index)[-1] == "other"
    assert "other" not in {*found.comparisons["a"], *found.comparisons["b"]}
    assert found.refused == {"b": reason}


@pytest.mark.parametrize("changes", [{"seed": 7}, {"dataset": {"root": "elsewhere"}}, {"max_leak": 0.5}])
def test_what_changes_no_protocol_keeps_rows_comparable(runs, changes):
    a, b = runs("a", GOOD), runs("b", BAD, **changes)
    assert merged(runs, a, b).refused == {}


def test_strict_refuses_and_writes_nothing(runs, capsys, tmp_path):
    a, b = runs("a", GOOD), runs("b", BAD, samples=30)
    command = ["leaderboard", str(a), str(b), "--plugins", str(runs.folder), "--out", str(tmp_path / "m")]
    assert cli.main([*command, "--strict"]) == 2
    assert "b is not comparable: samples 30, not 20" in capsys.readouterr().err
    assert not (tmp_path / "m").exists()
    assert cli.main(command) == 0
    out = capsys.readouterr().out
    assert "not comparable: b: samples 30, not 20" in out
    assert {p.name for p in (tmp_path / "m").iterdir()} == {"leaderboard.csv", "comparisons.csv"}
    assert pd.read_csv(tmp_path / "m/leaderboard.csv")["comparable"].tolist() == ["yes", "no: samples 30, not 20"]


def test_a_run_that_was_cut_short_has_no_headline(runs, two, tmp_path):
    short = edited(two[1], tmp_path, lambda record: record["benchmark"].update(seeds=3))
    found = merged(runs, short, two[0])
    assert found.comparisons.empty
    assert set(found.leaderboard["rank"]) == {""}


def test_without_the_plugin_there_is_a_note_and_no_difference_is_claimed(runs, two):
    found = merge(two, Progress(False))
    assert [note for note in found.notes if "judged.py:Judge is a file" in note]
    assert found.comparisons["p"].isna().all()
    assert set(by_generator(found)["rank"]) == {"1"}


def test_other_code_of_an_evaluator_is_noted(runs, two, tmp_path):
    other = edited(two[1], tmp_path, lambda record: record["code"].update({"judged.py:Judge": "0" * 64}))
    assert merged(runs, two[0], other).notes == ["b: other code of judged.py:Judge than in a; see synthbench diff"]


def test_undefined_headlines_stand_behind_numbers(runs):
    a = runs("a", {"label": "broken", "use": "Broken"}, BAD)
    board = by_generator(merged(runs, a, runs("b", GOOD)))
    assert list(board.index) == ["good", "bad", "broken"]
    assert board.loc["broken", "status"] == "failed"


def test_sets_that_only_one_run_has_do_not_matter():
    def record(**sets):
        bench = {"dataset": {"use": "d"}, "samples": 1, "seeds": 1, "headline": "h", "evaluators": []}
        return {"data": {"sets": {k: {"digest": v} for k, v in sets.items()}}, "benchmark": bench}

    assert incomparable(record(train="1", test="2"), record(train="1", test="2", far="3")) == []
    assert incomparable(record(train="1", test="2", far="3"), record(train="1", test="2")) == []
    assert incomparable(record(train="1", test="2"), record(train="9", test="2")) == ["other train images"]
    assert incomparable(record(train="1", test="2"), record(train="1")) == ["no test images"]


def test_another_positive_class_is_another_protocol_and_saying_it_is_not():
    def record(positive, option=None):
        data = {"sets": {"train": {"digest": "1"}, "test": {"digest": "2"}}, "positive": positive}
        dataset = {"use": "image-folder", "positive": option}
        bench = {"dataset": dataset, "samples": 1, "seeds": 1, "headline": "h", "evaluators": []}
        return {"data": data, "benchmark": bench}

    assert incomparable(record("COVID"), record("COVID", option="COVID")) == []
    assert incomparable(record("COVID"), record("NORMAL", option="NORMAL")) == ["positive NORMAL, not COVID"]


def test_runs_are_named_by_as_much_of_their_path_as_it_takes(tmp_path):
    assert run_names([tmp_path / "x/a", tmp_path / "y/b"]) == ["a", "b"]
    assert run_names([tmp_path / "x/a", tmp_path / "y/a"]) == ["x/a", "y/a"]
    with pytest.raises(ConfigError, match="twice"):
        run_names([tmp_path / "a", tmp_path / "b/../a"])


def test_what_is_no_run_is_said(runs, tmp_path):
    with pytest.raises(DataError, match=r"no run\.json"):
        merge([tmp_path / "nowhere"], Progress(False))
    run = tmp_path
    (run / "run.json").write_text('{"benchmark": {}}')
    with pytest.raises(DataError, match="an older synthbench"):
        merge([run], Progress(False))
    (run / "run.json").write_text("{")
    with pytest.raises(DataError, match="cannot be read"):
        merge([run], Progress(False))


@pytest.mark.parametrize(
    ("written", "message"),
    [
        (
            None,
            r"an older synthbench .* \(format 1, this one reads 2\): since then run\.json says what",
        ),
        (1, r"since then .* the positive one .*; run the benchmark again"),
        (3, r"a newer synthbench wrote this run \(format 3, this one reads 2\); install that version"),
        ("x", r"a newer synthbench"),
    ],
)
def test_a_run_of_another_format_is_refused_by_all_who_read_one(runs, tmp_path, written, message):
    copy = tmp_path / "copy"
    shutil.copytree(runs("a", GOOD, BAD), copy)
    record = json.loads((copy / "run.json").read_text())
    assert record.pop("format") == RUN
    (copy / "run.json").write_text(json.dumps(record if written is None else {**record, "format": written}))
    for read in (
        lambda: merge([copy], Progress(False)),
        lambda: write_report(copy),
        lambda: export(copy, tmp_path / "b.zip"),
    ):
        with pytest.raises(DataError, match=message):
            read()


def test_one_run_alone_gives_its_own_board(runs):
    run = runs("a", GOOD, BAD, {"label": "copy", "use": "Copier"})
    board = by_generator(merged(runs, run))
    own = pd.read_csv(run / "leaderboard.csv").set_index("generator")
    assert list(board.index) == list(own.index)
    assert [float(rank or "nan") for rank in board["rank"]] == pytest.approx(own["rank"].tolist(), nan_ok=True)
    assert math.isnan(own.loc["copy", "rank"])


def test_a_test_set_is_named_only_where_the_headline_is_of_one(runs, capsys, tmp_path):
    run = shutil.copytree(runs("a", GOOD), tmp_path / "a")
    command = ["leaderboard", str(run), "--plugins", str(runs.folder)]
    assert cli.main(command) == 0
    assert " on test among comparable rows" in " ".join(capsys.readouterr().out.split())
    intervals = pd.read_csv(run / "intervals.csv", dtype=str, keep_default_na=False)
    intervals.assign(test_set="").to_csv(run / "intervals.csv", index=False)
    assert cli.main(command) == 0
    assert " on test" not in " ".join(capsys.readouterr().out.split())


def test_a_label_that_reads_as_anothers_name_is_none(runs):
    a, b = (
        runs("one", {"label": "x"}),
        runs("two", {"label": "x", "offset": 30.0}, {"label": "x (one)", "offset": 9.0}),
    )
    board = by_generator(merged(runs, a, b))
    assert set(board.index) == {"x (one, 2)", "x (two)", "x (one)"}
    assert board.loc["x (one)", "run"] == "two"


def test_an_evaluator_labelled_as_a_key_hides_none():
    def record(seeds):
        evaluators = [{"use": "tstr", "label": "seeds"}]
        bench = {"dataset": {}, "samples": 1, "seeds": seeds, "headline": "h", "evaluators": evaluators}
        return {"data": {"sets": {}}, "benchmark": bench}

    assert incomparable(record(1), record(3)) == ["seeds 3, not 1"]
