"""Images as whitened principal components, and what the components leave out as noise of its spectrum."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Basis", "ResidualNoise"]

Floats = npt.NDArray[np.float32]
Flat = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Basis:
    """A mean and components with the deviations of their coordinates.

    mean        float32 (D,)
    components  float32 (k, D), orthonormal rows
    deviations  float32 (k,), standard deviations of the coordinates, above 0
    """

    mean: Floats
    components: Floats
    deviations: Floats

    @classmethod
    def fit(cls, flat: Flat, most: int, seed: int) -> Basis:
        """Of flat images (N, D), N >= 2: as many components as asked for, at most N - 1 and D.

        Randomised SVD with k / 2 extra directions, as `pca-gaussian`'s: variances within .2 % of the exact ones.
        """
        from sklearn.decomposition import PCA

        k = max(1, min(most, len(flat) - 1, flat.shape[1]))
        pca = PCA(k, svd_solver="randomized", n_oversamples=max(10, k // 2), random_state=seed, copy=False)
        with np.errstate(invalid="ignore"):  # images that are all the same have no variance to share out
            pca.fit(flat.astype(np.float32))
        deviations = np.sqrt(pca.explained_variance_)
        least = 1e-4 * deviations.max(initial=1e-6)  # copies among the images leave directions of no length
        return cls(*(a.astype(np.float32) for a in (pca.mean_, pca.components_, np.maximum(deviations, least))))

    def encode(self, flat: Flat) -> Floats:
        """Flat images (N, D) -> whitened coordinates (N, k), of variance 1 over the images of `fit`."""
        centred = flat.astype(np.float32) - self.mean
        return np.asarray(centred @ self.components.T / self.deviations, dtype=np.float32)

    def decode(self, coordinates: Floats) -> Floats:
        """Whitened coordinates (N, k) -> grey levels (N, D), not rounded, not clipped."""
        return np.asarray(coordinates * self.deviations @ self.components + self.mean, dtype=np.float32)


@dataclass(frozen=True, eq=False)
class ResidualNoise:
    """Gaussian noise like a set of residuals: as strong at each place, of their mean spectrum, channels as alike.

    strength   float32 (H, W, C), standard deviations
    amplitude  float32 (H, W), of the Fourier modes of residuals divided by `strength`; mean square 1
    mix        float32 (C, C), a root of the correlations of channels
    """

    strength: Floats
    amplitude: Floats
    mix: Floats

    @classmethod
    def fit(cls, residuals: Floats) -> ResidualNoise:
        """Of residuals (N, H, W, C) of mean 0."""
        strength = np.sqrt(np.mean(np.square(residuals), axis=0)) + 1e-6
        even = residuals / strength
        power = np.mean(np.abs(np.fft.fft2(even, axes=(1, 2))) ** 2, axis=(0, 3))
        channels = even.reshape(-1, even.shape[3])
        values, vectors = np.linalg.eigh(channels.T @ channels / len(channels))
        mix = vectors * np.sqrt(np.maximum(values, 0))
        mean = power.mean() or 1.0  # 0 where the components leave nothing out
        return cls(*(a.astype(np.float32) for a in (strength, np.sqrt(power / mean), mix)))

    def draw(self, n: int, rng: np.random.Generator) -> Floats:
        """(n, H, W, C)."""
        white = rng.standard_normal((n, *self.strength.shape), dtype=np.float32) @ self.mix.T
        modes = np.fft.fft2(white, axes=(1, 2)) * self.amplitude[..., None]
        noise: Floats = np.fft.ifft2(modes, axes=(1, 2)).real.astype(np.float32) * self.strength
        return noise
