"""Multi-scale structural similarity within a class: how alike a generator's images are to each other."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from synthbench_fidelity.arrays import Floats

__all__ = ["ms_ssim", "ms_ssim_of_pairs", "ms_ssim_of_random_pairs", "scales_for"]

Pixels = npt.NDArray[np.uint8]

WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Of the scales, finest first (Wang et al., 2003)."""
WINDOW, SIGMA = 11, 1.5
C1, C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
BATCH = 2**21
"""Pixels compared at a time."""


def ms_ssim(*, images: Pixels, rng: np.random.Generator, pairs: int = 1000) -> float:
    """Mean MS-SSIM over random pairs of different images of one class, 0-1; 1 if all are the same image.

    Arguments and errors as for `ms_ssim_of_random_pairs`.

    Odena et al. (2017) read a high value as a lack of diversity. It has no best value: compare with that of real
    images of the class, for images of one anatomy are alike, at the same image size, for the number of scales
    depends on it (`scales_for`).
    """
    return float(ms_ssim_of_random_pairs(images=images, rng=rng, pairs=pairs).mean())


def ms_ssim_of_random_pairs(*, images: Pixels, rng: np.random.Generator, pairs: int = 1000) -> Floats:
    """MS-SSIM (pairs,) of random pairs of different images, 0-1.

    images  uint8 (N, H, W, C) of one class, at least 2; sides of 11 pixels or more
    rng     draws the pairs, with replacement; of 2 images there is one

    ValueError: type, shape, fewer than 2 images or 1 pair.
    """
    if pairs < 1 or len(images) < 2:
        raise ValueError(f"at least 2 images and 1 pair needed; found {len(images)} and {pairs}")
    first = rng.integers(len(images), size=pairs)
    second = (first + rng.integers(1, len(images), size=pairs)) % len(images)
    step = max(1, BATCH // int(np.prod(images.shape[1:])))
    batches = [slice(start, start + step) for start in range(0, pairs, step)]
    similarities = [ms_ssim_of_pairs(first=images[first[b]], second=images[second[b]]) for b in batches]
    return np.concatenate(similarities)


def ms_ssim_of_pairs(*, first: Pixels, second: Pixels) -> Floats:
    """MS-SSIM (N,) of each image with its partner (Wang, Simoncelli & Bovik, 2003), 0-1.

    first, second  uint8 (N, H, W, C) of one shape

    An 11 x 11 Gaussian window of sigma 1.5, only where it fits in whole; 2 x 2 means between the scales, a last
    odd row or column left out; K1 = .01, K2 = .03, range 255. Negative means count as 0. Channels are compared
    apart and averaged. With fewer than five scales the weights of the first ones are scaled to the sum 1.
    """
    if first.dtype != np.uint8 or second.dtype != np.uint8 or first.ndim != 4 or first.shape != second.shape:
        raise ValueError(
            f"two arrays uint8 (N, H, W, C) of one shape needed; found {first.dtype} {first.shape} and "
            f"{second.dtype} {second.shape}"
        )
    scales = scales_for(first.shape[1], first.shape[2])
    weights = np.array(WEIGHTS[:scales]) / sum(WEIGHTS[:scales])
    x, y = first.astype(np.float64), second.astype(np.float64)
    product = np.ones((len(x), x.shape[3]))
    for scale, weight in enumerate(weights):
        similarity, contrast = _ssim(x, y)
        product *= (similarity if scale == scales - 1 else contrast).clip(0) ** weight
        x, y = _halved(x), _halved(y)
    return np.asarray(product.mean(axis=1))


def scales_for(height: int, width: int) -> int:
    """Scales, 1 to 5, at which the window still fits: 3 for 64 pixels, 4 for 128, 5 from 176.

    ValueError for a side below 11 pixels.
    """
    if min(height, width) < WINDOW:
        raise ValueError(f"the window of {WINDOW} x {WINDOW} pixels does not fit into {height} x {width}")
    return min(len(WEIGHTS), (min(height, width) // WINDOW).bit_length())


def _ssim(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Means (N, C) over an image of SSIM, and of its contrast and structure terms alone."""
    mean_x, mean_y = _smooth(x), _smooth(y)
    product, squares = mean_x * mean_y, mean_x**2 + mean_y**2
    contrast = (2 * (_smooth(x * y) - product) + C2) / (_smooth(x**2 + y**2) - squares + C2)
    similarity = (2 * product + C1) / (squares + C1) * contrast
    return similarity.mean(axis=(1, 2)), contrast.mean(axis=(1, 2))


def _smooth(images: Floats) -> Floats:
    """Local means where the window fits: (N, H - 10, W - 10, C)."""
    edge = WINDOW // 2
    kernel = np.exp(-0.5 * (np.arange(-edge, edge + 1) / SIGMA) ** 2)
    for axis in (1, 2):
        images = ndimage.correlate1d(images, kernel / kernel.sum(), axis=axis)
    return images[:, edge:-edge, edge:-edge]


def _halved(images: Floats) -> Floats:
    """Means of 2 x 2 pixels."""
    height, width = images.shape[1] // 2 * 2, images.shape[2] // 2 * 2
    even = images[:, :height, :width]
    return (even[:, ::2, ::2] + even[:, 1::2, ::2] + even[:, ::2, 1::2] + even[:, 1::2, 1::2]) / 4
