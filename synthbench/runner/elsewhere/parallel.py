"""Several processes on one machine: each works off what no other is at; what they find ready was made once."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

from synthbench.api.process_state import thread_count
from synthbench.errors import SynthbenchError
from synthbench.progress import LINE_EVERY, PLAIN_LINE, Progress, Trials, plain

__all__ = ["Relay", "work_in_processes"]

COUNTED = re.compile(r"\[\d+/\d+\] (.+?, seed \d+): (in the store already|\w+)")
"""The line with which `work` says that a trial has ended."""


def work_in_processes(
    command: Sequence[str], devices: Sequence[str], trials: int, progress: Progress
) -> frozenset[str]:
    """Run `synthbench work` as so many processes as there are `devices`, until every trial has ended.

    Returns the titles of the trials whose end has been said.

    command  what follows `synthbench work`: the file and its options
    trials   how many there are, to count what has ended

    Interrupted, it ends them all and passes the interrupt on. The others make up for one that is killed; where
    none could work, it raises SynthbenchError with the last words of the first.
    """
    # Together as many threads as one process would have had, since more would only wait for each other; but who
    # has set the number means that of each.
    threads = os.environ.get("OMP_NUM_THREADS") or str(max(1, thread_count() // len(devices)))
    surroundings = {**os.environ, "OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads}
    if progress.enabled:  # each has a line that redraws itself
        surroundings[LINE_EVERY] = "1"
    commands = [[*command, "--device", device] for device in devices]
    with ExitStack() as display:
        relay = Relay(trials, progress, display.enter_context(progress.trials(trials)))
        asides = [Asides(display.enter_context(progress.others_line())) for _ in devices]
        workers = display.enter_context(_processes(commands, surroundings))
        streams = [(relay.follow, worker.stdout) for worker in workers]
        streams += [(aside.follow, worker.stderr) for aside, worker in zip(asides, workers, strict=True)]
        readers = [threading.Thread(target=follow, args=(stream or (),)) for follow, stream in streams]
        for reader in readers:
            reader.start()
        for worker in workers:
            worker.wait()
        for reader in readers:
            reader.join()
        broken = [
            f"a process of --jobs ended: {aside.last_words or f'exit code {worker.returncode}'}"
            for worker, aside in zip(workers, asides, strict=True)
            if worker.returncode not in (0, 1)  # 1: a trial failed, which stands on the board
        ]
    if len(broken) == len(workers):
        raise SynthbenchError(broken[0])
    for words in broken:
        progress.say(f"{words}; the others took over what it had begun")
    return relay.ended


class Asides:
    """What a process says on standard error: how far it is, which is shown; of all else the last line is kept."""

    def __init__(self, show: Callable[[str], None]) -> None:
        self._show = show
        self.last_words = ""

    def follow(self, lines: Iterable[str]) -> None:
        """Until there are no more."""
        for line in map(str.rstrip, lines):
            if PLAIN_LINE.match(line):
                self._show(plain(line))
            elif line:
                self.last_words = line.removeprefix("synthbench: ")


@contextmanager
def _processes(
    commands: Sequence[Sequence[str]], surroundings: dict[str, str]
) -> Iterator[list[subprocess.Popen[str]]]:
    """Started, and none left behind, however the block ends."""
    workers: list[subprocess.Popen[str]] = []
    try:
        workers.extend(
            subprocess.Popen(
                [sys.executable, "-m", "synthbench.cli", "work", *command],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                encoding="utf-8",
                errors="replace",
                env=surroundings,
                start_new_session=True,  # Ctrl-C reaches this process, which passes it on once
            )
            for command in commands
        )
        yield workers
    finally:
        for worker in workers:
            if worker.poll() is None:
                worker.send_signal(signal.SIGINT)
        for worker in workers:
            try:
                worker.wait(timeout=20)
            except subprocess.TimeoutExpired:
                worker.kill()


class Relay:
    """Says what the processes say, once where they say the same, with a count over all of their trials."""

    def __init__(self, total: int, progress: Progress, counted: Trials) -> None:
        self._total, self._progress, self._counted = total, progress, counted
        self._ended: set[str] = set()
        self._said: set[str] = set()
        self._lock = threading.Lock()

    @property
    def ended(self) -> frozenset[str]:
        """Titles of the trials whose end, and its reasons, it has said."""
        return frozenset(self._ended)

    def follow(self, lines: Iterable[str]) -> None:
        """Until there are no more: a process has closed its output, say."""
        counts = True
        for line in lines:
            with self._lock:
                if match := COUNTED.match(line):
                    if counts := match[1] not in self._ended:
                        self._ended.add(match[1])
                        self._counted.end("done" if " " in match[2] else match[2])
                    line = f"[{len(self._ended)}/{self._total}] {line.partition('] ')[2]}"
                if counts and line not in self._said:  # the lines after a trial's own are its reasons
                    self._said.add(line)
                    self._progress.say(line.rstrip())
