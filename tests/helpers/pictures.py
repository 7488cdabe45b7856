"""Made-up pictures, no two alike."""

import numpy as np
from scipy.ndimage import gaussian_filter


def pictures(n, size=64, seed=0):
    """Random pictures with structure of every scale, no two alike: uint8 (n, size, size)."""
    noise = np.random.default_rng(seed).normal(size=(n, size, size))
    layers = [gaussian_filter(noise, (0, s * size / 64, s * size / 64)) for s in (1.5, 3, 6, 12)]
    field = sum(layer / layer.std() * weight for layer, weight in zip(layers, (1, 1.5, 2, 3), strict=True))
    low, high = field.min(axis=(1, 2), keepdims=True), field.max(axis=(1, 2), keepdims=True)
    return (20 + 190 * (field - low) / (high - low)).astype(np.uint8)
