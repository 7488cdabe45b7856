"""The image classifier that evaluators share: trained on one set of images, asked about others.

classifier = cached_classifier(synthetic, recipe, ctx)
probabilities = classifier.predict(real_test, ctx)      # (N, K)
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from synthbench import Context, DataError, Images, code_version, grouped_split
from synthbench_torchkit.backbones import ImageClassifier, build_classifier
from synthbench_torchkit.device import layout, torch_device
from synthbench_torchkit.fitting import Epoch, batch_of, fit, probabilities_of
from synthbench_torchkit.precision import autocast
from synthbench_torchkit.pretrained import load_pretrained
from synthbench_torchkit.recipe import Recipe

__all__ = ["Classifier", "cached_classifier", "load_classifier", "train_classifier"]

WEIGHTS, HISTORY, VALIDATION = "model.safetensors", "history.csv", "validation.npy"


@dataclass(frozen=True, eq=False)
class Classifier:
    """A trained classifier.

    model       on its device, in evaluation mode
    recipe      how it was trained
    classes     names, in the order of the columns of `predict`
    history     one row an epoch
    validation  int64 (n,), ascending: positions of the training images that were held out to choose the epoch
    """

    model: ImageClassifier
    recipe: Recipe
    classes: tuple[str, ...]
    history: list[Epoch]
    validation: npt.NDArray[np.int64]

    def predict(self, images: Images, ctx: Context | None = None) -> npt.NDArray[np.float64]:
        """Probabilities (N, K); rows sum to 1. `ctx` shows how far it is."""
        return self._batched(images, ctx, lambda pixels: probabilities_of(self.model(pixels)))

    def features(self, images: Images, ctx: Context | None = None) -> npt.NDArray[np.float64]:
        """What the last layer sees, (N, D): VGG16 32, the small CNN 128, timm's as the model has."""
        return self._batched(images, ctx, lambda pixels: self.model.embed(pixels).double())

    def _batched(
        self, images: Images, ctx: Context | None, function: Callable[[Tensor], Tensor]
    ) -> npt.NDArray[np.float64]:
        parts: list[npt.NDArray[np.float64]] = []
        size = self.recipe.batch_size
        shown = ctx.progress.bar("classifying", len(images)) if ctx else nullcontext()
        with torch.inference_mode(), shown as bar:
            for start in range(0, len(images), size):
                index = np.arange(start, min(start + size, len(images)))
                pixels, _ = batch_of(images, index, self.model)
                with autocast(pixels.device, self.recipe.precision):
                    answers = function(pixels)
                parts.append(answers.cpu().numpy())
                if bar:
                    bar.advance(len(index))
        return np.concatenate(parts)

    def save(self, folder: Path) -> None:
        """Into an existing folder: model.safetensors, history.csv, validation.npy."""
        tensors = {name: tensor.contiguous().cpu() for name, tensor in self.model.state_dict().items()}
        save_file(tensors, folder / WEIGHTS)
        np.save(folder / VALIDATION, self.validation)
        self.write_history(folder / HISTORY)

    def write_history(self, path: Path) -> None:
        """CSV: epoch, train_loss, train_accuracy, val_loss, val_accuracy, best (1 or 0)."""
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, [field.name for field in fields(Epoch)])
            writer.writeheader()
            writer.writerows({**asdict(row), "best": int(row.best)} for row in self.history)


def train_classifier(images: Images, recipe: Recipe, ctx: Context) -> Classifier:
    """Train on `images`, a share of them held out to choose the epoch. Randomness comes from `ctx.seed`.

    Raises ConfigError for a backbone that does not fit, DataError for weights that cannot be had and for
    classes with too few images, SynthbenchError where training diverges.
    """
    if len(images.classes) < 2:
        raise DataError(f"a classifier needs two classes or more; these images have {images.classes}")
    device = torch_device(ctx)
    held_out = grouped_split(images, recipe.validation, ctx.rng("hold-out"))
    train, validation = np.flatnonzero(~held_out), np.flatnonzero(held_out)
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(ctx.seed)  # the start and dropout
        model = build_classifier(recipe, images.shape, len(images.classes))
        load_pretrained(model.backbone, recipe)
        model.to(device).to(memory_format=layout(device))
        history = fit(model, images, train, validation, recipe, ctx)
    return Classifier(model.eval(), recipe, images.classes, history, validation)


def cached_classifier(images: Images, recipe: Recipe, ctx: Context) -> Classifier:
    """`train_classifier`, once: the store keeps it by the content of all that went into it."""
    key = {
        "images": images.digest,
        "recipe": recipe.key(),
        "seed": ctx.seed,
        "device": torch.device(ctx.device).type,
        "code": code_version(__name__),
    }
    entry = ctx.store.make("classifier", key, lambda folder: train_classifier(images, recipe, ctx).save(folder))
    return load_classifier(entry.path, recipe, images, ctx)


def load_classifier(folder: Path, recipe: Recipe, images: Images, ctx: Context) -> Classifier:
    """What `save` wrote, of a classifier that was trained on `images` by `recipe`."""
    device = torch_device(ctx)
    with torch.random.fork_rng(devices=[]):  # the start is drawn in vain, and must not move anyone's stream
        model = build_classifier(recipe, images.shape, len(images.classes))
    model.load_state_dict(load_file(folder / WEIGHTS))
    model.to(device).to(memory_format=layout(device))
    validation = np.load(folder / VALIDATION)
    return Classifier(model.eval(), recipe, images.classes, _read_history(folder / HISTORY), validation)


def _read_history(path: Path) -> list[Epoch]:
    with path.open(newline="", encoding="utf-8") as file:
        rows = csv.reader(file)
        next(rows)
        return [
            Epoch(int(number), float(a), float(b), float(c), float(d), best == "1")
            for number, a, b, c, d, best in rows
        ]
