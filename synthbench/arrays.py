"""What the types do with their arrays: lock them, hash them, describe them in a message."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["described", "lock", "pixel_hash"]


def lock(owner: object, *names: str) -> None:
    """Make arrays of a frozen dataclass read-only, as views: whoever made them may still write to theirs."""
    for name in names:
        array = getattr(owner, name)
        if isinstance(array, np.ndarray) and array.flags.writeable:
            view = array.view()
            view.flags.writeable = False
            object.__setattr__(owner, name, view)


def pixel_hash(pixels: npt.NDArray[np.uint8], about: tuple[Any, ...]) -> hashlib._Hash:
    """SHA-256 of `about` and the pixels, block by block: memory-mapped ones may be larger than the memory."""
    sha = hashlib.sha256(repr(about).encode())
    for block in np.array_split(pixels, max(1, pixels.nbytes >> 26)):
        sha.update(np.ascontiguousarray(block).data)
    return sha


def described(value: object) -> str:
    """ "float32 (4, 8, 8, 1)"; the type where it is no array."""
    return f"{value.dtype} {value.shape}" if isinstance(value, np.ndarray) else type(value).__name__
