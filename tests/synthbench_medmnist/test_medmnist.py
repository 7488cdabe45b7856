"""`medmnist`: files of its format as the test makes them, splits, sizes, channels, downloads and faults."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from synthbench import Context, DataError
from synthbench.testing import check_dataset
from synthbench_medmnist.classes import CLASSES
from synthbench_medmnist.plugin import MedMNIST

COUNTS = {"train": 44, "val": 11, "test": 22}


def arrays(subset: str = "pneumoniamnist", size: int = 28, channels: int = 1) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    shape = (size, size) if channels == 1 else (size, size, channels)
    content = {}
    for part, n in COUNTS.items():
        content[f"{part}_images"] = rng.integers(0, 256, (n, *shape), dtype=np.uint8)
        content[f"{part}_labels"] = (np.arange(n) % len(CLASSES[subset])).astype(np.uint8)[:, None]
    return content


def write(folder: Path, name: str = "pneumoniamnist.npz", **content: np.ndarray) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(folder / name, **(content or arrays()))
    return folder / name


@pytest.fixture(autouse=True)
def no_data_of_the_user(monkeypatch):
    monkeypatch.delenv("SYNTHBENCH_DATA", raising=False)
    monkeypatch.delenv("SYNTHBENCH_OFFLINE", raising=False)


@pytest.mark.parametrize("by", ["folder", "file", "variable"])
def test_the_official_parts(tmp_path: Path, ctx: Context, monkeypatch, by: str):
    file = write(tmp_path / "medmnist")
    monkeypatch.setenv("SYNTHBENCH_DATA", str(tmp_path if by == "variable" else tmp_path / "no"))
    root = {"folder": file.parent, "file": file, "variable": None}[by]
    for _ in range(2):  # unpacked, and from the store
        splits = MedMNIST(subset="pneumoniamnist", root=root).load(ctx)
        content = arrays()
        for part, n in COUNTS.items():
            images = splits.parts[part]
            assert images.shape == (28, 28, 1)
            assert np.array_equal(images.pixels[..., 0], content[f"{part}_images"])
            assert np.array_equal(images.labels, content[f"{part}_labels"][:, 0])
            assert images.ids[n - 1] == f"{part}/{n - 1:06d}"
            assert isinstance(images.pixels, np.memmap)
    assert (splits.positive, splits.train.classes) == ("pneumonia", ("normal", "pneumonia"))
    assert not [path for path in ctx.store.root.rglob("*") if path.name.endswith("_images.npy")]


def test_it_passes_the_conformance_suite(tmp_path: Path):
    findings = check_dataset(MedMNIST(subset="pneumoniamnist", root=write(tmp_path / "d")), tmp_path)
    assert [finding for finding in findings if not finding.ok] == []


def test_sizes_have_files_of_their_own(tmp_path: Path, ctx: Context):
    write(tmp_path, "octmnist_64.npz", **arrays("octmnist", 64))
    splits = MedMNIST(subset="octmnist", root=tmp_path, image_size=64).load(ctx)
    assert splits.train.shape == (64, 64, 1)
    assert splits.train.classes[3] == "normal"
    assert splits.positive is None
    with pytest.raises(DataError, match=r"there is no file .*octmnist\.npz; correct root"):
        MedMNIST(subset="octmnist", root=tmp_path).load(ctx)


def test_rgb_as_it_is_or_its_luma_and_grey_three_times(tmp_path: Path, ctx: Context):
    colour = arrays("bloodmnist", channels=3)
    write(tmp_path, "bloodmnist.npz", **colour)
    rgb = MedMNIST(subset="bloodmnist", root=tmp_path, channels=3).load(ctx).train.pixels
    assert np.array_equal(rgb, colour["train_images"])
    luma = MedMNIST(subset="bloodmnist", root=tmp_path).load(ctx).train.pixels
    expected = [np.asarray(Image.fromarray(pixels).convert("L")) for pixels in colour["train_images"]]
    assert np.array_equal(luma[..., 0], expected)
    grey = MedMNIST(subset="pneumoniamnist", root=write(tmp_path), channels=3).load(ctx).train.pixels
    assert np.array_equal(grey[..., 2], arrays()["train_images"])


def test_breastmnists_positive_class_is_the_malignant_one(tmp_path: Path, ctx: Context):
    write(tmp_path, "breastmnist.npz", **arrays("breastmnist"))
    assert MedMNIST(subset="breastmnist", root=tmp_path).load(ctx).positive == "malignant"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"val_images": None}, "no val_images in it; is it a file of MedMNIST"),
        (
            {"train_images": np.zeros((44, 64, 64), np.uint8)},
            r"train_images are uint8 \(44, 64, 64\), must be uint8 \(N, 28",
        ),
        ({"train_images": np.zeros((44, 28, 28))}, "train_images are float64"),
        (
            {"test_labels": np.zeros((22, 14), np.uint8)},
            r"test_labels are uint8 \(22, 14\), must be one number an image",
        ),
        (
            {"train_labels": np.full((44, 1), 2, np.uint8)},
            "train_labels go from 2 to 2, must be 0 to 1: 2 classes",
        ),
        ({"train_labels": np.full((44, 1), -1, np.int8)}, "train_labels go from -1 to -1, must be 0 to 1"),
        ({"train_labels": np.zeros((44, 1), np.uint8)}, "train_labels have none of pneumonia"),
        ({"val_images": np.zeros((0, 28, 28), np.uint8)}, r"val_images are uint8 \(0, 28, 28\): no images"),
        ({"val_images": np.uint8(3)}, r"val_images are uint8 \(\): no images"),
        ({"train_labels": np.array([["a"]] * 44, object)}, "is damaged or no .npz file"),
    ],
)
def test_files_of_another_format_are_refused(tmp_path: Path, ctx: Context, change, said: str):
    content = {name: value for name, value in {**arrays(), **change}.items() if value is not None}
    with pytest.raises(DataError, match=said):
        MedMNIST(subset="pneumoniamnist", root=write(tmp_path, **content)).load(ctx)


@pytest.mark.parametrize("name", ["breastmnist.npz", "pneumoniamnist_64.npz"])
def test_another_sets_file_is_not_read_under_these_names(tmp_path: Path, ctx: Context, name: str):
    with pytest.raises(DataError, match=r"but subset pneumoniamnist and image_size 28 are in pneumoniamnist\.npz"):
        MedMNIST(subset="pneumoniamnist", root=write(tmp_path, name)).load(ctx)
    copy = write(tmp_path, "mine.npz")
    assert len(MedMNIST(subset="pneumoniamnist", root=copy).load(ctx).train) == COUNTS["train"]


def test_a_damaged_file_is_said(tmp_path: Path, ctx: Context):
    file = write(tmp_path)
    file.write_bytes(file.read_bytes()[:5000])
    with pytest.raises(DataError, match=r"pneumoniamnist\.npz: is damaged or no \.npz file"):
        MedMNIST(subset="pneumoniamnist", root=file).load(ctx)


def test_several_labels_an_image_and_other_sizes_are_no_choice():
    for options in ({"subset": "chestmnist"}, {"subset": "octmnist", "image_size": 32}, {}):
        with pytest.raises(ValidationError):
            MedMNIST(**options)


# ---- without root


def package(folder: Path, error: Exception | None = None) -> SimpleNamespace:
    """A stand-in for the package, whose download writes the file."""

    def fetch(split: str, download: bool, size: int) -> None:
        if error:
            raise error
        write(folder)

    about = {"pneumoniamnist": {"python_class": "PneumoniaMNIST"}}
    return SimpleNamespace(INFO=about, PneumoniaMNIST=fetch, info=SimpleNamespace(DEFAULT_ROOT=str(folder)))


def test_without_root_the_package_downloads_once(tmp_path: Path, ctx: Context, monkeypatch):
    monkeypatch.setitem(sys.modules, "medmnist", package(tmp_path / "home"))
    assert len(MedMNIST(subset="pneumoniamnist").load(ctx).train) == 44
    monkeypatch.setitem(sys.modules, "medmnist", package(tmp_path / "home", OSError("again")))
    assert len(MedMNIST(subset="pneumoniamnist").load(ctx).train) == 44


@pytest.mark.parametrize(
    ("here", "offline", "said"),
    [
        (False, "", r"no pneumoniamnist\.npz: give the folder .* install the extra `medmnist`"),
        (True, "1", r"offline, and no .*pneumoniamnist\.npz"),
        (True, "", r"could not be downloaded \(OSError: no route\); give the folder"),
    ],
)
def test_what_to_do_without_a_file(tmp_path: Path, ctx: Context, monkeypatch, here: bool, offline: str, said: str):
    monkeypatch.setitem(sys.modules, "medmnist", package(tmp_path, OSError("no route")) if here else None)
    monkeypatch.setattr("synthbench_medmnist.plugin.offline", lambda: bool(offline))
    with pytest.raises(DataError, match=said):
        MedMNIST(subset="pneumoniamnist").load(ctx)
