"""What a class declares, and an evaluator delivers beside it. Validate, check and run refuse alike."""

from __future__ import annotations

import inspect
import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from synthbench.api.interfaces import Dataset, Evaluator, Extractor, Generator, Plugin
from synthbench.types import Images, Predictions, Score, Splits

__all__ = [
    "declaration_faults",
    "interval_faults",
    "name_faults",
    "out_of_bounds",
    "prediction_faults",
    "scored_twice",
]

ROW_SUM = 1e-4
"""How far from 1 the probabilities of an image may sum."""

ROUNDING = 1e-9
"""How far beyond a bound a value may lie, as a share of the bound or of 1: sums may move the last digits."""


def declaration_faults(evaluator: Evaluator) -> list[str]:
    """What no board could use: a direction that is none, bounds in disorder or of a metric that it has not."""
    metrics: Mapping[str, Any] = evaluator.metrics
    bounds: Mapping[str, Any] = evaluator.bounds
    faults = [
        f"the direction of {metric} is {way!r}; it is 'higher' or 'lower', whichever is better"
        for metric, way in metrics.items()
        if way not in ("higher", "lower")
    ]
    faults += [
        f"the bounds of {metric} are {ends!r}; they are two numbers, the lesser first"
        for metric, ends in bounds.items()
        if not _are_ends(ends)
    ]
    for what, names in (("bounds", bounds), ("gates", evaluator.gates)):
        if foreign := sorted(set(names) - set(metrics)):
            faults.append(f"{what} names {', '.join(foreign)}, which `metrics` has not")
    return faults


def _are_ends(ends: Any) -> bool:
    numbers = isinstance(ends, tuple | list) and len(ends) == 2 and all(isinstance(e, int | float) for e in ends)
    return numbers and ends[0] < ends[1]


def out_of_bounds(evaluator: Evaluator, scores: Iterable[Score]) -> list[str]:
    """Each score whose value lies outside the bounds that its evaluator declares, in words."""
    return [
        f"{score.metric} on {score.test_set!r} is {score.value:g}, outside its bounds {low:g} to {high:g}"
        for score in scores
        for low, high in [evaluator.bounds.get(score.metric, (float("-inf"), float("inf")))]
        if score.value < low - _slack(low) or score.value > high + _slack(high)
    ]


def interval_faults(scores: Iterable[Score]) -> list[str]:
    """Intervals that are none, in words."""
    return [
        f"the interval of {score.metric} on {score.test_set!r} is {score.low} to {score.high}: give two finite "
        "ends, the lesser first, or neither"
        for score in scores
        if (score.low, score.high) != (None, None) and not _are_in_order(score.low, score.high)
    ]


def _are_in_order(low: float | None, high: float | None) -> bool:
    return low is not None and high is not None and -math.inf < low <= high < math.inf


def prediction_faults(predictions: Iterable[Predictions], real: Splits, synthetic: Images) -> list[str]:
    """Predictions that are not of the images they name, in words: intervals and tests rest on them."""
    known = {"synthetic": synthetic, **real.parts}
    labels = {name: dict(zip(of.ids.tolist(), of.labels.tolist(), strict=True)) for name, of in known.items()}
    faults = []
    for one in predictions:
        where, classes = f"predictions on {one.test_set!r}", real.train.classes
        if (columns := one.probabilities.shape[1]) != len(classes):
            faults.append(f"{where}: {columns} columns for the {len(classes)} classes {', '.join(classes)}")
        elif wrong_rows := _no_probabilities(one):
            faults.append(f"{where}: {wrong_rows}")
        of = labels.get(one.test_set)
        told = zip(one.ids.tolist(), one.labels.tolist(), strict=True)
        if of is not None and (wrong := [image for image, label in told if of.get(image) != label]):
            n = f"{len(wrong)} of {len(one.ids)}"
            faults.append(f"{where}: {n} images are not in it, or have another label there, e.g. {wrong[0]!r}")
    return faults


def scored_twice(scores: Iterable[Score]) -> list[str]:
    """Each number that there are several scores of, in words: a board would average them as draws of one."""
    counts = Counter((s.metric, s.variant, s.test_set, s.classifier_seed) for s in scores)
    return [
        f"{n} scores of {metric}{f' ({variant})' if variant else ''} on {test_set!r}"
        + (f", classifier seed {seed}" if seed is not None else "")
        for (metric, variant, test_set, seed), n in counts.items()
        if n > 1
    ]


def _no_probabilities(predictions: Predictions) -> str:
    rows = predictions.probabilities.astype(np.float64)
    wrong = ~((rows >= 0).all(axis=1) & (np.abs(rows.sum(axis=1) - 1) <= ROW_SUM))  # NaN is wrong too
    if not wrong.any():
        return ""
    shown = np.array2string(rows[wrong.argmax()], precision=3)
    return (
        f"{wrong.sum()} of {len(rows)} rows are no probabilities, e.g. {shown}; give those of all classes, which "
        "sum to 1 (softmax, or 1 - p and p)"
    )


def _slack(end: float) -> float:
    return ROUNDING * max(1.0, abs(end))


ROW_KEYS: Mapping[type[Plugin], tuple[str, ...]] = {
    Plugin: ("use", "label"),
    Generator: ("matrix", "checkpoints"),
    Evaluator: ("matrix", "generators", "optional"),
    Dataset: ("matrix",),
}
"""Keys of a benchmark file's row that the harness reads itself: an option of that name would never be set."""


def name_faults(cls: type[Plugin]) -> list[str]:
    """What of a class bears a name that the harness uses. A line each.

    An option called as a row's own key (`label`); what stands where the harness looks for a hook and is none (an
    option `files`); a method that cannot be called as the hook is.
    """
    keys = {key for base, of_base in ROW_KEYS.items() if issubclass(cls, base) for key in of_base}
    options = [option for name, field in cls.model_fields.items() for option in (name, field.alias) if option]
    reserved = [
        f"its option `{key}` could not be set: a row of a benchmark file has a key `{key}` of its own"
        for key in sorted(keys.intersection(options))
    ]
    return reserved + [fault for name, hook in _hooks(cls).items() if (fault := _shadow(cls, name, hook))]


def _hooks(cls: type[Plugin]) -> dict[str, Callable[..., Any]]:
    """The methods that the harness calls, by name, of the kind of plugin that `cls` is."""
    bases = [base for base in cls.__mro__ if base in (Plugin, Dataset, Generator, Evaluator, Extractor)]
    return {
        name: value
        for base in reversed(bases)
        for name, value in vars(base).items()
        if inspect.isfunction(value) and not name.startswith("_")
    }


def _shadow(cls: type[Plugin], name: str, hook: Callable[..., Any]) -> str:
    if name in cls.model_fields:
        return f"its option `{name}` hides the hook {name}(): call it otherwise"
    own = inspect.getattr_static(cls, name)
    if isinstance(own, classmethod | staticmethod | property) or not callable(own):
        return (
            f"its `{name}` hides the hook {name}(): call it otherwise" if not callable(getattr(cls, name)) else ""
        )
    arguments = [name for name in inspect.signature(hook).parameters if name != "self"]
    try:
        inspect.signature(own).bind(None, *arguments)
    except (TypeError, ValueError):  # or nobody can tell what it takes
        return f"its method {name} takes other arguments than the hook {name}({', '.join(arguments)})"
    return ""
