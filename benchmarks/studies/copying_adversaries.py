"""Who copies and who does not: sets of images of both kinds on the real X-rays, and which gate flags them.

    SYNTHBENCH_DATA=... python benchmarks/studies/copying_adversaries.py adversaries --seeds 5 --out FOLDER
    SYNTHBENCH_DATA=... python benchmarks/studies/copying_adversaries.py splits --seeds 300 --out FOLDER
    python benchmarks/studies/copying_adversaries.py table --out FOLDER

`adversaries` makes every set anew under each seed (another hold-out of a tenth of the patients, other images
copied) and writes a line a set and size to adversaries.csv; with `--no-statistics` the statistical gate stays out,
whose features take most of the time. `splits` cuts the official training set by patient into train, hold-out and
as many new images as the hold-out has, which nobody copied, and writes a line a cut to splits.csv. `table` prints
both for docs/leaks.md.
"""

from __future__ import annotations

import argparse
import csv
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from adversaries import SIZES, World, adversaries, together

from synthbench import Context, Extractor, Features, Images, Splits
from synthbench.data.audit import cached_audit
from synthbench.data.holdout import copies_within
from synthbench.data.split import related
from synthbench.progress import Progress
from synthbench.testing import context_in
from synthbench_cxr.plugin import ChestXray
from synthbench_fidelity.arrays import Array
from synthbench_fidelity.evaluators.memorisation import Memorisation, with_holdout
from synthbench_fidelity.evaluators.pictures import CopyTest, Originals, copied, originals

HOLDOUT = 0.1


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
            evidence = copied(real, images, replace(ctx, workdir=out))
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
        evidence = with_holdout(world.real, world.fresh, EXTRACTOR, ctx) | copied(
            real, world.fresh, replace(ctx, workdir=out)
        )
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
