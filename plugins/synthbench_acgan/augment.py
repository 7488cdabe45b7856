"""What the discriminator sees images through, so that it cannot learn a small training set by heart.

Real and fake images alike, and by steps that gradients pass: then the generator learns the images, not what is
done to them. After the description in Zhao, Liu, Lin, Zhu & Han, "Differentiable augmentation for data-efficient
GAN training" (NeurIPS 2020). No flips: the heart lies on one side.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from synthbench_acgan.options import Augmentation

__all__ = ["augmented"]


def augmented(images: Tensor, kinds: Collection[Augmentation], rng: np.random.Generator) -> Tensor:
    """Images (N, C, H, W) in -1..1, each changed in its own way; grey levels may leave that range."""
    for kind, change in CHANGES.items():
        if kind in kinds:
            images = change(images, rng)
    return images


def _colour(images: Tensor, rng: np.random.Generator) -> Tensor:
    """Brightness by up to half a unit, saturation by 0 to 2, contrast by .5 to 1.5."""
    n, channels = images.shape[:2]
    brightness, saturation, contrast = (
        _like(images, rng.uniform(low, high, (n, 1, 1, 1))) for low, high in ((-0.5, 0.5), (0, 2), (0.5, 1.5))
    )
    images = images + brightness
    if channels > 1:  # of a grey image there is none
        grey = images.mean(dim=1, keepdim=True)
        images = grey + (images - grey) * saturation
    middle = images.mean(dim=(1, 2, 3), keepdim=True)
    return middle + (images - middle) * contrast


def _translation(images: Tensor, rng: np.random.Generator) -> Tensor:
    """By up to an eighth of the side along both axes; what comes in is 0. As products: deterministic on a GPU."""
    n, _, height, width = images.shape
    down, right = (rng.integers(-(side // 8), side // 8 + 1, n) for side in (height, width))
    return _like(images, _shifts(down, height)) @ images @ _like(images, _shifts(-right, width))


def _shifts(by: npt.NDArray[np.int64], side: int) -> npt.NDArray[np.bool_]:
    """(N, 1, side, side): matrices that move the rows of what they are multiplied with."""
    place = np.arange(side)
    moved: npt.NDArray[np.bool_] = (place[:, None] == place + by[:, None, None])[:, None]
    return moved


def _cutout(images: Tensor, rng: np.random.Generator) -> Tensor:
    """A square of half the side becomes 0; its centre may lie anywhere, so parts of it outside."""
    n, _, height, width = images.shape
    hidden = [
        np.abs(np.arange(side) + 0.5 - rng.integers(0, side + 1, (n, 1))) < side / 4 for side in (height, width)
    ]
    square = hidden[0][:, None, :, None] & hidden[1][:, None, None, :]  # (N, 1, H, W)
    return images * _like(images, ~square)


CHANGES: Mapping[Augmentation, Callable[[Tensor, np.random.Generator], Tensor]] = {
    "colour": _colour,
    "translation": _translation,
    "cutout": _cutout,
}


def _like(images: Tensor, values: npt.NDArray[np.generic]) -> Tensor:
    return torch.from_numpy(values).to(images)
