"""Which metric tells training sets apart: `python benchmarks/studies/headline_table.py --work FOLDER`.

Trains the small CNN (25 core minutes) on sets of which we know that they differ, each of 2000 images of the real
X-rays at 64x64 grey, classes balanced: real, blurred, mixed and three linear generators; and a ladder of real
images with 0 to 80 % of the labels random. Every seed is another draw of images and another classifier. Each run
is tested on the official test set and on a tenth of the training patients whom nobody learns from. Results go to
docs/results/headline; classifiers stay in FOLDER, so that a killed run goes on. The data are looked for as
docs/data.md says.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn import metrics as sk

from synthbench import Context, Images, grouped_split
from synthbench.api.interfaces import balanced_labels
from synthbench.stress.degrade import blur, label_noise
from synthbench.testing import context_in
from synthbench_baselines.plugin import PcaGaussian
from synthbench_cxr.plugin import ChestXray
from synthbench_torchkit.classifier import cached_classifier
from synthbench_tstr.metrics import summary
from synthbench_tstr.plugin import Tstr

OUT = Path(__file__).parents[2] / "docs" / "results" / "headline"
IMAGES, SEEDS, EPOCHS = 2000, 5, 10
BLUR = 0.25
"""A Gaussian of 1 pixel at 64x64."""
NOISE = (0.2, 0.4, 0.6, 0.8)
COMPONENTS = (50, 200, 1000)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="a folder for images and classifiers")
    parser.add_argument("--seeds", type=int, default=SEEDS, help=f"runs of each training set (default {SEEDS})")
    parser.add_argument("--out", type=Path, default=OUT, help="where runs.csv and about.json go")
    arguments = parser.parse_args()
    started, cpu = datetime.now(UTC), time.process_time()
    ctx = context_in(arguments.work)
    train, parts, positive = load_parts(ctx)
    rows: list[dict[str, object]] = []
    for seed in range(arguments.seeds):
        for name, images in training_sets(train, ctx.child("images", seed)):
            scores = judge(images, parts, positive, ctx.child("classifier", seed))
            rows += [{"training": name, "noise": noise_of(name), "seed": seed, **score} for score in scores]
            print(f"seed {seed}, {name}: AUROC {scores[0]['value']:.3f}", flush=True)
    arguments.out.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(rows).to_csv(arguments.out / "runs.csv", index=False, float_format="%.6f", lineterminator="\n")
    about = {
        "date": f"{started:%Y-%m-%d}",
        "seeds": arguments.seeds,
        "images": IMAGES,
        "epochs": EPOCHS,
        "N": {name: images.counts() for name, images in parts.items()},
        "cpu_minutes": round((time.process_time() - cpu) / 60, 1),
        "threads": int(os.environ.get("OMP_NUM_THREADS", os.cpu_count() or 1)),
        "machine": platform.machine(),
    }
    (arguments.out / "about.json").write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")


def load_parts(ctx: Context) -> tuple[Images, Mapping[str, Images], int]:
    """The training images without a tenth of the patients, `test` and that `holdout`, and the positive class."""
    splits = ChestXray(image_size=64, channels=1, antialias=False).load(ctx)
    out = grouped_split(splits.train, 0.1, np.random.default_rng(0))
    assert splits.positive_index is not None
    parts = {"test": splits.tests["test"], "holdout": splits.train.subset(out)}
    return splits.train.subset(~out), parts, splits.positive_index


def training_sets(train: Images, ctx: Context) -> Iterator[tuple[str, Images]]:
    """Each set's name and its images, drawn under `ctx.seed`."""
    real = balanced(train, ctx.rng("real"))
    yield "real", real
    yield "blurred", blur(real, BLUR, ctx.rng("blur"))
    yield "mixed", mixed(real, ctx.rng("mixed"))
    for components in COMPONENTS:
        labels = balanced_labels(IMAGES, len(train.classes))
        pixels = PcaGaussian(components=components).fit(train, ctx)(labels, ctx.rng("pca"))
        assert isinstance(pixels, np.ndarray)
        yield f"pca-{components}", Images(pixels, labels, train.classes)
    for noise in NOISE:
        yield f"{noise:.0%} of labels random", label_noise(real, noise, ctx.rng("labels"))


def noise_of(name: str) -> float | None:
    """The rung of the ladder that a training set stands on, None for none."""
    return {"real": 0.0, **{f"{noise:.0%} of labels random": noise for noise in NOISE}}.get(name)


def balanced(train: Images, rng: np.random.Generator) -> Images:
    """IMAGES of them, equally many of each class, no image twice."""
    each = IMAGES // len(train.classes)
    chosen = [
        rng.choice(np.flatnonzero(train.labels == k), each, replace=False) for k in range(len(train.classes))
    ]
    return train.subset(np.sort(np.concatenate(chosen)))


def mixed(images: Images, rng: np.random.Generator) -> Images:
    """Each image half itself, half another one of its class."""
    other = np.arange(len(images))
    for k in range(len(images.classes)):
        members = np.flatnonzero(images.labels == k)
        other[members] = rng.permutation(members)
    pixels = (images.pixels.astype(np.uint16) + images.pixels[other]) // 2
    return Images(pixels.astype(np.uint8), images.labels, images.classes, images.ids)


def judge(training: Images, parts: Mapping[str, Images], positive: int, ctx: Context) -> list[dict[str, object]]:
    """Every metric on every part: rows of `test_set`, `metric`, `value`; AUROC on the test set first."""
    classifier = cached_classifier(training, Tstr(backbone="cnn", epochs=EPOCHS).recipe, ctx)
    validation = training.subset(classifier.validation)
    chosen = best_threshold(validation.labels == positive, classifier.predict(validation, ctx)[:, positive])
    holdout = parts["holdout"]
    on_holdout = classifier.predict(holdout, ctx)[:, positive]
    rows: list[dict[str, object]] = []
    for test_set, images in parts.items():
        probabilities = classifier.predict(images, ctx)
        truth, scores = images.labels == positive, probabilities[:, positive]
        values = summary(images.labels, probabilities, positive)
        values["balanced_accuracy, threshold of synthetic validation"] = at_threshold(truth, scores, chosen)
        if test_set != "holdout":
            threshold = best_threshold(holdout.labels == positive, on_holdout)
            values["balanced_accuracy, threshold of the real hold-out"] = at_threshold(truth, scores, threshold)
        of_truth = np.clip(probabilities[np.arange(len(images)), images.labels], 1e-7, 1)
        values["log_loss"] = float(np.log(of_truth).mean())  # its sign turned: higher is better, as all others
        rows += [{"test_set": test_set, "metric": metric, "value": value} for metric, value in values.items()]
    return rows


def best_threshold(truth: npt.NDArray[np.bool_], scores: npt.NDArray[np.floating]) -> float:
    """That of the highest balanced accuracy (Youden, Cancer 1950)."""
    false, true, thresholds = sk.roc_curve(truth, scores)
    return float(thresholds[np.argmax(true - false)])


def at_threshold(truth: npt.NDArray[np.bool_], scores: npt.NDArray[np.floating], threshold: float) -> float:
    return float(sk.balanced_accuracy_score(truth, scores >= threshold))


if __name__ == "__main__":
    main()
