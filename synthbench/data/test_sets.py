"""What is known of each test set: whose images, how many, how many of them training knows; and the remainder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from synthbench.benchmark.definition import Benchmark
from synthbench.data.audit import Audit
from synthbench.data.holdout import HOLDOUT
from synthbench.storage.layout import CLEAN
from synthbench.types import Images, Splits

__all__ = ["Data", "TestSet", "clean_name", "dataset_of", "describe", "with_remainders"]


@dataclass(frozen=True)
class TestSet:
    """A test set's facts. `leaked` counts images that the training set knows, by kind and in all (`leaked`).

    `positive` is the class that AUROC, F1 and recall on it speak of, "" where there are more than two.
    """

    name: str
    dataset: str
    domain: str
    images: int
    patients: int
    counts: Mapping[str, int]
    leaked: Mapping[str, int]
    positive: str = ""
    __test__ = False  # no test case, whatever pytest thinks of the name

    @property
    def share(self) -> float:
        """Of the images that the training set knows, 0-1."""
        return self.leaked["leaked"] / self.images if self.images else 0.0

    def row(self) -> dict[str, Any]:
        """A row of test_sets.csv."""
        counts = "; ".join(f"{name} {n}" for name, n in self.counts.items())
        clean = self.images - self.leaked["leaked"]
        return {
            **{"test_set": self.name, "dataset": self.dataset, "images": self.images, "patients": self.patients},
            **{"counts": counts, "positive": self.positive, **self.leaked, "clean": clean, "domain": self.domain},
        }


@dataclass(frozen=True, eq=False)
class Data:
    """What a run works on: the splits with clean remainders, the test sets' facts, run.json but for trials."""

    splits: Splits
    tests: Sequence[TestSet]
    about: dict[str, Any]


def describe(bench: Benchmark, splits: Splits, audit: Audit) -> list[TestSet]:
    """All test sets of the data, remainders not among them; last the hold-out, if there is one."""
    holdout = {} if splits.holdout is None else {HOLDOUT: splits.holdout}
    return [
        TestSet(
            name,
            dataset_of(name, bench),
            splits.domains.get(name, splits.domain),
            len(images),
            len(np.unique(images.groups)),
            images.counts(),
            audit.counts(name),
            splits.positive or "",
        )
        for name, images in {**splits.tests, **holdout}.items()
    ]


def dataset_of(test_set: str, bench: Benchmark) -> str:
    """The label of the data set that a test set comes from."""
    labels = [entry.label for entry in bench.external]
    if test_set in labels:
        return test_set
    begin = (label for label in labels if test_set.startswith((f"{label}/", f"{label}[")))
    return max(begin, key=len, default=bench.dataset.label)  # of a/b[clean] a/b, not a


def clean_name(test_set: str) -> str:
    """The name of a test set's clean remainder."""
    return f"{test_set}{CLEAN}"


def with_remainders(splits: Splits, audit: Audit) -> Splits:
    """`splits` with a further test set for each that leaks: the images that the training set does not know."""
    tests: dict[str, Images] = {}
    geometry = dict(splits.geometry)
    for name, images in splits.tests.items():
        tests[name] = images
        leaked = audit.leaked(name)
        if leaked.any() and not leaked.all():
            tests[clean_name(name)] = images.subset(~leaked)
            if name in geometry:
                geometry[clean_name(name)] = geometry[name].subset(~leaked)
    return replace(splits, tests=tests, geometry=geometry)
