"""A process for each stage: whatever a plugin does to its own ends as one row, and moves no other."""

import json
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from functools import partial

import numpy as np
import psutil
import pytest

from synthbench.api.process_state import process_state
from synthbench.runner import worker
from synthbench.runner.isolation import crossing
from tests.runner.test_poison import add, rows_of

BAD = """

class Bad(MeanNoise):
    name: ClassVar[str] = "bad"
    how: str

    def fit(self, train, ctx):
        import ctypes, os, signal, subprocess, sys, time
        print("printed before", self.how)
        (ctx.workdir / "half.txt").write_text("half a training")
        match self.how:
            case "sys.exit": sys.exit(0)
            case "os._exit": os._exit(7)
            case "segfault": ctypes.string_at(0)
            case "kill": os.kill(os.getpid(), signal.SIGKILL)
            case "hang":
                child = subprocess.Popen(["sleep", "60"])
                (HERE / "pids.txt").write_text(f"{os.getpid()} {child.pid}")
                time.sleep(60)
            case "memory":
                kept = np.ones(60_000_000)
                time.sleep(60)
            case "text": raise RuntimeError("\\ud800" + "x" * 9000)
            case "str": raise Unspeakable
            case "chdir": os.chdir("/")
            case "flood":
                for _ in range(12): print("x" * 1_000_000)
            case "state":
                import torch
                torch.set_default_dtype(torch.float64)
                torch.set_num_threads(7)
                torch.set_flush_denormal(True)
                torch.set_grad_enabled(False)
                torch.set_default_device("meta")
                torch.use_deterministic_algorithms(True)
                ctx.progress.say(f"in {os.getcwd()}")
        return super().fit(train, ctx)


class Unspeakable(Exception):
    def __str__(self):
        raise ValueError("no words")
"""


@pytest.fixture
def isolated(mini, monkeypatch):
    monkeypatch.delenv("SYNTHBENCH_IN_PROCESS")
    add(mini, BAD)
    return mini


def bad(*hows):
    return [{"use": "Bad", "label": how, "how": how} for how in hows]


def log_of(mini, label, stage="generator"):
    return (mini.out / f"trials/{label}/seed-0/{stage}/log.txt").read_text()


def all_gone(pids):
    living = [int(pid) for pid in pids if psutil.pid_exists(int(pid))]
    return all(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE for pid in living)


ENDS = {
    "sys.exit": "SystemExit: 0: the plugin calls sys.exit",
    "os._exit": "the plugin ended its process: exit code 7",
    "segfault": "killed by signal 11 (SIGSEGV)",
    "kill": "killed by signal 9 (SIGKILL)",
    "text": "RuntimeError: \\ud800xxx",
    "str": "Unspeakable: (its text cannot be made: ValueError)",
}


def test_however_a_plugin_ends_it_is_one_failed_row(isolated):
    isolated.write("MeanNoise")
    assert isolated.run("--in-process") == 0
    expected = rows_of(isolated)
    isolated.write(*bad(*ENDS, "chdir"), "MeanNoise")
    assert isolated.run("--fresh") == 1

    assert rows_of(isolated).equals(expected)
    status = isolated.board["status"].to_dict()
    assert {label for label, how in status.items() if how == "done"} == {"chdir", "meannoise"}
    for label, text in ENDS.items():
        note = isolated.board.loc[label, "note"]
        assert f"{label}: {text}" in note
        assert len(note) < 2500
        assert "printed before" in log_of(isolated, label)
    folder = isolated.out / "trials/segfault/seed-0/generator"
    assert (folder / "half.txt").read_text() == "half a training"
    assert "mini.py" in (folder / "error.txt").read_text(), "the line that crashed"
    assert 'sys.exit": sys.exit(0)' in (isolated.out / "trials/sys.exit/seed-0/generator/error.txt").read_text()
    assert list(isolated.cache.rglob(".*")) == []
    assert not (isolated.cache / "shared").exists()


def test_an_evaluator_that_ends_its_process_in_resample_is_one_failed_evaluation(isolated):
    add(
        isolated,
        "\n\nclass Leaves(Distance):\n    name: ClassVar[str] = 'leaves'\n\n"
        "    def resample(self, predictions, weights):\n        import os\n        os._exit(3)\n",
    )
    isolated.write("MeanNoise", evaluators=["Distance", "Leaves"])
    assert isolated.run() == 1
    assert "leaves: the plugin ended its process: exit code 3" in isolated.board.loc["meannoise", "note"]
    assert set(rows_of(isolated).evaluator) == {"distance"}


@pytest.mark.parametrize("how", [(), ("--in-process",)])
def test_who_removes_its_working_folder_is_one_failed_row(isolated, how):
    add(
        isolated,
        "\n\nimport shutil\n\n\nclass Tidy(Twice):\n    name: ClassVar[str] = 'tidy'\n\n"
        "    def evaluate(self, real, synthetic, ctx):\n"
        "        shutil.rmtree(ctx.workdir)\n        return super().evaluate(real, synthetic, ctx)\n\n\n"
        "class Tidier(MeanNoise):\n    name: ClassVar[str] = 'tidier'\n\n"
        "    def fit(self, train, ctx):\n"
        "        sampler = super().fit(train, ctx)\n        shutil.rmtree(ctx.workdir)\n        return sampler\n",
    )
    isolated.write("MeanNoise", "Tidier", evaluators=["Distance", "Tidy"])
    assert isolated.run(*how) == 1
    assert "tidy: it removed its working folder, ctx.workdir" in isolated.board.loc["meannoise", "note"]
    assert isolated.board.loc["tidier", "status"] == "failed"
    assert set(rows_of(isolated).evaluator) == {"distance"}


@pytest.mark.full
def test_what_takes_too_long_or_too_much_is_stopped_with_all_it_started(isolated):
    isolated.write(*bad("hang", "memory"), "MeanNoise", timeout=60.0, memory_limit=0.7)
    assert isolated.run("--timeout", "1.5", "--only", "hang", "--only", "meannoise") == 1
    assert "hang: stopped after 1.5 s: the limit is `timeout`" in isolated.board.loc["hang", "note"]
    assert isolated.board.loc["meannoise", "status"] == "done"
    assert isolated.run("--only", "memory") == 1
    assert "the limit is `memory_limit`, 0.7 GB" in isolated.board.loc["memory", "note"]
    assert all_gone((isolated.folder / "pids.txt").read_text().split())


@pytest.mark.full
def test_what_it_prints_is_kept_up_to_a_bound_and_what_it_leaves_behind_stays_there(isolated, capsys):
    before = process_state()
    isolated.write(*bad("flood", "state"))
    assert isolated.run() == 0
    assert process_state() == before
    text = log_of(isolated, "flood")
    assert len(text) < 10_100_000
    assert "what is printed beyond 10,000,000 bytes is not kept" in text
    (said,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("in ")]
    home = said.removeprefix("in ")
    assert home.startswith(str(isolated.cache / "shared"))
    assert not os.path.exists(home)  # noqa: PTH110 - one call


@pytest.mark.full
def test_isolated_and_in_process_give_the_same_bytes(isolated):
    features = {"use": "Distance", "label": "again"}
    isolated.write("MeanNoise", "Prior", "Floor", evaluators=["Distance", features, "Twice", "Untrue"])
    assert isolated.run(out=isolated.folder / "a") == 1
    assert isolated.run("--fresh", "--in-process", out=isolated.folder / "b") == 1
    a, b = ((isolated.folder / name / "scores.csv").read_bytes() for name in "ab")
    assert a == b
    trials = json.loads((isolated.folder / "a/run.json").read_text())["trials"]
    assert trials[0]["costs"]["fit"]["peak_memory_mb"] > 10


def test_nothing_starts_where_all_is_in_the_store(isolated, monkeypatch):
    isolated.write("MeanNoise")
    assert isolated.run() == 0
    monkeypatch.setattr(worker, "started", lambda *_: pytest.fail("a process was started"))
    assert isolated.run() == 0
    assert isolated.record["trials"][0]["from_store"]


def test_an_interrupted_run_ends_its_stage(isolated, capsys):
    isolated.write(*bad("hang"))
    pids = isolated.folder / "pids.txt"
    # A shell starts what runs in its background without SIGINT.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    threading.Thread(target=lambda: wait_for(pids.read_text, 60) and os.kill(os.getpid(), signal.SIGINT)).start()
    try:
        assert isolated.run() == 130
    finally:
        signal.signal(signal.SIGINT, before)
    assert "interrupted" in capsys.readouterr().err
    assert wait_for(partial(all_gone, pids.read_text().split()), 20)
    assert not (isolated.cache / "shared").exists()


@pytest.mark.full
def test_where_the_run_is_killed_without_a_word_its_stage_notices(isolated):
    isolated.write(*bad("hang"))
    pids = isolated.folder / "pids.txt"
    command = [sys.executable, "-m", "synthbench.cli", "run", str(isolated.file), "--device", "cpu"]
    with subprocess.Popen(command, cwd=isolated.folder, stdout=subprocess.DEVNULL) as run:
        started = wait_for(pids.read_text, 60).split()
        run.kill()
    assert wait_for(partial(all_gone, started), 20)


def wait_for(look, seconds):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            if seen := look():
                return seen
        except OSError:
            time.sleep(0.05)
            continue
        time.sleep(0.05)
    return None


def test_what_cannot_be_sent_runs_here_and_says_so_once(isolated, monkeypatch, capsys):
    add(
        isolated,
        "\n\ndef make():\n    class Inner(MeanNoise):\n        pass\n    return Inner\n\n\nInner = make()\n",
    )
    isolated.write("Inner", seeds=2)
    assert isolated.run() == 0
    said = capsys.readouterr().out
    assert said.count("Inner runs in the process of the run itself: its class is defined inside a function") == 1


def test_workers_that_a_plugin_of_a_file_starts_can_import_it(isolated):
    add(
        isolated,
        "\n\ndef twice(x):\n    return 2 * x\n\n\nclass Pool(MeanNoise):\n    name: ClassVar[str] = 'pool'\n\n"
        "    def fit(self, train, ctx):\n        import multiprocessing\n"
        "        with multiprocessing.get_context('spawn').Pool(1) as pool:\n"
        "            (ctx.workdir / 'sum.txt').write_text(str(sum(pool.map(twice, [1, 2]))))\n"
        "        return super().fit(train, ctx)\n",
    )
    isolated.write("Pool")
    assert isolated.run() == 0
    assert isolated.run("--fresh", "--in-process") == 0
    assert (isolated.out / "trials/pool/seed-0/generator/sum.txt").read_text() == "6"


def test_arrays_cross_as_files_each_written_once(tmp_path):
    shelf = crossing.Shelf(tmp_path)
    large, small = np.arange(100_000), np.arange(3)
    stored = tmp_path / "stored.npy"
    np.save(stored, large + 1)
    mapped = np.load(stored, mmap_mode="r")
    huge = np.zeros(crossing.KNOWN_BYTES, dtype=np.uint8)
    for _ in range(2):
        packed = shelf.packed((large.copy(), small, mapped, mapped[:50_000], huge))
    assert len(packed) < 2000
    assert len(list(tmp_path.iterdir())) == 4
    first, second, third, part, _ = pickle.loads(packed)
    assert all(map(np.array_equal, (first, second, part), (large, small, mapped[:50_000])))
    assert third.filename == stored
    assert not first.flags.writeable
