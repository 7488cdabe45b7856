"""A context with a store of its own, and made-up data sets on disk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from synthbench import Context
from synthbench.testing import context_in

MakeSet = Callable[[str, dict[str, int]], Path]


@pytest.fixture(autouse=True)
def no_data_and_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the user's data or reaches Kaggle."""
    monkeypatch.delenv("SYNTHBENCH_DATA", raising=False)

    def refuse(handle: str) -> str:
        raise ConnectionError("no network in tests")

    monkeypatch.setattr("kagglehub.dataset_download", refuse)


@pytest.fixture
def ctx(tmp_path: Path) -> Context:
    return context_in(tmp_path)


@pytest.fixture
def make_set(tmp_path: Path) -> MakeSet:
    """make_set("name", {"train/NORMAL/IM-{i:04d}-0001.jpeg": 3}): a folder with that many pictures of noise."""

    def make(name: str, files: dict[str, int]) -> Path:
        for pattern, number in files.items():
            for i in range(number):
                path = tmp_path / name / pattern.format(i=i)
                path.parent.mkdir(parents=True, exist_ok=True)
                write_noise(path, seed=f"{pattern}{i}")
        return tmp_path / name

    return make


@pytest.fixture
def kermany(make_set: MakeSet) -> Path:
    """The official layout in small: train 4 + 6, val 1 + 1, test 2 + 3."""
    files = {}
    for part, (normal, pneumonia) in {"train": (4, 6), "val": (1, 1), "test": (2, 3)}.items():
        files[f"{part}/NORMAL/{part}-IM-{{i:04d}}-0001.jpeg"] = normal
        files[f"{part}/PNEUMONIA/person{{i}}_{part}_1.jpeg"] = pneumonia
    return make_set("data/chest_xray", files)


def write_noise(path: Path, seed: str) -> None:
    """A picture of 40 x 30 pixels."""
    pixels = np.random.default_rng(list(seed.encode())).integers(0, 256, (30, 40), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
