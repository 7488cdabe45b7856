"""Class-wise PCA-Gaussian: the linear baseline.

For each class, x = mean + sum_j sqrt(variance_j) * z_j * component_j with z_j ~ N(0, 1): the Gaussian of
probabilistic PCA (Tipping & Bishop, 1999) without its residual noise, clipped to 0..255 and rounded.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synthbench import Context, DataError, Images, Labels, Pixels
from synthbench_baselines.samplers import require_classes

__all__ = ["ClassGaussian", "PcaSampler", "fit_class", "fit_classes"]

Floats = npt.NDArray[np.float32]

BLOCK, BLOCK_VALUES = 1024, 1024 * 64 * 64 * 3
"""Images drawn at once, fewer above 64x64x3: bounds the floats in memory to 50 MB at any size."""


@dataclass(frozen=True, eq=False)
class ClassGaussian:
    """One class: `mean` float32 (D,), `axes` float32 (k, D), the components times their standard deviations."""

    mean: Floats
    axes: Floats

    def draw(self, n: int, rng: np.random.Generator) -> npt.NDArray[np.uint8]:
        """n flat images, uint8 (n, D)."""
        z = rng.standard_normal((n, len(self.axes)), dtype=np.float32)
        values = z @ self.axes
        values += self.mean
        np.clip(np.rint(values, out=values), 0, 255, out=values)
        return values.astype(np.uint8)


@dataclass(frozen=True, eq=False)
class PcaSampler:
    """Draws from one Gaussian a class; a class without training images has none."""

    gaussians: dict[int, ClassGaussian]
    classes: tuple[str, ...]
    shape: tuple[int, int, int]

    def __call__(self, labels: Labels, rng: np.random.Generator) -> Pixels:
        fitted = np.array([label in self.gaussians for label in range(len(self.classes))], dtype=np.int64)
        require_classes(fitted, labels, self.classes)
        size = int(np.prod(self.shape))
        pixels = np.empty((len(labels), size), dtype=np.uint8)
        block = max(1, min(BLOCK, BLOCK_VALUES // size))
        for label in np.unique(labels):
            asked = np.flatnonzero(labels == label)
            for start in range(0, len(asked), block):
                places = asked[start : start + block]
                pixels[places] = self.gaussians[int(label)].draw(len(places), rng)
        return pixels.reshape(len(labels), *self.shape)


def fit_classes(train: Images, components: int, ctx: Context) -> PcaSampler:
    """One Gaussian for every class that has images. Raises DataError for a class of a single image."""
    gaussians: dict[int, ClassGaussian] = {}
    with ctx.progress.bar("pca", total=len(train)) as bar:
        for label, name in enumerate(train.classes):
            flat = train.pixels[train.labels == label].reshape(-1, int(np.prod(train.shape)))
            if not len(flat):
                continue
            allowed = _cap(components, flat.shape, name, ctx)
            gaussians[label] = fit_class(flat, allowed, ctx.child("pca", name).seed)
            bar.advance(len(flat), note=name)
    return PcaSampler(gaussians, train.classes, train.shape)


def fit_class(flat: npt.NDArray[np.uint8], components: int, seed: int) -> ClassGaussian:
    """PCA of flat images (N, D) with 1 <= components < min(N, D).

    Randomised SVD with k / 2 extra directions: on the chest X-rays its variances agree with the exact
    ones within .2 %, in half the time of ARPACK and a fifth of the full decomposition's; with
    scikit-learn's 10 extra directions the last ones come out 8 % too small.
    """
    from sklearn.decomposition import PCA

    extra = max(10, components // 2)
    pca = PCA(components, svd_solver="randomized", n_oversamples=extra, random_state=seed, copy=False)
    pca.fit(flat.astype(np.float32))
    axes = pca.components_ * np.sqrt(pca.explained_variance_)[:, None]
    return ClassGaussian(pca.mean_.astype(np.float32), axes.astype(np.float32))


def _cap(components: int, shape: tuple[int, ...], name: str, ctx: Context) -> int:
    """At most min(N, D) - 1: N images span N - 1 directions around their mean."""
    most = min(shape) - 1
    if most < 1:
        raise DataError(f"class {name!r} has {shape[0]} training image(s); pca-gaussian needs two of each class")
    if components > most:
        message = "class %s: %d images of %d values allow %d components, not %d"
        ctx.log.info(message, name, *shape, most, components)
    return min(components, most)
