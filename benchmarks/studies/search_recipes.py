"""How a judge is best trained, on real patients: `python benchmarks/studies/search_recipes.py cnn --work FOLDER`.

Tries a small grid of recipes around the shipped one on the training patients of the real X-rays at 64x64 grey: a
tenth of the patients, other ones with each seed, is cut off and scored; of the others 2000 images, classes
balanced, are learnt from. The official test set is never looked at, so that no judge is chosen by what it will
judge on. All recipes of a seed have the same images, start and patients, so their differences are paired. A recipe
of the small CNN takes about a core minute. The rows in docs/results/recipes are written one by one and classifiers
stay in FOLDER, so that a killed run counts and goes on. The data are looked for as docs/data.md says.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from headline_table import balanced

from synthbench import Context, Images, grouped_split
from synthbench.testing import context_in
from synthbench_cxr.plugin import ChestXray
from synthbench_torchkit.classifier import cached_classifier
from synthbench_tstr.metrics import summary
from synthbench_tstr.plugin import Tstr

OUT = Path(__file__).parents[2] / "docs" / "results" / "recipes"
SEEDS, HELD_OUT = 3, 0.1

SHIPPED: Mapping[str, Mapping[str, float]] = {
    "cnn": {},  # what an evaluator without options has
    "vgg16": {
        "epochs": 5,
        "patience": 3,
        "batch_size": 16,
        "learning_rate": 2e-5,
        "bn_momentum": 0.95,
    },  # cxr-cpu's
}
CHANGES: Mapping[str, tuple[Mapping[str, float], ...]] = {
    "cnn": (
        {},
        {"learning_rate": 3e-4},
        {"learning_rate": 3e-3},
        {"batch_size": 128},
        {"patience": 2},
        {"batch_size": 16},
        {"epochs": 40, "patience": 10},
    ),
    "vgg16": ({}, {"learning_rate": 1e-5}, {"learning_rate": 5e-5}, {"learning_rate": 1e-4}, {"epochs": 10}),
}
"""What each recipe of the grid changes in the shipped one, which stands first."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("backbone", choices=sorted(CHANGES))
    parser.add_argument("--work", type=Path, required=True, help="a folder for classifiers")
    parser.add_argument("--seeds", type=int, default=SEEDS, help=f"trainings of each recipe (default {SEEDS})")
    parser.add_argument("--out", type=Path, default=OUT, help="where BACKBONE.csv goes")
    arguments = parser.parse_args()
    ctx = context_in(arguments.work)
    # Of the test sets nothing below this line is told.
    splits = ChestXray(image_size=64, channels=1, antialias=False).load(ctx)
    patients, positive = splits.train, splits.positive_index
    assert positive is not None
    arguments.out.mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, object]] = []
    for seed in range(arguments.seeds):
        for row in search(patients, positive, arguments.backbone, ctx.child("recipes", seed)):
            rows.append({"seed": seed, **row})
            print(f"seed {seed}, {row['recipe']}: AUROC {row['auroc']:.4f}, {row['epochs']} epochs", flush=True)
            table = pd.DataFrame(rows)
            file = arguments.out / f"{arguments.backbone}.csv"
            table.to_csv(file, index=False, float_format="%.6f", lineterminator="\n")


def search(patients: Images, positive: int, backbone: str, ctx: Context) -> Iterator[dict[str, object]]:
    """A row for each recipe of the grid: its scores on the patients that `ctx.seed` cuts off, and its cost.

    patients  real training images with groups
    positive  index of the class that AUROC speaks of
    """
    cut_off = grouped_split(patients, HELD_OUT, ctx.rng("patients"))
    training, held_out = balanced(patients.subset(~cut_off), ctx.rng("images")), patients.subset(cut_off)
    for change in CHANGES[backbone]:
        options = {**SHIPPED[backbone], **change}
        recipe = Tstr.model_validate({"backbone": backbone, **options}).recipe
        classifier = cached_classifier(training, recipe, ctx.child("classifier"))
        probabilities = classifier.predict(held_out, ctx)
        scores = summary(held_out.labels, probabilities, positive)
        of_truth = np.clip(probabilities[np.arange(len(held_out)), held_out.labels], 1e-7, 1)
        yield {
            "recipe": ", ".join(f"{option} {value:g}" for option, value in change.items()) or "shipped",
            "auroc": scores["auroc"],
            "balanced_accuracy": scores["balanced_accuracy"],
            "log_loss": -float(np.log(of_truth).mean()),
            "epochs": len(classifier.history),
            "images": len(training),
            "held_out": len(held_out),
        }


if __name__ == "__main__":
    main()
