"""The probe: a small classifier of the real training images, asked what it makes of synthetic ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from synthbench import Context, Images, Pixels
from synthbench_torchkit.backbones import ImageClassifier
from synthbench_torchkit.classifier import cached_classifier
from synthbench_torchkit.device import layout, torch_device
from synthbench_torchkit.fitting import probabilities_of
from synthbench_torchkit.recipe import Recipe, defaults
from synthbench_torchkit.tensors import to_float

__all__ = ["Probe", "fit_probe"]

RECIPE = Recipe("cnn", weights="none", patience=5, validation=0.2, dropout=0.4, **defaults("cnn"))
"""That of `tstr` with `backbone: cnn`: a fifth of the training patients chooses the epoch."""

BATCH = 256


@dataclass(frozen=True, eq=False)
class Probe:
    """Pickles: the weights lie in main memory, `device` does the work."""

    model: ImageClassifier
    device: str

    def __call__(self, pixels: Pixels) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """uint8 (N, H, W, C) -> probabilities (N, K), rows sum to 1, and what the last layer sees (N, D)."""
        device = torch.device(self.device)
        model = self.model.to(device)
        answers, features = [], []
        try:
            with torch.inference_mode():
                for start in range(0, len(pixels), BATCH):
                    batch = to_float(pixels[start : start + BATCH], device)
                    seen = model.embed(batch.contiguous(memory_format=layout(device)))
                    features.append(seen.double().cpu().numpy())
                    answers.append(probabilities_of(model.head[-1](seen)).cpu().numpy())
        finally:
            model.cpu()
        return np.concatenate(answers), np.concatenate(features)


def fit_probe(train: Images, ctx: Context) -> Probe:
    """Trained on `train`, once for all who wrap one base under one seed; `probe.csv` holds its history."""
    torch_device(ctx)
    classifier = cached_classifier(train, RECIPE, ctx.child("probe"))
    classifier.write_history(ctx.workdir / "probe.csv")
    return Probe(classifier.model.cpu(), ctx.device)
