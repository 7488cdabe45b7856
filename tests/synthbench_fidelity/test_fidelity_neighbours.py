"""Nearest neighbours against distances one by one, and the bounds that they rest on."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from synthbench_fidelity import clouds
from synthbench_fidelity.functional import k_nearest, nearest
from synthbench_fidelity.neighbours import nearest_other


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture(params=[1024, 7])
def side(request, monkeypatch):
    """One tile, or many that do not divide the sets."""
    monkeypatch.setattr(clouds, "SIDE", request.param)


@pytest.mark.usefixtures("side")
@pytest.mark.parametrize("scale", [1e-30, 1, 1e30])
@pytest.mark.parametrize("offset", [0, 1e4])
def test_nearest_by_brute_force(rng, scale, offset):
    queries, points = scale * (rng.normal(size=(40, 6)) + offset), scale * (rng.normal(size=(30, 6)) + offset)
    distance, index = nearest(queries=queries, points=points)
    every = cdist(queries, points)
    assert distance == pytest.approx(every.min(1), rel=1e-12, abs=0)
    assert np.array_equal(index, every.argmin(1))


@pytest.mark.usefixtures("side")
@pytest.mark.parametrize("k", [1, 4, 30])
def test_k_nearest_by_brute_force(rng, k):
    queries, points = rng.normal(size=(40, 6)), rng.normal(size=(30, 6))
    distance, index = k_nearest(queries=queries, points=points, k=k)
    every = cdist(queries, points)
    assert np.array_equal(index, every.argsort(1)[:, :k])
    assert distance == pytest.approx(np.sort(every, 1)[:, :k])


@pytest.mark.usefixtures("side")
def test_copies_are_at_distance_zero_and_the_first_is_named(rng):
    points = rng.normal(size=(20, 6)) + 1e5
    points[[9, 15]] = points[4]
    distance, index = nearest(queries=points[[15, 4, 0, 15]], points=points)
    assert distance.tolist() == [0, 0, 0, 0]
    assert index.tolist() == [4, 4, 0, 4]


def test_duplicates_count_once_among_the_k_nearest():
    points = np.array([[0.0], [0.0], [3.0], [3.0], [5.0]])
    distance, index = k_nearest(queries=np.array([[1.0]]), points=points, k=4)
    assert distance.tolist() == [[1, 2, 4]]
    assert index.tolist() == [[0, 2, 4]]


def test_of_equally_near_points_the_first_is_named():
    points = np.array([[3.0], [1.0], [-1.0], [3.0]])
    assert nearest(queries=np.array([[0.0], [2.0]]), points=points)[1].tolist() == [1, 0]


@pytest.mark.usefixtures("side")
def test_nearest_other_is_never_the_point_itself(rng):
    points = rng.normal(size=(25, 6))
    every = cdist(points, points) + np.diag(np.full(25, np.inf))
    assert nearest_other(points=points) == pytest.approx(every.min(1))
    assert nearest_other(points=np.vstack([points, points[3]]))[[3, 25]].tolist() == [0, 0]
    assert nearest_other(points=points[[0, 0, 0]]).tolist() == [0, 0, 0]


def awkward(rng):
    """Hard for single precision: far off, of very different size, nearly equal, in 20,000 dimensions."""
    base = rng.normal(size=(60, 40))
    yield base + 1e7
    yield base * np.geomspace(1e-12, 1, 60)[:, None]
    yield base[:1] + 1e-6 * base
    yield np.abs(rng.normal(size=(20, 20000)))
    yield np.vstack([base, 1e12 * np.ones((1, 40))])


@pytest.mark.parametrize("case", range(5))
def test_the_bounds_hold(rng, case):
    points = list(awkward(rng))[case]
    a, b = clouds.clouds(points[: len(points) // 2], points[len(points) // 2 :])
    (tile,) = clouds.tiles(a, b)
    rows, columns = np.indices(tile.lower.shape).reshape(2, -1)
    exact = clouds.squared_distances(a, b, rows, columns) / a.unit
    lower = tile.lower.ravel().astype(np.float64)
    assert (lower <= exact).all()
    assert (exact <= lower + clouds.widths(a, b, rows, columns)).all()


def test_the_bounds_are_tight_enough_to_be_of_use(rng):
    """Few of the pairs near a limit are settled one by one: less than 2 in 1,000 of all."""
    a, b = clouds.clouds(rng.normal(size=(500, 256)), rng.normal(size=(500, 256)))
    (tile,) = clouds.tiles(a, b)
    rows, columns = np.indices(tile.lower.shape).reshape(2, -1)
    width = clouds.widths(a, b, rows, columns)
    middle = np.median(tile.lower)
    lower = tile.lower.ravel()
    assert ((lower <= middle) & (middle <= lower + width)).mean() < 2e-3


def test_a_cloud_is_its_set_without_duplicates(rng):
    features = rng.normal(size=(6, 3))[[2, 0, 2, 5, 0, 2]]
    (cloud,) = clouds.clouds(features)
    assert np.array_equal(cloud.points, features[[0, 1, 3]])
    assert cloud.first.tolist() == [0, 1, 3]
    assert cloud.counts.tolist() == [3, 2, 1]
    assert np.array_equal(cloud.points[cloud.inverse], features)
