"""What one sees while a run goes on: the trials' line, stages, plain lines in a pipe; and losses as events."""

import io
import os
import re
import struct
import subprocess
import sys
import time

import pytest

from synthbench import cli, progress
from synthbench.progress import Progress, Trials
from synthbench.runner import tensorboard as events

TERMINAL = {"TERM": "xterm-256color", "COLUMNS": "120", "LINES": "24"}


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def terminal(monkeypatch):
    """A function that makes standard error a terminal: to be called in the test, pytest sets its own before."""
    monkeypatch.setenv("TERM", "xterm")

    def turn_on():
        monkeypatch.setattr(sys, "stderr", Terminal())
        return sys.stderr

    return turn_on


# ---- the trials' line


def test_it_counts_trials_done_running_and_left():
    trials = Trials(5)
    assert str(trials) == "0 done, 5 left"
    trials.begin("acgan, seed 0")
    assert str(trials) == "0 done, 1 running, 4 left; acgan, seed 0"
    trials.stage("tstr")
    assert str(trials) == "0 done, 1 running, 4 left; acgan, seed 0, tstr"
    trials.end("done")
    trials.begin("acgan, seed 1")
    trials.end("failed")
    assert str(trials) == "1 done, 1 failed, 3 left"
    trials.begin("pca, seed 0")
    trials.end("skipped")
    assert str(trials) == "1 done, 1 failed, 1 skipped, 2 left"


def test_it_stands_above_the_stages_bar(terminal):
    out = terminal()
    shown = Progress()
    with shown.trials(3) as trials:
        trials.begin("acgan, seed 0")
        shown.stage("generator")
        with shown.bar("acgan", 100, unit="steps") as bar:
            bar.advance(50, note="D 0.27 0.02 G 0.19 0.01")
            bar._bar.refresh()
        trials.end("done")
    text = out.getvalue()
    assert "0 done, 1 running, 2 left; acgan, seed 0, generator" in text
    assert "1 done, 2 left" in text
    below = text[text.index("generator") :]
    assert "\n" in below[: below.index("50/100")], "the bar is on the next line"
    assert "D 0.27 0.02 G 0.19 0.01" in below
    assert re.search(r"\d+:\d+<\d+:\d+", below), "time spent and left"


def test_what_is_said_goes_to_standard_output_whole(terminal, capsys):
    err = terminal()
    shown = Progress()
    with shown.trials(1) as trials, shown.bar("x", 10) as bar:
        trials.begin("a")
        bar.advance(1)
        shown.say("[1/1] a: done, 1.0 s")
    assert capsys.readouterr().out == "[1/1] a: done, 1.0 s\n"
    assert "1 running" in err.getvalue()
    assert "[1/1]" not in err.getvalue()


def test_the_lines_are_gone_when_it_ends_by_an_error_too(terminal):
    out = terminal()
    shown = Progress()
    with pytest.raises(KeyboardInterrupt), shown.trials(2), shown.bar("x", 10):
        raise KeyboardInterrupt
    assert "0 done, 2 left" in out.getvalue()
    assert out.getvalue().rpartition("\r")[2].strip() == ""
    shown.stage("outside of any run")


def test_redrawing_costs_little(terminal):
    """A step of the smallest GAN here takes 10 ms; telling of it takes some microseconds."""
    terminal()
    with Progress().trials(1), Progress().bar("x", 20_000) as bar:
        begun = time.process_time()
        for _ in range(20_000):
            bar.advance(1, note="D 0.27")
        assert time.process_time() - begun < 1.0


# ---- where lines cannot be redrawn


@pytest.mark.parametrize("kind", ["pipe", "dumb"])
def test_plain_lines_one_soon_then_one_a_minute(monkeypatch, kind):
    out = Terminal() if kind == "dumb" else io.StringIO()
    monkeypatch.setenv("TERM", "dumb" if kind == "dumb" else "xterm")
    monkeypatch.setattr(sys, "stderr", out)
    clock = iter(range(0, 10_000, 10))
    monkeypatch.setattr(progress.time, "monotonic", lambda: float(next(clock)))
    shown = Progress()
    assert not shown.enabled
    with shown.trials(2) as trials:
        trials.begin("acgan, seed 0")
        shown.stage("generator")
        with shown.bar("acgan", 200, unit="steps", done=100) as bar:
            for step in range(13):  # 10 s each
                bar.advance(5, note=f"D {step}")
    assert out.getvalue().splitlines() == [
        "acgan, seed 0, generator: acgan: 105/200 steps, 0.5 a second, 190 s left; D 0",
        "acgan, seed 0, generator: acgan: 135/200 steps, 0.5 a second, 130 s left; D 6",
        "acgan, seed 0, generator: acgan: 165/200 steps, 0.5 a second, 70 s left; D 12",
    ]


def test_silent_when_told_so(capsys, monkeypatch):
    monkeypatch.setattr(progress, "FIRST_LINE_S", 0.0)
    shown = Progress(False)
    with shown.trials(1) as trials, shown.bar("x", 10) as bar:
        trials.begin("a")
        bar.advance(1)
    assert capsys.readouterr() == ("", "")


# ---- whole runs


def run_with(code, mini, **streams):
    """A process that calls `main` with the arguments of a run, as the command `synthbench` does."""
    arguments = ["run", str(mini.file), "--out", str(mini.out), "--device", "cpu"]
    command = [sys.executable, "-c", f"import sys; from synthbench.cli import main; {code}", *arguments]
    return subprocess.Popen(command, env={**os.environ, **TERMINAL}, **streams)


@pytest.mark.full
def test_a_run_in_a_pipe_has_no_control_characters_and_needs_torch_only_where_a_plugin_does(mini):
    mini.write("MeanNoise", "Failing")
    code = "code = main(sys.argv[1:]); print('torch' in sys.modules); sys.exit(code)"
    running = run_with(code, mini, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    out, err = running.communicate()
    assert running.returncode == 1
    assert not set("\r\x1b") & set(out + err)
    assert out.startswith("squares: 1 file put aside: 1 cut short\n[1/2] meannoise, seed 0: done")
    assert out.splitlines()[-1] == "False"


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are POSIX")
@pytest.mark.full
def test_a_run_on_a_terminal(mini):
    import fcntl
    import pty
    import termios

    mini.write("MeanNoise", "Failing", evaluators=["Distance", "Twice"])
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 120, 0, 0))
    code = "import synthbench.commands.run as run; run.report_or_warning = str; sys.exit(main(sys.argv[1:]))"
    process = run_with(code, mini, stdout=slave, stderr=slave)
    os.close(slave)
    text = "".join(iter(lambda: read(master), ""))
    assert process.wait() == 1
    os.close(master)
    assert "0 done, 1 running, 1 left; meannoise, seed 0, generator" in text
    assert "0 done, 1 running, 1 left; meannoise, seed 0, distance" in text
    assert "1 done, 1 running, 0 left; failing, seed 0, generator" in text
    assert re.search(r"(^|\r)\[1/2\] meannoise, seed 0: done", text, re.MULTILINE), "on a line of its own"


def read(terminal):
    try:
        return os.read(terminal, 1 << 16).decode(errors="replace")
    except OSError:  # what Linux answers once the other end is closed
        return ""


# ---- TensorBoard


def scalars(folder):
    """{tag: {step: value}} as TensorBoard reads them."""
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    found = accumulator.EventAccumulator(str(folder)).Reload()
    return {tag: {e.step: e.value for e in found.Scalars(tag)} for tag in found.Tags()["scalars"]}


def test_losses_as_tensorboard_reads_them(tmp_path):
    (tmp_path / "losses.csv").write_text("step,d_tag,g_tag\n0,0.5,0.25\n100,0.125,\n")
    inner = tmp_path / "classifier-0"
    inner.mkdir()
    (inner / "history.csv").write_text("epoch,train_loss,remark\n1,0.75,x\n2,0.5,y\n")
    events.write_events(tmp_path)
    events.write_events(tmp_path)  # a repeated run replaces the file
    assert scalars(tmp_path / "classifier-0") == {"history/train_loss": {1: 0.75, 2: 0.5}}
    (inner / events.EVENTS).unlink()
    assert scalars(tmp_path) == {"losses/d_tag": {0: 0.5, 100: 0.125}, "losses/g_tag": {0: 0.25}}


@pytest.mark.parametrize("text", ["", "step\n", "loss,step\n1,2\n", "step,d\nx,1\nnan,2\n", "\xff\xfe"])
def test_a_table_of_another_kind_leaves_no_events(tmp_path, text):
    (tmp_path / "losses.csv").write_text(text, encoding="latin-1")
    events.write_events(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["losses.csv"]


def test_without_the_extra_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.setattr(events.util, "find_spec", lambda name: None)
    (tmp_path / "losses.csv").write_text("step,d\n0,1\n")
    events.write_events(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["losses.csv"]


def test_a_run_leaves_events_beside_the_losses_and_not_in_the_bundle(tmp_path, tmp_path_factory):
    pytest.importorskip("tensorboard")
    from tests.helpers.judged_runs import Runs

    run = Runs(tmp_path_factory.mktemp("runs"))("a", {"label": "x"})
    assert scalars(run / "trials/x/seed-0/generator")["losses/d_tag"] == {0: 0.5, 100: 0.125}
    assert cli.main(["export", str(run), str(tmp_path / "b.zip")]) == 0
