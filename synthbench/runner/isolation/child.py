"""What runs in a stage's own process: one job, and then an end."""

from __future__ import annotations

import ctypes
import faulthandler
import multiprocessing
import os
import pickle
import signal
import sys
import threading
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, TextIO, cast

from synthbench.errors import Skipped, StoreError
from synthbench.runner.failure import Failure, message_of
from synthbench.runner.isolation.crossing import Channel, Order, RemoteProgress
from synthbench.runner.session import Job, Session
from synthbench.storage.code_version import read_elsewhere, readings
from synthbench.storage.store import Store, StoreState

__all__ = ["keep_freed_memory", "main"]

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # glibc's malloc.h
LARGEST_KEPT = 1 << 28  # bytes; larger blocks are rare, and go back when they are freed


def main(order: Order, reports: Connection, output: Connection) -> None:
    """Do the job of `order`; messages go to `reports`, what is printed to `output`.

    The last message says how it ended: `done`, `skipped`, `store_error`, `failed`, or `unreadable` where the job
    cannot be read here. Where there is none, the process was ended by what it ran.
    """
    process = os.getpid()
    os.setsid()  # all that the plugin starts ends with it; Ctrl-C reaches the run alone, which passes it on
    _end_with_the_run()
    _redirect(output)
    keep_freed_memory()
    channel = Channel(reports)
    channel.send(begun=True)
    last = _work(order, channel)
    if os.getpid() != process:  # the plugin forked, and its copy came along here
        os._exit(0)
    sys.stdout.flush()
    sys.stderr.flush()
    channel.send(**last)


def _work(order: Order, channel: Channel) -> dict[str, Any]:
    try:
        _surround(order)
        job, state, device, scratch, folder = cast(
            "tuple[Job, StoreState, str, Path, Path]", pickle.loads(order.job)
        )
    except BaseException as error:
        return {"unreadable": Failure.of(error).text}
    progress = RemoteProgress(channel)
    store = Store.of(state, progress.say)
    session = Session(store, device, progress, scratch)
    with store.counting() as work:
        last = _ended(job, session, folder)
    news = {**store.news(state), "built": work.built, "spared": work.spared}
    read = {module: vars(reading) for module, reading in readings().items() if module not in order.readings}
    return {**last, "store": news, "readings": read}


def _ended(job: Job, session: Session, folder: Path) -> dict[str, Any]:
    try:
        return {"done": job(session, folder)}
    except Skipped as reason:
        return {"skipped": message_of(reason)}
    except StoreError as error:
        # Where it is an entry that is damaged, the run makes it again: which.
        return {"store_error": Failure.of(error).text, "folder": str(error.folder or ""), "why": str(error.why)}
    except BaseException as error:  # sys.exit and the like: whatever it is ends this stage alone
        return {"failed": vars(Failure.of(error))}


def _surround(order: Order) -> None:
    os.environ.clear()
    os.environ.update(order.environment)
    os.chdir(order.home)
    read_elsewhere(order.readings)
    torch = sys.modules.get("torch")
    if torch and order.threads:
        torch.set_num_threads(order.threads)


def keep_freed_memory() -> None:
    """Have glibc keep the blocks that are freed; elsewhere nothing.

    A network asks for the same large ones at each step, and by default each is mapped anew and cleared by the
    kernel: a twelfth of a training's processor time.
    """
    with suppress(OSError, AttributeError, TypeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(M_MMAP_THRESHOLD, LARGEST_KEPT)
        mallopt(M_TRIM_THRESHOLD, 2**31 - 1)


def _redirect(output: Connection) -> None:
    """Whatever is printed, by libraries and programs too, goes to the log; a crash prints where it was."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    for descriptor in (1, 2):
        os.dup2(output.fileno(), descriptor)
    output.close()
    sys.stdout = _lines_to(1)  # anew: those of the server were made for a terminal or a file
    sys.stderr = _lines_to(2)
    faulthandler.enable(all_threads=False)


def _lines_to(descriptor: int) -> TextIO:
    return open(descriptor, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)


def _end_with_the_run() -> None:
    """Nothing goes on when the run is gone, killed without a word perhaps."""
    run = multiprocessing.parent_process()
    assert run is not None

    def watch() -> None:
        run.join()
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=watch, daemon=True, name="synthbench-watch").start()
