"""What a terminal and a job scheduler do to a command: texts that cannot be shown, a request to end."""

from __future__ import annotations

import io
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from synthbench.progress import plain

__all__ = ["Terminated", "drop_output", "say", "show_what_can_be_shown", "terminable"]


class Terminated(KeyboardInterrupt):
    """SIGTERM, as Ctrl-C is KeyboardInterrupt: whoever ends work on that one ends it here too."""


def say(text: str = "") -> None:
    """Print what may hold anybody's labels."""
    print(plain(text))


def show_what_can_be_shown() -> None:
    """From now on what a terminal's encoding lacks is a "?" there, and no error at the end of an hour."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def drop_output() -> None:
    """From now on nobody reads standard output: what is left of it, too, would fail when the process ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextmanager
def terminable() -> Iterator[None]:
    """Within the block SIGTERM raises Terminated, as far as this is the main thread; a second one ends at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    except KeyboardInterrupt as error:
        if signal.getsignal(signal.SIGTERM) == signal.SIG_DFL:  # a library (Ray) has made a plain one of ours
            raise Terminated from error
        raise
    finally:
        signal.signal(signal.SIGTERM, before)


def _terminate(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - as handlers are called
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    raise Terminated
