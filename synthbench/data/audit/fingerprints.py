"""A perceptual hash of real numbers, made to ignore small crops; similar images point in similar directions.

Of the low frequencies of an image a linear map keeps those combinations that tell images apart and that a crop
leaves alone. The map is learned from the audited images themselves, by linear discriminant analysis in which a
class is one image and its members are random crops of it (LDAHash: Strecha et al., IEEE TPAMI 34(1), 2012).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.fft import dctn

from synthbench.data.audit.thumbnails import SIZE, Floats

__all__ = ["EXAMPLES", "Fingerprint", "learn"]

FREQUENCIES = 12
"""Frequencies 0-11 of the cosine transform along each axis: waves of 5.8 thumbnail pixels and longer."""

LENGTH = 64
EXAMPLES = 1000
"""Images to learn from; more change nothing."""

CROP = 0.06
"""Most that a crop takes off each side, as a share of the side."""

ROUNDS, WINDOWS = 4, 8
SHRINKAGE = 0.01


@dataclass(frozen=True, eq=False)
class Fingerprint:
    """A learned map: thumbnails (N, 32, 32) -> float32 (N, length <= 64), unit vectors."""

    mean: Floats
    map: Floats

    def __call__(self, small: Floats) -> Floats:
        return _unit(np.asarray((_spectrum(small) - self.mean) @ self.map))


def learn(examples: Floats) -> Fingerprint:
    """The map for images like `examples`, thumbnails (N, 32, 32), N >= 2, that show something."""
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    spectra, image = _crops(examples)
    analysis = LinearDiscriminantAnalysis(solver="eigen", shrinkage=SHRINKAGE).fit(spectra, image)
    length = min(LENGTH, len(examples) - 1)
    return Fingerprint(spectra.mean(axis=0), np.asarray(analysis.scalings_[:, :length], dtype=np.float32))


def _spectrum(small: Floats) -> Floats:
    """(N, 32, 32) -> (N, 143): low frequencies without the mean, weighted by frequency, scaled to unit length.

    Brightness and contrast drop out; the weight evens out a spectrum that falls with the frequency.
    """
    waves = dctn(small, axes=(1, 2), norm="ortho")[:, :FREQUENCIES, :FREQUENCIES]
    weight = np.hypot(*np.indices((FREQUENCIES, FREQUENCIES))).astype(np.float32)
    return _unit((waves * weight).reshape(len(small), -1)[:, 1:])


def _unit(vectors: Floats) -> Floats:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(length, 1e-12), dtype=np.float32)


def _crops(examples: Floats) -> tuple[Floats, npt.NDArray[np.intp]]:
    """Spectra of the examples and of four random crops of each; and which example each is."""
    rng = np.random.default_rng(0)
    order = np.arange(len(examples))
    spectra, image = [_spectrum(examples)], [order]
    for part in np.array_split(np.tile(order, ROUNDS), ROUNDS * min(WINDOWS, len(order))):
        top, bottom, left, right = rng.uniform(0, CROP, 4)
        cropped = _window(top, 1 - bottom) @ examples[part] @ _window(left, 1 - right).T
        spectra.append(_spectrum(np.asarray(cropped)))
        image.append(part)
    return np.concatenate(spectra), np.concatenate(image)


def _window(start: float, end: float) -> Floats:
    """(32, 32): samples a line of pixels at 32 places between `start` and `end` (shares of it), linearly."""
    places = (start + (np.arange(SIZE) + 0.5) * (end - start) / SIZE) * SIZE - 0.5
    places = np.clip(places, 0, SIZE - 1)
    return np.asarray(np.maximum(0, 1 - np.abs(places[:, None] - np.arange(SIZE))), dtype=np.float32)
