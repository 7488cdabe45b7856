"""The probe: a small classifier of the real training images, asked what it makes of synthetic ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from synthbench import Context, Images
from synthbench_torchkit.classifier import Classifier, cached_classifier
from synthbench_torchkit.device import torch_device
from synthbench_torchkit.fitting import probabilities_of
from synthbench_torchkit.recipe import Recipe, defaults

__all__ = ["Probe", "fit_probe"]

RECIPE = Recipe("cnn", weights="none", patience=5, validation=0.2, dropout=0.4, **defaults("cnn"))
"""That of `tstr` with `backbone: cnn`: a fifth of the training patients chooses the epoch."""


@dataclass(frozen=True, eq=False)
class Probe:
    """Pickles: the weights lie in main memory, `device` does the work."""

    classifier: Classifier
    device: str

    def __call__(self, images: Images) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Probabilities (N, K), rows sum to 1, and what the last layer sees (N, D)."""
        model = self.classifier.model.to(self.device)
        try:
            features = self.classifier.features(images)
            with torch.inference_mode():
                logits = model.head[-1](torch.from_numpy(features).float().to(self.device))
                return probabilities_of(logits).cpu().numpy(), features
        finally:
            model.cpu()


def fit_probe(train: Images, ctx: Context) -> Probe:
    """Trained on `train`, once for all who wrap one base under one seed; `probe.csv` holds its history."""
    torch_device(ctx)
    classifier = cached_classifier(train, RECIPE, ctx.child("probe"))
    classifier.write_history(ctx.workdir / "probe.csv")
    classifier.model.cpu()
    return Probe(classifier, ctx.device)
