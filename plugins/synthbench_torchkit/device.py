"""The device of a piece of work, with torch made repeatable on it."""

from __future__ import annotations

import os

import torch

from synthbench import Context

__all__ = ["layout", "torch_device", "use_deterministic"]


def torch_device(ctx: Context) -> torch.device:
    """`ctx.device` for torch, with deterministic algorithms switched on.

    Raises RuntimeError where the device is a GPU that this machine does not have.
    """
    use_deterministic()
    device = torch.device(ctx.device)
    if device.type == "cuda" and not torch.cuda.is_available():
        raise RuntimeError(f"device {ctx.device!r} was asked for, but torch sees no GPU; use --device cpu")
    return device


def layout(device: torch.device) -> torch.memory_format:
    """Channels last is the faster order of convolutions on CPUs; GPUs in float32 keep torch's."""
    return torch.channels_last if device.type == "cpu" else torch.contiguous_format


def use_deterministic() -> None:
    """Same numbers from the same seed, on one machine: for the whole process, and it stays so.

    TF32 goes off as well: a GPU's convolutions would else keep 10 bits of each factor.
    """
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS reads it when it first starts
    torch.use_deterministic_algorithms(True)
    # filling fresh memory finds bugs, and costs a GAN step 15 %
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False
