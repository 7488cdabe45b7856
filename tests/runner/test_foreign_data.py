"""A data set that does what it should not: the run ends with one message, or goes on and no number moves."""

import json

import numpy as np
import pytest

from synthbench import cli
from synthbench.runner import worker
from synthbench.runner.isolation.handing import handed_over, taken_over
from synthbench.scale import GreyScale
from synthbench.types import Geometry, Images, Quarantined, Splits
from tests.runner.test_poison import add, rows_of

BAD = """

class Bad(Squares):
    name: ClassVar[str] = "bad"
    how: str = ""
    hook: str = "load"

    def load(self, ctx):
        self.act("load", ctx)
        return super().load(ctx)

    def as_external(self, splits):
        self.act("as_external", None)
        return self

    def act(self, hook, ctx):
        if hook != self.hook:
            return
        import ctypes, os, sys, time
        (HERE / "pid.txt").write_text(str(os.getpid()))
        match self.how:
            case "sys.exit": sys.exit(0)
            case "GeneratorExit": raise GeneratorExit
            case "close": sys.stdout.close()
            case "os._exit": os._exit(7)
            case "segfault": ctypes.string_at(0)
            case "hang": time.sleep(60)
            case "memory":
                kept = np.ones(100_000_000)
                time.sleep(60)
            case "raise": raise RuntimeError("\\ud800" + "x" * 9000)
            case "str": raise Unspeakable
            case "other": raise Skipped("not here")
            case "state":
                import torch
                os.chdir("/")
                torch.set_default_dtype(torch.float64)
                torch.set_grad_enabled(False)
                torch.set_flush_denormal(True)


class Stored(Squares):
    name: ClassVar[str] = "stored"
    version: int = 0

    def load(self, ctx):
        import os
        (HERE / "pid.txt").write_text(str(os.getpid()))
        from synthbench import load_images, save_images
        key = {"version": (HERE / "version.txt").read_text()}
        try:
            entry = ctx.store.make("squares", key, lambda folder: save_images(folder, self.make(self.n, 0)))
        except Exception:
            return super().load(ctx)  # half of it, as it were
        splits = super().load(ctx)
        return Splits(load_images(entry.path), splits.tests, positive="LIGHT")


class Typed(Squares):
    name: ClassVar[str] = "typed"

    def load(self, ctx):
        return [super().load(ctx)]


class Unspeakable(Exception):
    def __str__(self):
        raise ValueError("no words")
"""


@pytest.fixture
def isolated(mini, monkeypatch):
    monkeypatch.delenv("SYNTHBENCH_IN_PROCESS")
    add(mini, BAD)
    (mini.folder / "version.txt").write_text("1")
    return mini


@pytest.fixture
def in_process(mini):
    add(mini, BAD)
    return mini


def pid(mini):
    return int((mini.folder / "pid.txt").read_text())


ENDS = {
    "sys.exit": "SystemExit: 0: the plugin calls sys.exit",
    "os._exit": "the plugin ended its process: exit code 7",
    "segfault": "killed by signal 11 (SIGSEGV) (mini.py, line ",
    "raise": "RuntimeError: \\ud800xxx",
    "str": "Unspeakable: (its text cannot be made: ValueError) (mini.py, line ",
    "hang": "stopped after 1.5 s: the limit is `timeout`",
    "memory": "stopped at ",
    "other": "Skipped: not here",
}


@pytest.mark.parametrize(
    "hows",
    [
        ["os._exit", "segfault"],
        pytest.param(["hang", "sys.exit", "raise", "str", "memory", "other"], marks=pytest.mark.full),
    ],
)
def test_however_a_load_ends_the_run_ends_with_one_message_and_nothing_is_lost(isolated, capsys, hows):
    isolated.write("MeanNoise")
    assert isolated.run() == 0
    expected = (isolated.out / "scores.csv").read_bytes()
    for how in hows:
        limit = {"memory": ["--memory-limit", "0.6"], "hang": ["--timeout", "1.5"]}.get(how, [])
        isolated.write("MeanNoise", dataset={"use": "Bad", "how": how})
        capsys.readouterr()
        assert isolated.run(*limit) == 2, how
        error = capsys.readouterr().err
        assert f"synthbench: dataset bad: {ENDS[how]}" in error
        assert "Traceback" not in error
        assert len(error) < 2500
        assert (isolated.out / "data/bad/error.txt").read_text(), how
        assert (isolated.out / "scores.csv").read_bytes() == expected
    assert not (isolated.cache / "shared").exists()


@pytest.mark.parametrize("command", [["run"], ["audit"]])
def test_what_is_no_exception_ends_a_load_alone_in_any_process(in_process, capsys, command):
    in_process.write("MeanNoise", dataset={"use": "Bad", "how": "GeneratorExit"})
    assert cli.main([*command, str(in_process.file), "--out", str(in_process.out)]) == 2
    assert capsys.readouterr().err.startswith("synthbench: dataset bad: GeneratorExit: ")


@pytest.mark.parametrize("command", ["audit", "export-train"])
def test_what_a_load_does_to_its_process_is_one_message_of_a_command_without_rows_too(isolated, capsys, command):
    isolated.write("MeanNoise", dataset={"use": "Bad", "how": "close"})
    where = ["--out", str(isolated.out)] if command == "audit" else [str(isolated.out)]
    assert cli.main([command, str(isolated.file), *where]) == 2
    (error,) = capsys.readouterr().err.splitlines()
    assert error == "synthbench: dataset bad: the plugin ended its process: exit code 1"


def test_one_of_an_external_set_is_told_as_that_one(isolated, capsys):
    isolated.write("MeanNoise", external=[{"use": "Bad", "label": "far", "how": "os._exit"}])
    assert isolated.run() == 2
    assert "synthbench: dataset far: the plugin ended its process: exit code 7" in capsys.readouterr().err


@pytest.mark.parametrize(("how", "said"), [("raise", "RuntimeError: "), ("sys.exit", "SystemExit: 0")])
def test_a_hook_that_fails_is_one_message(in_process, capsys, how, said):
    far = {"use": "Bad", "label": "far", "how": how, "hook": "as_external"}
    in_process.write("MeanNoise", external=[far])
    assert in_process.run() == 2
    assert f"`as_external` of bad fails: {said}" in capsys.readouterr().err


@pytest.mark.parametrize("flags", [[], pytest.param(["--in-process"], marks=pytest.mark.full)])
def test_what_a_load_changes_moves_no_number(isolated, flags):
    isolated.write("MeanNoise", evaluators=["Distance"])
    assert isolated.run("--in-process") == 0
    expected = rows_of(isolated)
    isolated.write("MeanNoise", dataset={"use": "Bad", "label": "squares", "how": "state"})
    assert isolated.run(*flags, "--fresh") == 0
    assert rows_of(isolated).equals(expected)


def test_a_load_that_changes_its_process_never_runs_in_that_of_the_run(isolated):
    import os

    isolated.write("MeanNoise", dataset={"use": "Bad", "how": "state"})
    for _ in range(2):
        assert isolated.run() == 0
        assert pid(isolated) != os.getpid()


def test_one_that_has_ended_well_is_looked_up_here_until_it_has_to_make_something(isolated, monkeypatch):
    import os

    isolated.write("MeanNoise", dataset="Stored")
    assert isolated.run() == 0
    first = (isolated.out / "scores.csv").read_bytes()
    assert pid(isolated) != os.getpid()
    with monkeypatch.context() as patched:
        patched.setattr(worker, "started", lambda *_: pytest.fail("a process was started"))
        assert isolated.run() == 0
    assert pid(isolated) == os.getpid()

    (isolated.folder / "version.txt").write_text("2")  # the data are others now
    assert isolated.run() == 0
    assert pid(isolated) != os.getpid()
    assert (isolated.out / "scores.csv").read_bytes() == first
    (entry,) = isolated.cache.glob("loaded/*/meta.json")
    assert json.loads(entry.read_text())["key"]["use"] == "stored:Stored"


def test_something_other_than_splits_is_told(in_process, capsys):
    in_process.write("MeanNoise", dataset="Typed")
    assert in_process.run() == 2
    error = capsys.readouterr().err
    assert "dataset typed: TypeError: load must return synthbench.Splits, found list" in error


INPUTS = """

class Asked(MeanNoise):
    name: ClassVar[str] = "asked"
    how: str

    def inputs(self):
        import os, sys
        match self.how:
            case "raise": raise RuntimeError("no")
            case "exit": sys.exit(0)
            case "none": return None
            case "chdir": os.chdir("/")
        return {}


class Judged(Distance):
    name: ClassVar[str] = "judged"

    def inputs(self):
        raise RuntimeError("no")
"""


def test_inputs_that_fail_are_one_failed_row_or_evaluator(mini):
    mini.write("MeanNoise")
    assert mini.run() == 0
    expected = rows_of(mini)
    add(mini, INPUTS)
    asked = [{"use": "Asked", "label": how, "how": how} for how in ("raise", "exit", "none", "chdir")]
    mini.write(*asked, "MeanNoise", evaluators=["Distance", "Judged"])
    assert mini.run("--fresh") == 1
    assert rows_of(mini).equals(expected)
    notes = mini.board["note"]
    assert "`inputs` of asked fails: RuntimeError: no" in notes["raise"]
    assert "`inputs` of asked fails: SystemExit: 0" in notes["exit"]
    assert "`inputs` of asked fails: TypeError" in notes["none"]
    assert "`inputs` of judged fails: RuntimeError: no" in notes["meannoise"]
    assert len(rows_of(mini, "chdir")) == len(expected)


def test_files_that_fail_are_told_before_any_work(mini, capsys):
    add(
        mini,
        "\n\nclass Filed(MeanNoise):\n    name: ClassVar[str] = 'filed'\n\n"
        "    def files(self):\n        raise RuntimeError('no')\n",
    )
    mini.write("Filed")
    assert mini.run() == 2
    assert "`files` of filed fails: RuntimeError: no" in capsys.readouterr().err
    assert mini.calls()["load"] == 0


def test_splits_come_over_whole(tmp_path):
    rng = np.random.default_rng(0)

    def images(n):
        pixels = rng.integers(0, 255, (n, 8, 8, 1), dtype=np.uint8)
        return Images(pixels, np.arange(n) % 2, ("a", "b"), [f"é{i}" for i in range(n)])

    files = Geometry(*(np.arange(4) + k for k in range(4)))
    splits = Splits(
        images(0),
        {"test": images(4)},
        val=images(2),
        quarantine=(Quarantined("x.png", "cut"),),
        domain="d",
        geometry={"test": files},
        positive="b",
        scale=GreyScale(12, (0, 4095.5)),
        conversions={"12 bits": np.int64(3)},
        attributes={"test": {"sex": np.array(["f", "m", "", "f"])}},
    )
    known = splits.tests["test"].digest
    (tmp_path / "a").mkdir()
    back = taken_over(json.loads(json.dumps(handed_over(splits, tmp_path / "a"))))

    assert {name: part.digest for name, part in back.parts.items()} == {
        name: part.digest for name, part in splits.parts.items()
    }
    assert back.tests["test"].__dict__["digest"] == known
    assert (back.scale, back.quarantine, back.domain, back.positive) == (
        splits.scale,
        splits.quarantine,
        "d",
        "b",
    )
    assert back.geometry["test"].digest == files.digest
    assert back.conversions == {"12 bits": 3}
    assert back.attributes["test"]["sex"].tolist() == ["f", "m", "", "f"]
    with pytest.raises(ValueError, match="read-only"):
        back.tests["test"].pixels[:] = 0


def test_what_has_no_place_in_splits_is_named(tmp_path):
    pixels = np.zeros((1, 8, 8, 1), np.uint8)
    one = Images(pixels, np.zeros(1, np.int64), ("a",))
    odd = Splits(one, {}, attributes={"train": {"sex": np.array([None], dtype=object)}})
    with pytest.raises(TypeError, match="hold an array of objects"):
        handed_over(odd, tmp_path)
