"""From an 8-bit picture to the benchmark's array: made square, resized."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt
from PIL import Image
from pydantic import Field

from synthbench.api.interfaces import Dataset

__all__ = ["ImageDataset", "Resize", "resize_square"]

Resize = Literal["squash", "pad", "crop"]
Index = npt.NDArray[np.intp]


class ImageDataset(Dataset):
    """What every data set takes: how its pictures become arrays (image_size, image_size, channels); `positive`."""

    image_size: int = Field(64, ge=8, le=1024, description="height and width in pixels")
    channels: Literal[1, 3] = Field(1, description="1: grey; 3: RGB, grey pictures with three equal channels")
    resize: Resize = Field(
        "squash",
        description="`squash` ignores the aspect ratio, `pad` adds black, `crop` keeps the centre",
    )
    antialias: bool = Field(
        True,
        description="true: PIL's bilinear, averaging when it shrinks; false: OpenCV's, which does not",
    )
    positive: str | None = Field(
        None,
        description="of two classes the one that AUROC, F1, recall and AUPRC speak of, on external sets too; "
        "unset: the other one where one class is called normal, healthy, negative, control or the like",
    )


def resize_square(picture: Image.Image, size: int, how: Resize, *, antialias: bool) -> npt.NDArray[np.uint8]:
    """An "L" or "RGB" picture -> uint8 (size, size, C), bilinear; `how` and `antialias` as in `ImageDataset`.

    Raises ValueError on other modes.
    """
    if picture.mode not in ("L", "RGB"):
        raise ValueError(f"mode must be L or RGB, found {picture.mode}: call to_eight_bit first")
    width, height = picture.size
    if how == "crop":
        side = min(width, height)
        left, top = (width - side) // 2, (height - side) // 2
        picture = picture.crop((left, top, left + side, top + side))
    if how != "pad":
        return _resize(picture, size, size, antialias=antialias)
    scale = size / max(width, height)
    inner = _resize(picture, max(1, round(width * scale)), max(1, round(height * scale)), antialias=antialias)
    square = np.zeros((size, size, inner.shape[2]), dtype=np.uint8)
    top, left = (size - inner.shape[0]) // 2, (size - inner.shape[1]) // 2
    square[top : top + inner.shape[0], left : left + inner.shape[1]] = inner
    return square


def _resize(picture: Image.Image, width: int, height: int, *, antialias: bool) -> npt.NDArray[np.uint8]:
    """-> uint8 (height, width, C)."""
    if antialias:
        pixels = np.array(picture.resize((width, height), Image.Resampling.BILINEAR))
    else:
        pixels = _bilinear(np.asarray(picture), width, height)
    return pixels.reshape(height, width, -1)


def _bilinear(pixels: npt.NDArray[np.uint8], width: int, height: int) -> npt.NDArray[np.uint8]:
    """OpenCV's INTER_LINEAR: a pixel mixes the four inputs around its centre, however much the image shrinks.

    uint8 (H, W) or (H, W, C) -> uint8 (height, width[, C]); within 1 grey level of cv2.resize, whose weights
    are fixed-point.
    """
    y0, y1, fy = _neighbours(pixels.shape[0], height)
    x0, x1, fx = _neighbours(pixels.shape[1], width)
    bands = (1,) * (pixels.ndim - 2)
    fy, fx = fy.reshape(-1, 1, *bands), fx.reshape(1, -1, *bands)
    upper = pixels[np.ix_(y0, x0)] * (1 - fx) + pixels[np.ix_(y0, x1)] * fx
    lower = pixels[np.ix_(y1, x0)] * (1 - fx) + pixels[np.ix_(y1, x1)] * fx
    return np.floor(upper * (1 - fy) + lower * fy + 0.5).astype(np.uint8)


def _neighbours(old: int, new: int) -> tuple[Index, Index, npt.NDArray[np.float32]]:
    """For `new` pixel centres on a line of `old` pixels: two neighbours and the weight of the second."""
    centre = np.clip((np.arange(new) + 0.5) * (old / new) - 0.5, 0, old - 1)
    first = centre.astype(np.intp)
    return first, np.minimum(first + 1, old - 1), (centre - first).astype(np.float32)
