"""Trials worked off by several processes into one store, or into several, and put together by another."""

import csv
import json
import shutil
import subprocess
import sys
import tarfile

import pytest

from synthbench import cli
from synthbench.benchmark.plan import make_plan
from synthbench.commands.validate import validate
from synthbench.errors import ConfigError
from synthbench.leaderboard.trial_result import TrialResult
from synthbench.runner.elsewhere.ended import as_it_ended, is_missing
from synthbench.runner.elsewhere.work import shard

ROWS = ("MeanNoise", {"use": "Growing", "checkpoints": [1, 2]}, "Failing")


@pytest.fixture
def command(mini):
    """A function: the exit code of a command on the benchmark."""

    def command(name, *arguments):
        mini.forget()
        return cli.main([name, str(mini.file), *map(str, arguments)])

    return command


@pytest.fixture
def shared(mini, command):
    """The same, with results in the benchmark's folder."""
    mini.write(*ROWS, seeds=2)
    return lambda name, *arguments: command(name, "--out", mini.out, "--device", "cpu", *arguments)


def alone(mini):
    """scores.csv of a plain run with a store of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SYNTHBENCH_CACHE", str(mini.folder / "other"))
        mini.run(out=mini.folder / "alone")
    return (mini.folder / "alone" / "scores.csv").read_bytes()


def statuses(mini):
    return {row["generator"]: row["status"] for row in csv.DictReader((mini.out / "leaderboard.csv").open())}


def test_parts_are_put_together_to_the_board_of_one_run(mini, shared, capsys):
    for k in (1, 2, 3):
        assert shared("work", "--shard", f"{k}/3") in (0, 1)
    worked = mini.calls()
    assert shared("run", "--collect") == 1  # one generator fails, wherever it is worked off
    assert not [call for call in mini.calls() if call != "load"]
    assert (mini.out / "scores.csv").read_bytes() == alone(mini)
    assert worked["fit failing"] == 2
    assert "failing: RuntimeError: loss is NaN" in capsys.readouterr().out
    error = mini.out / "trials"
    assert "loss is NaN" in "".join(path.read_text() for path in error.rglob("error.txt"))
    assert all((mini.out / name).exists() for name in ("run.json", "leaderboard.csv"))


def test_what_is_missing_is_said_with_its_command(mini, shared, capsys):
    shared("work", "--trial", "meannoise/0", "--trial", "meannoise/1", "--trial", "failing/0")
    capsys.readouterr()
    shared("run", "--collect")
    assert statuses(mini)["meannoise"] == "done"
    assert "synthbench work FILE --trial growing@1/1` makes it" in capsys.readouterr().out
    shared("work")
    shared("run", "--collect")
    assert set(statuses(mini).values()) == {"done", "failed"}


def test_an_emptied_store_takes_nothing_off_a_finished_board(mini, shared, capsys, monkeypatch):
    mini.write("MeanNoise", seeds=2)
    assert shared("run") == 0
    before = {path: path.read_bytes() for path in mini.out.rglob("*") if path.is_file()}
    monkeypatch.setenv("SYNTHBENCH_CACHE", str(mini.folder / "empty"))
    assert shared("run", "--collect") == 2
    said = capsys.readouterr().err
    assert f"the board in {mini.out} would lose 2 of its trials (meannoise, seed 0; meannoise, seed 1)" in said
    assert str(mini.folder / "empty") in said
    assert {path: path.read_bytes() for path in mini.out.rglob("*") if path.is_file()} == before
    assert shared("run", "--collect", "--out", mini.folder / "elsewhere") == 1  # nothing lay there


def test_a_board_that_cannot_be_collected_whole_is_not_mixed(mini, shared, capsys):
    """One row asked for anew and worked off, one asked for anew and not: all files stay those of the board."""
    mini.write("MeanNoise", "Floor", baselines=False)
    assert shared("run") == 0
    before = {path: path.read_bytes() for path in mini.out.rglob("*") if path.is_file()}
    mini.write({"use": "MeanNoise", "sigma": 3.0}, {"use": "Floor", "offset": 70}, baselines=False)
    assert shared("work", "--trial", "meannoise/0") == 0
    assert shared("run", "--collect") == 2
    assert "would lose 5 of its trials (floor, seed 0; " in capsys.readouterr().err
    after = {path: path.read_bytes() for path in mini.out.rglob("*") if path.is_file()}
    assert {path for path in before if after.get(path) != before[path]} == set()


def test_a_failure_that_is_mended_is_forgotten(mini, shared):
    mini.write("Flaky", evaluators=["Distance"])
    (mini.folder / "flaky.txt").write_text(str(validate(mini.file).plan[0].seed))
    assert shared("work") == 1
    assert shared("run", "--collect") == 1
    (mini.folder / "flaky.txt").write_text("")
    assert shared("work") == 0
    assert shared("run", "--collect") == 0
    assert statuses(mini) == {"flaky": "done"}


def test_no_evaluator_of_a_finished_board_loses_its_scores(mini, shared, capsys):
    second = {"use": "Distance", "label": "second"}
    mini.write("MeanNoise", evaluators=["Distance", second])
    assert shared("run") == 0
    board = (mini.out / "leaderboard.csv").read_bytes()
    mini.write("MeanNoise", evaluators=[{"use": "Distance", "undefined_above": 9.0}, second])
    assert shared("run", "--collect") == 2
    assert "would lose 1 of its trials (meannoise, seed 0)" in capsys.readouterr().err
    assert (mini.out / "leaderboard.csv").read_bytes() == board


def test_a_packed_failure_takes_nothing_off_a_finished_board(mini, shared, capsys, monkeypatch, tmp_path):
    mini.write("Flaky", evaluators=["Distance"])
    (mini.folder / "flaky.txt").write_text("")
    assert shared("run") == 0
    before = {path: path.read_bytes() for path in mini.out.rglob("*") if path.is_file()}
    (mini.folder / "flaky.txt").write_text(str(validate(mini.file).plan[0].seed))
    monkeypatch.setenv("SYNTHBENCH_CACHE", str(tmp_path / "other"))
    assert shared("work", "--pack", tmp_path / "packs", "--out", tmp_path / "failed") == 1
    monkeypatch.setenv("SYNTHBENCH_CACHE", str(tmp_path / "empty"))
    assert shared("run", "--collect", "--unpack", tmp_path / "packs") == 2
    assert "would lose 1 of its trials (flaky, seed 0)" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in mini.out.rglob("*") if path.is_file()} == before


@pytest.mark.full
def test_two_workers_share_the_trials(mini, shared):
    mini.write("Growing", "MeanNoise", seeds=4)
    command = [sys.executable, "-m", "synthbench.cli", "work", str(mini.file), "--device", "cpu"]
    workers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=mini.folder) for _ in range(2)]
    said = [worker.communicate()[0] for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0]
    assert all(times == 4 for call, times in mini.calls().items() if call.startswith(("step", "fit")))
    assert all(text.count("seed ") >= 8 for text in said)  # each leaves when all is done, by whom ever


@pytest.mark.full
def test_jobs_give_the_board_of_one_process(mini, shared, capsys):
    assert shared("run", "--jobs", "2") == 1
    out = capsys.readouterr().out
    assert out.count("growing@1, seed 0: done") == out.count("[8/8]") == 1  # not from the store again
    assert out.count("file put aside") == 2  # by the processes, who need not all say so, and by this one
    assert mini.calls()["fit failing"] == 2
    assert (mini.out / "scores.csv").read_bytes() == alone(mini)


@pytest.mark.full
def test_jobs_say_how_far_each_is(mini, shared, capsys):
    mini.plugin.write_text(
        mini.plugin.read_text() + "\nimport synthbench.progress\nsynthbench.progress.FIRST_LINE_S = 0\n"
    )
    shared("run", "--jobs", "2")
    said = capsys.readouterr().err
    assert all(f"\nmeannoise, seed {k}, generator: fitting: 3/3 images" in said for k in (0, 1))


MORTAL = """

class Mortal(MeanNoise):
    name: ClassVar[str] = "mortal"

    def fit(self, train, ctx):
        import os, signal
        if not (HERE / "died").exists():
            (HERE / "died").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().fit(train, ctx)
"""


@pytest.mark.full
def test_what_a_killed_process_of_jobs_had_begun_another_takes_over(mini, shared, capsys):
    mini.plugin.write_text(mini.plugin.read_text() + MORTAL)
    mini.write("Mortal", "MeanNoise")
    assert shared("run", "--jobs", "2") == 0
    assert statuses(mini) == {"mortal": "done", "meannoise": "done"}
    said = capsys.readouterr().out
    assert "a process of --jobs ended: exit code -9; the others took over what it had begun" in said


@pytest.mark.full
def test_packed_here_and_unpacked_there(mini, shared, monkeypatch, tmp_path, capsys):
    packs = tmp_path / "packs"
    for k in (1, 2):
        monkeypatch.setenv("SYNTHBENCH_CACHE", str(tmp_path / f"machine {k}"))
        shared("work", "--shard", f"{k}/2", "--pack", packs, "--out", tmp_path / f"out {k}")
    monkeypatch.setenv("SYNTHBENCH_CACHE", str(tmp_path / "driver"))
    mini.calls()
    assert shared("run", "--collect", "--unpack", packs) == 1
    assert not [call for call in mini.calls() if call != "load"]
    assert (mini.out / "scores.csv").read_bytes() == alone(mini)
    said = capsys.readouterr().out
    assert f"loss is NaN (traceback in {mini.out / 'trials'}" in said  # it has come along, and where it lies now
    shared("run", "--collect", "--unpack", packs)
    assert f"{packs}: 0 entries are new" in capsys.readouterr().out


def tampered(packs, change):
    """Each packed file with `change` applied to its unpacked folder."""
    for file in packs.glob("*.tar"):
        folder = file.with_suffix("")
        with tarfile.open(file) as tar:
            tar.extractall(folder, filter="data")
        change(folder)
        with tarfile.open(file, "w") as tar:
            for part in sorted(folder.iterdir()):
                tar.add(part, part.name)
        shutil.rmtree(folder)


def flip(folder):
    pixels = next(folder.rglob("pixels.npy"))
    pixels.write_bytes(pixels.read_bytes()[:-1] + b"?")


def rename(folder):
    entry = next((folder / "store" / "scores").iterdir())
    entry.rename(entry.with_name("0" * 32))


def lead_out(folder):
    next(folder.rglob("scores.json")).with_name("link").symlink_to("/etc/passwd")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (flip, "pixels.npy has changed"),
        (rename, "it is the entry of another key"),
        (lead_out, "is a link to an absolute path"),
        (lambda folder: next(folder.rglob("meta.json")).unlink(), "is no entry"),
    ],
)
def test_what_was_damaged_on_the_way_is_refused(mini, shared, tmp_path, capsys, monkeypatch, change, message):
    packs = tmp_path / "packs"
    shared("work", "--trial", "meannoise/0", "--pack", packs)
    tampered(packs, change)
    monkeypatch.setenv("SYNTHBENCH_CACHE", str(tmp_path / "driver"))
    assert shared("run", "--collect", "--unpack", packs) == 2
    assert message in capsys.readouterr().err


def test_the_plan_as_json(mini, command, capsys):
    mini.write(*ROWS)
    assert command("plan", "--json") == 0
    trials = {trial["name"]: trial for trial in json.loads(capsys.readouterr().out)["trials"]}
    assert list(trials) == ["meannoise/0", "growing@1/0", "growing@2/0", "failing/0"]
    assert trials["growing@2/0"]["after"] == "growing@1/0"
    assert trials["meannoise/0"]["stages"] == ["generator", "distance"]


def test_parts_hold_every_trial_once_and_keep_trainings_whole(mini):
    mini.write(*ROWS, seeds=3)
    plan = make_plan(validate(mini.file).bench)
    parts = [shard(plan, f"{k}/4") for k in range(1, 5)]
    assert sorted(trial.name for part in parts for trial in part) == sorted(trial.name for trial in plan)
    for part in parts:
        growing = [trial.name for trial in part if "growing" in trial.name]
        assert len(growing) % 2 == 0


@pytest.mark.parametrize("text", ["0/4", "5/4", "1", "a/b", "-1/4", "1/0"])
def test_what_is_no_part(mini, text):
    mini.write("MeanNoise")
    with pytest.raises(ConfigError, match="counted from 1"):
        shard(make_plan(validate(mini.file).bench), text)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["work", "--trial", "nobody/0"], "--trial nobody/0: no such trial"),
        (["run", "--collect", "--fresh"], "--fresh: with one process alone"),
        (["run", "--collect", "--unpack", "nowhere"], "nowhere: no .tar file"),
    ],
)
def test_mistakes(mini, shared, capsys, arguments, message):
    assert shared(*arguments) == 2
    assert message in capsys.readouterr().err


def test_a_trial_is_missing_by_how_it_was_put_together_and_not_by_the_words_of_its_reason(mini):
    mini.write("MeanNoise")
    trial = make_plan(validate(mini.file).bench)[0]
    assert not is_missing(TrialResult(trial, "failed", ["not in the store of my weights"]))
    assert is_missing(as_it_ended(TrialResult(trial, "failed", ["its stage is not there"]), mini.out))


LEAVES = """

class Leaves(MeanNoise):
    name: ClassVar[str] = "leaves"
    leave: bool = True
    boom: bool = False

    def fit(self, train, ctx):
        if self.boom:
            raise RuntimeError("out of luck")
        if self.leave:
            (ctx.workdir / "losses.csv").write_text("step,loss\\n1,2\\n")
        return super().fit(train, ctx)
"""


@pytest.fixture
def leaves(mini, command):
    """A function: a command on the benchmark of a generator that does as it is told."""
    mini.plugin.write_text(mini.plugin.read_text() + LEAVES)

    def leaves(name, *arguments, **options):
        mini.write({"use": "Leaves", **options})
        return command(name, "--out", mini.out, "--device", "cpu", *arguments)

    return leaves


def test_files_of_an_earlier_run_do_not_stay_beside_those_of_the_store(mini, leaves):
    assert leaves("run") == 0
    file = mini.out / "trials/leaves/seed-0/generator/losses.csv"
    assert file.exists()
    assert leaves("work", leave=False) == 0
    assert leaves("run", "--collect", leave=False) == 0
    assert statuses(mini) == {"leaves": "done"}
    assert not file.exists()
    assert not list(mini.out.rglob("*.before"))


def test_a_failure_of_other_options_is_none_of_this_one(mini, leaves, capsys):
    assert leaves("work", boom=True) == 1
    assert leaves("run", "--collect", boom=True) == 1
    assert "out of luck" in capsys.readouterr().out
    leaves("run", "--collect", boom=False)
    said = capsys.readouterr().out
    assert "synthbench work FILE --trial leaves/0` makes it" in said
    assert "out of luck" not in said


def test_packs_of_two_benchmarks_lie_side_by_side(mini, leaves, tmp_path):
    for leave in (True, False):
        assert leaves("work", "--pack", tmp_path / "packs", leave=leave) == 0
    assert len(list((tmp_path / "packs").glob("*.tar"))) == 2
