"""SMOTE: neighbours of the same class and another patient, and images on the lines between."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from synthbench.errors import DataError
from synthbench.types import Images
from synthbench_baselines import smote
from synthbench_baselines.plugin import Smote


def flat(pixels):
    return pixels.reshape(len(pixels), -1).astype(np.float64)


def test_neighbours_are_the_nearest_of_other_patients(monkeypatch):
    """Against scikit-learn's own search, run without the patient's images; in several blocks."""
    monkeypatch.setattr(smote, "BLOCK", 7)
    points = np.random.default_rng(0).normal(size=(30, 3)).astype(np.float32)
    groups = np.array([f"patient-{i // 3}" for i in range(30)])
    ours = smote.neighbours_of(points, groups, 4)
    for place in range(30):
        others = np.flatnonzero(groups != groups[place])
        expected = (
            NearestNeighbors(n_neighbors=4).fit(points[others]).kneighbors(points[[place]], return_distance=False)
        )
        np.testing.assert_array_equal(ours[place], others[expected[0]])


def test_where_there_are_fewer_neighbours_than_asked_for_the_rest_is_empty():
    ours = smote.neighbours_of(np.array([[0.0], [1.0], [3.0]], np.float32), np.array(["a", "a", "b"]), 5)
    assert ours.tolist() == [[2, -1, -1], [2, -1, -1], [1, 0, -1]]


def test_images_lie_between_two_of_their_class_and_of_two_patients(train, ctx, monkeypatch):
    monkeypatch.setattr(smote, "BLOCK", 16)
    labels = np.random.default_rng(2).permutation(np.repeat(np.arange(2), 25))
    sampler = Smote(neighbours=3).fit(train, ctx)
    drawn, real = flat(sampler(labels, np.random.default_rng(1))), flat(train.pixels)
    for image, label in zip(drawn, labels, strict=True):
        gaps = []
        for a in np.flatnonzero(train.labels == label):
            for b in sampler.neighbours[a]:
                direction = real[b] - real[a]
                share = np.clip((image - real[a]) @ direction / (direction @ direction), 0, 1)
                gaps.append(np.abs(image - real[a] - share * direction).max())
        assert min(gaps) < 0.75, "off every line, by more than rounding"
    known = np.flatnonzero(train.groups[sampler.neighbours] == train.groups[:, None])
    assert known.size == 0
    assert (train.labels[sampler.neighbours] == train.labels[:, None]).all()


def test_a_class_of_one_patient_is_refused(train, ctx):
    one = replace(train, groups=np.where(train.labels == 0, "same", train.groups))
    with pytest.raises(DataError, match="class 'DARK' has images of one patient only; smote needs two"):
        Smote().fit(one, ctx)


def test_an_image_with_few_neighbours_is_blended_with_those(ctx):
    """Two patients a class: one neighbour each, though five are asked for."""
    pixels = np.array([0, 100, 200, 240], np.uint8).reshape(4, 1, 1, 1).repeat(4, axis=1)
    train = Images(pixels, np.array([0, 0, 1, 1]), ("DARK", "BRIGHT"))
    drawn = Smote().fit(train, ctx)(np.repeat(np.arange(2), 40), np.random.default_rng(0))
    assert drawn[:40].max() <= 100
    assert drawn[40:].min() >= 200
    assert len(np.unique(drawn)) > 20
