"""What a metric says of real images and of noise: without that, a distance in a feature space means little.

With the same extractor and, as far as the training set allows, the same number of images, a metric is also had of

    real against real  a random half of the patients, or as many as make up N images, against all others
    noise              N images of uniform noise against the training set
    copy of train      N training images against the training set

`<metric>_place` is where a generator stands between the first two: 1 is real against real, 0 is noise.
"""

from __future__ import annotations

import csv
import hashlib
import json
import math
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from synthbench import Context, Direction, Images, Score, Splits, code_version, derive_seed
from synthbench_fidelity.arrays import Array, Features, Integers
from synthbench_fidelity.evaluators.base import Case, Figure, Part, PartEvaluator, undefined

__all__ = ["CalibratedEvaluator", "Reference", "noise", "place", "some_patients"]

REAL, NOISE, COPY = "real against real", "noise", "copy of train"
FILE = "references.json"


@dataclass(frozen=True)
class Reference:
    """What the metrics say of a set that is no generator's: `n` images against `against` real ones."""

    name: str
    n: int
    against: int
    values: Mapping[str, float]
    """By kind"""


class CalibratedEvaluator(PartEvaluator):
    """Also scores real images, noise and copies, and places the generator between them."""

    calibrated: ClassVar[Mapping[str, Direction]]
    """Those of its kinds that `compare` delivers."""

    @property
    def metrics(self) -> Mapping[str, Direction]:
        places: dict[str, Direction] = {self.named(f"{kind}_place"): "higher" for kind in self.calibrated}
        return {**super().metrics, **places}

    @abstractmethod
    def compare(self, real: Features, synthetic: Features) -> Mapping[str, Figure]:
        """The metrics that are calibrated."""

    def measure(self, real: Features, synthetic: Features, rng: np.random.Generator) -> Mapping[str, Figure]:  # noqa: ARG002
        return self.compare(real, synthetic)

    def gather(self, real: Splits, synthetic: Images, ctx: Context) -> dict[str, Array]:
        nothing = noise(real.train, len(synthetic))
        return {**super().gather(real, synthetic, ctx), "noise": self.features(nothing, real, ctx)}

    def judge(self, case: Case) -> Sequence[Score]:
        (case.ctx.workdir / "calibration.csv").write_text("class,reference,metric,value,n,against\n")
        return super().judge(case)

    def scores_of(self, part: Part, case: Case) -> list[Score]:
        """The figures, each one's place, and for all images together what was measured of the references."""
        scores = super().scores_of(part, case)
        references = {found.name: found for found in self.references(part, case)}
        self._tabulate(part, references.values(), case.ctx.workdir / "calibration.csv")
        value = {score.metric: score.value for score in scores}
        for kind, way in self.calibrated.items():
            scores.append(
                self.score(f"{kind}_place", place(value[self.named(kind)], kind, way, references), part.name, part)
            )
            if not part.name:
                scores += [self._shown(kind, reference) for reference in references.values()]
        return scores

    def _shown(self, kind: str, reference: Reference) -> Score:
        note = f"{reference.n} against {reference.against} images"
        return Score(self.named(kind), reference.values[kind], "", reference.n, note=note, variant=reference.name)

    def _tabulate(self, part: Part, references: Iterable[Reference], path: Path) -> None:
        with path.open("a", newline="", encoding="utf-8") as file:
            for r in references:
                rows = ((part.name, r.name, self.named(kind), v, r.n, r.against) for kind, v in r.values.items())
                csv.writer(file, lineterminator="\n").writerows(rows)

    def references(self, part: Part, case: Case) -> list[Reference]:
        """Those that have enough images; from the store where they were computed before."""

        def build(folder: Path) -> None:
            found = [asdict(reference) for reference in self._references(part, case)]
            (folder / FILE).write_text(json.dumps(found), encoding="utf-8")

        entry = case.ctx.store.make("calibration", self._key(part, case), build)
        return [Reference(**row) for row in json.loads((entry.path / FILE).read_text(encoding="utf-8"))]

    def _key(self, part: Part, case: Case) -> dict[str, Any]:
        """All that decides the references: of the synthetic images only how many there are."""
        return {
            "use": self.name,
            "config": self.model_dump(mode="json"),
            "code": code_version(type(self).__module__),
            "features": [_digest(case[name]) for name in ("real", "real_labels", "real_groups", "noise")],
            "class": [*case.classes, part.name],
            "n": len(part.synthetic),
        }

    def _references(self, part: Part, case: Case) -> Iterator[Reference]:
        if not len(part.real):
            return
        n, rng = len(part.synthetic), np.random.default_rng(derive_seed("calibration", part.name))
        chosen = some_patients(case["real_groups"][part.rows], min(n, len(part.real) // 2), rng)
        copies = np.resize(rng.permutation(len(part.real)), n)
        pairs = {
            REAL: (part.real[~chosen], part.real[chosen]),
            NOISE: (part.real, case["noise"][:n]),
            COPY: (part.real, part.real[copies]),
        }
        for name, (real, other) in pairs.items():
            if min(len(real), len(other)) >= self.needs:
                values = {kind: figure.value for kind, figure in self.compare(real, other).items()}
                yield Reference(name, len(other), len(real), values)


def noise(like: Images, n: int) -> Images:
    """n images of uniform noise, always the same ones."""
    pixels = np.random.default_rng(0).integers(0, 256, size=(n, *like.shape), dtype=np.uint8)
    return Images(pixels, np.zeros(n, dtype=np.int64), like.classes)


def _digest(array: Array) -> str:
    return hashlib.sha256(np.ascontiguousarray(array).data).hexdigest()


def some_patients(groups: Array, n: int, rng: np.random.Generator) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Which images, bool (N,): all those of patients taken in random order while no more than n come together."""
    _, patient = np.unique(groups, return_inverse=True)
    counts = np.bincount(patient)
    order: Integers = rng.permutation(len(counts))
    return np.isin(patient, order[np.cumsum(counts[order]) <= n])


def place(value: float, kind: str, way: Direction, references: Mapping[str, Reference]) -> Figure:
    """(value - noise) / (real against real - noise): 1 is as real images against each other, 0 as noise.

    NaN where noise scores as well as real images: the metric is blind to it in this space.
    """
    if math.isnan(value) or not {REAL, NOISE} <= references.keys():
        return undefined("too few images to place it between noise and real against real")
    floor, ceiling = references[NOISE].values[kind], references[REAL].values[kind]
    if (floor >= ceiling) if way == "higher" else (floor <= ceiling):
        return undefined(f"noise ({floor:.4g}) scores no worse than real against real ({ceiling:.4g})")
    note = f"0 is noise ({floor:.4g}), 1 real against real ({ceiling:.4g}, {references[REAL].n} images)"
    return Figure((value - floor) / (ceiling - floor), note=note)
