"""Labelled images as they lie somewhere: picture files, or one array of them all."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
from PIL import Image

from synthbench import DataError, Labels, PictureRule, Pixels, Quarantined
from synthbench.intake import ArrayFile

__all__ = ["Batch", "Pictures", "Source"]

Shape = tuple[int, int, int]
Index = npt.NDArray[np.int64]


class Source(Protocol):
    """Images and their labels, read when they are drawn. `labels` is int64 (N,), `ids` has a name for each.

    `aside` is what lies there too and is no image, or no further one.
    """

    @property
    def labels(self) -> Labels: ...

    @property
    def ids(self) -> Sequence[str]: ...

    @property
    def aside(self) -> Sequence[Quarantined]: ...

    def read(self, index: Index, shape: Shape, rule: PictureRule) -> Pixels:
        """The images at `index` as uint8 (len(index), *shape). Raises DataError naming what does not fit."""


@dataclass(frozen=True, eq=False)
class Pictures:
    """Picture files."""

    paths: Sequence[Path]
    labels: Labels
    ids: Sequence[str]
    aside: Sequence[Quarantined] = ()

    def read(self, index: Index, shape: Shape, rule: PictureRule) -> Pixels:
        Image.init()  # else threads race to load the rarer formats, and the loser takes its file for unknown
        pixels = np.empty((len(index), *shape), dtype=np.uint8)
        with ThreadPoolExecutor() as pool:
            pictures = pool.map(lambda path: _read(path, shape, rule), [self.paths[i] for i in index])
            for place, picture in enumerate(pictures):
                pixels[place] = picture
        return pixels


def _read(path: Path, shape: Shape, rule: PictureRule) -> Pixels:
    """A generator's file is not put aside as a real one may be: the others would be judged in its place."""
    try:
        return rule.read(path, shape)
    except (DataError, OSError) as error:
        raise DataError(f"{path}: {error}; mend it or take it away") from error


@dataclass(frozen=True, eq=False)
class Batch:
    """One array (N, H, W) or (N, H, W, C) in an .npy or .npz file."""

    file: Path
    labels: Labels
    aside: Sequence[Quarantined] = ()

    @property
    def ids(self) -> Sequence[str]:
        return [f"{self.file.stem}-{i:06d}" for i in range(len(self.labels))]

    def read(self, index: Index, shape: Shape, rule: PictureRule) -> Pixels:
        chosen = np.asarray(ArrayFile(self.file).images()[index])
        if chosen.shape[1:] == shape:
            return chosen
        try:
            pictures = [rule.fit(_picture(image), shape) for image in chosen]
        except DataError as error:
            raise DataError(f"{self.file}: {error}") from error
        return np.stack(pictures) if pictures else np.empty((0, *shape), dtype=np.uint8)


def _picture(image: npt.NDArray[np.uint8]) -> Image.Image:
    """Of (H, W), (H, W, 1) or (H, W, 3)."""
    return Image.fromarray(image[..., 0] if image.shape[2:] == (1,) else image)
