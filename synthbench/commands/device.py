"""Which device a run uses."""

from __future__ import annotations

import ctypes
import os
import re
import sys
from pathlib import Path

from synthbench.errors import ConfigError

__all__ = ["let_idle_threads_sleep", "resolve_device", "share_devices"]


def let_idle_threads_sleep() -> None:
    """Where the environment says nothing else, threads that wait for the next sum leave their core to others.

    Those of OpenMP (torch) and of OpenBLAS (NumPy, SciPy) otherwise spin: up to 5x slower training beside other
    work, twice the processor time where products are small. Both are read when the libraries are loaded.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", "4")  # 2^4 cycles, the least that it takes


def resolve_device(wish: str) -> str:
    """ "auto", "cpu", "cuda" or "cuda:N" -> "cpu" or "cuda:N". Raises ConfigError where it is not there."""
    let_idle_threads_sleep()  # before torch is loaded, and for the processes that are started
    if wish == "cpu":
        return "cpu"
    if wish != "auto" and not re.fullmatch(r"cuda(:\d+)?", wish):
        raise ConfigError(f"--device {wish}: write auto, cpu, cuda or cuda:N")
    if wish == "auto" and "torch" not in sys.modules and not _has_driver():
        return "cpu"
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if wish == "auto":
        return "cuda:0" if count else "cpu"
    index = int(wish.partition(":")[2] or 0)
    if index >= count:
        raise ConfigError(f"--device {wish}: torch {torch.__version__} sees {count} CUDA device(s) here")
    return f"cuda:{index}"


def _has_driver() -> bool:
    """Whether this machine has a driver that torch needs for a GPU: to load torch for that alone takes seconds."""
    try:
        ctypes.CDLL("nvcuda.dll" if os.name == "nt" else "libcuda.so.1")
    except OSError:
        return Path("/dev/kfd").exists()  # AMD's; its library comes with torch
    return True


def share_devices(wish: str, processes: int) -> list[str]:
    """A device for each of so many processes: every GPU in turn where "auto" or "cuda" leaves it open."""
    device = resolve_device(wish)
    if device == "cpu" or ":" in wish:
        return [device] * processes
    import torch

    count = torch.cuda.device_count()
    return [f"cuda:{number % count}" for number in range(processes)]
