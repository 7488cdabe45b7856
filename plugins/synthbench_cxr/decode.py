"""Files to arrays, in parallel: each file becomes pixels or a reason why it can't."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from synthbench import (
    Bar,
    DataError,
    DeepPicture,
    Geometry,
    GreyScale,
    ImageDataset,
    Images,
    Quarantined,
    read_deep,
    read_picture,
    resize_square,
    to_eight_bit,
)
from synthbench_cxr.layout import Item
from synthbench_cxr.threads import in_threads

__all__ = ["Decoded", "Part", "decode", "decode_all"]

Pixels = npt.NDArray[np.uint8]

DECLARED = GreyScale()
"""Each file by the depth that it declares."""


class Decoded(NamedTuple):
    """One good file: pixels uint8 (image_size, image_size, channels), and what `Geometry` says of the file.

    `conversion` is how its values became 8 bits, "" where they were; `used` the lowest and highest of them, black
    0 and white 1, where the bit depth says what is white.
    """

    pixels: Pixels
    width: int
    height: int
    channels: int
    n_bytes: int
    conversion: str = ""
    used: tuple[float, float] | None = None


class Part(NamedTuple):
    """All files of a part: images, what is known of their files, files put aside, how many were converted how, and
    of each class the lowest and highest value in deep files, as in `Decoded`."""

    images: Images
    geometry: Geometry
    bad: list[Quarantined]
    conversions: Counter[str]
    used: dict[str, tuple[float, float]]


def decode(path: Path, how: ImageDataset, scale: GreyScale = DECLARED) -> Decoded | str:
    """The file's content, or the reason why it is put aside."""
    try:
        picture = read_deep(path) or read_picture(path)
        ready = to_eight_bit(picture, how.channels, scale)
    except (DataError, ValueError) as error:
        return str(error)
    if _is_constant(ready):
        return _constant(picture, scale)
    pixels = resize_square(ready, how.image_size, how.resize, antialias=how.antialias)
    if isinstance(picture, DeepPicture):
        height, width = picture.values.shape[:2]
        how_read = picture.conversion(scale), picture.range_used(scale)
        return Decoded(pixels, width, height, picture.bands, path.stat().st_size, *how_read)
    return Decoded(pixels, picture.width, picture.height, len(picture.getbands()), path.stat().st_size)


def _is_constant(picture: Image.Image) -> bool:
    right, lower = picture.width - 1, picture.height - 1
    spots = {picture.getpixel(spot) for spot in ((0, 0), (right // 2, lower // 2), (right // 3, lower))}
    if len(spots) > 1:  # nearly every picture, and all its values need not be looked at
        return False
    return all(low == high for low, high in np.reshape(picture.getextrema(), (-1, 2)))


def _constant(picture: Image.Image | DeepPicture, scale: GreyScale) -> str:
    if isinstance(picture, DeepPicture) and (low := picture.values.min()) < (high := picture.values.max()):
        black, white = scale.ends(picture.bits)
        return f"its values {low:g} to {high:g} are one grey level between {black:g} and {white:g}: set `window`"
    return "all pixels have one value"


def decode_all(
    items: Sequence[Item], classes: tuple[str, ...], how: ImageDataset, scale: GreyScale, bar: Bar
) -> Part:
    """Read `items`, in threads (PIL decodes without Python's lock): the good ones in order, the bad ones aside."""
    Image.init()  # else threads race to load the rarer formats, and the loser takes its file for unknown
    pixels = np.empty((len(items), how.image_size, how.image_size, how.channels), dtype=np.uint8)
    good: list[Item] = []
    files: list[tuple[int, ...]] = []
    bad: list[Quarantined] = []
    conversions: Counter[str] = Counter()
    used: dict[str, tuple[float, float]] = {}
    results = in_threads(lambda item: decode(item.path, how, scale), items, os.cpu_count())
    for item, result in zip(items, results, strict=True):
        if isinstance(result, str):
            bad.append(Quarantined(item.id, result))
        else:
            pixels[len(good)] = result.pixels
            files.append(result[1:5])
            conversions[result.conversion] += 1
            if result.used:
                low, high = used.get(item.label, result.used)
                used[item.label] = min(low, result.used[0]), max(high, result.used[1])
            good.append(item)
        bar.advance()
    columns = np.array(files, dtype=np.int64).reshape(-1, 4).T
    del conversions[""]
    return Part(_images(pixels[: len(good)], good, classes), Geometry(*columns), bad, conversions, used)


def _images(pixels: Pixels, items: Sequence[Item], classes: tuple[str, ...]) -> Images:
    return Images(
        pixels=pixels,
        labels=np.array([classes.index(item.label) for item in items], dtype=np.int64),
        classes=classes,
        ids=np.array([item.id for item in items], dtype=np.str_),
        groups=np.array([item.group for item in items], dtype=np.str_),
    )
