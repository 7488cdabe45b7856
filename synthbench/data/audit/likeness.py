"""Whether two images are one: align the one with the other, then see how much of the spectrum they share."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from scipy.fft import dctn
from scipy.ndimage import gaussian_filter

from synthbench.data.audit.thumbnails import SIZE, Floats

__all__ = ["distance"]

MARGIN = 2
INNER = SIZE - 2 * MARGIN
"""The middle of one image is looked for in the other: it is still there when 6 % of each side are cut off."""

STEPS = 6
MOST = 0.15
"""Bound on shift (in half widths) and change of scale; a crop of 6 % of each side changes the scale by .14."""

LEAST_GAIN = 0.2
"""Of contrast between the two: below it they have nothing in common, and steps would be wild."""

RIDGE = 1e-4
"""Share added to the diagonal of the least squares: a picture with stripes one way knows no shift along them."""

BANDS = np.arange(1, 22, 2)
"""Edges of rings in the plane of frequencies, in half waves per inner side; above lies what encoders change."""


PLACES = ((np.arange(MARGIN, SIZE - MARGIN) - (SIZE - 1) / 2) / (SIZE / 2)).astype(np.float32)
"""Of the inner pixels' centres on each axis, in half widths from the centre."""


def distance(first: Floats, second: Floats) -> Floats:
    """How unlike the pictures of each pair are, whatever brightness, contrast, size and a small crop do.

    first, second  thumbnails (P, 32, 32), pair by pair

    Returns float32 (P,), 0 (one picture) to 1 (unrelated): the geometric mean over frequencies of 1 - c^2, c
    being the correlation of the pair in that frequency's band; the smaller of two, as the images lie and after
    alignment. For Gaussian spectra this is exp(-2 I), I being the mutual information in nats per frequency (Cover
    & Thomas, Elements of Information Theory, 2nd ed., example 8.5.1): all frequencies count alike, so that fine
    detail, in which a copy agrees and another radiograph does not, has its weight against the anatomy that all
    share.
    """
    middle = slice(MARGIN, SIZE - MARGIN)
    still = first[:, middle, middle]
    return np.minimum(_unshared(still, second[:, middle, middle]), _unshared(still, _aligned(first, second)))


def _unshared(first: Floats, second: Floats) -> Floats:
    """Geometric mean of 1 - c^2 over the frequencies of (P, n, n) pairs, c by rings."""
    one, two = (dctn(images, axes=(1, 2), norm="ortho") for images in (first, second))
    radius = np.hypot(*np.indices(first.shape[1:]))
    total = np.zeros(len(first), dtype=np.float32)
    for low, high in pairwise(BANDS):
        ring = (radius >= low) & (radius < high)
        total += ring.sum() * np.log(1 - _correlation(one[:, ring], two[:, ring]) ** 2 + 1e-6)
    inside = (radius >= BANDS[0]) & (radius < BANDS[-1])
    return np.asarray(np.exp(total / inside.sum()), dtype=np.float32)


def _correlation(one: Floats, two: Floats) -> Floats:
    """Of the rows of (P, K), about zero as cosine coefficients are; 0 where it is negative or undefined."""
    norms = np.linalg.norm(one, axis=1) * np.linalg.norm(two, axis=1)
    return np.asarray(np.clip((one * two).sum(axis=1) / np.maximum(norms, 1e-6), 0, 1))


def _aligned(still: Floats, moving: Floats) -> Floats:
    """The part of each `moving` that shows the middle of `still`: (P, 32, 32) twice -> (P, 28, 28).

    Gauss-Newton on shift and scale along each axis with a free brightness and contrast, in the inverse
    compositional form, whose matrix stays the same (Baker & Matthews, IJCV 56(3), 2004). Places are in half
    widths from the centre: a place x of `still` is sought at x + shift + scale * x of `moving`.
    """
    target, source = (_smooth(images) for images in (still, moving))
    solve = _solver(target)
    shift, scale = np.zeros((2, len(still), 2), dtype=np.float32)  # of y and x
    for _ in range(STEPS):
        seen = _sampled(source, shift, scale).reshape(len(still), -1, 1)
        answer = (solve @ seen)[..., 0]  # (P, 6)
        off = answer[:, 2:].reshape(-1, 2, 2) / np.maximum(answer[:, :1, None], LEAST_GAIN)
        shift, scale = shift - off[:, 0] * (1 + scale), scale - off[:, 1] * (1 + scale)
        shift, scale = np.clip(shift, -MOST, MOST), np.clip(scale, -MOST, MOST)
    return _sampled(moving, shift, scale)


def _smooth(images: Floats) -> Floats:
    """Blurred, so that steps of some pixels lead to the goal; mean 0 and standard deviation 1."""
    blurred = gaussian_filter(images, (0, 1, 1))
    centred = blurred - blurred.mean(axis=(1, 2), keepdims=True)
    return np.asarray(centred / np.maximum(centred.std(axis=(1, 2), keepdims=True), 1e-6))


def _solver(target: Floats) -> Floats:
    """(P, 6, 28 * 28): from what is seen to gain, offset, shift (y, x) and scale (y, x), by least squares."""
    middle = slice(MARGIN, SIZE - MARGIN)
    inner = target[:, middle, middle]
    dy, dx = (np.gradient(target, 2 / SIZE, axis=axis)[:, middle, middle] for axis in (1, 2))
    y, x = PLACES[:, None], PLACES[None, :]
    columns = np.stack([inner, np.ones_like(inner), dy, dx, dy * y, dx * x], axis=1)
    columns = columns.reshape(len(target), 6, -1)
    normal = columns @ columns.transpose(0, 2, 1)
    ridge = RIDGE * np.einsum("pii->pi", normal)[:, :, None] * np.eye(6) + 1e-6 * np.eye(6)
    return np.asarray(np.linalg.solve(normal + ridge, columns), dtype=np.float32)


def _sampled(images: Floats, shift: Floats, scale: Floats) -> Floats:
    """(P, 32, 32) at the moved places of the middle -> (P, 28, 28), by cubic interpolation."""
    places = PLACES + shift[..., None] + scale[..., None] * PLACES  # (P, 2, 28)
    pixels = np.clip(places * (SIZE / 2) + (SIZE - 1) / 2, 0, SIZE - 1)
    weights = _cubic(np.abs(pixels[..., None] - np.arange(SIZE, dtype=np.float32)))
    weights /= weights.sum(axis=-1, keepdims=True)
    return np.asarray(weights[:, 0] @ images @ weights[:, 1].transpose(0, 2, 1))


def _cubic(away: Floats) -> Floats:
    """Keys' kernel (IEEE TASSP 29(6), 1981, a = -1/2) at distances in pixels."""
    near = (1.5 * away - 2.5) * away**2 + 1
    far = ((-0.5 * away + 2.5) * away - 4) * away + 2
    return np.where(away < 1, near, np.where(away < 2, far, 0)).astype(np.float32)
