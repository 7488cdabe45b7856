import logging
import pickle

import numpy as np
import pytest
from pydantic import ValidationError

from synthbench.api.interfaces import balanced_labels
from synthbench.errors import DataError
from synthbench.types import Images
from synthbench_baselines import pca
from synthbench_baselines.pca import BLOCK, ClassGaussian, fit_class
from synthbench_baselines.plugin import PcaGaussian


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.fixture
def gaussian_train() -> Images:
    """Two classes of 400 images 4x4x3 from three directions each, well inside 0..255: nothing gets clipped."""
    generator = rng(1)
    parts = []
    for middle in (90, 160):
        directions = np.linalg.qr(generator.normal(size=(48, 3)))[0].T * np.array([[40], [20], [8]])
        parts.append(middle + generator.normal(size=(400, 3)) @ directions)
    values = np.rint(np.concatenate(parts))
    assert values.min() >= 0
    assert values.max() <= 255
    pixels = values.astype(np.uint8).reshape(800, 4, 4, 3)
    return Images(pixels, np.repeat(np.arange(2), 400), ("A", "B"))


def flat(pixels):
    return pixels.reshape(len(pixels), -1).astype(np.float64)


def test_samples_have_each_class_s_mean_and_covariance(gaussian_train, ctx):
    sampler = PcaGaussian(components=3).fit(gaussian_train, ctx)
    labels = balanced_labels(8000, 2)
    drawn = sampler(labels, rng())
    assert drawn.shape == (8000, 4, 4, 3)
    assert drawn.dtype == np.uint8
    for label in (0, 1):
        real, made = flat(gaussian_train.pixels[gaussian_train.labels == label]), flat(drawn[labels == label])
        np.testing.assert_allclose(made.mean(axis=0), real.mean(axis=0), atol=1.5)
        scale = np.abs(np.cov(real.T)).max()
        np.testing.assert_allclose(np.cov(made.T), np.cov(real.T), atol=0.06 * scale)


def test_all_components_give_back_the_whole_covariance(train):
    """With min(N, D) - 1 of them, axes' axes is the sample covariance exactly, but for one direction."""
    dark = flat(train.pixels[train.labels == 0]).astype(np.uint8)
    gaussian = fit_class(dark, 19, seed=0)
    np.testing.assert_allclose(gaussian.mean, dark.mean(axis=0), rtol=1e-5)
    covariance = gaussian.axes.T.astype(np.float64) @ gaussian.axes
    np.testing.assert_allclose(covariance, np.cov(dark.T.astype(np.float64)), rtol=1e-3, atol=0.05)


def test_the_randomised_variances_agree_with_the_exact_ones():
    """A slowly falling spectrum, as of images: the last of the kept variances is the hard one."""
    generator = rng(2)
    values = generator.normal(size=(600, 600)) * (200 / np.arange(1, 601) ** 0.8)
    pixels = np.clip(np.rint(128 + values), 0, 255).astype(np.uint8)
    axes = fit_class(pixels, 60, seed=0).axes.astype(np.float64)
    exact = np.linalg.eigvalsh(np.cov(pixels.T.astype(np.float64)))[::-1][:60]
    np.testing.assert_allclose((axes**2).sum(axis=1), exact, rtol=0.01)


def test_components_are_capped_by_the_number_of_images_and_the_log_says_so(train, ctx, caplog):
    with caplog.at_level(logging.INFO, logger=ctx.log.name):
        sampler = PcaGaussian(components=25).fit(train, ctx)
    assert len(sampler.gaussians[0].axes) == 19  # of 20 images
    assert len(sampler.gaussians[1].axes) == 25  # of 60
    assert [record.getMessage() for record in caplog.records] == [
        "class DARK: 20 images of 30 values allow 19 components, not 25"
    ]
    with caplog.at_level(logging.INFO, logger=ctx.log.name):
        capped = PcaGaussian().fit(train, ctx)
    assert len(capped.gaussians[1].axes) == 29  # of 30 pixels
    assert "60 images of 30 values allow 29" in caplog.records[-1].getMessage()


def test_two_images_are_enough_and_one_is_not(train, ctx):
    places = np.flatnonzero(train.labels == 0)
    two = train.subset(places[:2])
    drawn = flat(PcaGaussian().fit(two, ctx)(np.zeros(50, dtype=np.int64), rng()))
    direction = flat(two.pixels)[1] - flat(two.pixels)[0]
    away = drawn - flat(two.pixels).mean(axis=0)
    along = np.outer(away @ direction, direction) / (direction @ direction)
    unclipped = ((drawn > 0) & (drawn < 255)).all(axis=1)
    assert unclipped.any()
    assert np.abs(away - along)[unclipped].max() < 2
    with pytest.raises(DataError, match=r"'DARK' has 1 training image"):
        PcaGaussian().fit(train.subset(places[:1]), ctx)


def test_a_class_without_training_images_is_refused_when_asked_for(train, ctx):
    sampler = PcaGaussian(components=5).fit(train.subset(train.labels == 1), ctx)
    assert sampler(np.ones(3, dtype=np.int64), rng()).mean() > 128
    with pytest.raises(DataError, match="'DARK'"):
        sampler(balanced_labels(4, 2), rng())


def test_the_images_follow_the_order_of_the_labels(train, ctx):
    labels = rng().permutation(balanced_labels(100, 2))
    brightness = flat(PcaGaussian(components=5).fit(train, ctx)(labels, rng())).mean(axis=1)
    np.testing.assert_array_equal(brightness > 125, labels == 1)


def test_values_are_rounded_and_clipped_not_wrapped():
    gaussian = ClassGaussian(np.array([254.6, 0.4, 99.5001], dtype=np.float32), np.zeros((1, 3), dtype=np.float32))
    assert gaussian.draw(1, rng()).tolist() == [[255, 0, 100]]
    wide = ClassGaussian(np.array([128.0], dtype=np.float32), np.array([[1000.0]], dtype=np.float32))
    drawn = wide.draw(1000, rng())
    assert (np.isin(drawn, (0, 255))).mean() > 0.85
    z = rng().standard_normal((1000, 1), dtype=np.float32)
    assert (drawn[z > 0.2] == 255).all()
    assert (drawn[z < -0.2] == 0).all()


def test_more_images_than_one_block(train, ctx):
    sampler = PcaGaussian(components=2).fit(train, ctx)
    drawn = flat(sampler(np.ones(BLOCK + 10, dtype=np.int64), rng()))
    assert len(np.unique(drawn, axis=0)) > BLOCK
    assert drawn.mean(axis=1).min() > 128


def test_a_seed_gives_the_same_images_and_another_seed_others(train, make_context):
    labels = balanced_labels(20, 2)
    plugin = PcaGaussian(components=4)
    first = plugin.fit(train, make_context(1))
    copy = pickle.loads(pickle.dumps(plugin.fit(train, make_context(1))))
    np.testing.assert_array_equal(first(labels, rng(7)), copy(labels, rng(7)))
    assert not np.array_equal(first(labels, rng(7)), first(labels, rng(8)))


def test_training_images_are_left_as_they_were(train, ctx):
    before = train.pixels.copy()
    train.pixels.flags.writeable = False
    PcaGaussian(components=4).fit(train, ctx)
    np.testing.assert_array_equal(train.pixels, before)


@pytest.mark.parametrize("wrong", [{"components": 0}, {"components": 1.5}, {"component": 3}])
def test_wrong_settings_are_refused(wrong):
    with pytest.raises(ValidationError):
        PcaGaussian(**wrong)


def test_large_images_are_drawn_a_few_at_once(monkeypatch):
    """The floats in memory are bounded, and the images are those of one block."""
    axes = rng().normal(0, 9, (3, 64)).astype(np.float32)
    sampler = pca.PcaSampler({0: ClassGaussian(np.full(64, 128, np.float32), axes)}, ("a",), (8, 8, 1))
    labels, sizes = np.zeros(10, dtype=np.int64), []
    whole = sampler(labels, rng(1))
    draw = ClassGaussian.draw
    monkeypatch.setattr(ClassGaussian, "draw", lambda self, n, rng: sizes.append(n) or draw(self, n, rng))
    monkeypatch.setattr(pca, "BLOCK_VALUES", 4 * 64)
    assert np.abs(sampler(labels, rng(1)).astype(int) - whole).max() <= 1
    assert sizes == [4, 4, 2]
