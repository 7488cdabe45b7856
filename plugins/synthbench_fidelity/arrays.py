"""What the metrics accept: finite feature matrices with enough rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["ROWS", "Array", "Features", "Floats", "Integers", "feature_sets", "numbered"]

ROWS = 1 << 14
"""Looked at together, beside the features a small part of their memory."""

Array = npt.NDArray[Any]
Features = npt.NDArray[np.float32] | npt.NDArray[np.float64]
Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


def numbered(names: Array) -> Integers:
    """A number for each name, in the order of the names."""
    return np.asarray(np.unique(names, return_inverse=True)[1], dtype=np.int64)


def feature_sets(at_least: int = 1, **sets: npt.NDArray[Any]) -> list[Features]:
    """The arrays as C-contiguous float32 or float64 (N, D), all of one D and of `at_least` rows.

    Any other number type becomes float64. ValueError names the array and what is wrong with it.
    """
    checked = [_features(name, array, at_least) for name, array in sets.items()]
    widths = {name: array.shape[1] for name, array in zip(sets, checked, strict=True)}
    if len(set(widths.values())) > 1:
        listed = ", ".join(f"{name} {width}" for name, width in widths.items())
        raise ValueError(f"features of one extractor have one width; found {listed}")
    return checked


def _features(name: str, array: npt.NDArray[Any], at_least: int) -> Features:
    matrix = np.asarray(array)
    if matrix.ndim != 2 or matrix.shape[1] == 0:
        raise ValueError(f"{name} must be a matrix (N, D), one row an image; its shape is {matrix.shape}")
    if len(matrix) < at_least:
        raise ValueError(f"{name} needs at least {at_least} rows for this metric and has {len(matrix)}")
    if not np.issubdtype(matrix.dtype, np.number) or np.iscomplexobj(matrix):
        raise ValueError(f"{name} must hold real numbers; its type is {matrix.dtype}")
    features = matrix if matrix.dtype in (np.float32, np.float64) else matrix.astype(np.float64)
    if not all(np.isfinite(features[start : start + ROWS]).all() for start in range(0, len(features), ROWS)):
        raise ValueError(f"{name} holds NaN or infinite values")
    return np.ascontiguousarray(features)
