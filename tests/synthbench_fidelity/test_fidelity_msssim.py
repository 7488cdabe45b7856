"""MS-SSIM against the package pytorch-msssim, its ends, and what it says of a class."""

import numpy as np
import pytest
import torch
from pytorch_msssim import ms_ssim as independent

from synthbench.testing import tiny_splits
from synthbench_fidelity import msssim
from synthbench_fidelity.evaluators.ms_ssim import MsSsim
from synthbench_fidelity.functional import ms_ssim, ms_ssim_of_pairs, scales_for


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def pictures(rng, n, side, channels=1, alike=0.0):
    """Smooth random images; with `alike` a share of one common picture."""
    coarse = rng.uniform(0, 255, size=(n + 1, 8, 8, channels))
    mixed = alike * coarse[:1] + (1 - alike) * coarse[1:]
    grown = mixed.repeat(side // 8, axis=1).repeat(side // 8, axis=2)
    return (grown + rng.normal(scale=5, size=grown.shape)).clip(0, 255).astype(np.uint8)


def by_package(first, second, scales):
    weights = msssim.WEIGHTS[:scales]
    pair = (torch.from_numpy(x.astype(np.float64)).permute(0, 3, 1, 2) for x in (first, second))
    share = [w / sum(weights) for w in weights]
    return independent(*pair, data_range=255, size_average=False, weights=share).numpy()


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("scales", [1, 3, 5])
def test_equals_the_package(rng, monkeypatch, channels, scales):
    """It takes images of 161 pixels or more only; fewer scales are asked of it by their weights."""
    first = pictures(rng, 4, 192, channels, alike=0.7)
    second = first[::-1]
    monkeypatch.setattr(msssim, "scales_for", lambda height, width: scales)
    found = ms_ssim_of_pairs(first=first, second=second)
    assert found == pytest.approx(by_package(first, second, scales), abs=1e-5), "its window is single precision"
    assert ((found > 0.01) & (found < 0.99)).all(), "a comparison of zeros or ones would say nothing"


@pytest.mark.parametrize(
    ("side", "scales"),
    [(11, 1), (21, 1), (22, 2), (64, 3), (87, 3), (88, 4), (128, 4), (175, 4), (176, 5), (1024, 5)],
)
def test_scales_that_fit(rng, side, scales):
    assert scales_for(side, side) == scales_for(2 * side, side) == scales
    if side < 200:
        image = rng.integers(0, 256, size=(1, side, side, 1), dtype=np.uint8)
        assert ms_ssim_of_pairs(first=image, second=image) == pytest.approx(1)


def test_the_window_must_fit(rng):
    with pytest.raises(ValueError, match="does not fit into 10 x 64"):
        scales_for(10, 64)


def test_symmetric_and_one_for_the_same_image(rng):
    images = pictures(rng, 6, 64, 3)
    assert ms_ssim_of_pairs(first=images, second=images) == pytest.approx(np.ones(6), abs=1e-12)
    one, other = (ms_ssim_of_pairs(first=a, second=b) for a, b in ((images, images[::-1]), (images[::-1], images)))
    assert one == pytest.approx(other, abs=1e-12)


def test_opposite_images_are_zero_not_nan(rng):
    images = pictures(rng, 2, 64)
    assert ms_ssim_of_pairs(first=images, second=255 - images).tolist() == [0, 0]


def test_noise_lowers_it(rng):
    images = pictures(rng, 8, 64)
    scores = []
    for scale in (0, 10, 30, 90):
        noisy = (images + rng.normal(scale=scale, size=images.shape)).clip(0, 255).astype(np.uint8)
        scores.append(ms_ssim_of_pairs(first=images, second=noisy).mean())
    assert scores == sorted(scores, reverse=True)


def test_a_class_of_like_images_scores_higher(rng):
    different, alike = pictures(rng, 40, 64), pictures(rng, 40, 64, alike=0.8)
    assert ms_ssim(images=alike, rng=rng, pairs=100) > ms_ssim(images=different, rng=rng, pairs=100) + 0.2
    assert ms_ssim(images=np.repeat(alike[:1], 5, axis=0), rng=rng) == pytest.approx(1)


def test_two_images_make_one_pair(rng):
    images = pictures(rng, 2, 64)
    expected = ms_ssim_of_pairs(first=images[:1], second=images[1:])[0]
    assert ms_ssim(images=images, rng=rng, pairs=20) == pytest.approx(expected)


def test_pairs_follow_the_seed_and_batches_do_not_matter(rng, monkeypatch):
    images = pictures(rng, 20, 64)
    first, again, other = (ms_ssim(images=images, rng=np.random.default_rng(s), pairs=30) for s in (1, 1, 2))
    assert first == again != other
    monkeypatch.setattr(msssim, "BATCH", 1)
    assert ms_ssim(images=images, rng=np.random.default_rng(1), pairs=30) == pytest.approx(first)


def test_mistakes(rng):
    images = pictures(rng, 2, 64)
    with pytest.raises(ValueError, match="at least 2 images"):
        ms_ssim(images=images[:1], rng=rng)
    with pytest.raises(ValueError, match="1 pair"):
        ms_ssim(images=images, rng=rng, pairs=0)
    with pytest.raises(ValueError, match="float64"):
        ms_ssim(images=images / 255, rng=rng)
    with pytest.raises(ValueError, match="one shape"):
        ms_ssim_of_pairs(first=images, second=images[:1])


def test_images_smaller_than_the_window_leave_a_note(ctx):
    splits = tiny_splits(size=8)
    (score,) = MsSsim().evaluate(splits, splits.train, ctx).scores
    assert np.isnan(score.value)
    assert "does not fit" in score.note
