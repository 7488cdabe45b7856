"""What the leak audit finds of treated copies, and how near strangers come: the tables of docs/leaks.md.

    SYNTHBENCH_DATA=... python benchmarks/studies/calibrate_audit.py 200

The audit of all X-rays is timed. Strangers are the official test set and 10,000 pairs of different patients. Then
the files of 200 training images, evenly spaced, are treated in each way and four times in a random pair of ways,
prepared at 64 and 32 px with and without antialiasing, and sought among all training images.
"""

from __future__ import annotations

import sys
import tempfile
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image
from treatments import AT_LAST, TREATMENTS, Picture, Pixels, Treatment, two

from synthbench import Images, Splits, read_picture, resize_square
from synthbench.api.interfaces import Context
from synthbench.data.audit import audit
from synthbench.data.audit.candidates import KEPT
from synthbench.data.audit.gallery import Gallery
from synthbench.data.audit.matching import exact, perceptual
from synthbench.data.audit.parts import Part, describe_parts
from synthbench.testing import context_in
from synthbench_cxr.plugin import ChestXray, CovidPneumoniaNormal, PneumoniaXrayImages

Index = npt.NDArray[np.intp]

PREPARED = {
    "64 px": (64, False),
    "64 px, antialias": (64, True),
    "32 px, antialias": (32, True),
    "32 px": (32, False),
}
PAIRS_EACH, STRANGERS = 4, 10_000


def treated(files: list[Picture], treatment: Treatment, name: str) -> dict[str, Pixels]:
    """Files treated, and prepared in each way: (N, size, size, 1)."""
    done = [treatment(file, np.random.default_rng([i, zlib.crc32(name.encode())])) for i, file in enumerate(files)]
    return {
        how: np.stack([resize_square(p, size, "squash", antialias=antialias) for p in done])
        for how, (size, antialias) in PREPARED.items()
    }


def treated_at_last(train: Images, treatment: Treatment) -> Pixels:
    rng = np.random.default_rng(0)
    return np.stack([np.asarray(treatment(Image.fromarray(p[..., 0]), rng))[..., None] for p in train.pixels])


def treatments_table(sets: dict[str, Splits], folder: Path, n: int) -> None:
    """The share of copies found, of `n` images by each treatment and preparation."""
    train = sets["64 px"].train
    chosen = np.linspace(0, len(train) - 1, n).astype(int)
    files = [read_picture(folder / name).convert("L") for name in train.ids[chosen]]
    pairs = f"two of these, {PAIRS_EACH * n} pairs"
    copies = {name: treated(files, treatment, name) for name, treatment in TREATMENTS.items()}
    copies[pairs] = treated(files * PAIRS_EACH, two, pairs)
    for name, treatment in AT_LAST.items():
        copies[name] = {
            how: treated_at_last(splits.train.subset(chosen), treatment) for how, splits in sets.items()
        }
    shares = {
        how: _shares(splits.train, {name: c[how] for name, c in copies.items()}, chosen)
        for how, splits in sets.items()
    }
    print(f"| found of {n}, % | " + " | ".join(PREPARED) + " |\n|---|" + "---:|" * len(PREPARED))
    for name in copies:
        print(f"| {name} | " + " | ".join(f"{100 * shares[how][name]:.0f}" for how in PREPARED) + " |")


def _shares(train: Images, copies: dict[str, Pixels], chosen: Index) -> dict[str, float]:
    """Share of images that are matched with the training image that they show, or one of the same pixels."""
    sets = {name: Images(p, np.zeros(len(p), dtype=np.int64), train.classes) for name, p in copies.items()}
    parts = describe_parts({"train": train, **sets})
    known, shares = parts.pop("train"), {}
    for name, part in parts.items():
        right = known.digests[np.resize(chosen, len(part))]
        hits = [search(part, known) for search in (exact, perceptual)]
        image, match = (np.concatenate([getattr(hit, column) for hit in hits]) for column in ("image", "match"))
        shares[name] = len(np.unique(image[known.digests[match] == right[image]])) / len(part)
    return shares


def strangers_table(sets: dict[str, Splits]) -> None:
    """How near strangers come: the nearest of each image, and random pairs of different patients."""
    print("\n| strangers | n | least | 1 % | median | within the limit |\n|---|---:|---:|---:|---:|---:|")
    for how, splits in sets.items():
        parts = describe_parts({"train": splits.train, "test": splits.tests["test"]})
        train, test = parts["train"], parts["test"]
        limit = train.limit
        pairs = train.gallery.pairs(test.images.pixels)
        _show(f"{how}: official test, nearest in train", _nearest(pairs.query, pairs.distance), limit)
        pairs = train.gallery.pairs_within()
        other = train.patients[pairs.query] != train.patients[pairs.reference]
        _show(f"{how}: train, nearest other patient", _nearest(pairs.query[other], pairs.distance[other]), limit)
        _show(f"{how}: random pairs of two patients", _random_pairs(train), limit)


def _nearest(query: Index, distance: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    return np.array([distance[query == image].min() for image in np.unique(query)], dtype=float)


def _random_pairs(part: Part) -> npt.NDArray[np.float64]:
    """Distances of pairs in the pose and with the window in which their descriptors are nearest."""
    rng, anyone = np.random.default_rng(0), replace(part.descriptor, near=-1.0)
    distances = np.empty(0)
    while len(distances) < STRANGERS:
        known, asked = rng.choice(len(part), KEPT, replace=False), rng.choice(len(part), 50, replace=False)
        pairs = Gallery.of(part.images.pixels[known], anyone).pairs(part.images.pixels[asked])
        other = part.patients[asked[pairs.query]] != part.patients[known[pairs.reference]]
        distances = np.append(distances, pairs.distance[other])
    return distances[:STRANGERS]


def _show(what: str, distances: npt.NDArray[Any], limit: float) -> None:
    least, low, median = np.quantile(distances, [0, 0.01, 0.5])
    within = (distances <= limit).sum()
    print(f"| {what} | {len(distances)} | {least:.3f} | {low:.3f} | {median:.3f} | {within} |", flush=True)


def timed_audit(splits: Splits) -> None:
    wall, cpu = time.perf_counter(), time.process_time()
    result = audit(splits)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(f"\naudit of { ({name: len(ids) for name, ids in result.ids.items()}) }: {wall:.0f} s, {cpu:.0f} CPU s")
    for name in splits.tests:
        print(f"  {name}: {result.counts(name)}")


@contextmanager
def surroundings() -> Iterator[Context]:
    with tempfile.TemporaryDirectory() as name:
        yield context_in(Path(name))


def main() -> None:
    n = int(sys.argv[1])
    with surroundings() as ctx:
        sets = {
            how: ChestXray(image_size=size, antialias=antialias).load(ctx)
            for how, (size, antialias) in PREPARED.items()
        }
        resplit, covid = (
            cls(image_size=64, antialias=False).load(ctx).tests["test"]
            for cls in (PneumoniaXrayImages, CovidPneumoniaNormal)
        )
        own = sets["64 px"]
        timed_audit(Splits(own.train, {**own.tests, "resplit": resplit, "covid": covid}, own.val))
        strangers_table(sets)
        treatments_table(sets, ChestXray().folder(), n)


if __name__ == "__main__":
    main()
