"""What is known of the files that images were read from, or were not."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from synthbench.arrays import lock

__all__ = ["Geometry", "Quarantined"]

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Quarantined:
    """A file that was put aside: where it lies (relative to the data set) and why."""

    path: str
    reason: str


@dataclass(frozen=True, eq=False)
class Geometry:
    """The files that images were read from, as they lay on disk: one row an image, in the images' order.

    width, height  int64 (N,), pixels
    channels       int64 (N,), bands of the file: 1 grey or palette, 3 colour, 4 with transparency
    n_bytes        int64 (N,), size of the file

    The columns are read-only.
    """

    width: Numbers
    height: Numbers
    channels: Numbers
    n_bytes: Numbers

    def __post_init__(self) -> None:
        lock(self, "width", "height", "channels", "n_bytes")
        for name, column in vars(self).items():
            if column.dtype != np.int64 or column.shape != self.width.shape or column.ndim != 1:
                raise ValueError(f"{name} must be int64 {self.width.shape}, found {column.dtype} {column.shape}")

    def __len__(self) -> int:
        return len(self.width)

    def subset(self, index: npt.NDArray[Any]) -> Geometry:
        """That of the images at `index`, in that order."""
        return Geometry(self.width[index], self.height[index], self.channels[index], self.n_bytes[index])

    @cached_property
    def digest(self) -> str:
        """SHA-256 over content."""
        columns = np.stack([self.width, self.height, self.channels, self.n_bytes])
        return hashlib.sha256(columns.tobytes()).hexdigest()
