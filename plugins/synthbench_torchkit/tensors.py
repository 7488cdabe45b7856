"""Between the benchmark's pixels (uint8, NHWC, NumPy) and a network's (float, NCHW, torch); maps made larger."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from synthbench import Pixels

__all__ = ["doubled", "to_float", "to_uint8"]


def to_float(pixels: Pixels, device: torch.device | str = "cpu", dtype: torch.dtype = torch.float32) -> Tensor:
    """uint8 (N, H, W, C), 0-255 -> float (N, C, H, W), 0-1, in channels-last memory."""
    tensor = torch.from_numpy(np.array(pixels))  # a copy: a memory map may be read-only
    return tensor.to(device).permute(0, 3, 1, 2).to(dtype) / 255


def to_uint8(images: Tensor) -> Pixels:
    """float (N, C, H, W), nominally 0-1 -> uint8 (N, H, W, C): rounded to nearest, clamped to 0-255."""
    levels = (images.detach() * 255).round().clamp(0, 255)
    return np.ascontiguousarray(levels.to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy())


def doubled(x: Tensor) -> Tensor:
    """(N, C, H, W) -> (N, C, 2 H, 2 W), each value four times. A view: deterministic on a GPU."""
    n, channels, height, width = x.shape
    wide = x[:, :, :, None, :, None].expand(-1, -1, -1, 2, -1, 2)
    return wide.reshape(n, channels, 2 * height, 2 * width)
