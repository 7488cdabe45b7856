"""Real images with a hold-out, synthetic ones of known quality, and a fast extractor."""

from dataclasses import replace

import numpy as np
import pytest

from synthbench.api.extractors import build_extractor
from synthbench.types import Images, Splits
from tests.helpers.places import HELPERS

CLASSES = ("PLAIN", "BLOB")
SIZE = 16


@pytest.fixture(scope="session")
def pooled():
    """4 x 4 mean grey levels: d = 16."""
    return build_extractor(f"{HELPERS / 'pooled.py'}:Pooled")


def pictures(n, seed, each=1):
    """Smooth random pictures, half of them brighter; `each` of a patient, the same but for some noise."""
    rng = np.random.default_rng([9, seed])
    patients = -(-n // each)
    labels = np.repeat(np.arange(patients, dtype=np.int64) % 2, each)[:n]
    base = np.repeat(np.repeat(rng.normal(0, 25, (patients, 4, 4)), 4, axis=1), 4, axis=2)
    values = np.repeat(base, each, axis=0)[:n, ..., None] + rng.normal(60, 8, (n, SIZE, SIZE, 1))
    values += 30 * labels[:, None, None, None]
    groups = np.array([f"{seed}-patient-{i // each}" for i in range(n)])
    ids = np.array([f"{seed}-{i}" for i in range(n)])
    return Images(np.clip(values, 0, 255).astype(np.uint8), labels, CLASSES, ids, groups)


@pytest.fixture(scope="session")
def real():
    """240 training images of 120 patients, a hold-out of 160 images of 80."""
    train, test = pictures(240, 0, each=2), pictures(40, 1)
    return Splits(train, {"test": test}, holdout=pictures(320, 2, each=2))


@pytest.fixture(scope="session")
def alike():
    """120 new images of the same kind."""
    return pictures(120, 3)


@pytest.fixture(scope="session")
def copier(real):
    """120 training images again."""
    return real.train.subset(np.random.default_rng(0).permutation(240)[:120])


@pytest.fixture(scope="session")
def without_holdout(real):
    return replace(real, holdout=None)
