"""What files alone give away, on made-up originals: the shapes of some depend on the class, of others not."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from synthbench.errors import DataError
from synthbench.testing import check_evaluator
from synthbench.types import Geometry, Splits
from synthbench_cxr.plugin import ImageFolder
from synthbench_tstr.plugin import FileGeometry


def write_originals(root: Path, *, telling: bool) -> Path:
    """Noise as JPEG: 60 train and 30 test files of each class, around 120 x 90; sick ones wider if `telling`."""
    rng = np.random.default_rng(0)
    for part, number in {"train": 60, "test": 30}.items():
        for name in ("NORMAL", "PNEUMONIA"):
            folder = root / part / name
            folder.mkdir(parents=True)
            for i in range(number):
                wider = 40 if telling and name == "PNEUMONIA" else 0
                height, width = rng.integers(80, 100), wider + rng.integers(105, 135)
                picture = rng.integers(0, 256, (height, width), dtype=np.uint8)
                Image.fromarray(picture).save(folder / f"{i}.jpeg")
    return root


def found_in(ctx, striped, root: Path) -> dict[str, float]:
    evaluation = FileGeometry().evaluate(ImageFolder(root=root).load(ctx), striped(20), ctx)
    assert {(s.test_set, s.n, s.classifier_seed, s.seen) for s in evaluation.scores} == {("test", 60, None, "")}
    return {score.metric: score.value for score in evaluation.scores}


def test_shapes_that_depend_on_the_class_give_it_away(ctx, striped, tmp_path):
    assert found_in(ctx, striped, write_originals(tmp_path / "set", telling=True))["auroc"] > 0.95


def test_shapes_that_do_not_are_chance(ctx, striped, tmp_path):
    found = found_in(ctx, striped, write_originals(tmp_path / "set", telling=False))
    assert found["auroc"] == pytest.approx(0.5, abs=0.16)  # two standard errors at 30 + 30 are .15
    assert found["balanced_accuracy"] == pytest.approx(0.5, abs=0.16)


def geometry(labels, gap: int) -> Geometry:
    """Random files whose byte counts differ by `gap` between the classes."""
    rng = np.random.default_rng(len(labels))
    side = np.full(len(labels), 224, dtype=np.int64)
    return Geometry(side, side, np.ones_like(side), rng.integers(5000, 9000, len(labels)) + gap * labels)


@pytest.fixture
def files(real, striped) -> Splits:
    splits = replace(real, train=striped(200, 1, prefix="train-"))
    parts = {"train": splits.train, **splits.tests}
    return replace(splits, geometry={name: geometry(images.labels, 5000) for name, images in parts.items()})


def test_bytes_alone_can_tell(ctx, files, striped):
    evaluation = FileGeometry().evaluate(files, striped(20), ctx)
    values = {(s.test_set, s.metric): s.value for s in evaluation.scores}
    assert values["test", "auroc"] == values["elsewhere", "recall"] == 1


def test_synthetic_images_and_seeds_have_no_part_in_it(ctx, files, striped):
    first = FileGeometry().evaluate(files, striped(20), ctx)
    second = FileGeometry().evaluate(files, striped(30, 5), replace(ctx, seed=7))
    assert first.scores == second.scores


def test_the_rarer_class_counts_as_much(ctx, files, striped):
    """One NORMAL in ten: without weights nearly all would be called PNEUMONIA."""
    train = files.train.subset(np.r_[1:200:2, 0:20:2])
    blurred = {"train": geometry(train.labels, 1500), "test": geometry(files.tests["test"].labels, 1500)}
    few = Splits(train, {"test": files.tests["test"]}, geometry=blurred)
    predictions = FileGeometry().evaluate(few, striped(20), ctx).predictions[0].probabilities
    assert 0.2 < (predictions.argmax(1) == 0).mean() < 0.8


@pytest.mark.parametrize("known", [(), ("test",), ("train", "test")])
def test_where_files_are_unknown_there_is_no_number(ctx, files, known, striped):
    some = replace(files, geometry={name: files.geometry[name] for name in known})
    evaluation = FileGeometry().evaluate(some, striped(20), ctx)
    by_set = {name: [s for s in evaluation.scores if s.test_set == name] for name in ("test", "elsewhere")}
    assert all(len(scores) == 9 for scores in by_set.values())
    for name, scores in by_set.items():
        defined = "train" in known and name in known
        assert {math.isnan(s.value) for s in scores} == {not defined}
        assert {s.note for s in scores} == {"" if defined else "the data set tells no file geometry"}
    assert len(evaluation.predictions) == ("train" in known)


def test_a_class_without_training_files_is_an_error(ctx, files, striped):
    normals = files.train.labels == 0
    one = replace(
        files,
        train=files.train.subset(normals),
        geometry={**files.geometry, "train": geometry(files.train.labels[normals], 0)},
    )
    with pytest.raises(DataError, match="none of PNEUMONIA"):
        FileGeometry().evaluate(one, striped(20), ctx)


@pytest.mark.full
def test_keeps_the_contract(files):
    assert not [str(f) for f in check_evaluator(FileGeometry()) if f.warning]
    tests = {"test": files.tests["test"]}
    known = replace(files, tests=tests, geometry={name: files.geometry[name] for name in ("train", "test")})
    findings = check_evaluator(FileGeometry(), known)
    assert "9 scores found again" in next(f.found for f in findings if f.check == "resample")
