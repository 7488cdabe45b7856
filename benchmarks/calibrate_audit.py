"""What the leak audit finds of treated copies, and how near strangers come: the tables of docs/leaks.md.

    SYNTHBENCH_DATA=... python benchmarks/calibrate_audit.py 200

The audit of all X-rays is timed. Strangers are the official test set and 10,000 pairs of different patients. Then
the files of 200 training images, evenly spaced, are treated in each way and four times in a random pair of ways,
prepared at 64 and 32 px with and without antialiasing, and sought among all training images.
"""

from __future__ import annotations

import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont, ImageOps

from synthbench import Images, Splits, read_picture, resize_square
from synthbench.api.interfaces import Context
from synthbench.data.audit import audit
from synthbench.data.audit.candidates import KEPT
from synthbench.data.audit.gallery import Gallery
from synthbench.data.audit.matching import exact, perceptual
from synthbench.data.audit.parts import Part, describe_parts
from synthbench.testing import context_in
from synthbench_cxr.plugin import ChestXray, CovidPneumoniaNormal, PneumoniaXrayImages

Picture = Image.Image
Random = np.random.Generator
Treatment = Callable[[Picture, Random], Picture]
Pixels = npt.NDArray[np.uint8]
Index = npt.NDArray[np.intp]

PREPARED = {
    "64 px": (64, False),
    "64 px, antialias": (64, True),
    "32 px, antialias": (32, True),
    "32 px": (32, False),
}
PAIRS_EACH, STRANGERS = 4, 10_000


def grey(change: Callable[[npt.NDArray[np.float64], Random], npt.NDArray[np.float64]]) -> Treatment:
    """A change of grey values, cut off at 0 and 255."""
    return lambda p, rng: Image.fromarray(np.clip(change(np.asarray(p, float), rng), 0, 255).astype(np.uint8))


def whole(change: Callable[[Pixels], Pixels]) -> Treatment:
    return lambda p, _: Image.fromarray(change(np.asarray(p)))


def jpeg(quality: int) -> Treatment:
    def encoded(pixels: Pixels) -> Pixels:
        file = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        return np.asarray(cv2.imdecode(file, cv2.IMREAD_GRAYSCALE), dtype=np.uint8)

    return whole(encoded)


def blurred(sigma: float) -> Treatment:
    return whole(lambda pixels: np.asarray(cv2.GaussianBlur(pixels, (0, 0), sigma), dtype=np.uint8))


def any_colour(rng: Random) -> int:
    return int(rng.choice([0, 255, rng.integers(256)]))


def turned(least: float, most: float, fill: int = 0) -> Treatment:
    def treat(p: Picture, rng: Random) -> Picture:
        degrees = rng.uniform(least, most) * rng.choice([-1, 1])
        return p.rotate(degrees, Image.Resampling.BILINEAR, fillcolor=fill)

    return treat


def cropped(*sides: float) -> Treatment:
    """Shares cut off left, top, right and bottom; up to 10 % each at random where none are named."""

    def treat(p: Picture, rng: Random) -> Picture:
        left, top, right, bottom = sides or rng.uniform(0, 0.1, 4)
        w, h = p.size
        return p.crop((round(left * w), round(top * h), w - round(right * w), h - round(bottom * h)))

    return treat


def shifted(share: float | None, fill: int = 0, edge: int = cv2.BORDER_CONSTANT) -> Treatment:
    """Both ways, by up to 10 % at random for None."""

    def treat(p: Picture, rng: Random) -> Picture:
        x, y = rng.uniform(-0.1, 0.1, 2) if share is None else share * rng.choice([-1, 1], 2)
        move = np.array([[1, 0, round(x * p.width)], [0, 1, round(y * p.height)]], dtype=np.float32)
        return Image.fromarray(cv2.warpAffine(np.asarray(p), move, p.size, borderMode=edge, borderValue=fill))

    return treat


def bordered(p: Picture, rng: Random) -> Picture:
    return ImageOps.expand(p, tuple(round(x * p.width) for x in rng.uniform(0, 0.12, 4)), fill=any_colour(rng))


def letterboxed(p: Picture, rng: Random) -> Picture:
    bar = round(rng.uniform(0.05, 0.2) * p.width)
    return ImageOps.expand(p, (bar, 0) if rng.random() < 0.5 else (0, bar), fill=any_colour(rng))


def clahe(clip: float) -> Treatment:
    return whole(lambda pixels: np.asarray(cv2.createCLAHE(clip, (8, 8)).apply(pixels), dtype=np.uint8))


def text(least: float, most: float) -> Treatment:
    return lambda p, rng: written_on(p, rng, int(rng.uniform(least, most) * p.height))


def written_on(p: Picture, rng: Random, size: int) -> Picture:
    """One to three lines, most of them at the upper or lower edge."""
    p = p.copy()
    pen, font = ImageDraw.Draw(p), ImageFont.load_default(size=size)
    for _ in range(rng.integers(1, 4)):
        line = str(rng.choice(["R", "L", "PORTABLE", "2019-03-14", "J. DOE 1973", "SUPINE", "kaggle.com"]))
        _, _, w, h = pen.textbbox((0, 0), line, font=font)
        x, edge = rng.uniform(0, max(1, p.width - w)), rng.uniform(0, 0.15 * p.height)
        y = (edge, p.height - h - edge, rng.uniform(0, p.height - h))[rng.choice(3, p=[0.35, 0.35, 0.3])]
        if rng.random() < 0.3:
            pen.rectangle((x - 2, y, x + w + 2, y + h + 2), fill=0)
        pen.text((x, y), line, fill=255, font=font)
    return p


def gamma(p: Picture, rng: Random) -> Picture:
    power = np.exp(rng.uniform(np.log(0.5), np.log(2)))
    return grey(lambda x, _: 255 * (x / 255) ** power)(p, rng)


TREATMENTS: dict[str, Treatment] = {
    "JPEG quality 30": jpeg(30),
    "noise of sd 10": grey(lambda x, rng: x + rng.normal(0, 10, x.shape)),
    "blur of sd 3": blurred(3),
    "contrast x 0.6 or 1.4": grey(lambda x, rng: (x - 128) * rng.choice([0.6, 1.4]) + 128),
    "mirrored": lambda p, _: ImageOps.mirror(p),
    "turned by 90, 180 or 270 degrees": lambda p, rng: p.transpose(Image.Transpose(2 + rng.integers(3))),
    "inverted": lambda p, _: ImageOps.invert(p),
    "turned by up to 5 degrees": turned(0, 5),
    "turned by 5 degrees": turned(5, 5),
    "turned by 5 degrees, white corners": turned(5, 5, 255),
    "10 % cut off every side": cropped(0.1, 0.1, 0.1, 0.1),
    "up to 10 % cut off each side": cropped(),
    "10 % cut off two adjacent sides": cropped(0.1, 0.1, 0, 0),
    "shifted by up to 10 % both ways": shifted(None),
    "shifted by 10 % both ways": shifted(0.1),
    "the same, white": shifted(0.1, 255),
    "the same, edge repeated": shifted(0.1, edge=cv2.BORDER_REPLICATE),
    "the same, edge mirrored": shifted(0.1, edge=cv2.BORDER_REFLECT),
    "the same, wrapped round": shifted(0.1, edge=cv2.BORDER_WRAP),
    "border of up to 12 % a side, any colour": bordered,
    "letterbox of 5 to 20 %, any colour": letterboxed,
    "CLAHE, clip 4": clahe(4),
    "equalised": lambda p, _: ImageOps.equalize(p),
    "gamma 0.5 to 2": gamma,
    "text, 6 to 10 % of the height": text(0.06, 0.1),
    "text, 10 to 16 % of the height": text(0.1, 0.16),
}
PAIRED = [
    *("mirrored", "turned by 90, 180 or 270 degrees", "inverted", "turned by up to 5 degrees"),
    *(
        "up to 10 % cut off each side",
        "shifted by up to 10 % both ways",
        "border of up to 12 % a side, any colour",
    ),
    *("letterbox of 5 to 20 %, any colour", "CLAHE, clip 4"),
    *("equalised", "gamma 0.5 to 2", "text, 6 to 10 % of the height"),
]
AT_LAST: dict[str, Treatment] = {
    "prepared, noise of sd 5": grey(lambda x, rng: x + rng.normal(0, 5, x.shape)),
    "prepared, JPEG 50": jpeg(50),
    "prepared, blur of sd 1": whole(
        lambda pixels: np.asarray(cv2.GaussianBlur(pixels, (0, 0), 1), dtype=np.uint8)
    ),
}
"""Of images at their final size, as a generator would give them out."""


def two(p: Picture, rng: Random) -> Picture:
    first, second = rng.choice(PAIRED, 2, replace=False)
    return TREATMENTS[second](TREATMENTS[first](p, rng), rng)


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
