"""What drawing from a flow has in common, whatever the flow moves: batches, the device, the residual's noise."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from synthbench import DataError, Labels, Pixels
from synthbench_flow.basis import ResidualNoise

__all__ = ["Drawing", "FlowSampler"]

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Drawing:
    """Of what, and how.

    generator  its name, for messages
    classes    names by label; `known` are the labels that had training images
    shape      (H, W, C) of an image
    device     "cpu" or "cuda:N"
    steps      from noise to image
    batch      images at a time
    """

    generator: str
    classes: tuple[str, ...]
    known: tuple[int, ...]
    shape: tuple[int, int, int]
    device: str
    steps: int
    batch: int


@dataclass(frozen=True, eq=False)
class FlowSampler(ABC):
    """labels (N,), rng -> uint8 (N, H, W, C). Pickles: weights lie in main memory, `drawing.device` does the work.

    noises  of what the model leaves out, by label; empty where it is not added
    """

    drawing: Drawing
    noises: Mapping[int, ResidualNoise]

    @property
    @abstractmethod
    def networks(self) -> Sequence[nn.Module]:
        """All that runs on the device."""

    @abstractmethod
    def draw(self, labels: Labels, rng: np.random.Generator) -> Floats:
        """Grey levels (N, H, W, C) without the residual's noise; the networks are on the device."""

    def __call__(self, labels: Labels, rng: np.random.Generator) -> Pixels:
        drawing = self.drawing
        for label in np.unique(labels):
            if label not in drawing.known:
                name = drawing.classes[label]
                raise DataError(f"no training images of class {name!r}: {drawing.generator} cannot draw any")
        pixels = np.empty((len(labels), *drawing.shape), dtype=np.uint8)
        self._move(drawing.device)
        try:
            for start in range(0, len(labels), drawing.batch):
                batch = slice(start, start + drawing.batch)
                values = self._with_noise(self.draw(labels[batch], rng), labels[batch], rng)
                pixels[batch] = np.clip(np.rint(values), 0, 255)
        finally:
            self._move("cpu")
        return pixels

    def start(self, labels: Labels, shape: tuple[int, ...], rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """Noise (N, *shape) and labels (N,) on the device."""
        noise = rng.standard_normal((len(labels), *shape), dtype=np.float32)
        device = self.drawing.device
        return torch.from_numpy(noise).to(device), torch.tensor(labels, device=device)

    def _move(self, device: str) -> None:
        for network in self.networks:
            network.to(device)

    def _with_noise(self, values: Floats, labels: Labels, rng: np.random.Generator) -> Floats:
        for label in np.unique(labels):
            if label in self.noises:
                places = np.flatnonzero(labels == label)
                values[places] += self.noises[label].draw(len(places), rng)
        return values
