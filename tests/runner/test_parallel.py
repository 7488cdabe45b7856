"""What processes of --jobs say, put together in one display."""

import io
import subprocess
import sys

import pytest

from synthbench.progress import Progress
from synthbench.runner.elsewhere.parallel import Asides, Relay, work_in_processes


class Terminal(io.StringIO):
    def isatty(self):
        return True


SAID = (
    "/site/torch/nn.py:3: UserWarning: deprecated\n",
    "acgan, seed 0, generator: acgan: 105/200 steps, 0.5 a second, 190 s left; D 0.2\n",
    "\n",
    "synthbench: disk full\n",
)


def test_a_process_says_how_far_it_is_and_last_why_it_ended(capsys):
    progress = Progress()
    with progress.others_line() as show:
        aside = Asides(show)
        aside.follow(SAID)
    assert capsys.readouterr().err == SAID[1]
    assert aside.last_words == "disk full"


def test_a_terminal_has_a_line_for_each_process_and_one_for_the_trials(monkeypatch, capsys):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    progress = Progress(True)
    with progress.trials(4) as counted, progress.others_line() as first, progress.others_line() as second:
        Asides(first).follow(SAID)
        second("cnn, seed 1: 1/9 steps")
        relay = Relay(4, progress, counted)
        relay.follow(["[1/4] acgan, seed 0: done\n", "[2/4] pca, seed 0: failed\n", "    pca: no room\n"])
        relay.follow(["[1/4] acgan, seed 0: in the store already\n"])  # another process found it there
        assert str(counted) == "1 done, 1 failed, 2 left"
    drawn = terminal.getvalue()
    assert SAID[1].strip() in drawn
    assert "cnn, seed 1: 1/9 steps" in drawn
    assert "UserWarning" not in drawn
    assert capsys.readouterr().out.splitlines() == [
        "[1/4] acgan, seed 0: done",
        "[2/4] pca, seed 0: failed",
        "    pca: no room",
    ]


def test_silent_where_progress_is_off(capsys):
    with Progress(False).others_line() as show:
        Asides(show).follow(SAID)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(("on_a_terminal", "said"), [(True, "every 1"), (False, "every ")])
def test_on_a_terminal_a_process_says_each_second_how_far_it_is(tmp_path, monkeypatch, capfd, on_a_terminal, said):
    """Elsewhere once a minute, its default."""
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\necho "every $SYNTHBENCH_LINE_EVERY"\n')
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    monkeypatch.delenv("SYNTHBENCH_LINE_EVERY", raising=False)
    work_in_processes(["some.yaml"], ["cpu"], 1, Progress(on_a_terminal))
    assert capfd.readouterr().out.splitlines() == [said.rstrip()]


@pytest.mark.parametrize(("every", "lines"), [("0", 3), ("60", 0)])
def test_how_often_a_stage_prints_a_line(every, lines):
    code = (
        "from synthbench.progress import Progress as P\nwith P().bar('x', 3) as b: [b.advance() for _ in range(3)]"
    )
    surroundings = {"SYNTHBENCH_LINE_EVERY": every}
    ended = subprocess.run(
        [sys.executable, "-c", code], env=surroundings, capture_output=True, text=True, check=True
    )
    assert len(ended.stderr.splitlines()) == lines
