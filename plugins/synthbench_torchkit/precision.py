"""In what numbers networks compute: float32, or bf16 where a processor has units for it.

bf16 keeps float32's range and 8 of its 24 bits of precision. Weights, optimiser, losses, norms' statistics and
probabilities stay in float32; convolutions and matrix products round their inputs (torch's autocast).
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cache
from pathlib import Path

import torch

from synthbench import Context
from synthbench_torchkit.recipe import Precision

__all__ = ["autocast", "warn_if_slow"]

# Linux' names of the instructions that multiply bf16: of x86 and of ARM.
BF16_FLAGS = frozenset({"amx_bf16", "avx512_bf16", "bf16"})


def autocast(device: torch.device, precision: Precision) -> AbstractContextManager[object]:
    """Around one forward pass, and no more: the weights that it has rounded are not rounded anew when an optimiser
    has changed them, nor do those that were rounded without gradients get any."""
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16")


def warn_if_slow(device: torch.device, precision: Precision, ctx: Context) -> None:
    """A line in the log where bf16 was asked for and the hardware has no units for it."""
    if precision == "bf16" and not _has_bf16(device.type):
        ctx.log.warning("precision: bf16 is emulated on this %s and slower than float32", device.type)


def _has_bf16(kind: str) -> bool:
    if kind == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return kind != "cpu" or _cpu_has_bf16()


@cache
def _cpu_has_bf16(cpuinfo: Path = Path("/proc/cpuinfo")) -> bool:
    """True, too, where the system is not Linux and does not say."""
    try:
        lines = cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return True
    flags = next((line for line in lines if line.startswith(("flags", "Features"))), None)
    return flags is None or not BF16_FLAGS.isdisjoint(flags.partition(":")[2].split())
