"""Checks of a `Dataset`: splits that can be trusted, the same at every reading."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from synthbench.api.interfaces import Dataset
from synthbench.testing.cases import Case
from synthbench.testing.findings import require
from synthbench.types import Images, Splits

__all__ = ["CHECKS", "DatasetCase"]


@dataclass
class DatasetCase(Case):
    """A data set and its two readings, the second from an empty store."""

    plugin: Dataset

    @cached_property
    def first(self) -> Splits:
        return self.plugin.load(self.context(seed=1))

    @cached_property
    def second(self) -> Splits:
        return self.watch(lambda: self.plugin.load(self.context(seed=1)))


def _parts(splits: Splits) -> Iterator[tuple[str, Images]]:
    yield "train", splits.train
    if splits.val is not None:
        yield "val", splits.val
    yield from splits.tests.items()


def _load(case: DatasetCase) -> str:
    kind = type(case.first).__name__
    require(isinstance(case.first, Splits), f"load returned a {kind}", "return synthbench.Splits", last=True)
    counts = ", ".join(f"{name} {len(images)}" for name, images in _parts(case.first))
    tests = case.first.tests
    require(bool(tests), f"no test set among {counts}", 'give `tests={"test": ...}`')
    advice = 'call the held-out part "test": that one ranks the board'
    require("test" in tests, f"test sets {', '.join(tests)}", advice, warning=True)
    return f"{counts} images of {case.first.train.shape}"


def _classes(case: DatasetCase) -> str:
    require(len(case.first.train.classes) > 1, f"classes {case.first.train.classes}", "give two classes or more")
    empty = [
        f"{name} has no {label}"
        for name, images in _parts(case.first)
        if name != "val"
        for label, count in images.counts().items()
        if count == 0
    ]
    require(not empty, "; ".join(empty), "train and every test set need images of each class")
    classes = case.first.train.classes
    advice = f'a run needs to know: pass `positive="{classes[-1]}"`, say, to Splits (or set the option `positive`)'
    known = len(classes) > 2 or case.first.positive is not None
    require(known, f"which of {' and '.join(classes)} is the positive class is not said", advice)
    positive = f"; {case.first.positive} is positive" if case.first.positive else ""
    return f"{', '.join(classes)}: none empty{positive}"


def _same_again(case: DatasetCase) -> str:
    names = [name for name, _ in _parts(case.first)]
    again = dict(_parts(case.second))
    advice = "sort what you list, and draw from a fixed seed: two readings must give the same bytes"
    require(names == list(again), f"parts {names}, then {list(again)}", advice)
    changed = [name for name, images in _parts(case.first) if _digest(images) != _digest(again[name])]
    require(not changed, f"{', '.join(changed)} differ between two readings", advice)
    wrong = [name for name, images in _parts(case.first) if _digest(images) != images.digest]
    require(not wrong, f"{', '.join(wrong)}: the digest is not that of the content", "leave `digest` to Images")
    return "two readings give the same digests"


def _digest(images: Images) -> str:
    """The digest computed from the content, not the one remembered."""
    return replace(images).digest


def _ids(case: DatasetCase) -> str:
    twice = [f"{name} ({len(images) - len(set(images.ids))})" for name, images in _parts(case.first)]
    repeated = [text for text in twice if not text.endswith("(0)")]
    require(not repeated, f"repeated ids in {', '.join(repeated)}", "give each image a name of its own in `ids`")
    return "each image has its own"


def _leaks(case: DatasetCase) -> str:
    train = set(case.first.train.groups)
    shared = [
        f"{name} shares {len(both)} groups with train, e.g. {min(both)!r}"
        for name, images in _parts(case.first)
        if name != "train" and (both := train & set(images.groups))
    ]
    advice = (
        "keep a patient's images in one split; where these are different patients, "
        "give `groups` names that are unique over the whole data set"
    )
    require(not shared, "; ".join(shared), advice)
    return f"{len(train)} groups in train, none of them in a test set"


def _copies(case: DatasetCase) -> str:
    train = _contents(case.first.train)
    shared = [
        f"{name}: {count}"
        for name, images in _parts(case.first)
        if name != "train" and (count := len(train & _contents(images)))
    ]
    advice = "look at them: the same picture in train and in a test set makes the test easier than it looks"
    require(not shared, f"pixels that are also in train: {', '.join(shared)}", advice, warning=True)
    return "no picture of train is in a test set"


def _contents(images: Images) -> set[bytes]:
    return {np.ascontiguousarray(picture).tobytes() for picture in images.pixels}


def _blank(case: DatasetCase) -> str:
    blank = {name: int((np.ptp(images.pixels, axis=(1, 2, 3)) == 0).sum()) for name, images in _parts(case.first)}
    counts = ", ".join(f"{name}: {count}" for name, count in blank.items() if count)
    require(not counts, f"images of one single value: {counts}", "put unreadable files into `quarantine` instead")
    return "none"


CHECKS: dict[str, Callable[[DatasetCase], str]] = {
    "load": _load,
    "classes": _classes,
    "same again": _same_again,
    "ids": _ids,
    "groups": _leaks,
    "copies": _copies,
    "blank images": _blank,
}
