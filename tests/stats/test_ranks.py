"""Holm's correction and ranks, by hand."""

import math

import numpy as np
import pytest

from synthbench.stats import holm, rank_groups


def test_holm_by_hand():
    """Sorted .005 .01 .03 .04 times 4 3 2 1, never falling."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_holm_stops_at_one():
    assert holm([0.6, 0.5, 0.9]) == [1, 1, 1]


def test_holm_of_one_and_of_none():
    assert holm([0.03]) == pytest.approx([0.03])
    assert holm([]) == []


def test_holm_keeps_ties_and_order():
    p = [0.02, 0.001, 0.02, 0.02]
    assert holm(p) == pytest.approx([0.06, 0.004, 0.06, 0.06])


def test_a_missing_p_is_no_test():
    adjusted = holm([math.nan, 0.01, 0.04, math.nan])
    assert adjusted[1:3] == pytest.approx([0.02, 0.04])
    assert np.isnan([adjusted[0], adjusted[3]]).all()
    assert all(math.isnan(p) for p in holm([math.nan]))


def ranks(labels, *better):
    return rank_groups(labels, better)


def test_all_tied():
    assert ranks("abc") == {"a": (1, 3), "b": (1, 3), "c": (1, 3)}


def test_strict_order():
    assert ranks("abc", ("a", "b"), ("a", "c"), ("b", "c")) == {"a": (1, 1), "b": (2, 2), "c": (3, 3)}


def test_two_groups():
    above = [(a, b) for a in "ab" for b in "cd"]
    assert ranks("abcd", *above) == {"a": (1, 2), "b": (1, 2), "c": (3, 4), "d": (3, 4)}


def test_a_tie_is_not_transitive():
    """a = b and b = c, but a is better than c."""
    assert ranks("abc", ("a", "c")) == {"a": (1, 2), "b": (1, 3), "c": (2, 3)}


def test_a_circle():
    assert ranks("abc", ("a", "b"), ("b", "c"), ("c", "a")) == {"a": (2, 2), "b": (2, 2), "c": (2, 2)}


def test_the_order_of_labels_does_not_matter():
    assert ranks("cba", ("a", "c")) == ranks("abc", ("a", "c"))


def test_one_and_none():
    assert rank_groups(["a"], []) == {"a": (1, 1)}
    assert rank_groups([], []) == {}
