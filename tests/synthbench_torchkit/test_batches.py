"""Batches in which every class is as frequent as another."""

from __future__ import annotations

import numpy as np
import pytest

from synthbench_torchkit.batches import balanced_draw


def test_classes_are_drawn_evenly() -> None:
    members = {0: np.array([7]), 2: np.array([1, 3, 5])}
    drawn = balanced_draw(members, 3000, np.random.default_rng(0))
    counts = np.bincount(drawn, minlength=8)
    assert set(np.flatnonzero(counts)) == {1, 3, 5, 7}
    assert counts[7] == pytest.approx(1500, abs=150)
    assert counts[[1, 3, 5]].tolist() == pytest.approx([500] * 3, abs=100)
