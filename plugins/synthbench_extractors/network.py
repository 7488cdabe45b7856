"""What the extractors share: pictures into a network's input, and running it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from synthbench import Context, Embed, Features, Pixels
from synthbench_torchkit.device import layout, torch_device

__all__ = ["Preparation", "embed_with", "to_tensor"]

RGB = tuple[float, float, float]


def to_tensor(pixels: Pixels, device: torch.device) -> Tensor:
    """uint8 (n, H, W, C), C 1 or 3 -> uint8 (n, 3, H, W); grey becomes three equal channels."""
    tensor = torch.from_numpy(pixels).to(device).permute(0, 3, 1, 2)
    return tensor.expand(-1, 3, -1, -1).contiguous()


@dataclass(frozen=True)
class Preparation:
    """From uint8 pixels to a network's input.

    size  height and width; the aspect ratio of other than square images is not kept
    mode  "bicubic" or "bilinear", averaging where it shrinks: Pillow's kernels, without its rounding to 8 bits
    mean  of each channel on the scale 0-255, subtracted
    std   of each channel on the same scale, divided by
    """

    size: int
    mode: str
    mean: RGB
    std: RGB

    def __call__(self, images: Tensor) -> Tensor:
        """uint8 (n, 3, H, W) -> float (n, 3, size, size)."""
        sides = (self.size, self.size)
        resized = F.interpolate(images.float(), sides, mode=self.mode, align_corners=False, antialias=True)
        mean, std = (torch.tensor(v, device=images.device).view(1, 3, 1, 1) for v in (self.mean, self.std))
        return (resized.clamp(0, 255) - mean) / std  # bicubic overshoots at edges; Pillow clamps as well


def embed_with(
    model: nn.Module,
    prepare: Callable[[Tensor], Tensor],
    ctx: Context,
    forward: Callable[[Tensor], Tensor] | None = None,
) -> Embed:
    """The function that runs `model` on `ctx.device`, in evaluation mode; `forward` instead of calling it."""
    device = torch_device(ctx)
    model.to(device).to(memory_format=layout(device)).eval().requires_grad_(False)

    def embed(pixels: Pixels, /) -> Features:
        with torch.inference_mode():
            images = prepare(to_tensor(pixels, device)).contiguous(memory_format=layout(device))
            features = (forward or model)(images)
        return np.ascontiguousarray(features.float().cpu().numpy())

    return embed
