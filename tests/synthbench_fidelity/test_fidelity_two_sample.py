"""The classifier two-sample test: chance where there is nothing to tell, the known AUROC where there is."""

import numpy as np
import pytest
from scipy.stats import norm

from synthbench_fidelity.functional import classifier_two_sample


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_two_normal_sets_are_told_apart_as_well_as_can_be(rng):
    """The best direction is the shift; far more images than features find it: AUROC = Phi(shift / sqrt 2)."""
    real, synthetic = rng.normal(size=(4000, 4)), rng.normal(size=(3000, 4))
    synthetic[:, 1] += 1
    found = classifier_two_sample(real=real, synthetic=synthetic, rng=rng)
    assert found.value == pytest.approx(norm.cdf(1 / np.sqrt(2)), abs=0.02)
    assert found.low < norm.cdf(1 / np.sqrt(2)) < found.high


@pytest.mark.parametrize("tests", [50, pytest.param(600, marks=pytest.mark.full)])
@pytest.mark.parametrize("each", [1, 3])
def test_one_distribution_is_chance_at_the_stated_rate(rng, each, tests):
    """Of 95 % intervals; images of a patient are alike, and the probe may not know the patient from its half."""
    covered, values = 0, []
    for _ in range(tests):
        patients = np.arange(120) // each
        own = np.sqrt(0.8) * rng.normal(size=(120, 32))[patients] if each > 1 else 0
        real = own + (np.sqrt(0.2) if each > 1 else 1) * rng.normal(size=(120, 32))
        synthetic = rng.normal(size=(120, 32))
        found = classifier_two_sample(real=real, synthetic=synthetic, real_groups=patients, rng=rng)
        covered += found.low <= 0.5 <= found.high
        values.append(found.value)
    assert np.mean(values) == pytest.approx(0.5, abs=4 * np.std(values) / np.sqrt(tests))
    assert covered / tests >= 0.94 - 3 * np.sqrt(0.05 * 0.95 / tests)


def test_the_same_seed_the_same_halves(rng):
    sides = {"real": rng.normal(size=(60, 5)), "synthetic": rng.normal(size=(50, 5))}
    first, again, other = (classifier_two_sample(**sides, rng=np.random.default_rng(s)) for s in (1, 1, 2))
    assert first == again != other


def test_unit_and_unvarying_features_do_not_matter(rng):
    real, synthetic = rng.normal(size=(80, 5)), rng.normal(size=(70, 5)) + 0.3
    expected = classifier_two_sample(real=real, synthetic=synthetic, rng=np.random.default_rng(1))
    scale = np.array([1, 1000, 0.001, 1, 1])
    real, synthetic = (np.column_stack([scale * s + 7, np.full(len(s), 3)]) for s in (real, synthetic))
    found = classifier_two_sample(real=real, synthetic=synthetic, rng=np.random.default_rng(1))
    assert found == pytest.approx(expected, abs=1e-6)


def test_the_same_image_over_and_over_is_one_draw(rng):
    """Eight images of the real ones' distribution; were they cut through, the probe would know each by heart."""
    real, few = rng.normal(size=(200, 40)), rng.normal(size=(8, 40))
    many = np.repeat(few, 25, axis=0)
    found = classifier_two_sample(real=real, synthetic=many, synthetic_groups=np.arange(200) // 25, rng=rng)
    by_heart = classifier_two_sample(real=real, synthetic=many, rng=rng)
    assert found.low < 0.5 < found.high
    assert by_heart.low > 0.8


def test_too_few_patients(rng):
    images = rng.normal(size=(30, 3))
    with pytest.raises(ValueError, match="need 4; there are 3"):
        classifier_two_sample(real=images, synthetic=images + 1, real_groups=np.arange(30) % 3, rng=rng)
