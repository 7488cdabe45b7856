"""`pca-flow` as a whole: what it draws before and after training, and that a killed training goes on exactly."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from synthbench.api.interfaces import Context
from synthbench.errors import DataError, SynthbenchError
from synthbench.testing import check_generator, context_in, tiny_splits
from synthbench.types import Images
from synthbench_flow.plugin import PcaFlow
from tests.helpers.killing import Killed, KillingProgress

SMALL = PcaFlow(
    steps=7,
    batch_size=8,
    components=6,
    width=8,
    depth=1,
    dropout=0.1,
    sampling_steps=3,
    checkpoint_every=3,
    log_every=2,
)

Make = Callable[[str], Context]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    return lambda name: context_in(tmp_path / name, seed=5)


def changed(**options: object) -> PcaFlow:
    return SMALL.model_copy(update=options)


@pytest.fixture(scope="module")
def images() -> Images:
    """60 dark images that vary along two directions, 30 bright ones that vary along one, 4x4."""
    rng = np.random.default_rng(0)
    directions = np.linalg.qr(rng.normal(size=(16, 3)))[0].T * np.array([[60], [30], [40]])
    dark, bright = 90 + rng.normal(size=(60, 2)) @ directions[:2], 170 + rng.normal(size=(30, 1)) @ directions[2:]
    values = np.concatenate([dark, bright])
    return Images(
        values.round().astype(np.uint8).reshape(90, 4, 4, 1), np.repeat(np.arange(2), (60, 30)), ("A", "B")
    )


@pytest.mark.parametrize("basis", ["shared", "class"])
def test_contract(basis: str) -> None:
    findings = check_generator(changed(basis=basis), tiny_splits(size=16, channels=3))
    assert [str(finding) for finding in findings if finding.warning] == []


def test_untrained_it_draws_as_each_class_s_gaussian(images: Images, make: Make) -> None:
    plugin = changed(basis="class", steps=1, learning_rate=1e-12, sampling_steps=20, residual=False)
    labels = np.arange(4000) % 2
    drawn = plugin.fit(images, make("a"))(labels, np.random.default_rng(1))
    assert isinstance(drawn, np.ndarray)
    for label in (0, 1):
        real, made = (p[k == label].reshape(-1, 16) for p, k in ((images.pixels, images.labels), (drawn, labels)))
        np.testing.assert_allclose(made.mean(axis=0), real.mean(axis=0), atol=2.5)
        np.testing.assert_allclose(np.cov(made.T), np.cov(real.T), atol=0.08 * np.cov(real.T).max())


@pytest.mark.full
def test_it_learns_what_no_gaussian_says(make: Make) -> None:
    """Class A is black or white at once, class B the same in one half and the reverse in the other."""
    rng = np.random.default_rng(0)
    labels, side = np.arange(80) % 2, rng.choice([-1, 1], size=80)
    left, right = side, np.where(labels == 0, side, -side)
    values = (
        128 + 80 * np.repeat(np.stack([left, right], axis=1)[:, None], 2, axis=1) + rng.normal(size=(80, 2, 2))
    )
    train = Images(values.round().astype(np.uint8)[..., None], labels, ("A", "B"))
    plugin = PcaFlow(
        steps=250, batch_size=64, components=2, width=32, depth=1, ema=0.98, learning_rate=5e-3, sampling_steps=8
    )
    drawn = plugin.fit(train, make("a"))(np.arange(400) % 2, np.random.default_rng(1)).astype(float) - 128  # type: ignore[union-attr]
    one, other = drawn[..., 0, 0].mean(axis=1), drawn[..., 1, 0].mean(axis=1)
    assert (np.abs(one) > 40).mean() > 0.9, "a Gaussian of that spread has 62 %"
    assert (np.sign(one * other) == np.where(np.arange(400) % 2, -1, 1)).mean() > 0.95


def test_the_residual_s_noise_is_added_once_trained(images: Images, make: Make) -> None:
    rough = replace(
        images, pixels=images.pixels + np.random.default_rng(3).integers(0, 30, images.pixels.shape, np.uint8)
    )
    spreads = []
    for residual in (False, True):
        plugin = changed(components=3, residual=residual, sampling_steps=10)
        drawn = plugin.fit(rough, make(str(residual)))(np.zeros(300, dtype=np.int64), np.random.default_rng(0))
        spreads.append(np.linalg.svd(drawn.reshape(300, 16).astype(float), compute_uv=False)[-1])  # type: ignore[union-attr]
    assert spreads[1] > 5 * spreads[0]


def test_a_killed_training_ends_with_the_same_weights(images: Images, make: Make) -> None:
    whole, broken = make("whole"), make("broken")
    SMALL.fit(images, whole)
    for after in (2, 5, 2):  # before the first checkpoint, after it, and after the second
        with pytest.raises(Killed):
            SMALL.fit(images, replace(broken, progress=KillingProgress(after, "steps")))
    assert (broken.resume / "flow.safetensors").exists()
    torch.manual_seed(9)
    SMALL.fit(images, broken)
    for name in ("flow.safetensors", "losses.csv"):
        assert (broken.workdir / name).read_bytes() == (whole.workdir / name).read_bytes()
    rows = (whole.workdir / "losses.csv").read_text().splitlines()
    assert [row.partition(",")[0] for row in rows] == ["step", "2", "4", "6"]


def test_the_average_of_the_weights_is_kept_not_the_last_ones(images: Images, make: Make) -> None:
    last, averaged = make("last"), make("averaged")
    changed(ema=0.0, dropout=0.0).fit(images, last)
    changed(ema=0.9, dropout=0.0).fit(images, averaged)
    one, other = (load_file(ctx.workdir / "flow.safetensors")["enter.weight"] for ctx in (last, averaged))
    assert not torch.equal(one, other)
    assert torch.equal(one, load_file(averaged.resume / "flow.safetensors")["network.enter.weight"])


def test_what_it_cannot_learn_from(images: Images, make: Make) -> None:
    with pytest.raises(DataError, match="no training images"):
        SMALL.fit(images.subset(np.arange(0)), make("a"))
    with pytest.raises(DataError, match="class 'B' has 1 training image"):
        SMALL.fit(images.subset(np.arange(61)), make("b"))
    sampler = SMALL.fit(images.subset(np.arange(60)), make("c"))
    with pytest.raises(DataError, match="no training images of class 'B'"):
        sampler(np.array([0, 1]), np.random.default_rng(0))


def test_a_loss_that_is_no_number_stops_it(images: Images, make: Make) -> None:
    ctx = make("a")
    with pytest.raises(SynthbenchError, match=r"flow diverged at step \d+ .*lower learning_rate"):
        changed(learning_rate=1e30, checkpoint_every=9).fit(images, ctx)
    assert not list(ctx.resume.iterdir())


def test_the_plugin_module_does_not_import_torch() -> None:
    code = "import synthbench_flow.plugin, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
