"""Cutting a share off: shares by class, relatives together, clear errors, fast."""

from __future__ import annotations

import time

import numpy as np
import pytest
from scipy.sparse.csgraph import connected_components

from synthbench.data.split import grouped_split as cutting
from synthbench.data.split import related
from synthbench.errors import DataError
from synthbench.types import Images


def images(labels, groups=None, ids=None) -> Images:
    labels = np.asarray(labels, dtype=np.int64)
    classes = tuple(f"class {k}" for k in range(max(2, labels.max() + 1)))
    return Images(np.zeros((len(labels), 2, 2, 1), np.uint8), labels, classes, ids=ids, groups=groups)


def grouped_split(given: Images, share: float = 0.2, seed: int = 0):
    held = cutting(given, share, np.random.default_rng(seed))
    return np.flatnonzero(~held), np.flatnonzero(held)


def test_every_class_gives_its_share_exactly_where_images_are_single():
    given = images([0] * 300 + [1] * 50 + [2] * 10)
    train, held = grouped_split(given)
    assert np.bincount(given.labels[held]).tolist() == [60, 10, 2]
    assert sorted([*train, *held]) == list(range(360))
    assert (np.diff(train) > 0).all()
    assert (np.diff(held) > 0).all()


def test_images_of_one_patient_stay_together():
    rng = np.random.default_rng(0)
    patients = rng.integers(0, 150, 1000)
    given = images(patients % 2, groups=np.array([f"p{p}" for p in patients]))
    train, held = grouped_split(given)
    assert not set(given.groups[train]) & set(given.groups[held])
    share = np.bincount(given.labels[held]) / np.bincount(given.labels)
    assert share == pytest.approx([0.2, 0.2], abs=0.02)


def test_copies_of_one_image_stay_together_also_without_groups():
    source = np.random.default_rng(0).integers(0, 100, 400)
    unrelated = np.array([f"g{i}" for i in range(400)])
    given = images(source % 2, ids=np.array([f"i{s}" for s in source]), groups=unrelated)
    train, held = grouped_split(given)
    assert len(held) == pytest.approx(80, abs=4)
    assert not set(given.ids[train]) & set(given.ids[held])


def test_families_join_through_a_chain():
    given = images([0, 0, 0, 0], ids=np.array(["a", "a", "b", "c"]), groups=np.array(["p", "q", "q", "r"]))
    family = related(given)
    assert family[0] == family[1] == family[2] != family[3]


def test_the_seed_decides():
    given = images([0, 1] * 100)
    assert np.array_equal(grouped_split(given)[1], grouped_split(given)[1])
    assert not np.array_equal(grouped_split(given)[1], grouped_split(given, seed=1)[1])


@pytest.mark.parametrize(
    "given",
    [
        images([0] * 100 + [1]),
        images([0] * 100 + [1] * 20, groups=np.array([f"g{i}" for i in range(100)] + ["one"] * 20)),
    ],
)
def test_a_class_of_one_family_is_refused(given):
    with pytest.raises(DataError, match=r"class 'class 1' has \d+ images of 1 patients or originals: too few"):
        grouped_split(given)


def test_a_class_without_images_is_refused():
    with pytest.raises(DataError, match="class 'class 1' has 0 images"):
        grouped_split(images([0] * 50))


def test_thirty_thousand_single_images_take_seconds():
    started = time.process_time()
    _, held = grouped_split(images(np.arange(30_000) % 2))
    assert len(held) == 6000
    assert time.process_time() - started < 5


@pytest.mark.parametrize("seed", range(20))
def test_relatives_are_the_connected_components(seed):
    """Numbered as SciPy does, in the order of their first image: the families' random order hangs on it."""
    rng = np.random.default_rng(seed)
    n = 40
    groups, ids = (rng.integers(0, most, n).astype(np.str_) for most in (30, 60))
    given = images(np.zeros(n), groups=groups, ids=ids)
    chain = np.stack([np.arange(9), np.arange(1, 10)])[:, rng.permutation(9)]
    copies = np.concatenate([chain, rng.integers(0, n, (2, 5))], axis=1)
    same = (groups[:, None] == groups) | (ids[:, None] == ids)
    same[tuple(copies)] = True
    assert related(given, copies).tolist() == connected_components(same, directed=False)[1].tolist()
