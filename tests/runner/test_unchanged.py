"""A run in which nothing is new leaves its folder as it is, and loads little to find that out."""

import json
import os
import subprocess
import sys
from contextlib import nullcontext

import pytest

from synthbench.commands.device import let_idle_threads_sleep, resolve_device

HEAVY = {"torch", "pandas", "scipy", "sklearn", "matplotlib", "tensorboard"}
CODE = """
import json, sys
from synthbench.cli import main
code = main(json.loads(sys.argv[1]))
print(json.dumps([code, sorted({name.partition(".")[0] for name in sys.modules})]), file=sys.stderr)
"""


@pytest.fixture
def drawn(mini, monkeypatch):
    """How often the report was drawn; a run of two generators has been."""
    times = []

    def draw(out):
        times.append(out)
        (out / "report.html").write_text("a page", encoding="utf-8")
        return "report"

    monkeypatch.setattr("synthbench.commands.run.report_or_warning", draw)
    mini.write("MeanNoise", "Floor")
    assert mini.run() == 0
    assert len(times) == 1
    return times


def files(mini):
    return {path: path.stat().st_mtime_ns for path in mini.out.rglob("*") if path.is_file()}


def test_nothing_is_written_where_nothing_is_new(mini, drawn, capsys):
    before, tables = files(mini), {path.name: path.read_bytes() for path in mini.out.glob("*.csv")}
    first = mini.record
    assert mini.run() == 0
    assert "nothing has changed" in capsys.readouterr().out
    changed = {path.name for path, when in files(mini).items() if before.get(path) != when}
    assert changed <= {"run.json", ".standing.json", ".synthbench.lock"}
    assert all(trial.pop("from_store") for trial in mini.record["trials"])
    second = mini.record
    for record in (first, second):
        for trial in record["trials"]:
            del trial["from_store"]
    assert first == second
    assert {path.name: path.read_bytes() for path in mini.out.glob("*.csv")} == tables
    before = files(mini)
    assert mini.run() == 0
    assert {path.name for path, when in files(mini).items() if before[path] != when} <= {".synthbench.lock"}
    assert len(drawn) == 1


def test_results_are_as_a_run_that_puts_them_together_makes_them(mini, drawn):
    assert mini.run() == 0
    skipped = {path.name: path.read_bytes() for path in mini.out.glob("*.csv")}
    (mini.out / ".standing.json").unlink()
    assert mini.run() == 0
    assert len(drawn) == 2
    assert {path.name: path.read_bytes() for path in mini.out.glob("*.csv")} == skipped


def lose_report(mini):
    (mini.out / "report.html").unlink()


def edit_board(mini):
    path = mini.out / "leaderboard.csv"
    path.write_text(path.read_text().replace("meannoise", "mine"))


def lose_a_trial(mini):
    next(mini.out.glob("trials/*/seed-0/generator/samples.png")).unlink()


def ask_for_more(mini):
    mini.write("MeanNoise", "Floor", seeds=2)


def drop_a_row(mini):
    mini.write("MeanNoise")


def change_the_plugin(mini):
    mini.plugin.write_text(mini.plugin.read_text() + "\n\nELSE = 1\n")


def empty_the_store(mini):
    for meta in mini.cache.glob("scores/*/meta.json"):
        meta.unlink()


@pytest.mark.parametrize(
    "change",
    [lose_report, edit_board, lose_a_trial, ask_for_more, drop_a_row, change_the_plugin, empty_the_store],
)
def test_whatever_differs_is_put_right(mini, drawn, change):
    change(mini)
    assert mini.run() == 0
    assert len(drawn) == 2
    assert (mini.out / "report.html").is_file()
    assert "mine" not in set(mini.board.index)
    assert list(mini.out.glob("trials/*/seed-0/generator/samples.png"))
    assert mini.run() == 0
    assert len(drawn) == 2, "and then it stands"


def test_fresh_computes_all_of_it(mini, drawn):
    assert mini.run("--fresh") == 0
    assert len(drawn) == 2
    assert not any(trial["from_store"] for trial in mini.record["trials"])


def test_another_core_puts_them_together_again(mini, drawn, monkeypatch):
    monkeypatch.setattr("synthbench.runner.unchanged.core_digest", lambda: "another")
    assert mini.run() == 0
    assert len(drawn) == 2


def test_what_failed_is_tried_again(mini, drawn):
    mini.write("MeanNoise", "Failing")
    for times in (2, 3):
        assert mini.run() == 1
        assert len(drawn) == times
    assert not (mini.out / ".standing.json").exists()


def test_it_loads_nothing_heavy(mini, drawn):
    """Nor to cut off a hold-out, for which copies within the training images are looked up in the audit."""
    assert mini.run("--set", "holdout=0.2") == 0
    command = ["run", str(mini.file), "--out", str(mini.out), "--device", "cpu", "--set", "holdout=0.2"]
    done = subprocess.run(
        [sys.executable, "-c", CODE, json.dumps(command)], capture_output=True, text=True, check=False
    )
    assert "nothing has changed" in done.stdout, done.stderr
    code, loaded = json.loads(done.stderr.splitlines()[-1])
    assert code == 0
    assert not HEAVY & set(loaded)


def test_what_stages_need_loads_at_once_unless_all_may_be_done(mini, drawn, monkeypatch):
    prepared = []

    class Idle:
        def prepare(self):
            prepared.append(True)

        def perform(self, *_):
            return None  # all is done in this process

        def room(self):
            return mini.folder

    monkeypatch.setattr("synthbench.commands.run.workers_of", lambda *_, **__: nullcontext(Idle()))
    assert mini.run() == 0
    assert prepared == []
    (mini.out / ".standing.json").unlink()
    assert mini.run() == 0
    assert prepared == [True]


@pytest.mark.parametrize("name", ["OMP_WAIT_POLICY", "OPENBLAS_THREAD_TIMEOUT"])
def test_idle_threads_sleep_unless_the_environment_says_otherwise(monkeypatch, name):
    monkeypatch.setenv(name, "")
    monkeypatch.delenv(name)
    let_idle_threads_sleep()
    assert os.environ[name] in ("PASSIVE", "4")
    monkeypatch.setenv(name, "mine")
    let_idle_threads_sleep()
    assert os.environ[name] == "mine"


def test_without_a_driver_torch_is_not_asked_for_a_device(monkeypatch):
    def none(_):
        raise OSError

    monkeypatch.setattr("synthbench.commands.device.ctypes.CDLL", none)
    monkeypatch.setattr("synthbench.commands.device.Path.exists", lambda _: False)
    monkeypatch.setitem(sys.modules, "torch", None)  # to import it raises
    del sys.modules["torch"]
    monkeypatch.setattr("builtins.__import__", refuse_torch(__import__))
    assert resolve_device("auto") == "cpu"
    with pytest.raises(ImportError, match="not here"):
        resolve_device("cuda")


def refuse_torch(ordinary):
    def import_(name, *rest):
        if name == "torch":
            raise ImportError("not here")
        return ordinary(name, *rest)

    return import_


def test_a_label_probe_is_asked_once(mini, monkeypatch):
    mini.write("MeanNoise", "Floor")
    assert mini.run() == 0
    monkeypatch.setattr("synthbench.runner.stages.check_labels", None)
    first = [trial["label_agreement"] for trial in mini.record["trials"]]
    assert mini.run() == 0
    assert [trial["label_agreement"] for trial in mini.record["trials"]] == first
    assert all(0 <= share <= 1 for share in first)
