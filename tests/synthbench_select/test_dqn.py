"""The policy `dqn`: the stream of offers, the head that rewards, and that the network learns what they say."""

import random

import numpy as np
import pytest
import torch

from synthbench import PluginError
from synthbench.testing import check_generator, tiny_splits
from synthbench_select.plugin import Select
from synthbench_select.stream import FAR, Offers, Stream

needs_extra = "the extra `select` is not installed"
pytest.importorskip("stable_baselines3", reason=needs_extra)
dqn = pytest.importorskip("synthbench_select.dqn", reason=needs_extra)


def offers(labels, features=None, answers=0.5):
    labels = np.array(labels)
    features = np.zeros((len(labels), 2)) if features is None else np.asarray(features, dtype=float)
    facts = np.stack([np.broadcast_to(fact, len(labels)) for fact in (answers, 0.2, 0.7)], axis=1)
    return Offers(labels, features, facts, 2.0, 2)


@pytest.mark.parametrize("choose", [lambda i: True, lambda i: False, lambda i: i % 3 == 0])
def test_a_stream_keeps_what_is_asked_of_each_class(choose):
    labels = np.random.default_rng(0).permutation(np.repeat([0, 1], [12, 20]))
    stream, choices = Stream(offers(labels), np.array([5, 7]), np.arange(32)), 0
    while not stream.done:
        stream.decide(keep=choose(choices))
        choices += 1
    assert len(set(stream.kept)) == 12
    assert np.bincount(labels[stream.kept]).tolist() == [5, 7]
    assert choices < 32  # at the end nothing was left to choose


def test_what_is_needed_is_kept_unasked_and_what_is_not_asked_for_dropped():
    stream = Stream(offers([0, 1, 1, 0]), np.array([2, 0]), np.arange(4))
    assert stream.done
    assert stream.kept == [0, 3]


def test_an_observation_says_what_the_image_is_and_how_far_one_has_come():
    drawn = offers([0, 1, 1, 0, 0, 1], features=[[0, 0], [3, 4], [0, 1], [9, 9], [9, 9], [9, 9]], answers=0.9)
    stream = Stream(drawn, np.array([1, 2]), np.arange(6))
    assert stream.observation() == pytest.approx([0.9, 0.2, 0.7, FAR, 1, 0, 0, 0, 1, 1])
    stream.decide(keep=False)
    stream.decide(keep=True)
    # The third: 18 ** .5 from the second, of width 2.
    assert stream.observation() == pytest.approx([0.9, 0.2, 0.7, 18**0.5 / 2, 0, 1, 0, 0.5, 2 / 3, 2 / 3])


def test_the_head_is_ridge_regression():
    from sklearn.linear_model import Ridge

    rng = np.random.default_rng(0)
    real, learnt = rng.normal(size=(30, 3)), rng.normal(size=(9, 3))
    truth, labels = rng.integers(2, size=30), rng.integers(2, size=9)
    head = dqn.RidgeHead(real, truth, 2)
    for feature, label in zip(learnt, labels, strict=True):
        head.learn(feature, label)

    def with_one(features):
        return np.c_[features, np.ones(len(features))]

    ridge = Ridge(dqn.RIDGE, fit_intercept=False).fit(with_one(learnt), np.eye(2)[labels])
    errors = np.square(ridge.predict(with_one(real)) - np.eye(2)[truth]).sum(axis=1)
    assert head.loss == pytest.approx(np.mean([errors[truth == k].mean() for k in (0, 1)]))
    head.reset()
    assert head.loss == pytest.approx(1.0)


def half_wrong(n, rng):
    """Images of two classes a step apart, every second one under the wrong label, as the probe's answer says."""
    labels = np.arange(n) % 2
    wrong = rng.random(n) < 0.5
    features = rng.normal(size=(n, 4)) + np.where(wrong, 1 - labels, labels)[:, None] * 4 - 2
    return offers(labels, features, np.where(wrong, 0.1, 0.9)), wrong


def selection(drawn, rng):
    truth = np.arange(100) % 2
    head = dqn.RidgeHead(rng.normal(size=(100, 4)) + truth[:, None] * 4 - 2, truth, 2)
    return dqn.Selection(drawn, np.array([20, 20]), head, rng)


def test_rewards_add_up_to_what_is_gained_over_the_control():
    rng = np.random.default_rng(0)
    environment = selection(half_wrong(160, rng)[0], rng)
    environment.reset(seed=0)
    before, total, ended = len(environment.stream.kept), 0.0, False
    assert before == 0
    while not ended:
        _, reward, ended, _, _ = environment.step(rng.integers(2))
        total += reward
    (_, loss), *_ = environment.history
    assert total == pytest.approx(100 * (environment.control[-1] - np.log(loss)))


@pytest.fixture(scope="module")
def learned():
    """A network that has learned from `half_wrong`, and whether the process's random generators are as before."""

    class Silent:
        def advance(self, n=1, note=""):
            pass

    def states():
        numpys = np.random.get_state()[1].tolist()  # noqa: NPY002 - the old generator is what might have moved
        return random.getstate(), numpys, torch.get_rng_state().tolist()

    rng = np.random.default_rng(0)
    environment, before = selection(half_wrong(160, rng)[0], rng), states()
    network = dqn.train_network(environment, 800, 3, Silent())
    return network, states() == before


def test_it_learns_to_drop_what_does_not_help(learned):
    network, _ = learned
    drawn, wrong = half_wrong(160, np.random.default_rng(7))
    kept = dqn.keep_by(network, Stream(drawn, np.array([20, 20]), np.arange(160)))
    assert len(kept) == 40
    assert wrong[kept].mean() < 0.2  # at random .5


def test_it_leaves_the_processs_random_generators_alone(learned):
    assert learned[1]


def test_without_the_extra_it_says_so_before_any_work(monkeypatch):
    monkeypatch.setattr("synthbench_torchkit.available.find_spec", lambda package: None)
    assert Select(base="smote", policy="random").files() == ()
    with pytest.raises(PluginError, match=r"dqn.*stable_baselines3.*uv sync --extra select"):
        Select(base="smote", policy="dqn").files()


def test_one_seed_gives_one_network_and_a_curve(ctx, monkeypatch):
    monkeypatch.setattr(dqn, "KEPT", 20)
    train = tiny_splits(size=16).train
    options = Select(base="pca-gaussian", policy="dqn", steps=400)
    first = options.fit(train, ctx)
    curve = (ctx.workdir / "dqn.csv").read_text().splitlines()
    assert curve[0] == "decisions,loss,loss_at_random"
    assert len(curve) > 1
    begun = ctx.resume / "dqn.safetensors"
    weights = begun.read_bytes()
    begun.unlink()
    again = options.fit(train, ctx)
    assert begun.read_bytes() == weights
    labels = np.arange(30) % 2
    drawn = [sampler(labels, np.random.default_rng(0)) for sampler in (first, again)]
    assert np.array_equal(*drawn)


@pytest.mark.full
def test_it_keeps_the_contract():
    check_generator(Select(base="pca-gaussian", policy="dqn", steps=200), tiny_splits(size=16))
