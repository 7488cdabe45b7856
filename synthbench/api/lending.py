"""What a plugin is given is its own: fresh arrays, looked at again when it is done, before anything is kept.

    with lend(train, label, store) as own:
        sampler = plugin.fit(own, ctx)

The arrays are read-only, so what goes wrong by accident raises at the line that does it. This is for the rest: a
flag set back, a base array, a field replaced. No other plugin sees it, and nothing that came of it is kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, replace
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from synthbench.errors import PluginError
from synthbench.storage.store import Store
from synthbench.types import Geometry, Images, Splits

__all__ = ["lend"]

Lent = TypeVar("Lent", Images, Splits)
Parts = dict[str, Images | Geometry | None]

DIGESTS = {"digest", "pixel_digest"}
"""What is known of images need not be computed again for a copy: that would read all pixels."""


@contextmanager
def lend(data: Lent, plugin: str, store: Store) -> Iterator[Lent]:
    """A copy of `data` for `plugin`, arrays and all; memory-mapped pixels are shared: nobody can write to them.

    Raises PluginError, naming `plugin`, where the copy is no longer what it was; what was put into the store
    meanwhile is removed.
    """
    before = store.made()
    own = _fresh(data)
    try:
        yield own
    except Exception:
        _check(data, own, plugin, store, before)
        raise
    _check(data, own, plugin, store, before)


def _check(data: Images | Splits, own: Images | Splits, plugin: str, store: Store, before: frozenset[Any]) -> None:
    if changed := _changes(data, own):
        store.discard(store.made() - before)
        raise PluginError(
            f"{plugin} changed what it was given ({', '.join(changed)}), so nothing of it was kept: let it work "
            "on copies (`labels = train.labels.copy()`). No other row saw the change"
        )


def _fresh(data: Lent) -> Lent:
    own: Any = _fresh_images(data) if isinstance(data, Images) else _fresh_splits(data)
    return own  # type: ignore[no-any-return]  # of the type that was given


def _fresh_splits(data: Splits) -> Splits:
    parts = {name: _fresh_images(images) for name, images in data.tests.items()}
    return replace(
        data,
        train=_fresh_images(data.train),
        tests=parts,
        val=None if data.val is None else _fresh_images(data.val),
        holdout=None if data.holdout is None else _fresh_images(data.holdout),
        geometry={name: files.subset(np.arange(len(files))) for name, files in data.geometry.items()},
        attributes={},  # nobody who learns or judges is to know them
    )


def _fresh_images(images: Images) -> Images:
    own = replace(
        images,
        pixels=images.pixels.view() if _is_mapped(images.pixels) else images.pixels.copy(),
        labels=images.labels.copy(),
        ids=images.ids.copy(),
        groups=images.groups.copy(),
    )
    for name in DIGESTS & images.__dict__.keys():
        own.__dict__[name] = images.__dict__[name]
    return own


def _is_mapped(pixels: npt.NDArray[Any]) -> bool:
    """Whether the pixels are a file in memory that nobody can write to, whatever flags they set."""
    return isinstance(pixels, np.memmap) and pixels.mode == "r" and not pixels.flags.writeable


def _changes(data: Images | Splits, own: Images | Splits) -> list[str]:
    """Names of the arrays that differ: "train.labels", "test set 'far'.pixels"."""
    if isinstance(data, Images) and isinstance(own, Images):
        return [f"images.{name}" for name in _differing(data, own)]
    if not (isinstance(data, Splits) and isinstance(own, Splits)):
        return [type(own).__name__]
    before, after = _parts(data), _parts(own)
    if before.keys() != after.keys():
        return [f"the parts, now {', '.join(after)}"]
    return [f"{part}.{name}" for part in before for name in _differing(before[part], after[part])]


def _parts(splits: Splits) -> Parts:
    tests: Mapping[str, Images] = {f"test set {name!r}": images for name, images in splits.tests.items()}
    files = {f"files of {name!r}": geometry for name, geometry in splits.geometry.items()}
    return {"train": splits.train, "val": splits.val, "holdout": splits.holdout, **tests, **files}


def _differing(a: Images | Geometry | None, b: Images | Geometry | None) -> list[str]:
    if a is None or b is None or type(a) is not type(b):
        return [] if a is b else ["itself"]
    return [field.name for field in fields(a) if not _same(getattr(a, field.name), getattr(b, field.name))]


def _same(a: Any, b: Any) -> bool:
    if not isinstance(a, np.ndarray):
        return bool(a == b)
    return isinstance(b, np.ndarray) and (_one_mapping(a, b) or np.array_equal(a, b))


def _one_mapping(a: npt.NDArray[Any], b: npt.NDArray[Any]) -> bool:
    """Whether both are the same read-only pixels of a file: there is nothing to compare then."""
    return _is_mapped(a) and _is_mapped(b) and a.__array_interface__ == b.__array_interface__
