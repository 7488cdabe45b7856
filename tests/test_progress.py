"""Progress bars: shown on a terminal, silent elsewhere."""

import io
import sys
from contextlib import nullcontext
from types import ModuleType

import pytest

from synthbench.progress import Progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


def use(progress, **options):
    with progress.bar("training", 10, **options) as bar:
        for step in range(5):
            bar.advance(2, note=f"loss {step}")


def test_quiet_where_standard_error_is_no_terminal(capsys):
    progress = Progress()
    assert progress.enabled is False
    use(progress)
    assert capsys.readouterr() == ("", "")


def test_shown_on_a_terminal(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    progress = Progress()
    assert progress.enabled is True
    use(progress, unit="steps")
    shown = terminal.getvalue()
    assert "training" in shown
    assert "0/10" in shown
    assert "steps" in shown


def test_a_bar_shows_count_rate_time_left_and_the_note(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    with Progress(True).bar("training", 100, unit="steps", done=40) as bar:
        bar.advance(10, note="D 0.27")
        text = str(bar._bar)
    assert "50/100" in text
    assert "50%" in text
    assert "D 0.27" in text
    assert "steps" in text
    assert "<" in text  # elapsed<left, rate


def test_a_resumed_bar_does_not_count_what_was_done_into_its_rate(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    with Progress(True).bar("training", 100, done=90) as bar:
        assert (bar._bar.n, bar._bar.initial) == (90, 90)


@pytest.mark.parametrize("enabled", [True, False])
def test_an_error_in_the_loop_passes(monkeypatch, enabled):
    monkeypatch.setattr(sys, "stderr", Terminal())
    with pytest.raises(KeyboardInterrupt), Progress(enabled).bar("training", 10):
        raise KeyboardInterrupt


def test_on_means_on_and_off_means_off(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    use(Progress(False))
    assert terminal.getvalue() == ""
    plain = io.StringIO()
    monkeypatch.setattr(sys, "stderr", plain)
    use(Progress(True))
    assert "training" in plain.getvalue()


def test_bars_in_a_notebook_are_widgets(monkeypatch):
    """As tqdm draws them there; without ipywidgets lines, as into a file."""
    drawn = []
    notebook = ModuleType("tqdm.notebook")
    notebook.tqdm = lambda **options: drawn.append(options["desc"]) or nullcontext(None)
    monkeypatch.setitem(sys.modules, "tqdm.notebook", notebook)
    monkeypatch.setitem(sys.modules, "ipykernel.zmqshell", ModuleType("ipykernel.zmqshell"))
    monkeypatch.setattr("synthbench.progress.find_spec", lambda name: None)
    assert not Progress().enabled
    monkeypatch.setattr("synthbench.progress.find_spec", lambda name: name)
    with Progress().bar("training", 10):
        assert drawn == ["training"]


def test_a_line_in_a_notebook_is_printed_as_it_is(monkeypatch, capsys):
    monkeypatch.setattr("synthbench.progress._has_widgets", lambda: True)
    Progress().say("done")
    assert capsys.readouterr().out == "done\n"
