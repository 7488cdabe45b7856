"""The sampler around a made-up base, the plugin in the conformance suite."""

import pickle
from dataclasses import dataclass, replace

import numpy as np
import pytest

from synthbench import Images, SynthbenchError
from synthbench.testing import check_generator, tiny_splits
from synthbench_select.plugin import Select
from synthbench_select.pool import Pool
from synthbench_select.selector import Margin, Selector, keep_at_random


@dataclass
class Numbered:
    """Images of one value: ten times the label, plus how many of this class were drawn before."""

    known: bool = False
    most: int = 1000
    calls: int = 0

    def __call__(self, labels, rng):
        self.calls += 1
        before = [int((labels[:i] == label).sum()) for i, label in enumerate(labels)]
        pixels = (10 * labels + before).astype(np.uint8).reshape(-1, 1, 1, 1)
        if not self.known:
            return pixels
        ids = np.array([f"real-{i}" for i in range(len(labels))])
        return Images(pixels, labels, ("A", "B"), ids).subset(np.array(before) < self.most)


def last_first(images, counts, rng):
    """A policy that is easy to foretell."""
    return np.concatenate([np.flatnonzero(images.labels == k)[::-1][:count] for k, count in enumerate(counts)])


class SureOfTheFirst:
    """A probe whose probability of class 0 falls from image to image."""

    def __call__(self, images):
        p = np.linspace(0.9, 0.2, len(images))
        return np.stack([p, 1 - p], axis=1), np.zeros((len(images), 1))


def selector(base, policy=last_first, oversample=3, store=None):
    return Selector(Pool(base, oversample, ("A", "B"), {"key": 1}, store), policy)


LABELS = np.array([0, 1, 1, 0, 1])


def test_labels_come_back_in_their_order_of_the_share_that_the_policy_keeps():
    drawn = selector(Numbered())(LABELS, np.random.default_rng(0))
    assert drawn.dtype == np.uint8
    assert drawn.ravel().tolist() == [4, 16, 17, 5, 18]  # of 6 and 9 the last 2 and 3


def test_images_that_the_base_knows_keep_their_ids():
    drawn = selector(Numbered(known=True))(LABELS, np.random.default_rng(0))
    assert drawn.labels.tolist() == LABELS.tolist()
    assert drawn.pixels.ravel().tolist() == [4, 16, 17, 5, 18]
    assert drawn.ids[0] == "real-10"


def test_a_base_that_has_fewer_gives_fewer():
    drawn = selector(Numbered(known=True, most=2))(LABELS, np.random.default_rng(0))
    assert drawn.counts() == {"A": 2, "B": 2}


def test_margin_asks_the_probe_about_the_label():
    policy = Margin(SureOfTheFirst())
    labels = np.array([0, 1, 0, 0, 1, 0, 1, 1])  # p(0): .9 .8 .7 .6 .5 .4 .3 .2
    images = Images(np.zeros((8, 1, 1, 1), np.uint8), labels, ("A", "B"))
    assert policy(images, np.array([3, 0]), None).tolist() == [3, 2, 0]
    assert policy(images, np.array([1, 2]), None).tolist() == [3, 6, 7]


def test_a_pool_is_drawn_once_and_a_pickled_sampler_draws_the_same(ctx):
    base = Numbered()
    one = selector(base, keep_at_random, store=ctx.store)
    other = selector(base, last_first, store=ctx.store)
    drawn = one(LABELS, np.random.default_rng(5))
    other(LABELS, np.random.default_rng(5))
    assert base.calls == 1
    other(LABELS[:4], np.random.default_rng(5))
    other(LABELS, np.random.default_rng(6))
    assert base.calls == 3
    copy = pickle.loads(pickle.dumps(one))
    assert copy.pool.store is None
    assert np.array_equal(copy(LABELS, np.random.default_rng(5)), drawn)


def test_the_control_keeps_any():
    labels = np.arange(18) % 2
    images = Images(np.zeros((18, 1, 1, 1), np.uint8), labels, ("A", "B"))
    kept = [keep_at_random(images, np.array([4, 2]), np.random.default_rng(seed)) for seed in (0, 1)]
    assert kept[0].tolist() != kept[1].tolist()
    assert all(len(set(some)) == 6 and np.bincount(labels[some]).tolist() == [4, 2] for some in kept)


def test_policies_of_one_base_choose_from_one_pool_by_one_probe(ctx):
    """As two rows of a run: under one seed, on one store."""
    train = tiny_splits(size=16).train
    contexts = [replace(ctx, workdir=ctx.workdir / policy) for policy in ("margin", "coverage")]
    for own in contexts:
        own.workdir.mkdir()
    samplers = [Select(base="pca-gaussian", policy=own.workdir.name).fit(train, own) for own in contexts]
    margin, coverage = (sampler(LABELS, np.random.default_rng(0)) for sampler in samplers)
    kinds = [kind.name for kind in ctx.store.root.iterdir() for _ in kind.glob("*/meta.json")]
    assert sorted(kinds) == ["classifier", "pool"]
    assert not np.array_equal(margin, coverage)
    assert all((own.workdir / "probe.csv").is_file() for own in contexts)


@pytest.mark.parametrize("policy", ["margin", "coverage", "dqn"])
def test_images_too_few_for_the_probe_cost_no_training_of_the_base(ctx, monkeypatch, policy):
    monkeypatch.setattr("synthbench_select.selector.fit_nested", lambda *_: pytest.fail("the base was trained"))
    train = tiny_splits(size=16).train
    one = train.subset(np.flatnonzero(train.labels == 0)[:1])
    with pytest.raises(SynthbenchError, match="images"):
        Select(base="pca-gaussian", policy=policy).fit(one, ctx)


def test_the_control_keeps_the_contract():
    check_generator(Select(base="pca-gaussian", policy="random"), tiny_splits(size=16, channels=3))


@pytest.mark.full
@pytest.mark.parametrize("policy", ["margin", "coverage"])
def test_policies_keep_the_contract(policy):
    check_generator(Select(base="pca-gaussian", policy=policy), tiny_splits(size=16))


def test_it_is_where_its_base_comes_from():
    assert Select(base={"use": "images", "root": "/nowhere"}).origin().trained_on == "unknown"
    assert Select(base="smote").origin().trained_on == "train"
