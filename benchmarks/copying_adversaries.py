"""Who copies and who does not: sets of images of both kinds on the real X-rays, and which gate flags them.

    SYNTHBENCH_DATA=... python benchmarks/copying_adversaries.py adversaries --seeds 5 --out FOLDER
    SYNTHBENCH_DATA=... python benchmarks/copying_adversaries.py splits --seeds 300 --out FOLDER
    python benchmarks/copying_adversaries.py table --out FOLDER

`adversaries` makes every set anew under each seed (another hold-out of a tenth of the patients, other images
copied) and writes a line a set and size to adversaries.csv; with `--no-statistics` the statistical gate stays out,
whose features take most of the time. `splits` cuts the official training set by patient into train, hold-out and
as many new images as the hold-out has, which nobody copied, and writes a line a cut to splits.csv. `table` prints
both for docs/leaks.md.
"""

from __future__ import annotations

import argparse
import csv
import io
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from PIL import Image
from scipy import ndimage

from synthbench import Context, Extractor, Features, Images, Splits, read_picture
from synthbench.data.audit import cached_audit
from synthbench.data.holdout import copies_within
from synthbench.data.split import related
from synthbench.progress import Progress
from synthbench.testing import context_in
from synthbench_baselines.pca import fit_classes
from synthbench_cxr.plugin import ChestXray
from synthbench_fidelity.arrays import Array
from synthbench_fidelity.evaluators.memorisation import Memorisation, with_holdout
from synthbench_fidelity.evaluators.pictures import CopyTest, Originals, copied, originals

SIZES = (200, 1000)
HOLDOUT = 0.1
Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]


def each(change: Callable[[Floats], Floats]) -> Callable[[Pixels], Pixels]:
    """A change of one image (H, W), cut to 0-255, for all of (N, H, W, 1)."""

    def changed(pixels: Pixels) -> Pixels:
        images = [np.clip(np.rint(change(image[..., 0].astype(np.float64))), 0, 255) for image in pixels]
        return np.stack(images).astype(np.uint8)[..., None]

    return changed


def jpeg(image: Floats) -> Floats:
    file = io.BytesIO()
    Image.fromarray(image.astype(np.uint8)).save(file, "JPEG", quality=50)
    return np.asarray(read_picture(file), dtype=np.float64)


def treatments(rng: np.random.Generator) -> dict[str, Callable[[Pixels], Pixels]]:
    """What is done to copies."""
    side = 64
    return {
        "copied": lambda pixels: pixels,
        "noise, sd 5": each(lambda x: x + rng.normal(0, 5, x.shape)),
        "mirrored": each(lambda x: x[:, ::-1]),
        "shifted by 5 %": each(lambda x: ndimage.shift(x, (0.05 * side, -0.05 * side), order=1, mode="nearest")),
        "turned by 5 degrees": each(lambda x: ndimage.rotate(x, 5, reshape=False, order=1, mode="nearest")),
        "contrast x 1.3": each(lambda x: (x - 128) * 1.3 + 128),
        "JPEG 50": each(jpeg),
        "blur, sd 1": each(lambda x: ndimage.gaussian_filter(x, 1)),
        "inverted": each(lambda x: 255 - x),
    }


@dataclass(frozen=True, eq=False)
class World:
    """One split, and all that adversaries draw from."""

    real: Splits
    fresh: Images
    """Of other patients: real images that are neither in the parts nor copied"""
    rng: np.random.Generator
    ctx: Context

    @cached_property
    def drawn(self) -> Images:
        """pca-gaussian's, fitted on train."""
        train = self.real.train
        labels = np.arange(max(SIZES), dtype=np.int64) % len(train.classes)
        return Images(fit_classes(train, 200, self.ctx)(labels, self.rng), labels, train.classes)

    def some(self, images: Images, n: int) -> Images:
        """n of them in random order; of fewer, all over again."""
        order = np.concatenate([self.rng.permutation(len(images)) for _ in range(-(-n // len(images)))])
        return images.subset(order[:n])

    def mixed(self, n: int, copied: int) -> Images:
        """pca-gaussian's images, some of them replaced by training images with noise."""
        copies = self.some(self.real.train, copied)
        noisy = replace(copies, pixels=treatments(self.rng)["noise, sd 5"](copies.pixels))
        return self.some(together(noisy, self.some(self.drawn, n - copied)), n)


def together(*parts: Images) -> Images:
    pixels, labels = (np.concatenate([getattr(p, name) for p in parts]) for name in ("pixels", "labels"))
    return Images(pixels, labels, parts[0].classes)


def blended(world: World, n: int, weight: float) -> Images:
    """Weighted means of two training images of a class."""
    train = world.real.train
    first = world.some(train, n)
    pools = [np.flatnonzero(train.labels == k) for k in range(len(train.classes))]
    other = train.pixels[[world.rng.choice(pools[label]) for label in first.labels]]
    mean = np.rint(weight * first.pixels.astype(float) + (1 - weight) * other)
    return replace(first, pixels=mean.astype(np.uint8))


def patchwork(world: World, n: int) -> Images:
    """The four quarters of four training images of a class."""
    train = world.real.train
    labels = np.arange(n, dtype=np.int64) % len(train.classes)
    pools = [np.flatnonzero(train.labels == k) for k in range(len(train.classes))]
    sources = np.stack([world.rng.choice(pools[label], 4) for label in labels])
    pixels, half = np.empty((n, *train.shape), dtype=np.uint8), train.shape[0] // 2
    for quarter in range(4):
        rows, columns = (slice(half * k, half * k + half) for k in divmod(quarter, 2))
        pixels[:, rows, columns] = train.pixels[sources[:, quarter], rows, columns]
    return Images(pixels, labels, train.classes)


def one_class(world: World, n: int) -> Images:
    """NORMAL images are training images with noise, PNEUMONIA ones are pca-gaussian's."""
    train, drawn = world.real.train, world.drawn
    copies = world.some(train.subset(train.labels == 0), n // 2)
    noisy = replace(copies, pixels=treatments(world.rng)["noise, sd 5"](copies.pixels))
    return world.some(together(noisy, world.some(drawn.subset(drawn.labels == 1), n - n // 2)), n)


def collapsed(world: World, n: int, images: Images, sd: float) -> Images:
    """One image over and over, with noise of so many grey levels."""
    always = images.subset(np.full(n, world.rng.integers(len(images))))
    pixels = np.clip(np.rint(always.pixels + world.rng.normal(0, sd, always.pixels.shape)), 0, 255)
    return replace(always, pixels=pixels.astype(np.uint8), labels=np.arange(n, dtype=np.int64) % 2)


def nearest_stranger(world: World, features: Callable[[Images], Features]) -> Images:
    """Of the real images that nobody holds, the one whose features lie nearest to a training image's."""
    fresh, train = features(world.fresh), features(world.real.train)
    apart = (fresh**2).sum(1)[:, None] + (train**2).sum(1) - 2 * fresh @ train.T
    return world.fresh.subset(apart.min(1).argsort()[:1])


def adversaries(world: World, n: int, features: Callable[[Images], Features]) -> Iterator[tuple[str, Images]]:
    """(kind, n images) of each."""
    train, held, test = world.real.train, world.real.holdout, world.real.tests["test"]
    assert held is not None
    for name, change in treatments(world.rng).items():
        copies = world.some(train, n)
        yield f"training images, {name}", replace(copies, pixels=change(copies.pixels))
    yield "one training image n times", collapsed(world, n, train, 0)
    yield "one training image n times, noise sd 5", collapsed(world, n, train, 5)
    yield "means of two training images, .9 and .1", blended(world, n, 0.9)
    yield "means of two training images, .5 and .5", blended(world, n, 0.5)
    yield "patchworks of four training images", patchwork(world, n)
    yield "10 % noisy copies, else pca-gaussian", world.mixed(n, n // 10)
    yield "5 % noisy copies, else pca-gaussian", world.mixed(n, n // 20)
    yield "noisy copies of one class only", one_class(world, n)
    for kind, part in {"hold-out": held, "test": test}.items():
        copies = world.some(part, n)
        for name in ("noise, sd 5", "mirrored"):
            yield f"{kind} images, {name}", replace(copies, pixels=treatments(world.rng)[name](copies.pixels))
    yield (
        "honest: a stranger near a training image n times, noise sd 5",
        collapsed(world, n, nearest_stranger(world, features), 5),
    )
    yield "honest: pca-gaussian", world.some(world.drawn, n)
    yield "honest: new real images", world.some(world.fresh, min(n, len(world.fresh)))


class Remembered:
    """A `FeatureService` that knows every image it has seen, in whatever set it comes."""

    def __init__(self, ctx: Context) -> None:
        self._service = ctx.features
        self._known: dict[bytes, Features] = {}

    def __call__(self, images: Images, extractor: Extractor, *, train: Images) -> Features:
        keys = [pixels.tobytes() for pixels in images.pixels]
        new = list({key: place for place, key in enumerate(keys) if key not in self._known}.values())
        if new:
            features = self._service(images.subset(np.array(new)), extractor, train=train)
            self._known |= {keys[place]: row for place, row in zip(new, np.asarray(features), strict=True)}
        return np.stack([self._known[key] for key in keys])


class Blind:
    """Features that say nothing, so that the first gate is measured alone."""

    def __call__(self, images: Images, _: Extractor, *, train: Images) -> Features:  # noqa: ARG002
        return np.random.default_rng(0).normal(size=(len(images), 2)).astype(np.float32)


def world_of(seed: int, splits: Splits, ctx: Context) -> World:
    """A tenth of the patients is held out, another tenth are strangers; the official test set stays."""
    audit = cached_audit(splits, ctx.store, Progress(False))
    family = related(splits.train, copies_within(splits.train.ids, audit))
    rng = np.random.default_rng(seed)
    order = rng.permutation(family.max() + 1)
    upto = np.empty(len(order))
    upto[order] = np.cumsum(np.bincount(family)[order]) / len(family)
    strangers, rest = upto[family] <= HOLDOUT, upto[family] > 2 * HOLDOUT
    train, fresh, held = (splits.train.subset(mask) for mask in (rest, strangers, ~rest & ~strangers))
    real = replace(splits, train=train, holdout=held, val=None, geometry={})
    return World(real, fresh, rng, ctx.child("world", seed))


PER_IMAGE = ("synthetic", "labels", "pictures", "copy_of", "exact")
"""The evidence that has a row for each synthetic image."""


def judged(evidence: Mapping[str, Array], n: int, ctx: Context) -> dict[str, object]:
    """What `memorisation` says of the first n images, and which gate fires."""
    few = {**evidence, **{name: evidence[name][:n] for name in PER_IMAGE}}
    test, flag = CopyTest.of(few, np.arange(len(few["labels"]))), Memorisation().copying(few, ctx)
    gate = ("pictures" if flag.note.startswith("copies") else "statistics") if flag.value > 0 else ""
    counts = {"images": test.images, "verified": test.copies, "exact": test.exact}
    return {**counts, "copying": flag.value, "gate": gate, "note": flag.note}


def prepared(statistics: bool, ctx: Context) -> tuple[Splits, Context]:
    """The X-rays, and surroundings that know the features of all of them."""
    splits = ChestXray(image_size=64, channels=1, antialias=False).load(ctx)
    ctx = replace(ctx, features=Remembered(ctx) if statistics else Blind())
    for images in (splits.train, *splits.tests.values()):
        ctx.features(images, EXTRACTOR, train=images)
    return splits, ctx


def run_adversaries(seeds: Sequence[int], statistics: bool, only: str, out: Path, ctx: Context) -> None:
    splits, ctx = prepared(statistics, ctx)
    for seed in seeds:
        world = world_of(seed, splits, ctx)
        real = originals(world.real, ctx)
        for kind, images in adversaries(world, max(SIZES), lambda i: ctx.features(i, EXTRACTOR, train=i)):
            if not re.search(only, kind):
                continue
            start = time.process_time()
            evidence = copied(real, images, out)
            about = {"seed": seed, "kind": kind, "statistics": statistics, "s": time.process_time() - start}
            evidence |= with_holdout(world.real, images, EXTRACTOR, ctx)
            for n in SIZES:
                append(out / "adversaries.csv", {**about, "n": n, **judged(evidence, n, ctx)})


def run_splits(seeds: Sequence[int], statistics: bool, _: str, out: Path, ctx: Context) -> None:
    """Real images of a tenth of the patients, under each seed another; both verdicts, and nothing else."""
    splits, ctx = prepared(statistics, ctx)
    for seed in seeds:
        world = world_of(seed, splits, ctx)
        known = {name: world.real.parts[name] for name in ("train", "holdout", "test")}
        part = np.repeat(np.arange(len(known)), [len(images) for images in known.values()])
        # As if no real image of the hold-out passed for a copy: what is flagged here is flagged the sooner.
        real = Originals(together(*known.values()), part, tuple(known), np.array([len(known["holdout"]), 0, 0]))
        evidence = with_holdout(world.real, world.fresh, EXTRACTOR, ctx) | copied(real, world.fresh, out)
        row = judged(evidence, len(world.fresh), ctx)
        append(out / "splits.csv", {"seed": seed, "n": len(world.fresh), "statistics": statistics, **row})


EXTRACTOR = Memorisation().extractor


def append(file: Path, row: dict[str, object]) -> None:
    print(row, flush=True)
    fresh = not file.exists()
    with file.open("a", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, row, lineterminator="\n")
        if fresh:
            writer.writeheader()
        writer.writerow(row)


def print_table(out: Path) -> None:
    """Flagged of so many seeds, by N, and by which gate; the verified share of all images.

    Both gates where both were asked; of the others the first alone, which can only flag less.
    """
    rows = pd.read_csv(out / "adversaries.csv", keep_default_na=False, na_values={"copying": ["nan"]})
    both = rows.groupby("kind").statistics.transform("any")
    rows = rows[~both | rows.statistics]
    print("| images | " + " | ".join(f"flagged, N = {n}" for n in SIZES) + " | by | verified |")
    print("|---|" + "---:|" * len(SIZES) + "---|---:|")
    for kind, of_kind in rows.groupby("kind", sort=False):
        cells = [of_kind[of_kind.n == n] for n in SIZES]
        flags = [f"{int((cell.copying == 1).sum())} of {len(cell)}" for cell in cells]
        gates = ", ".join(sorted({gate for gate in of_kind.gate if gate}))
        share = (cells[-1].verified / cells[-1].images).mean()
        print(f"| {kind} | {' | '.join(flags)} | {gates} | {share:.1%} |")
    if (out / "splits.csv").exists():
        cuts = pd.read_csv(out / "splits.csv", keep_default_na=False)
        flagged, verified = int((cuts.copying == 1).sum()), int(cuts.verified.sum())
        print(f"\nnew real images: {flagged} of {len(cuts)} cuts flagged, {verified} of {cuts.n.sum()} verified")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["adversaries", "splits", "table"])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--only", default="", help="a regular expression that the kind of set must match")
    parser.add_argument("--no-statistics", dest="statistics", action="store_false")
    arguments = parser.parse_args()
    if arguments.what == "table":
        print_table(arguments.out)
        return
    arguments.out.mkdir(parents=True, exist_ok=True)
    ctx = context_in(arguments.out / "work")
    seeds = range(arguments.first, arguments.first + arguments.seeds)
    task = run_adversaries if arguments.what == "adversaries" else run_splits
    task(seeds, arguments.statistics, arguments.only, arguments.out, ctx)


if __name__ == "__main__":
    main()
