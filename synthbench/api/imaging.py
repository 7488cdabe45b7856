"""From one picture of any kind to the benchmark's array: grey or RGB, made square, resized."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps
from pydantic import Field

from synthbench.api.interfaces import Dataset
from synthbench.api.pictures import decoding

__all__ = ["ImageDataset", "Resize", "resize_square", "to_eight_bit"]

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


def to_eight_bit(picture: Image.Image, channels: Literal[1, 3]) -> Image.Image:
    """An upright 8-bit picture of mode "L" (channels 1) or "RGB" (channels 3).

    - EXIF orientation is applied; of several frames the first counts.
    - Deeper grey is scaled by its own bit depth: the fewest bits, at least 8, that hold its largest value.
      So 12-bit radiographs in a 16-bit file come out as bright as in an 8-bit one.
    - What is transparent shows black behind it.
    - Colour becomes grey by ITU-R 601 luma.

    Raises ValueError where the values have no defined black and white (floating point, negative), DataError where
    the EXIF data are damaged.
    """
    with decoding():
        picture = ImageOps.exif_transpose(picture)
    if picture.mode.startswith("I"):
        picture = _scaled_by_depth(np.asarray(picture))
    elif picture.mode == "F":
        raise ValueError("floating-point grey values: which of them is white is not known")
    elif picture.has_transparency_data:
        picture = _over_black(picture)
    return picture.convert("L" if channels == 1 else "RGB")


def _scaled_by_depth(grey: npt.NDArray[np.integer]) -> Image.Image:
    """Integers (H, W) of any depth -> 8-bit "L"."""
    if grey.min() < 0:
        raise ValueError(f"negative grey values (down to {grey.min()})")
    bits = max(8, int(grey.max()).bit_length())
    scaled = grey.astype(np.float64) * (255 / (2**bits - 1))
    return Image.fromarray(np.rint(scaled).astype(np.uint8))


def _over_black(picture: Image.Image) -> Image.Image:
    picture = picture.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", picture.size, "black"), picture)


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
