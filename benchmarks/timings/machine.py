"""What the numbers were measured on, and who else was computing there meanwhile."""

from __future__ import annotations

import os
import sys
import time
from importlib import metadata
from typing import Any

import psutil

__all__ = ["Neighbours", "environment"]

PACKAGES = ("synthbench-medical", "torch", "torchvision", "numpy", "scikit-learn", "pillow")


def environment() -> dict[str, Any]:
    """Versions, cores that this process may use, torch's threads and vector instructions."""
    found: dict[str, Any] = {
        "versions": {name: metadata.version(name) for name in PACKAGES},
        "cores": len(psutil.Process().cpu_affinity())
        if hasattr(psutil.Process, "cpu_affinity")
        else os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "omp_wait_policy": os.environ.get("OMP_WAIT_POLICY", ""),
    }
    if torch := sys.modules.get("torch"):
        found["torch_threads"] = torch.get_num_threads()
        found["vector_instructions"] = torch.backends.cpu.get_cpu_capability()
    return found


class Neighbours:
    """The cores that all other work took since this object was made, the time stolen by other machines too."""

    def __init__(self) -> None:
        self._start = time.perf_counter()
        self._others = _machine_seconds() - _own_seconds()

    def cores_used(self) -> float:
        """Mean over the time so far: 0 on a machine that does nothing else, at most its number of cores."""
        others = _machine_seconds() - _own_seconds() - self._others
        return max(0.0, others / (time.perf_counter() - self._start))


def _machine_seconds() -> float:
    """CPU seconds since the machine started that nobody idled away."""
    times = psutil.cpu_times()
    idle = times.idle + getattr(times, "iowait", 0.0)
    twice = getattr(times, "guest", 0.0) + getattr(times, "guest_nice", 0.0)  # counted under user and nice as well
    return float(sum(times) - idle - twice)


def _own_seconds() -> float:
    """CPU seconds of this process and of its finished children."""
    return float(sum(psutil.Process().cpu_times()[:4]))
