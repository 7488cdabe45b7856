"""Precision, recall, density, coverage against the package `prdc`, torch-fidelity, and distances one by one."""

import contextlib
import io

import numpy as np
import pytest
import torch
from prdc import compute_prdc
from scipy.spatial.distance import cdist
from torch_fidelity.metric_prc import prc_features_to_metric

from synthbench_fidelity import clouds
from synthbench_fidelity.functional import density_coverage, prdc, precision_recall


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def package(real, synthetic, k):
    with contextlib.redirect_stdout(io.StringIO()):
        return {name: float(value) for name, value in compute_prdc(real, synthetic, k).items()}


def one_by_one(real, synthetic, k):
    """From differences of coordinates alone: what the package computes, but for its rounding."""
    real_radii, synthetic_radii = (np.sort(cdist(s, s), axis=1)[:, k] for s in (real, synthetic))
    distance = cdist(real, synthetic)
    in_real, in_synthetic = distance < real_radii[:, None], distance < synthetic_radii
    return {
        "precision": in_real.any(0).mean(),
        "recall": in_synthetic.any(1).mean(),
        "density": in_real.sum(0).mean() / k,
        "coverage": in_real.any(1).mean(),
    }


def relu(rng, n, d):
    return np.maximum(rng.normal(size=(n, d // 4)) @ rng.normal(size=(d // 4, d)), 0)


def sets(rng):
    """Pairs of sets, by what is odd about them."""
    base = rng.normal(size=(300, 24))
    yield "normal", base, rng.normal(size=(250, 24)) * 0.9
    yield "after a ReLU", relu(rng, 300, 64), relu(rng, 250, 64)
    yield "a copy", base, base.copy()
    yield "a shuffled copy", base, rng.permutation(base)
    yield "drawn with replacement", base, base[rng.integers(300, size=400)]
    yield "both with duplicates", base[rng.integers(300, size=280)], base[rng.integers(300, size=260)]
    yield "ties everywhere", rng.integers(0, 3, (300, 4)).astype(float), rng.integers(0, 3, (280, 4)).astype(float)
    yield "corners", rng.integers(0, 2, (300, 14)).astype(float), rng.integers(0, 2, (280, 14)).astype(float)
    yield "few modes", base, np.repeat(base[:4], 50, axis=0)
    yield "one point", base, np.repeat(base[:1], 200, axis=0)
    yield "large numbers", base * 1e150, base[:200] * 1.01e150
    yield "small numbers", base * 1e-20, base[:200] * 1.01e-20
    yield "one coordinate", base[:, :1], rng.normal(size=(50, 1))
    yield "an outlier", np.vstack([base, np.full((1, 24), 1e6)]), rng.normal(size=(250, 24))


NAMES = [name for name, _, _ in sets(np.random.default_rng(0))]


@pytest.mark.parametrize("k", [1, 3, 5])
@pytest.mark.parametrize("name", NAMES)
def test_equals_the_package(rng, name, k):
    real, synthetic = next((real, synthetic) for found, real, synthetic in sets(rng) if found == name)
    expected = package(real, synthetic, k)
    assert prdc(real=real, synthetic=synthetic, k=k) == pytest.approx(expected, abs=1e-12)
    assert one_by_one(real, synthetic, k) == pytest.approx(expected, abs=1e-12), "the reference itself"


@pytest.mark.parametrize("offset", [1e3, 1e6])
def test_exact_far_from_the_origin(rng, offset):
    """Where the package's own double precision no longer tells neighbours apart."""
    real, synthetic = rng.normal(size=(200, 16)) + offset, rng.normal(size=(150, 16)) + offset
    assert prdc(real=real, synthetic=synthetic, k=5) == pytest.approx(one_by_one(real, synthetic, 5), abs=1e-12)


def test_equals_the_package_across_tiles(rng, monkeypatch):
    """Tiles that do not divide the sets, smaller than k on the last edge."""
    monkeypatch.setattr(clouds, "SIDE", 37)
    monkeypatch.setattr(clouds, "CHUNK", 100)
    base = rng.normal(size=(113, 12))  # 3 x 37 + 2
    synthetic = np.vstack([base[rng.integers(113, size=90)], rng.normal(size=(60, 12))])
    for k in (1, 5, 40):
        expected = package(base, synthetic, k)
        assert prdc(real=base, synthetic=synthetic, k=k) == pytest.approx(expected, abs=1e-12)


def test_equals_torch_fidelity(rng):
    """Whose first set is the generated one; without ties, `<` and `<=` are the same."""
    real, synthetic = rng.normal(size=(200, 16)), rng.normal(size=(150, 16)) * 0.8
    theirs = prc_features_to_metric(
        torch.from_numpy(synthetic), torch.from_numpy(real), prc_neighborhood=3, prc_batch_size=64, verbose=False
    )
    ours = precision_recall(real=real, synthetic=synthetic)
    assert ours == pytest.approx({name: float(theirs[name]) for name in ("precision", "recall")})


def test_readme_vector_of_the_package_smaller(rng):
    """At N = M = 10,000 and d = 1000 the README of `prdc` has .4772, .4705, 1.0555, .9735; see the timings."""
    real, synthetic = rng.normal(size=(2000, 64)), rng.normal(size=(2000, 64))
    found = prdc(real=real, synthetic=synthetic, k=5)
    assert found["density"] == pytest.approx(1, abs=0.05)
    assert found["coverage"] == pytest.approx(0.96877, abs=0.012), "expected under P = Q (Naeem et al., 2020)"


def test_defaults_are_the_papers(rng):
    real, synthetic = rng.normal(size=(60, 6)), rng.normal(size=(50, 6))
    three, five = (prdc(real=real, synthetic=synthetic, k=k) for k in (3, 5))
    assert precision_recall(real=real, synthetic=synthetic) == {n: three[n] for n in ("precision", "recall")}
    assert density_coverage(real=real, synthetic=synthetic) == {n: five[n] for n in ("density", "coverage")}


def test_mode_collapse_fixes_the_orientation(rng):
    """Two real modes, one of them generated: all of it precise, half of the real images recalled and covered."""
    near, far = rng.normal(size=(200, 8)), rng.normal(size=(200, 8)) + 100
    found = prdc(real=np.vstack([near, far]), synthetic=rng.normal(size=(400, 8)), k=5)
    assert found["precision"] > 0.9
    assert 0.4 < found["recall"] <= 0.5
    assert 0.4 < found["coverage"] <= 0.5
    swapped = prdc(real=rng.normal(size=(400, 8)), synthetic=np.vstack([near, far]), k=5)
    assert 0.4 < swapped["precision"] <= 0.5
    assert swapped["recall"] > 0.9


def test_swapping_the_sets_swaps_precision_and_recall(rng):
    real, synthetic = rng.normal(size=(120, 6)), rng.normal(size=(100, 6)) + 0.5
    one, other = (precision_recall(real=a, synthetic=b) for a, b in ((real, synthetic), (synthetic, real)))
    assert (one["precision"], one["recall"]) == (other["recall"], other["precision"])


def test_rotation_shift_and_scale_do_not_matter(rng):
    real, synthetic = rng.normal(size=(150, 10)), rng.normal(size=(120, 10)) + 0.3
    turn, _ = np.linalg.qr(rng.normal(size=(10, 10)))
    expected = prdc(real=real, synthetic=synthetic, k=3)
    for change in (lambda x: x @ turn, lambda x: x + 7, lambda x: 1e5 * x):
        assert prdc(real=change(real), synthetic=change(synthetic), k=3) == expected


def test_single_precision_is_only_a_storage(rng):
    real, synthetic = rng.normal(size=(150, 10)).astype(np.float32), rng.normal(size=(120, 10)).astype(np.float32)
    double = prdc(real=real.astype(np.float64), synthetic=synthetic.astype(np.float64), k=3)
    assert prdc(real=real, synthetic=synthetic, k=3) == double
    assert prdc(real=real, synthetic=synthetic.astype(np.float64), k=3) == double


def test_arguments_stay_as_they_are(rng):
    real, synthetic = rng.normal(size=(30, 4)), rng.normal(size=(20, 4))
    kept = real.copy(), synthetic.copy()
    prdc(real=real, synthetic=synthetic, k=3)
    assert np.array_equal(real, kept[0])
    assert np.array_equal(synthetic, kept[1])
    assert prdc(real=np.asfortranarray(real), synthetic=synthetic[::-1], k=3) == prdc(
        real=real, synthetic=synthetic, k=3
    )


def test_k_must_fit(rng):
    real = rng.normal(size=(5, 3))
    with pytest.raises(ValueError, match="k must be 1 or more"):
        prdc(real=real, synthetic=real, k=0)
    with pytest.raises(ValueError, match="synthetic needs at least 6 rows"):
        prdc(real=rng.normal(size=(9, 3)), synthetic=real, k=5)
