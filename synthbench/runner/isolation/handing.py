"""A data set's `Splits` on their way from its process to the run: plain data, and arrays as files to be mapped.

The run reads no pickle of a process that has run foreign code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from synthbench.runner.isolation.crossing import Shelf
from synthbench.scale import GreyScale
from synthbench.types import Geometry, Images, Quarantined, Splits

__all__ = ["handed_over", "taken_over"]

KNOWN = {cls.__name__: cls for cls in (Splits, Images, Geometry, Quarantined, GreyScale)}

DIGESTS = {"digest", "pixel_digest"}
"""What is known of images goes along: to compute it again would read all pixels."""


def handed_over(splits: Splits, folder: Path) -> dict[str, Any]:
    """`splits` as JSON takes them; arrays that are no files yet are written to `folder`.

    Raises TypeError for what has no place in `Splits`.
    """
    plain: dict[str, Any] = _plain(splits, folder)
    return plain


def taken_over(plain: Mapping[str, Any]) -> Splits:
    """What was handed over, its arrays mapped read-only. Raises ValueError where it is no whole."""
    splits = _made(plain)
    assert isinstance(splits, Splits)
    return splits


def _plain(value: Any, folder: Path) -> Any:
    value = value.item() if isinstance(value, np.generic) else value
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, np.ndarray) and not value.dtype.hasobject:
        return {"array": str(_file_of(value, folder))}
    if isinstance(value, Mapping):
        return {"mapping": [[_plain(k, folder), _plain(v, folder)] for k, v in value.items()]}
    if isinstance(value, list | tuple):
        return [_plain(item, folder) for item in value]
    for name, cls in KNOWN.items():
        if isinstance(value, cls):
            about = {field.name: _plain(getattr(value, field.name), folder) for field in fields(cls)}
            known = {name: value.__dict__[name] for name in sorted(DIGESTS & value.__dict__.keys())}
            return {"is": name, "fields": about, "known": known}
    what = "an array of objects" if isinstance(value, np.ndarray) else f"a {type(value).__name__}"
    raise TypeError(f"its Splits hold {what}: let them hold text, numbers and arrays of these")


def _file_of(array: npt.NDArray[Any], folder: Path) -> Path:
    file = Shelf(folder).file_of(array)
    own = folder.parent  # the run's: the process's working folder lies there too, and goes with it
    return Shelf(folder).file_of(array.copy()) if own in file.parents and folder != file.parent else file


def _made(plain: Any) -> Any:
    if isinstance(plain, list):
        return tuple(map(_made, plain))
    if not isinstance(plain, dict):
        return plain
    if "array" in plain:
        return np.load(plain["array"], mmap_mode="r", allow_pickle=False)
    if "mapping" in plain:
        return {_made(k): _made(v) for k, v in plain["mapping"]}
    value = KNOWN[plain["is"]](**{name: _made(field) for name, field in plain["fields"].items()})
    value.__dict__.update(plain["known"])
    return value
