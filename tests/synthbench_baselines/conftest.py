"""A small imbalanced training set with patients, and contexts."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from synthbench.api.interfaces import Context
from synthbench.testing import context_in
from synthbench.types import Images

MakeContext = Callable[[int], Context]


@pytest.fixture
def make_context(tmp_path: Path) -> MakeContext:
    def make(seed: int) -> Context:
        return context_in(tmp_path, seed)

    return make


@pytest.fixture
def ctx(make_context: MakeContext) -> Context:
    return make_context(3)


@pytest.fixture
def train() -> Images:
    """20 dark and 60 bright images of 6x5x1, all different, two of each patient, in mixed order."""
    rng = np.random.default_rng(0)
    labels = rng.permutation(np.repeat(np.arange(2), (20, 60)))
    pixels = rng.integers(0, 100, size=(80, 6, 5, 1)) + 150 * labels[:, None, None, None]
    ids = np.array([f"image-{i}" for i in range(80)])
    groups = np.array([f"patient-{i // 2}" for i in range(80)])
    return Images(pixels.astype(np.uint8), labels, ("DARK", "BRIGHT"), ids, groups)
