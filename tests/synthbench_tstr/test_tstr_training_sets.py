"""What classifiers are trained on: put together, drawn again."""

from __future__ import annotations

import math

import numpy as np
import pytest

from synthbench.data.split import grouped_split
from synthbench.errors import DataError
from synthbench.types import Evaluation, Score
from synthbench_tstr.training_sets import draw_again, noted, together


def test_together_keeps_every_image_with_its_label_and_ids(striped):
    both = together(striped(6, 1, prefix="real-"), striped(4, 2, prefix="a-longer-name-"))
    assert len(both) == 10
    assert both.ids[[0, 6]].tolist() == ["real-0", "a-longer-name-0"]
    assert np.array_equal(both.pixels[6:], striped(4, 2).pixels)
    assert both.labels.tolist() == [0, 1] * 5


def test_drawn_again_are_copies_in_the_numbers_asked_spread_evenly(striped):
    real = striped(20, prefix="real-")  # 10 of each class
    found = draw_again(real, {"NORMAL": 4, "PNEUMONIA": 25}, np.random.default_rng(0))
    assert found.counts() == {"NORMAL": 14, "PNEUMONIA": 35}
    assert np.array_equal(found.pixels[:20], real.pixels)
    names, times = np.unique(found.ids[found.labels == 1], return_counts=True)
    assert len(names) == 10
    assert set(times) == {3, 4}  # itself and two or three copies
    assert len(set(found.ids[20:][found.labels[20:] == 0])) == 4


def test_copies_stay_on_one_side_of_the_validation_split(striped):
    found = draw_again(striped(40), {"NORMAL": 50, "PNEUMONIA": 50}, np.random.default_rng(0))
    held = grouped_split(found, 0.2, np.random.default_rng(0))
    assert not set(found.ids[~held]) & set(found.ids[held])


def test_nothing_to_copy_is_an_error(striped):
    normals = striped(20).subset(np.arange(0, 20, 2))
    with pytest.raises(DataError, match="no real training images of PNEUMONIA to draw again"):
        draw_again(normals, {"NORMAL": 1, "PNEUMONIA": 1}, np.random.default_rng(0))
    assert len(draw_again(normals, {"NORMAL": 1, "PNEUMONIA": 0}, np.random.default_rng(0))) == 11


def test_a_number_says_that_there_were_fewer_images_than_asked_for():
    evaluation = Evaluation([Score("auroc", 0.5, "test", 9), Score("f1", math.nan, "test", 9, note="too few")])
    notes = [score.note for score in noted(evaluation, 5000, 20).scores]
    said = "trained on the 20 synthetic images that there are, not 5000"
    assert notes == [said, f"too few; {said}"]
    assert noted(evaluation, 20, 20) is noted(evaluation, None, 20) is evaluation
