"""What goes between plugins is checked when it is made."""

import dataclasses

import numpy as np
import pytest

from synthbench.types import Geometry, Images, Predictions, Score, Splits


def images(n=4, size=8, channels=1, classes=("NORMAL", "PNEUMONIA"), **fields):
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (n, size, size, channels), dtype=np.uint8)
    labels = np.arange(n, dtype=np.int64) % len(classes)
    return Images(**{"pixels": pixels, "labels": labels, "classes": classes, **fields})


def test_ids_and_groups_are_filled_in():
    made = images(3)
    assert made.ids.tolist() == ["000000", "000001", "000002"]
    assert made.groups.tolist() == made.ids.tolist()
    assert len(made) == 3
    assert made.shape == (8, 8, 1)


def test_groups_default_to_the_ids_given():
    assert images(2, ids=["a", "b"]).groups.tolist() == ["a", "b"]


def test_no_images_at_all_are_fine():
    nothing = images(0)
    assert nothing.counts() == {"NORMAL": 0, "PNEUMONIA": 0}
    assert len(nothing.digest) == 64


def test_counts_by_class():
    assert images(5).counts() == {"NORMAL": 3, "PNEUMONIA": 2}
    assert images(2, classes=("a", "b", "c")).counts() == {"a": 1, "b": 1, "c": 0}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"pixels": np.zeros((4, 8, 8, 1), np.float32)},
            r"pixels must be a uint8 array.*found float32 \(4, 8, 8, 1\)",
        ),
        ({"pixels": np.zeros((4, 8, 8), np.uint8)}, r"found uint8 \(4, 8, 8\)"),
        ({"pixels": [[1]] * 4}, "found list"),
        ({"pixels": np.zeros((4, 1, 8, 8), np.uint8)}, "1 or 3 channels, found 8"),
        ({"labels": np.zeros(4, np.int32)}, r"labels must be an int64 array \(4,\), found int32"),
        ({"labels": np.zeros(3, np.int64)}, r"found int64 \(3,\)"),
        ({"labels": [0, 1, 0, 1]}, "found list"),
        ({"labels": np.array([0, 1, 2, 0])}, r"labels must be in 0\.\.1, found 0\.\.2"),
        ({"labels": np.array([0, -1, 1, 0])}, r"found -1\.\.1"),
        ({"classes": ()}, "classes must be distinct"),
        ({"classes": ("A", "A")}, "classes must be distinct"),
        ({"ids": ["a", "b"]}, r"ids must have shape \(4,\), found \(2,\)"),
        ({"groups": [["a"]] * 4}, r"groups must have shape \(4,\), found \(4, 1\)"),
    ],
)
def test_malformed_images_are_refused(fields, message):
    base = images(4)
    whole = {"pixels": base.pixels, "labels": base.labels, "classes": base.classes}
    with pytest.raises(ValueError, match=message):
        Images(**{**whole, **fields})


def test_images_cannot_be_reassigned():
    with pytest.raises(dataclasses.FrozenInstanceError):
        images().labels = np.zeros(4, np.int64)


def test_subset_keeps_what_belongs_together():
    whole = images(4, ids=["a", "b", "c", "d"], groups=["p", "p", "q", "q"])
    part = whole.subset(np.array([3, 0, 0]))
    assert part.ids.tolist() == ["d", "a", "a"]
    assert part.groups.tolist() == ["q", "p", "p"]
    assert part.labels.tolist() == [1, 0, 0]
    np.testing.assert_array_equal(part.pixels, whole.pixels[[3, 0, 0]])
    masked = whole.subset(whole.labels == 1)
    assert masked.ids.tolist() == ["b", "d"]
    assert masked.digest != whole.digest


def test_equal_content_has_an_equal_digest():
    first = images(4)
    strided = Images(np.repeat(first.pixels, 2, axis=2)[:, :, ::2], first.labels, list(first.classes))
    assert not strided.pixels.flags.c_contiguous
    assert strided.digest == first.digest


@pytest.mark.parametrize("field", ["pixels", "labels", "ids", "groups", "classes"])
def test_every_field_counts_in_the_digest(field):
    first = images(4)
    changes = {
        "pixels": first.pixels ^ np.uint8(1),
        "labels": 1 - first.labels,
        "ids": ["a", "b", "c", "d"],
        "groups": ["a", "b", "c", "d"],
        "classes": ("NORMAL", "OPACITY"),
    }
    assert dataclasses.replace(first, **{field: changes[field]}).digest != first.digest


def test_shape_counts_in_the_digest():
    square = np.arange(64, dtype=np.uint8).reshape(1, 8, 8, 1)
    label = np.zeros(1, np.int64)
    assert Images(square, label, ("A",)).digest != Images(square.reshape(1, 4, 16, 1), label, ("A",)).digest


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (images(classes=("A", "B")), r"test set 'x' has classes \('A', 'B'\)"),
        (images(size=16), r"test set 'x' has images \(16, 16, 1\), train has \(8, 8, 1\)"),
        (images(channels=3), "test set 'x' has images"),
    ],
)
def test_splits_agree_in_classes_and_shape(other, message):
    with pytest.raises(ValueError, match=message):
        Splits(images(), {"test": images(), "x": other})


@pytest.mark.parametrize("other", [images(classes=("A", "B")), images(size=16)])
def test_the_official_validation_part_agrees_too(other):
    with pytest.raises(ValueError, match="'val' has "):
        Splits(images(), {"test": images()}, val=other)


@pytest.mark.parametrize(
    ("classes", "positive"),
    [
        (("NORMAL", "PNEUMONIA"), "PNEUMONIA"),
        (("COVID", "NORMAL"), "COVID"),
        (("Pneumonia", "normal"), "Pneumonia"),
        (("Effusion", "No_Finding"), "Effusion"),
        (("Healthy", "sick"), "sick"),
        (("TB", "negative"), "TB"),
        (("Control", "case"), "case"),
        (("benign", "malignant"), "malignant"),
        (("BACTERIA", "VIRUS"), None),
        (("healthy", "normal"), None),
        (("abnormal", "uncontrolled"), None),
        (("BACTERIA", "NORMAL", "VIRUS"), None),
    ],
)
def test_the_positive_class_is_the_one_that_is_not_well(classes, positive):
    splits = Splits(images(classes=classes), {})
    assert splits.positive == positive
    assert splits.positive_index == (None if positive is None else classes.index(positive))


def test_the_positive_class_may_be_said():
    assert Splits(images(classes=("BACTERIA", "VIRUS")), {}, positive="BACTERIA").positive_index == 0
    said = Splits(images(classes=("NORMAL", "PNEUMONIA")), {}, positive="NORMAL")
    assert dataclasses.replace(said, tests={"test": images(classes=("NORMAL", "PNEUMONIA"))}).positive == "NORMAL"
    with pytest.raises(ValueError, match="positive is 'X', must be one of two classes"):
        Splits(images(), {}, positive="X")
    with pytest.raises(ValueError, match="must be one of two classes"):
        Splits(images(classes=("A", "B", "C")), {}, positive="A")


def predictions(n, ids, columns=2, labels=None):
    names = np.array([f"{i}" for i in range(ids)])
    return Predictions("test", names, names, np.zeros(n, np.int64), np.full((n, columns), 1 / columns))


def test_predictions_have_one_row_an_image():
    assert predictions(3, 3).probabilities.shape == (3, 2)
    with pytest.raises(ValueError, match="predictions on 'test': arrays of different lengths"):
        predictions(3, 2)
    with pytest.raises(ValueError, match="different lengths"):
        Predictions("test", np.array(["a"]), np.array(["a"]), np.zeros(1, np.int64), np.ones(1))


def test_a_score_is_unseen_unless_it_says_so():
    assert Score("accuracy", 0.5, "test", 10).seen == ""


def geometry(n):
    return Geometry(**{name: np.arange(n) + 1 for name in ("width", "height", "channels", "n_bytes")})


def test_attributes_have_a_value_for_each_image_and_change_none():
    views = {"test": {"view": np.array(["AP", "PA", ""])}}
    splits = Splits(images(4), {"test": images(3)}, attributes=views)
    assert splits.tests["test"].digest == images(3).digest
    with pytest.raises(ValueError, match=r"attributes of 'test': view must be of shape \(4,\)"):
        Splits(images(4), {"test": images(4)}, attributes=views)


def test_geometry_has_a_row_for_each_image():
    tests = {"test": images(3)}
    splits = Splits(images(4), tests, geometry={"train": geometry(4), "test": geometry(3)})
    assert len(splits.geometry["test"]) == 3
    with pytest.raises(ValueError, match="geometry of 'test': 4 files for 3 images"):
        Splits(images(4), tests, geometry={"test": geometry(4)})
    with pytest.raises(ValueError, match="geometry of 'val': 4 files for None images"):
        Splits(images(4), tests, geometry={"val": geometry(4)})
    assert Splits(images(4), tests, val=images(2), geometry={"val": geometry(2)}).geometry.keys() == {"val"}


@pytest.mark.parametrize("wrong", [np.arange(3), np.arange(4.0), np.ones((4, 1), np.int64)])
def test_geometry_is_checked(wrong):
    with pytest.raises(ValueError, match=r"n_bytes must be int64 \(4,\)"):
        dataclasses.replace(geometry(4), n_bytes=wrong)


def test_geometry_has_a_digest_of_its_content():
    assert geometry(4).digest == geometry(4).digest != geometry(5).digest
    assert dataclasses.replace(geometry(4), width=geometry(4).width + 1).digest != geometry(4).digest
