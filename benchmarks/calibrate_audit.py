"""How far apart copies and strangers are for the leak audit: the tables of docs/leaks.md.

    SYNTHBENCH_DATA=... python benchmarks/calibrate_audit.py 64 opencv     # or 32, and antialias

Prints the distances of true copies (the re-split's images, by file name) and of different patients, then how
many of 300 training images the audit finds again after each treatment of their files.
"""

from __future__ import annotations

import io
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path, PurePosixPath

import numpy as np
import numpy.typing as npt
from PIL import Image

from synthbench.api.imaging import resize_square
from synthbench.api.interfaces import Context
from synthbench.api.pictures import read_picture
from synthbench.data.audit.likeness import distance
from synthbench.data.audit.matching import LIMIT, SAME_PATIENT_LIMIT, exact, neighbours, perceptual
from synthbench.data.audit.parts import Part, describe_parts
from synthbench.data.audit.thumbnails import thumbnails
from synthbench.testing import context_in
from synthbench.types import Images, Splits
from synthbench_cxr.plugin import ChestXray, CovidPneumoniaNormal, PneumoniaXrayImages
from synthbench_phantom.plugin import Phantom

Picture = Image.Image
STRESSED = 300


def jpeg(quality: int) -> Callable[[Picture], Picture]:
    def change(picture: Picture) -> Picture:
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=quality)
        return read_picture(file).convert("L")

    return change


def resized(size: int) -> Callable[[Picture], Picture]:
    return lambda picture: picture.resize((size, size), Image.Resampling.BILINEAR)


def cropped(left: float, top: float, right: float, bottom: float) -> Callable[[Picture], Picture]:
    """Shares of the sides cut off."""

    def change(picture: Picture) -> Picture:
        w, h = picture.size
        return picture.crop((round(left * w), round(top * h), w - round(right * w), h - round(bottom * h)))

    return change


def grey(function: Callable[[npt.NDArray[np.float64]], npt.NDArray[np.float64]]) -> Callable[[Picture], Picture]:
    """A change of grey values, cut off at 0 and 255."""
    return lambda picture: Image.fromarray(np.clip(function(np.asarray(picture, float)), 0, 255).astype(np.uint8))


def noise(sigma: float) -> Callable[[Picture], Picture]:
    rng = np.random.default_rng(0)
    return grey(lambda x: x + rng.normal(0, sigma, x.shape))


TREATMENTS: dict[str, Callable[[Picture], Picture]] = {
    **{f"JPEG quality {quality}": jpeg(quality) for quality in (90, 60, 30)},
    **{f"resized to {size}x{size}": resized(size) for size in (96, 128, 256, 512)},
    **{f"{percent} % cut off every side": cropped(*[percent / 100] * 4) for percent in (1, 2, 3, 4, 5)},
    "5 % cut off the left": cropped(0.05, 0, 0, 0),
    "5 % cut off left and top": cropped(0.05, 0.05, 0, 0),
    "brightness x 1.2": grey(lambda x: x * 1.2),
    "brightness x 0.8": grey(lambda x: x * 0.8),
    "brightness + 20 % of the range": grey(lambda x: x + 51),
    "brightness - 20 % of the range": grey(lambda x: x - 51),
    "contrast x 1.3": grey(lambda x: (x - 128) * 1.3 + 128),
    "contrast x 0.7": grey(lambda x: (x - 128) * 0.7 + 128),
    "gamma 0.7": grey(lambda x: 255 * (x / 255) ** 0.7),
    "gamma 1.4": grey(lambda x: 255 * (x / 255) ** 1.4),
    "noise, sigma 5": noise(5),
    "noise, sigma 10": noise(10),
    "cropped, x 1.15, JPEG 50": lambda p: jpeg(50)(cropped(0.05, 0.02, 0, 0.03)(grey(lambda x: x * 1.15)(p))),
    "turned by 1 degree": lambda p: p.rotate(1, Image.Resampling.BILINEAR),
    "turned by 2 degrees": lambda p: p.rotate(2, Image.Resampling.BILINEAR),
    "mirrored": lambda p: p.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
}


@contextmanager
def surroundings() -> Iterator[Context]:
    with tempfile.TemporaryDirectory() as name:
        yield context_in(Path(name))


def base_name(image_id: str) -> str:
    return PurePosixPath(image_id).name


def show(what: str, distances: npt.NDArray[np.floating]) -> None:
    marks = np.quantile(distances, [0, 0.01, 0.5, 0.99, 1])
    print(f"| {what} | {len(distances)} | " + " | ".join(f"{mark:.4f}" for mark in marks) + " |")


def between(part: Part, other: Part, index: npt.NDArray[np.intp], match: npt.NDArray[np.intp]) -> npt.NDArray:
    first, second = thumbnails(part.images.pixels[index]), thumbnails(other.images.pixels[match])
    blocks = [slice(start, start + 256) for start in range(0, len(index), 256)]
    return np.concatenate([distance(first[b], second[b]) for b in blocks])


def strangers(part: Part, other: Part, *, same_patient: bool = False) -> npt.NDArray[np.floating]:
    """Distance of each image to its nearest one of another patient (or of the same patient)."""
    within, part = part is other, replace(part, selective=False)
    index, match = neighbours(part, part if within else other)
    chosen = (part.images.groups[index] == other.images.groups[match]) == same_patient
    index, match = index[chosen], match[chosen]
    found = between(part, other, index, match)
    return np.array([found[index == i].min() for i in np.unique(index)])


def distributions(splits: Splits, phantom: Splits) -> None:
    parts = describe_parts({"train": splits.train, **splits.tests, "val": splits.val or splits.train})
    train, resplit = parts["train"], parts["resplit"]
    names = {base_name(image_id): i for i, image_id in enumerate(train.images.ids)}
    places = np.array([names.get(base_name(image_id), -1) for image_id in resplit.images.ids])
    copies = np.flatnonzero(places >= 0)
    print("| pairs | n | least | 1 % | median | 99 % | most |\n|---|---:|---:|---:|---:|---:|---:|")
    show("true copies: re-split and train, by file name", between(resplit, train, copies, places[copies]))
    show("nearest other patient: re-split and train", strangers(resplit, train))
    for name in ("test", "val", "covid"):
        show(f"nearest: {name} and train", strangers(parts[name], train))
    apart = strangers(train, train)
    show("nearest other patient: train and train", apart)
    print(
        f"(train and train, the five least: {', '.join(f'{d:.4f}' for d in np.sort(apart)[:5])})", file=sys.stderr
    )
    known = describe_parts({"train": phantom.train, **phantom.tests})
    show("phantoms: nearest other patient", strangers(known["test"], known["train"]))
    show("phantoms: nearest of the same patient", strangers(known["train"], known["train"], same_patient=True))


def stress(splits: Splits, size: int, antialias: bool, folder: Path) -> None:
    chosen = np.linspace(0, len(splits.train) - 1, STRESSED).astype(int)
    original = splits.train.subset(chosen)
    pictures = [read_picture(folder / image_id).convert("L") for image_id in original.ids]
    print(f"\n| treatment | found of {STRESSED} | within {SAME_PATIENT_LIMIT} | median distance |")
    print("|---|---:|---:|---:|")
    for name, change in TREATMENTS.items():
        pixels = np.stack([resize_square(change(p), size, "squash", antialias=antialias) for p in pictures])
        changed = Images(pixels, original.labels, original.classes, original.ids)  # groups: nothing is known
        parts = describe_parts({"train": splits.train, "changed": changed})
        searches = [search(parts["changed"], parts["train"]) for search in (exact, perceptual)]
        distances = np.concatenate([found[match == chosen[index]] for index, match, found in searches])
        near = (distances <= SAME_PATIENT_LIMIT).sum()
        median = f"{np.median(distances):.4f}" if len(distances) else ""
        print(f"| {name} | {len(distances)} | {near} | {median} |", flush=True)


def main() -> None:
    size, antialias = int(sys.argv[1]), sys.argv[2] == "antialias"
    with surroundings() as ctx:
        how = {"image_size": size, "antialias": antialias}
        xrays = ChestXray(**how)
        further = {
            "resplit": PneumoniaXrayImages(**how).load(ctx).tests["test"],
            "covid": CovidPneumoniaNormal(**how).load(ctx).tests["test"],
        }
        splits = xrays.load(ctx)
        splits = Splits(splits.train, {**splits.tests, **further}, splits.val)
        print(f"{size} px, {'antialias' if antialias else 'no antialias'}; limit {LIMIT}\n")
        distributions(splits, Phantom(image_size=32).load(ctx))
        stress(splits, size, antialias, xrays.folder())


if __name__ == "__main__":
    main()
