"""Drawing images from a trained generator."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from synthbench import Labels, Pixels
from synthbench_acgan.compact import CompactGenerator
from synthbench_acgan.model import Generator, Network
from synthbench_torchkit.tensors import to_uint8

__all__ = ["Sampler", "draw", "load_generator", "save_grid"]

GRID_COLUMNS = 8
GENERATORS = {network.__name__: network for network in (Generator, CompactGenerator)}


class Sampler:
    """labels (N,), rng -> uint8 (N, H, W, C). Pickles: the weights lie in main memory, `device` does the work."""

    def __init__(self, generator: Network, device: str, batch: int) -> None:
        self.generator = generator.cpu().eval()
        self.device = device
        self.batch = batch

    def __call__(self, labels: Labels, rng: np.random.Generator) -> Pixels:
        size, channels = self.generator.config["image_size"], self.generator.config["channels"]
        empty = np.empty((0, size, size, channels), dtype=np.uint8)
        return np.concatenate([empty, *self._batches(labels, rng)])

    def _batches(self, labels: Labels, rng: np.random.Generator) -> Iterator[Pixels]:
        self.generator.to(self.device)
        try:
            for start in range(0, len(labels), self.batch):
                yield draw(self.generator, labels[start : start + self.batch], rng)
        finally:
            self.generator.cpu()


@torch.no_grad()
def draw(generator: Network, labels: Labels, rng: np.random.Generator) -> Pixels:
    """One image for each label, from noise uniform in -1..1: uint8 (N, H, W, C)."""
    weight = next(generator.parameters())
    noise = torch.from_numpy(rng.uniform(-1, 1, size=(len(labels), generator.config["latent"])))
    classes = torch.from_numpy(np.array(labels))  # a copy: the harness hands out read-only labels
    images = generator(noise.to(weight), classes.to(weight.device))
    return to_uint8(images)


def save_grid(path: Path, generator: Network, rng: np.random.Generator) -> None:
    """A PNG of samples, one row a class."""
    n_classes = generator.config["n_classes"]
    pixels = draw(generator, np.repeat(np.arange(n_classes), GRID_COLUMNS), rng)
    _, height, width, channels = pixels.shape
    table = pixels.reshape(n_classes, GRID_COLUMNS, height, width, channels).swapaxes(1, 2)
    picture = table.reshape(n_classes * height, GRID_COLUMNS * width, channels)
    Image.fromarray(picture.squeeze(2) if channels == 1 else picture).save(path)


def load_generator(path: Path) -> Network:
    """A generator from the generator.safetensors that a run leaves behind."""
    from synthbench_torchkit.state import load_tensors

    weights, metadata = load_tensors(path)
    generator: Network = GENERATORS[metadata["network"]](**metadata["config"])
    generator.load_state_dict(weights)
    return generator.eval()
