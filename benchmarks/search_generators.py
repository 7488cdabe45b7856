"""How a generator is best set, on real patients: `python benchmarks/search_generators.py acgan-tuned --work DIR`.

Trains a generator under each of a small grid of options on the inner split of docs/generators.md (the training
patients of the real X-rays at 64x64 grey that the hold-out of cxr-board leaves, a fifth of them cut off), draws
images, classes balanced, trains the small CNN on them and tests it on the patients cut off. Neither the official
test set nor the hold-out is looked at. The rows in docs/results/generators are written one by one, and trainings,
images and classifiers stay in DIR, so that a killed run counts and goes on. The data are looked for as
docs/data.md says.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from synthbench import Context, Generator, Images, derive_seed, grouped_split
from synthbench.api.interfaces import balanced_labels
from synthbench.data.audit import cached_audit
from synthbench.data.holdout import with_holdout
from synthbench.testing import context_in
from synthbench_acgan.plugin import ACGAN, ACGANTuned
from synthbench_cxr.plugin import ChestXray
from synthbench_torchkit.classifier import cached_classifier
from synthbench_tstr.metrics import summary
from synthbench_tstr.plugin import Tstr

OUT = Path(__file__).parents[1] / "docs" / "results" / "generators"
IMAGES = 1000
HOLDOUT, HELD_OUT = 0.1, 0.2

SMALL = {"steps": 400, "batch_size": 16, "width": 16, "ema": 0.99, "checkpoint_every": 25}
OFF = {"label": "auxiliary", "spectral_norm": False, "r1": 0.0, "ema": 0.0, "balanced": False, "augment": ()}
ON = {name: ACGANTuned.model_fields[name].default for name in OFF} | {"ema": SMALL["ema"]}


def one_by_one(order: list[str]) -> dict[str, Mapping[str, object]]:
    """All off, then one more on in each row, in this order."""
    rows: dict[str, Mapping[str, object]] = {"all off": {**SMALL, **OFF}}
    for count, name in enumerate(order, start=1):
        rows[f"+ {name}"] = {**SMALL, **OFF, **{on: ON[on] for on in order[:count]}}
    return rows


GRIDS: Mapping[str, tuple[type[Generator], Mapping[str, Mapping[str, object]]]] = {
    "acgan": (ACGAN, {"shipped": {}}),
    "acgan-tuned": (
        ACGANTuned,
        {
            **one_by_one(["balanced", "ema", "spectral_norm", "r1", "label", "augment"]),
            "discriminative": {**SMALL, "label": "discriminative"},
        },
    ),
}
"""By the name of its table: a generator, and the options of its rows."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("grid", choices=sorted(GRIDS))
    parser.add_argument("--work", type=Path, required=True, help="a folder for trainings, images and classifiers")
    parser.add_argument("--rows", nargs="*", help="these rows alone")
    parser.add_argument("--seeds", type=int, default=1, help="trainings of each row (default 1)")
    parser.add_argument("--out", type=Path, default=OUT, help="where GRID.csv goes")
    arguments = parser.parse_args()
    ctx = context_in(arguments.work)
    train, test, positive = inner_split(ctx)
    print(f"inner split: {len(train)} to train on, {len(test)} to test on", flush=True)
    plugin, grid = GRIDS[arguments.grid]
    for seed in range(arguments.seeds):
        for row in arguments.rows or grid:
            generator = plugin.model_validate(grid[row])
            scores = judge(generator, train, test, positive, ctx.child(arguments.grid, seed), row)
            print(f"seed {seed}, {row}: AUROC {scores['auroc']:.4f}", flush=True)
            write_row(arguments.out / f"{arguments.grid}.csv", {"row": row, "seed": seed, **scores})


def inner_split(ctx: Context) -> tuple[Images, Images, int]:
    """Training images, those of other patients to test on, and the positive class."""
    splits = ChestXray(image_size=64, channels=1, antialias=False).load(ctx)
    audit = cached_audit(splits, ctx.store, ctx.progress)
    splits, _ = with_holdout(splits, audit, HOLDOUT, derive_seed(0, "holdout"))
    out = grouped_split(splits.train, HELD_OUT, np.random.default_rng(0))
    assert splits.positive_index is not None
    return splits.train.subset(~out), splits.train.subset(out), splits.positive_index


def judge(
    generator: Generator, train: Images, test: Images, positive: int, ctx: Context, row: str
) -> dict[str, object]:
    """The scores of a small CNN that has learnt from the generator's images."""
    images = synthetic(generator, train, ctx, ctx.workdir / row.replace(" ", "-"))
    classifier = cached_classifier(images, Tstr(backbone="cnn").recipe, ctx.child("classifier"))
    scores = summary(test.labels, classifier.predict(test, ctx), positive)
    return {
        "auroc": scores["auroc"],
        "balanced_accuracy": scores["balanced_accuracy"],
        "epochs": len(classifier.history),
        "images": len(images),
        "train": len(train),
        "test": len(test),
    }


def synthetic(generator: Generator, train: Images, ctx: Context, folder: Path) -> Images:
    """IMAGES of them, classes balanced, from a training that goes on where it was; a grid of the first."""
    for name in ("resume", "work"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    labels = balanced_labels(IMAGES, len(train.classes))
    placed = replace(ctx, workdir=folder / "work", resume=folder / "resume")
    pixels = generator.fit(train, placed)(labels, ctx.rng("images"))
    assert isinstance(pixels, np.ndarray)
    save_grid(pixels, labels, folder / "grid.png")
    return Images(pixels, labels, train.classes)


def save_grid(pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], labels: object, file: Path) -> None:
    """Two rows of 12 images of each class."""
    rows = [pixels[labels == label][start : start + 12, ..., 0] for label in (0, 1) for start in (0, 12)]
    Image.fromarray(np.concatenate([np.concatenate(list(row), axis=1) for row in rows])).save(file)


def write_row(file: Path, row: dict[str, object]) -> None:
    """Into the table, in place of an earlier one of that name and seed."""
    file.parent.mkdir(parents=True, exist_ok=True)
    rows = pd.read_csv(file).to_dict("records") if file.exists() else []
    others = [other for other in rows if (other["row"], other["seed"]) != (row["row"], row["seed"])]
    table = pd.DataFrame([*others, row])
    table.to_csv(file, index=False, float_format="%.6f", lineterminator="\n")


if __name__ == "__main__":
    main()
