"""Finds lung fields on chest X-rays, well enough to say how much of them a mask covers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import ndimage

from synthbench import Images
from synthbench_tstr.mask import lung_mask

__all__ = ["covered", "lung_fields", "otsu"]

Mask = npt.NDArray[np.bool_]
Grey = npt.NDArray[np.float64]

SIDE = 64
"""Images are looked at in this size: lengths below are pixels of it."""
LEAST_AREA = 0.03
"""Of the image: a smaller field is no whole lung."""


def covered(images: Images, most: int = 1000) -> npt.NDArray[np.float64]:
    """Share of the lung fields under the mask, for each of at most `most` images in which both are found.

    The images are taken at equal steps through the set.
    """
    mask = lung_mask(SIDE, SIDE)
    chosen = np.unique(np.linspace(0, len(images) - 1, most).astype(int))
    both = [lung_fields(_resized(images.pixels[number])) for number in chosen]
    return np.array([mask[fields].mean() for fields in both if fields is not None])


def _resized(pixels: npt.NDArray[np.uint8]) -> Grey:
    """(H, W, C) -> the mean of its channels, (SIDE, SIDE)."""
    grey = Image.fromarray(np.rint(pixels.mean(axis=2)).astype(np.uint8))
    return np.asarray(grey.resize((SIDE, SIDE), Image.Resampling.BILINEAR), dtype=np.float64)


def lung_fields(grey: Grey) -> Mask | None:
    """Both fields, (SIDE, SIDE) grey levels -> (SIDE, SIDE); None where one of them is not found inside the body.

    What is dark against its surroundings (less the local mean over the body, then Otsu's threshold), of which
    the largest piece of each half counts, unless it is small or reaches the upper or a side edge. It finds
    aerated lung: consolidations are as bright as what surrounds the lungs, and count only where enclosed.
    """
    grey = ndimage.gaussian_filter(grey, 1)
    body = _body(grey)
    inside = ndimage.binary_erosion(body, iterations=3)
    if inside.mean() < 2 * LEAST_AREA:
        return None
    flat = grey - _local_mean(grey, body)
    dark = ndimage.binary_opening(inside & (flat < otsu(flat[inside])))
    labels, n = ndimage.label(dark)
    if n == 0:
        return None
    sizes = np.bincount(labels.ravel(), minlength=n + 1)[1:]
    is_left = np.array([x < grey.shape[1] / 2 for _, x in ndimage.center_of_mass(dark, labels, range(1, n + 1))])
    fields = np.zeros_like(dark)
    for side in (is_left, ~is_left):
        piece = labels == 1 + np.argmax(np.where(side, sizes, 0)) if side.any() else np.zeros_like(dark)
        if piece.mean() < LEAST_AREA or piece[0].any() or piece[:, [0, -1]].any():
            return None
        fields |= ndimage.binary_fill_holes(ndimage.binary_closing(piece, iterations=2))
    return fields


def _body(grey: Grey) -> Mask:
    """The largest bright piece, without holes: the air around the patient is black."""
    bright = ndimage.binary_opening(grey > 0.5 * otsu(grey.ravel()), iterations=2)
    labels, _ = ndimage.label(ndimage.binary_fill_holes(bright))
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    body: Mask = (labels == sizes.argmax()) & (sizes.max() > 0)
    return body


def _local_mean(grey: Grey, body: Mask) -> Grey:
    """Gaussian mean of the body around each pixel; what is outside has no part in it."""
    weight = ndimage.gaussian_filter(body.astype(np.float64), 11)
    total = ndimage.gaussian_filter(np.where(body, grey, 0.0), 11)
    mean: Grey = total / np.maximum(weight, 1e-9)
    return mean


def otsu(values: Grey) -> float:
    """Threshold that best splits values (N,) in two: the largest variance between the parts (Otsu 1979)."""
    ordered = np.sort(values)
    n, total = len(ordered), np.cumsum(ordered)
    lower = np.arange(1, n)
    gap = total[:-1] / lower - (total[-1] - total[:-1]) / (n - lower)
    return float(ordered[1:][np.argmax(lower * (n - lower) * gap**2)])
