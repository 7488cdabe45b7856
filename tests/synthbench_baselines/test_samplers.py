import pickle

import numpy as np
import pytest

from synthbench.api.interfaces import balanced_labels
from synthbench.errors import DataError
from synthbench.types import Images
from synthbench_baselines.plugin import BalancedResample, NoiseImages, Resample, ShuffledLabels
from synthbench_baselines.samplers import draw_by_label


def rng(seed=0):
    return np.random.default_rng(seed)


def rows_in(train: Images, drawn: Images) -> np.ndarray:
    """Place in `train` of each drawn image, by id."""
    place = {name: i for i, name in enumerate(train.ids)}
    return np.array([place[name] for name in drawn.ids])


def test_noise_is_uniform_and_ignores_the_labels(train, ctx):
    sampler = NoiseImages().fit(train, ctx)
    pixels = sampler(np.zeros(2000, dtype=np.int64), rng())
    assert pixels.shape == (2000, 6, 5, 1)
    assert pixels.dtype == np.uint8
    counts = np.bincount(pixels.ravel(), minlength=256)
    expected = pixels.size / 256
    chi2 = ((counts - expected) ** 2 / expected).sum()
    assert 160 < chi2 < 370  # 255 degrees of freedom: mean 255, sd 22.6
    np.testing.assert_array_equal(pixels, sampler(np.ones(2000, dtype=np.int64), rng()))


@pytest.mark.parametrize("plugin", [Resample(), BalancedResample()])
def test_resampled_images_are_training_images_with_their_ids_groups_and_labels(plugin, train, ctx):
    labels = rng().permutation(np.repeat(np.arange(2), (30, 70)))
    drawn = plugin.fit(train, ctx)(labels, rng(1))
    rows = rows_in(train, drawn)
    np.testing.assert_array_equal(drawn.labels, labels)
    np.testing.assert_array_equal(drawn.labels, train.labels[rows])
    np.testing.assert_array_equal(drawn.pixels, train.pixels[rows])
    np.testing.assert_array_equal(drawn.groups, train.groups[rows])


def test_up_to_the_training_set_there_are_no_copies_and_beyond_it_whole_rounds(train, ctx):
    sampler = Resample().fit(train, ctx)
    everything = sampler(np.sort(train.labels), rng())
    assert sorted(everything.ids) == sorted(train.ids)
    part = sampler(np.repeat(np.arange(2), (10, 30)), rng())
    assert len(set(part.ids)) == 40
    more = sampler(np.repeat(np.arange(2), (50, 60)), rng())
    _, times = np.unique(more.ids[more.labels == 0], return_counts=True)
    assert sorted(times) == [2] * 10 + [3] * 10


def test_priors_and_roles():
    assert (Resample.prior, Resample.role) == ("train", "ceiling")
    assert (BalancedResample.prior, BalancedResample.role) == ("balanced", "ceiling")
    assert (ShuffledLabels.prior, ShuffledLabels.role) == ("balanced", "floor")
    assert (NoiseImages.prior, NoiseImages.role) == ("balanced", "floor")


def test_shuffled_labels_keep_the_class_frequencies_and_every_image(train, ctx):
    sampler = ShuffledLabels().fit(train, ctx)
    np.testing.assert_array_equal(np.bincount(sampler.labels), np.bincount(train.labels))
    assert not np.array_equal(sampler.labels, train.labels)
    drawn = sampler(np.repeat(np.arange(2), (20, 60)), rng())
    assert sorted(drawn.ids) == sorted(train.ids)


def test_shuffled_images_keep_pixels_ids_and_groups_under_the_asked_labels(train, ctx):
    labels = balanced_labels(90, 2)
    drawn = ShuffledLabels().fit(train, ctx)(labels, rng())
    rows = rows_in(train, drawn)
    np.testing.assert_array_equal(drawn.labels, labels)
    np.testing.assert_array_equal(drawn.pixels, train.pixels[rows])
    np.testing.assert_array_equal(drawn.groups, train.groups[rows])


def test_all_copies_of_a_shuffled_image_have_one_label(train, ctx):
    drawn = ShuffledLabels().fit(train, ctx)(balanced_labels(300, 2), rng())
    by_id: dict[str, set[int]] = {}
    for name, label in zip(drawn.ids, drawn.labels, strict=True):
        by_id.setdefault(name, set()).add(int(label))
    assert all(len(labels) == 1 for labels in by_id.values())


def test_shuffled_labels_say_nothing_about_the_true_class(train, make_context):
    """Over many seeds the true class has the same share, 3 in 4, under either asked label."""
    shares = []
    for seed in range(200):
        drawn = ShuffledLabels().fit(train, make_context(seed))(balanced_labels(40, 2), rng(seed))
        truth = train.labels[rows_in(train, drawn)]
        shares.append([truth[drawn.labels == label].mean() for label in (0, 1)])
    mean = np.mean(shares, axis=0)
    # each share is of 20 images: sd at most .1 a seed, .007 over 200 seeds
    np.testing.assert_allclose(mean, 0.75, atol=0.03)


def test_another_seed_permutes_otherwise_and_the_same_seed_does_not(train, make_context):
    def permuted(seed):
        return ShuffledLabels().fit(train, make_context(seed)).labels

    np.testing.assert_array_equal(permuted(1), permuted(1))
    assert not np.array_equal(permuted(1), permuted(2))


def test_a_class_without_training_images_is_refused_by_name(train, ctx):
    only_bright = train.subset(train.labels == 1)
    for plugin in (Resample(), BalancedResample(), ShuffledLabels()):
        sampler = plugin.fit(only_bright, ctx)
        assert len(sampler(np.ones(3, dtype=np.int64), rng())) == 3
        with pytest.raises(DataError, match="'DARK'"):
            sampler(balanced_labels(4, 2), rng())


def test_draws_depend_on_the_generator_passed_in_alone(train, ctx):
    sampler = pickle.loads(pickle.dumps(Resample().fit(train, ctx)))
    labels = balanced_labels(30, 2)
    np.testing.assert_array_equal(sampler(labels, rng(5)).ids, sampler(labels, rng(5)).ids)
    assert not np.array_equal(sampler(labels, rng(5)).ids, sampler(labels, rng(6)).ids)


def test_each_image_of_a_class_is_as_likely_as_the_others():
    pool = np.array([0, 1, 1, 0, 1, 1])
    generator = rng()
    drawn = np.concatenate([draw_by_label(pool, np.array([1]), ("a", "b"), generator) for _ in range(4000)])
    places, counts = np.unique(drawn, return_counts=True)
    assert places.tolist() == [1, 2, 4, 5]
    np.testing.assert_allclose(counts / 4000, 0.25, atol=0.03)


def test_no_labels_give_no_images(train, ctx):
    none = np.array([], dtype=np.int64)
    assert len(Resample().fit(train, ctx)(none, rng())) == 0
    assert NoiseImages().fit(train, ctx)(none, rng()).shape == (0, 6, 5, 1)
