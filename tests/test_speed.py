"""What must not become slow: processor seconds beside a peer's, in turns, so that the machine cancels out.

The limits are about half of what was measured on 2026-11-30, on a machine full of other work.
"""

import contextlib
import io
import time

import numpy as np
import pytest
import torch

from benchmarks.timings import flops
from synthbench.testing import context_in
from synthbench.types import Images
from synthbench_acgan.plugin import ACGAN
from synthbench_acgan.train import Players, draw_batch, train_step
from synthbench_fidelity.functional import frechet_distance_from_statistics, kernel_distance, prdc

pytestmark = pytest.mark.full
ROUNDS = 3


def seconds(work):
    start = time.process_time()
    work()
    return time.process_time() - start


def times_as_fast(ours, peer):
    """The peer's fastest round over ours, after a warm-up of each."""
    rounds = [(seconds(ours), seconds(peer)) for _ in range(ROUNDS + 1)][1:]
    fastest_of_ours, fastest_of_peer = map(min, zip(*rounds, strict=True))
    return fastest_of_peer / fastest_of_ours


@pytest.fixture
def features():
    rng = np.random.default_rng(0)
    return rng.normal(size=(1500, 512)), rng.normal(size=(1500, 512)) + 0.1


def test_frechet_distance(features):
    from scipy.linalg import sqrtm

    real, synthetic = features
    statistics = {
        "mean_real": real.mean(0),
        "cov_real": np.cov(real, rowvar=False),
        "mean_synthetic": synthetic.mean(0),
        "cov_synthetic": np.cov(synthetic, rowvar=False),
    }
    product = statistics["cov_real"] @ statistics["cov_synthetic"]
    ratio = times_as_fast(lambda: frechet_distance_from_statistics(**statistics), lambda: sqrtm(product))
    assert ratio > 3.5


def test_kernel_distance(features):
    from torch_fidelity.metric_kid import kid_features_to_metric

    real, synthetic = (part[:800] for part in features)
    pair = torch.from_numpy(real), torch.from_numpy(synthetic)
    options = {"kid_subsets": 40, "kid_subset_size": 200, "rng_seed": 0, "verbose": False}

    def ours():
        kernel_distance(real=real, synthetic=synthetic, rng=np.random.default_rng(0), subsets=40, subset_size=200)

    assert times_as_fast(ours, lambda: kid_features_to_metric(*pair, **options)) > 2.5


def test_prdc(features):
    from prdc import compute_prdc

    real, synthetic = features

    def peer():
        with contextlib.redirect_stdout(io.StringIO()):
            compute_prdc(real, synthetic, 5)

    assert times_as_fast(lambda: prdc(real=real, synthetic=synthetic, k=5), peer) > 1.3


def test_acgan_step_beside_a_product_of_matrices(tmp_path):
    """A step's operations a second over what the same core reaches at its friendliest work."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        batch, side = 4, 1024
        pixels = np.random.default_rng(0).integers(0, 256, size=(32, 64, 64, 3), dtype=np.uint8)
        images = Images(pixels, np.arange(32) % 2, ("NORMAL", "PNEUMONIA"))
        config, ctx = ACGAN(batch_size=batch), context_in(tmp_path)
        players = Players(config, 64, 3, 2)
        a, b = torch.rand(2, side, side)
        ratio = times_as_fast(
            lambda: train_step(players, draw_batch(config, images, ctx, 0)), lambda: [a @ b for _ in range(4)]
        )
        share = ratio * flops.acgan_step(batch) / (4 * flops.matmul(side))
    finally:
        torch.set_num_threads(threads)
    assert share > 0.3
