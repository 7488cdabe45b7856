"""What a metric says of real images and of noise: without that, a distance in a feature space means little.

With the same extractor and, as far as the training set allows, the same number of images, a metric is also had of

    real against real  a random half of the patients, or as many as make up N images, against all others
    noise              N images of uniform noise against the training set
    copy of train      N training images against the training set

`<metric>_place` is where a generator stands between the first two: 1 is real against real, 0 is noise.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from synthbench import Context, Evaluator, Images, Score, code_version, derive_seed, write_csv
from synthbench_fidelity.arrays import Array, Integers
from synthbench_fidelity.evaluators.metric import Figure, Metric, undefined
from synthbench_fidelity.evaluators.parts import COPY, NOISE, REAL, Pair, Part

__all__ = ["Reference", "noise", "place", "references", "some_patients", "write_table"]

FILE, TABLE = "references.json", "calibration.csv"


@dataclass(frozen=True)
class Reference:
    """What the metrics say of a set that is no generator's: `n` images against `against` real ones."""

    name: str
    n: int
    against: int
    values: Mapping[str, float]
    """By a metric's name, of those that have enough images"""

    def score(self, named: str, metric: Metric) -> Score:
        """Beside the generator's own, with the reference as its variant."""
        note = f"{self.n} against {self.against} images"
        return Score(named, self.values[metric.name], "", self.n, note=note, variant=self.name)


def references(
    plugin: Evaluator, metrics: Sequence[Metric], part: Part, evidence: Mapping[str, Array], ctx: Context
) -> list[Reference]:
    """Those that have enough images for a metric; from the store where they were computed before.

    They do not depend on the synthetic images, but for their number: one entry serves all generators and seeds.
    """

    def build(folder: Path) -> None:
        measured = (_reference(name, pair, metrics) for name, pair in _pairs(part, evidence))
        rows = [asdict(reference) for reference in measured if reference.values]
        (folder / FILE).write_text(json.dumps(rows), encoding="utf-8")

    entry = ctx.store.make("calibration", _key(plugin, part, evidence), build, shared=True)
    return [Reference(**row) for row in json.loads((entry.path / FILE).read_text(encoding="utf-8"))]


def _key(plugin: Evaluator, part: Part, evidence: Mapping[str, Array]) -> dict[str, Any]:
    """All that decides the references: of the synthetic images only how many there are."""
    return {
        "use": plugin.name,
        "config": plugin.model_dump(mode="json"),
        "code": code_version(type(plugin).__module__),
        "features": [_digest(evidence[name]) for name in ("real", "real_labels", "real_groups", "noise")],
        "class": [*map(str, evidence["classes"]), part.name],
        "n": len(part.synthetic),
    }


def _pairs(part: Part, evidence: Mapping[str, Array]) -> Iterator[tuple[str, Pair]]:
    """By name; drawn from a seed of their own, so that a generator's seed moves none of them."""
    if not len(part.real):
        return
    n, rng = len(part.synthetic), np.random.default_rng(derive_seed("calibration", part.name))
    chosen = some_patients(part.patients, min(n, len(part.real) // 2), rng)
    copies = np.resize(rng.permutation(len(part.real)), n)  # of more than there are, all over again
    whole = partial(Pair, real=part.real, patients=part.patients, rng=rng)
    others = Pair(real=part.real[~chosen], patients=part.patients[~chosen], synthetic=part.real[chosen], rng=rng)
    yield REAL, others
    yield NOISE, whole(synthetic=evidence["noise"][:n])
    yield COPY, whole(synthetic=part.real[copies])


def _reference(name: str, pair: Pair, metrics: Sequence[Metric]) -> Reference:
    smaller = min(len(pair.real), len(pair.synthetic))
    values = {metric.name: metric.function(pair).value for metric in metrics if metric.least <= smaller}
    return Reference(name, len(pair.synthetic), len(pair.real), values)


def noise(like: Images, n: int) -> Images:
    """n images of uniform noise, always the same ones."""
    pixels = np.random.default_rng(0).integers(0, 256, size=(n, *like.shape), dtype=np.uint8)
    return Images(pixels, np.zeros(n, dtype=np.int64), like.classes)


def _digest(array: Array) -> str:
    return hashlib.sha256(np.ascontiguousarray(array).data).hexdigest()


def some_patients(groups: Array, n: int, rng: np.random.Generator) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Which images, bool (N,): all those of patients in random order, each who fits into n with those before."""
    _, patient = np.unique(groups, return_inverse=True)
    counts = np.bincount(patient)
    order: Integers = rng.permutation(len(counts))
    taken, left = np.zeros(len(counts), dtype=bool), n
    for one in order:
        if counts[one] <= left:
            taken[one], left = True, left - counts[one]
    return taken[patient]


def place(value: float, metric: Metric, references: Sequence[Reference]) -> Figure:
    """(value - noise) / (real against real - noise): 1 is as real images against each other, 0 as noise.

    NaN where noise scores as well as real images: the metric is blind to it in this space.
    """
    known = {reference.name: reference for reference in references if metric.name in reference.values}
    if math.isnan(value) or not {REAL, NOISE} <= known.keys():
        return undefined("too few images to place it between noise and real against real")
    floor, ceiling = (known[name].values[metric.name] for name in (NOISE, REAL))
    if (floor >= ceiling) if metric.direction == "higher" else (floor <= ceiling):
        return undefined(f"noise ({floor:.4g}) scores no worse than real against real ({ceiling:.4g})")
    note = f"0 is noise ({floor:.4g}), 1 real against real ({ceiling:.4g}, {known[REAL].n} images)"
    return Figure((value - floor) / (ceiling - floor), note=note)


def write_table(folder: Path, by_class: Mapping[str, Sequence[Reference]], named: Callable[[str], str]) -> None:
    """calibration.csv: the references of all images together ("") and of each class."""
    rows = [
        (name, r.name, named(metric), value, r.n, r.against)
        for name, measured in by_class.items()
        for r in measured
        for metric, value in r.values.items()
    ]
    write_csv(folder / TABLE, [("class", "reference", "metric", "value", "n", "against"), *rows])
