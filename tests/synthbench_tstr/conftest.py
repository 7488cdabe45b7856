"""Images that a small CNN tells apart after a few epochs: each class has stripes of its own."""

import numpy as np
import pytest

from synthbench.types import Images, Splits

NAMES = {2: ("NORMAL", "PNEUMONIA"), 3: ("NORMAL", "BACTERIA", "VIRUS")}


def make_striped(n: int, seed: int = 0, n_classes: int = 2, prefix: str = "") -> Images:
    """n images of 16x16, classes in turn; ids count from `prefix`0."""
    rng = np.random.default_rng(seed)
    pixels = rng.integers(60, 140, (n, 16, 16, 1), dtype=np.uint8)
    labels = np.arange(n, dtype=np.int64) % n_classes
    pixels[labels == 0, ::4] += 100
    pixels[labels == 1, :, ::4] += 100
    pixels[labels == 2, ::2] += 100
    return Images(pixels, labels, NAMES[n_classes], np.array([f"{prefix}{i}" for i in range(n)], dtype=np.str_))


@pytest.fixture(scope="session")
def striped():
    """A function: striped(n, seed=0, n_classes=2, prefix="")."""
    return make_striped


@pytest.fixture(autouse=True)
def plots(bare_plots):
    """Not rendered unless a test asks for `rendered`: that takes longer than training."""


@pytest.fixture
def real() -> Splits:
    """40 training images and two test sets."""
    return Splits(
        train=make_striped(40, 1, prefix="train-"),
        tests={"test": make_striped(30, 2, prefix="test-"), "elsewhere": make_striped(20, 3, prefix="else-")},
    )
