"""Files to arrays, in parallel: each file becomes pixels or a reason why it can't."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

from synthbench.imaging import ImageDataset, resize_square, to_eight_bit
from synthbench.progress import Bar
from synthbench.types import Images, Quarantined
from synthbench_cxr.layout import Item

__all__ = ["decode", "decode_all"]

Pixels = npt.NDArray[np.uint8]

MAX_PIXELS = 80_000_000
"""No radiograph is larger; a small file that claims to be would fill the memory."""

# What PIL's readers raise on damaged files. A failing disk (OSError) counts too: its reason names it.
DAMAGED = (
    OSError, ValueError, SyntaxError, EOFError, struct.error, zlib.error, LookupError, TypeError, OverflowError,
    Image.DecompressionBombError,
)  # fmt: skip


def decode(path: Path, how: ImageDataset) -> Pixels | str:
    """uint8 (image_size, image_size, channels), or the reason why this file is put aside."""
    try:
        if path.stat().st_size == 0:
            return "empty file"
        with Image.open(path) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                return f"{picture.width} x {picture.height} pixels: no radiograph is larger than {MAX_PIXELS:,}"
            ready = to_eight_bit(picture, how.channels)
    except UnidentifiedImageError:
        return "not an image of a known kind"
    except DAMAGED as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return f"cannot be decoded: {reason or type(error).__name__}"
    if _is_constant(ready):
        return "all pixels have one value"
    return resize_square(ready, how.image_size, how.resize, antialias=how.antialias)


def _is_constant(picture: Image.Image) -> bool:
    return all(low == high for low, high in np.reshape(picture.getextrema(), (-1, 2)))


def decode_all(
    items: Sequence[Item], classes: tuple[str, ...], how: ImageDataset, bar: Bar
) -> tuple[Images, list[Quarantined]]:
    """Read `items`, in threads (PIL decodes without Python's lock): the good ones in order, the bad ones aside."""
    Image.init()  # else threads race to load the rarer formats, and the loser takes its file for unknown
    pixels = np.empty((len(items), how.image_size, how.image_size, how.channels), dtype=np.uint8)
    good: list[Item] = []
    bad: list[Quarantined] = []
    with ThreadPoolExecutor() as pool:
        for item, result in zip(items, pool.map(lambda item: decode(item.path, how), items), strict=True):
            if isinstance(result, str):
                bad.append(Quarantined(item.id, result))
            else:
                pixels[len(good)] = result
                good.append(item)
            bar.advance()
    return _images(pixels[: len(good)], good, classes), bad


def _images(pixels: Pixels, items: Sequence[Item], classes: tuple[str, ...]) -> Images:
    return Images(
        pixels=pixels,
        labels=np.array([classes.index(item.label) for item in items], dtype=np.int64),
        classes=classes,
        ids=np.array([item.id for item in items], dtype=np.str_),
        groups=np.array([item.group for item in items], dtype=np.str_),
    )
