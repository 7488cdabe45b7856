"""Pixels that look like floats of 0..1 cast to bytes as they were: a mistake that nothing else notices."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["SCALE_FIRST", "unscaled"]

NARROW = 7
"""Of 0..255. No picture stays below it, and what was scaled to 0..1, -1..1 or 0..2 does."""

SCALE_FIRST = "scale to 0..255 before the cast: (255 * x).round().astype(np.uint8) for x in 0..1"


def unscaled(pixels: npt.NDArray[np.uint8]) -> str:
    """ "all values lie in 0..1" where so little of the range is used by uint8 (N, H, W, C), else ""."""
    highest = int(pixels.max(initial=0))
    return f"all values lie in 0..{highest}" if len(pixels) and highest <= NARROW else ""
