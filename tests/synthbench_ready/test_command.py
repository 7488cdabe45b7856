"""Any program as a generator: what it is handed, what it hands back, how it ends."""

import logging
import random
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest
import yaml
from PIL import Image
from pydantic import ValidationError

from synthbench import cli
from synthbench.api.imaging import PictureRule, resize_square
from synthbench.api.registry import load_registry
from synthbench.benchmark.config import build_plugin
from synthbench.errors import ConfigError, DataError, PluginError
from synthbench.testing import check_generator, tiny_splits
from synthbench.types import Images
from synthbench_ready.command import Command
from synthbench_ready.program import FIRST, LAST, run_program

REAL = tiny_splits()
PYTHON = (sys.executable, "-I", "-S")

DRAW = """
import csv, random, sys
labels, out, seed, size = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
print("drawing")
for i, row in enumerate(csv.DictReader(open(labels))):
    noise = random.Random(seed * 1000 + i).choices(range(78, 102), k=size * size)
    if row["label"] == "BLOB":
        for y in range(size // 3, 2 * size // 3):
            for x in range(size // 3, 2 * size // 3):
                noise[y * size + x] += 80
    with open(f"{out}/{row['path']}", "wb") as file:
        file.write(b"P5 %d %d 255\\n" % (size, size) + bytes(noise))
"""

FIT = """
import csv, os, sys
train, model, seed = sys.argv[1:]
rows = list(csv.DictReader(open(f"{train}/labels.csv")))
assert all(os.path.isfile(f"{train}/{row['path']}") for row in rows)
with open(f"{model}/notes.txt", "a") as file:
    print(len(rows), rows[0]["path"], rows[0]["label"], rows[0]["patient"], seed, file=file)
"""


BENCHMARK = {
    "name": "program",
    "samples": 20,
    "baselines": False,
    "headline": "tstr.auroc",
    "dataset": {"use": "phantom", "image_size": 16, "train_images": 20, "test_images": 10},
    "evaluators": [{"use": "tstr", "backbone": "cnn", "epochs": 1}],
}


@pytest.fixture
def draw(tmp_path):
    """Words of a command that draws images of so many pixels a side."""
    script = tmp_path / "draw.py"
    script.write_text(DRAW)
    return lambda size=32: (*PYTHON, str(script), "{labels}", "{out}", "{seed}", str(size))


def script(tmp_path, text, *words):
    (tmp_path / "script.py").write_text(text)
    return (*PYTHON, str(tmp_path / "script.py"), *words)


def sampled(plugin, ctx, labels=(0, 1, 1)):
    return plugin.fit(REAL.train, ctx)(np.array(labels, np.int64), np.random.default_rng(0))


def test_contract(draw):
    assert [str(finding) for finding in check_generator(Command(command=draw())) if finding.warning] == []


def test_it_is_registered_and_takes_lists_of_texts():
    (cls,) = [cls for name, cls in load_registry().names("generator").items() if name == "command"]
    plugin = build_plugin(cls, ['command=["a", "{labels}", "{out}"]'])
    assert plugin.command == ("a", "{labels}", "{out}")
    with pytest.raises(ConfigError, match="command: expected"):
        build_plugin(cls, ["command=a {labels} {out}"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"command": ("a", "{out}")}, r"must name \{labels\}"),
        ({"command": ("a", "{labels}", "{output}")}, r"\{output\} is no placeholder; there is .*\{out\}"),
        ({"command": ("a", "{labels}", "{out}"), "fit_command": ("{out}",)}, r"\{out\} is no placeholder"),
    ],
)
def test_placeholders_are_checked_before_any_work(options, message):
    with pytest.raises(ValidationError, match=message):
        Command(**options)


def test_pictures_of_another_size_are_made_the_benchmarks(draw, ctx):
    rule = PictureRule("squash", antialias=False)
    large, small = (sampled(Command(command=draw(size)), replace(ctx, pictures=rule)) for size in (48, 32))
    assert large.shape == small.shape == (3, 32, 32, 1)
    seed = int(np.random.default_rng(0).integers(2**32))
    first = np.array(random.Random(seed * 1000).choices(range(78, 102), k=48 * 48), np.uint8).reshape(48, 48)
    assert np.array_equal(large[0], resize_square(Image.fromarray(first), 32, "squash", antialias=False))


def test_training_is_run_once_on_class_folders(draw, ctx, tmp_path):
    fit = script(tmp_path, FIT, "{train}", "{model}", "{seed}")
    plugin = Command(command=draw(), fit_command=fit)
    sampled(plugin, ctx)
    sampled(plugin, ctx)
    (notes,) = ctx.resume.glob("model/notes.txt")
    first = REAL.train
    line = f"48 PLAIN/000000.png {first.classes[first.labels[0]]} {first.groups[0]} {ctx.seed}\n"
    assert notes.read_text() == line


def test_a_script_is_found_from_where_the_run_was_started(tmp_path, monkeypatch):
    """Though a stage's process has a working folder of its own."""
    monkeypatch.setenv("SYNTHBENCH_IN_PROCESS", "0")
    monkeypatch.setenv("SYNTHBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    Path("draw.py").write_text(DRAW)
    draws = {"use": "command", "command": [*PYTHON, "draw.py", "{labels}", "{out}", "{seed}", "16"]}
    Path("bench.yaml").write_text(yaml.safe_dump({**BENCHMARK, "generators": [draws]}))
    assert cli.main(["run", "bench.yaml", "--out", "out"]) == 0


def test_a_training_that_failed_is_run_again(draw, ctx, tmp_path):
    fail = Command(command=draw(), fit_command=script(tmp_path, "import sys; sys.exit('no luck')"))
    for _ in range(2):
        with pytest.raises(PluginError, match="ended with exit code 1; it said last: no luck"):
            fail.fit(REAL.train, ctx)


def test_the_training_images_are_the_ones_given_and_are_gone_afterwards(ctx, tmp_path):
    copy = (
        "import csv, shutil, sys\n"
        "train, labels, out = sys.argv[1:]\n"
        "print(train)\n"
        "rows = list(csv.DictReader(open(f'{train}/labels.csv')))\n"
        "for row in csv.DictReader(open(labels)):\n"
        "    path = next(other['path'] for other in rows if other['label'] == row['label'])\n"
        "    shutil.copy(f'{train}/{path}', f\"{out}/{row['path']}\")\n"
    )
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (2, 16, 16, 3), dtype=np.uint8)
    train = Images(pixels, np.array([1, 0]), ("a/b", ".."))  # names that would leave the folder
    log = logging.getLogger("test-command")
    log.setLevel(logging.INFO)
    lines = []
    log.addHandler(handler := logging.Handler())
    handler.emit = lambda record: lines.append(record.getMessage())
    plugin = Command(command=script(tmp_path, copy, "{train}", "{labels}", "{out}"))
    drawn = plugin.fit(train, replace(ctx, log=log))(np.array([0, 1]), rng)
    assert np.array_equal(drawn, pixels[::-1])
    assert lines[0].startswith(f"running {sys.executable}")
    folder = lines[1].removeprefix("| ")
    assert folder != lines[1]
    assert not Path(folder).exists()


def test_its_script_and_its_sources_count_by_content(draw, tmp_path):
    module = tmp_path / "module"
    module.mkdir()
    (module / "model.py").write_text("1")
    plugin = Command(command=draw(), sources=(module,))
    before = plugin.inputs()
    assert plugin.inputs() == before
    (module / "model.py").write_text("22")
    changed = plugin.inputs()
    (tmp_path / "draw.py").write_text(f"{DRAW}\n")
    assert len({str(digests) for digests in (before, changed, plugin.inputs())}) == 3
    assert Command(command=("a" * 300, "{labels}", "{out}")).inputs() == {}
    with pytest.raises(DataError, match="gone: there is no such file or folder"):
        Command(command=draw(), sources=(tmp_path / "gone",)).inputs()


def test_a_relative_script_counts_wherever_it_is_asked(tmp_path, monkeypatch):
    """A generator within another is asked in a stage's process, which has a working folder of its own."""
    (tmp_path / "draw.py").write_text(DRAW), (tmp_path / "stage").mkdir()
    plugin = Command(command=(*PYTHON, "draw.py", "{labels}", "{out}"))
    monkeypatch.chdir(tmp_path)
    at_start = plugin.inputs()
    monkeypatch.setenv("SYNTHBENCH_STARTED_IN", str(tmp_path))
    monkeypatch.chdir(tmp_path / "stage")
    assert plugin.inputs() == at_start
    (tmp_path / "draw.py").write_text(f"{DRAW}\n")
    assert plugin.inputs() != at_start


def test_linked_sources_count_and_bytecode_does_not(draw, tmp_path):
    for name in ("module", "elsewhere"):
        (tmp_path / name).mkdir()
    (tmp_path / "module/part").symlink_to("../elsewhere")
    (tmp_path / "elsewhere/part.py").write_text("1")
    plugin = Command(command=draw(), sources=(tmp_path / "module",))
    before = plugin.inputs()
    (tmp_path / "module/__pycache__").mkdir()
    (tmp_path / "module/__pycache__/part.pyc").write_text("1")
    assert plugin.inputs() == before
    (tmp_path / "elsewhere/part.py").write_text("22")
    assert plugin.inputs() != before


# ---- how it ends


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import sys; print('one', flush=True); sys.exit('two')", "exit code 1; it said last: one / two"),
        ("import os; os.kill(os.getpid(), 9)", "ended by signal 9; it said nothing"),
        ("print('nothing to do')", r"left 0 of 3 images, no 000000\.png"),
    ],
)
def test_a_program_that_fails(ctx, tmp_path, text, message):
    with pytest.raises(PluginError, match=message):
        sampled(Command(command=script(tmp_path, text, "{labels}", "{out}")), ctx)


def test_a_picture_that_is_none(ctx, tmp_path):
    text = "import sys\nfor i in range(3): open(f'{sys.argv[2]}/{i:06d}.png', 'w').write('no picture')"
    with pytest.raises(PluginError, match=r"cannot be read: .*000000\.png: not an image of a known kind"):
        sampled(Command(command=script(tmp_path, text, "{labels}", "{out}")), ctx)


def test_a_program_that_is_not_there(ctx):
    with pytest.raises(PluginError, match="no-such-program cannot be started: No such file or directory"):
        sampled(Command(command=("no-such-program", "{labels}", "{out}")), ctx)


def test_a_program_that_hangs_ends_with_all_it_started(ctx, tmp_path):
    text = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-I', '-S', '-c', 'import time; time.sleep(60)'])\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    begun = time.monotonic()
    with pytest.raises(PluginError, match=r"not done after 1 s .* was ended; .* \d+$") as error:
        sampled(Command(command=script(tmp_path, text, "{labels}", "{out}"), timeout=1.0), ctx)
    assert time.monotonic() - begun < 10
    child = int(str(error.value).rpartition(" ")[2])
    for _ in range(50):  # the kernel hands a killed orphan on before it is gone
        if not _runs(child):
            break
        time.sleep(0.1)
    assert not _runs(child)


def _runs(pid):
    """Whether a process does, a zombie does not."""
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def test_what_it_prints_is_kept_within_bounds(caplog):
    log = logging.getLogger("test-bounds")
    n = FIRST + LAST + 7
    with caplog.at_level(logging.INFO, "test-bounds"):
        run_program([*PYTHON, "-c", f"for i in range({n}): print(i)\nprint('x' * 5000)"], 60, log)
    lines = [record.getMessage() for record in caplog.records]
    assert lines[1] == "| 0"
    assert f"... {n + 6 - FIRST - LAST} lines left out" in lines
    assert len(lines) == 1 + FIRST + 1 + LAST
    assert max(map(len, lines[1:])) < 1100


def test_on_the_board(mini):
    """A failed program is a failed row with its last lines, and its log lies in the trial's folder."""
    text = "import sys; print('out of memory'); sys.exit(7)"
    words = ", ".join(f"'{word}'" for word in script(mini.folder, text, "{labels}", "{out}"))
    mini.write("MeanNoise")
    assert mini.run("--set", f"generators=[{{use: command, command: [{words}]}}]") == 1
    assert mini.board.loc["command", "status"] == "failed"
    assert "ended with exit code 7; it said last: out of memory" in mini.board.loc["command", "note"]
    assert "| out of memory" in (mini.out / "trials/command/seed-0/generator/log.txt").read_text()
