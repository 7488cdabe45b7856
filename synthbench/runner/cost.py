"""What a stage costs: wall and CPU seconds, peak memory with children, peak GPU memory."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import psutil

from synthbench.runner.family import family_of

__all__ = ["Cost", "measure"]

SAMPLE_EVERY_S = 0.1


@dataclass
class Cost:
    """Filled in when the `with measure()` block ends.

    wall_s, cpu_s         seconds; CPU counts all threads and finished or living children
    peak_memory_mb        largest resident memory of this process and its children, sampled ten times a second;
                          it includes what was resident before the stage began
    peak_gpu_mb           largest memory that torch allocated on the GPU, None without one
    """

    wall_s: float = 0.0
    cpu_s: float = 0.0
    peak_memory_mb: float = 0.0
    peak_gpu_mb: float | None = None

    def add(self, earlier: Mapping[str, float | None]) -> None:
        """Count in another piece of the same work (an `as_dict`): seconds add up, peaks are compared."""
        self.wall_s += earlier.get("wall_s") or 0.0
        self.cpu_s += earlier.get("cpu_s") or 0.0
        self.peak_memory_mb = max(self.peak_memory_mb, earlier.get("peak_memory_mb") or 0.0)
        gpu = [peak for peak in (self.peak_gpu_mb, earlier.get("peak_gpu_mb")) if peak is not None]
        self.peak_gpu_mb = max(gpu, default=None)

    def as_dict(self) -> dict[str, float | None]:
        """For JSON, rounded to what was measured."""
        return {key: None if value is None else round(value, 3) for key, value in asdict(self).items()}


@contextmanager
def measure(device: str = "cpu") -> Iterator[Cost]:
    """Measure the block. On a GPU the clock stops when the device has finished."""
    cost = Cost()
    peak = _PeakMemory()
    if torch := _on_gpu(device):
        torch.cuda.reset_peak_memory_stats(device)
    wall, cpu = time.perf_counter(), _cpu_seconds()
    try:
        yield cost
    finally:
        if torch := _on_gpu(device):
            torch.cuda.synchronize(device)
            cost.peak_gpu_mb = torch.cuda.max_memory_allocated(device) / 1e6
        cost.wall_s = time.perf_counter() - wall
        cost.cpu_s = _cpu_seconds() - cpu
        cost.peak_memory_mb = peak.stop()


def _on_gpu(device: str) -> Any:
    """torch where it works on a GPU: to measure must not be what starts CUDA in a process."""
    torch = sys.modules.get("torch") if device.startswith("cuda") else None
    return torch if torch and torch.cuda.is_initialized() else None


class _PeakMemory(threading.Thread):
    """Samples resident memory until stopped: the kernel's own high-water mark cannot be reset per stage."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._done = threading.Event()
        self._peak = _resident_mb()
        self.start()

    def run(self) -> None:
        while not self._done.wait(SAMPLE_EVERY_S):
            self._peak = max(self._peak, _resident_mb())

    def stop(self) -> float:
        self._done.set()
        self.join()
        return max(self._peak, _resident_mb())


def _resident_mb() -> float:
    total = 0
    for process in family_of():
        try:
            total += process.memory_info().rss
        except psutil.NoSuchProcess:  # a child that ended just now holds no memory
            continue
    return total / 1e6


def _cpu_seconds() -> float:
    times = psutil.Process().cpu_times()
    living = 0.0
    for child in family_of()[1:]:
        try:
            spent = child.cpu_times()
        except psutil.NoSuchProcess:  # it ended just now: the next reading has it under children_user
            continue
        # With what it has waited for: of a stage that ended the time stands there.
        living += spent.user + spent.system + spent.children_user + spent.children_system
    return float(times.user + times.system + times.children_user + times.children_system + living)
