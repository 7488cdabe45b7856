"""The Vendi score against its published example, its definition and its ends."""

import numpy as np
import pytest
from scipy.stats import entropy

from synthbench_fidelity.evaluators.vendi import Vendi
from synthbench_fidelity.functional import vendi_score, vendi_score_from_kernel


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_published_example():
    """The authors' README: 2.9999 (digits cut off) for 0, 0, 10, 10, 20, 20 with exp(-|a - b|)."""
    samples = np.array([0, 0, 10, 10, 20, 20.0])
    kernel = np.exp(-np.abs(samples[:, None] - samples))
    assert 2.9999 < vendi_score_from_kernel(kernel=kernel) < 3


@pytest.mark.parametrize(("n", "d"), [(30, 50), (50, 30), (40, 40)])
def test_either_form_is_the_definition(rng, n, d):
    features = rng.normal(size=(n, d)) + 0.5
    rows = features / np.linalg.norm(features, axis=1, keepdims=True)
    values = np.linalg.svd(rows, compute_uv=False) ** 2 / n
    expected = np.exp(entropy(values))
    assert vendi_score(features=features) == pytest.approx(expected, rel=1e-9)
    assert vendi_score_from_kernel(kernel=rows @ rows.T) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("n", [1, 7, 200])
def test_ends(rng, n):
    assert vendi_score(features=np.repeat(rng.normal(size=(1, 16)), n, axis=0)) == pytest.approx(1)
    assert vendi_score(features=np.eye(n)) == pytest.approx(n)


def test_length_rotation_and_repetition_do_not_matter(rng):
    features = rng.normal(size=(40, 12))
    expected = vendi_score(features=features)
    turn, _ = np.linalg.qr(rng.normal(size=(12, 12)))
    lengths = rng.uniform(0.1, 9, size=(40, 1))
    for same in (features @ turn, features * lengths, features[::-1], np.vstack([features] * 3), features * 1e200):
        assert vendi_score(features=same) == pytest.approx(expected, rel=1e-9)
    assert vendi_score(features=features.astype(np.float32)) == pytest.approx(expected, rel=1e-6)


def test_collapse_lowers_it(rng):
    features = rng.normal(size=(200, 64))
    scores = [vendi_score(features=features[np.arange(200) % modes]) for modes in (200, 50, 10, 2)]
    assert scores == sorted(scores, reverse=True)
    assert scores[-1] < 2.001


def test_mistakes(rng):
    features = rng.normal(size=(5, 3))
    features[3] = 0
    with pytest.raises(ValueError, match="row 3 of features is all zero"):
        vendi_score(features=features)
    for kernel, message in (
        (np.ones((2, 3)), "square"),
        (np.ones((0, 0)), "square"),
        (np.full((2, 2), np.nan), "finite"),
        (np.array([[1, 0.5], [0.2, 1]]), "symmetric"),
        (2 * np.eye(2), "1 on its diagonal"),
        (np.array([[1.0, 3], [3, 1]]), "positive semi-definite"),
    ):
        with pytest.raises(ValueError, match=message):
            vendi_score_from_kernel(kernel=kernel)


def test_an_image_without_features_leaves_a_note_not_a_failure(ctx):
    evidence = {
        **{
            "classes": np.array(["A", "B"]),
            "real": np.ones((20, 4), np.float32),
            "real_labels": np.arange(20) % 2,
        },
        **{"real_groups": np.arange(20), "synthetic": np.zeros((20, 4), np.float32), "labels": np.arange(20) % 2},
    }
    scores = {(score.metric, score.variant): score for score in Vendi().restate(evidence, ctx)}
    own = next(score for (_, variant), score in scores.items() if variant == "")
    assert np.isnan(own.value)
    assert "all zero" in own.note
