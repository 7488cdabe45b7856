"""From a picture to the benchmark's array: 8 bits, made square, resized."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
from PIL import Image

from synthbench.api.depth import read_deep, to_eight_bit
from synthbench.api.pictures import read_picture
from synthbench.errors import DataError
from synthbench.scale import GreyScale

__all__ = ["PictureRule", "Resize", "resize_square"]

Resize = Literal["squash", "pad", "crop"]
Index = npt.NDArray[np.intp]


@dataclass(frozen=True)
class PictureRule:
    """How pictures become arrays: one rule for a benchmark's real images and for those that are made elsewhere.

    resize     "squash", "pad" or "crop", as in `ImageDataset`
    antialias  as in `ImageDataset`
    scale      how values of more than 8 bits become 0-255. Its `window` is for these alone: 8-bit
               pictures made elsewhere show images to which it has been applied
    """

    resize: Resize = "squash"
    antialias: bool = True
    scale: GreyScale = field(default_factory=GreyScale)

    def read(self, path: Path, shape: tuple[int, int, int]) -> npt.NDArray[np.uint8]:
        """The picture file as uint8 `shape`, (H, W, C).

        Raises DataError with the reason, but not the name, where it is none, damaged, or does not fit.
        """
        channels: Literal[1, 3] = 1 if shape[2] == 1 else 3
        try:
            deep = read_deep(path)
            scale = self.scale if deep else replace(self.scale, window=None)
            return self.fit(to_eight_bit(deep or read_picture(path), channels, scale), shape)
        except ValueError as error:  # colours that Pillow cannot convert
            raise DataError(str(error)) from error

    def fit(self, picture: Image.Image, shape: tuple[int, int, int]) -> npt.NDArray[np.uint8]:
        """An 8-bit picture as uint8 `shape`, (H, W, C), its colours as in `to_eight_bit`.

        Raises DataError where H and W differ and the picture has another size: the rule knows squares alone.
        """
        height, width, channels = shape
        picture = picture.convert("L" if channels == 1 else "RGB")
        if picture.size == (width, height):
            return np.array(picture).reshape(shape)
        if height != width:
            size = f"{picture.width} x {picture.height}"
            raise DataError(f"{size} pixels, the benchmark's images have {width} x {height}: give them that size")
        return resize_square(picture, height, self.resize, antialias=self.antialias)


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
    bands = pixels.shape[2] if pixels.ndim == 3 else 1
    y0, y1, fy = _neighbours(pixels.shape[0], height, 1)
    x0, x1, fx = _neighbours(pixels.shape[1], width, bands)
    # Rows first and whole, then columns, both by `take`: half the time of one look-up by both, which copies less.
    rows = pixels.reshape(len(pixels), -1).take(np.concatenate([y0, y1]), axis=0)
    mixed = rows.take(x0, axis=1) * (1 - fx)
    mixed += rows.take(x1, axis=1) * fx
    upper, lower = mixed[:height], mixed[height:]
    upper *= 1 - fy[:, None]
    lower *= fy[:, None]
    upper += lower
    upper += 0.5
    return upper.astype(np.uint8).reshape(height, width, *pixels.shape[2:])  # the cast cuts, as a floor would


@lru_cache(maxsize=64)
def _neighbours(old: int, new: int, bands: int) -> tuple[Index, Index, npt.NDArray[np.float32]]:
    """For `new` pixel centres on a line of `old` pixels: two neighbours and the weight of the second.

    (new x bands,) each: places in a line that holds the bands of a pixel side by side.
    """
    centre = np.clip((np.arange(new) + 0.5) * (old / new) - 0.5, 0, old - 1)
    first = centre.astype(np.intp)
    neighbours = (first, np.minimum(first + 1, old - 1))
    below, above = ((places[:, None] * bands + np.arange(bands)).ravel() for places in neighbours)
    return below, above, (centre - first).astype(np.float32).repeat(bands)
