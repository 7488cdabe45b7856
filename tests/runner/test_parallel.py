"""What processes of --jobs say, put together in one display."""

import io
import sys

from synthbench.progress import Progress
from synthbench.runner.elsewhere.parallel import Asides, Relay


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
