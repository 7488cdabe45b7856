"""The costly metrics on made-up features, beside the usual ways to compute them."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from benchmarks.timings.conftest import Peer, Timed

Array = npt.NDArray[Any]
TRAIN_SIZE, INCEPTION = 5216, 2048  # of the chest X-rays; numbers that Inception says of an image


@pytest.mark.benchmark(group="fidelity")
def test_frechet(timed: Timed) -> None:
    from scipy.linalg import sqrtm

    from synthbench_fidelity.functional import frechet_distance_from_statistics

    mean_real, cov_real, mean_synthetic, cov_synthetic = statistics = _statistics(INCEPTION)
    names = ("mean_real", "cov_real", "mean_synthetic", "cov_synthetic")

    def by_root() -> float:
        root = sqrtm(cov_real @ cov_synthetic).real
        shift = mean_real - mean_synthetic
        return float(shift @ shift + np.trace(cov_real + cov_synthetic - 2 * root))

    timed(
        lambda: frechet_distance_from_statistics(**dict(zip(names, statistics, strict=True))),
        f"Fréchet distance from covariances, d = {INCEPTION}",
        peer=Peer("`scipy.linalg.sqrtm`", by_root),
    )


@pytest.mark.benchmark(group="fidelity")
def test_kid(timed: Timed) -> None:
    import torch
    from torch_fidelity.metric_kid import kid_features_to_metric

    from synthbench_fidelity.functional import kernel_distance

    real, synthetic = _normal(5000, INCEPTION)
    pair = torch.from_numpy(real), torch.from_numpy(synthetic)
    options = {"kid_subsets": 100, "kid_subset_size": 1000, "rng_seed": 0, "verbose": False}
    timed(
        lambda: kernel_distance(real=real, synthetic=synthetic, rng=np.random.default_rng(0)),
        f"KID, 100 subsets of 1,000 of 5,000, d = {INCEPTION}, float64",
        peer=Peer("torch-fidelity", lambda: kid_features_to_metric(*pair, **options)),
    )


@pytest.mark.benchmark(group="fidelity")
def test_prdc(timed: Timed) -> None:
    from prdc import compute_prdc

    from synthbench_fidelity.functional import prdc

    real, synthetic = _normal(TRAIN_SIZE, INCEPTION)
    timed(
        lambda: prdc(real=real, synthetic=synthetic, k=5),
        f"precision, recall, density, coverage: {TRAIN_SIZE:,} x 2, d = {INCEPTION:,}, float64",
        peer=Peer("prdc", _quietly(lambda: compute_prdc(real, synthetic, 5))),
    )


def _quietly(work: Callable[[], object]) -> Callable[[], object]:
    def silent() -> object:
        with contextlib.redirect_stdout(io.StringIO()):
            return work()

    return silent


def _normal(n: int, d: int) -> list[Array]:
    rng = np.random.default_rng(0)
    return [rng.standard_normal((n, d)) for _ in range(2)]


def _statistics(d: int) -> list[Array]:
    """Mean and covariance of two sets, whose eigenvalues fall by four orders of magnitude."""
    rng = np.random.default_rng(0)
    statistics: list[Array] = []
    for _ in range(2):
        features = rng.standard_normal((3 * d, d)) @ (rng.standard_normal((d, d)) * np.geomspace(1, 1e-2, d))
        statistics += [features.mean(axis=0), np.cov(features, rowvar=False)]
    return statistics
