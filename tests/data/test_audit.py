"""The leak audit on made-up pictures: what is found, what is not, and how it is counted."""

import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageOps

from synthbench.data.audit import audit, cached_audit
from synthbench.data.audit.calibration import LIMIT
from synthbench.data.audit.leaks import TYPES
from synthbench.data.audit.matching import _first
from synthbench.data.audit.thumbnails import thumbnails
from synthbench.errors import ConfigError
from synthbench.progress import Progress
from synthbench.storage.store import Store
from synthbench.types import Images, Splits
from tests.helpers.pictures import pictures

CLASSES = ("NORMAL", "PNEUMONIA")


def images(pixels, prefix, groups=None, labels=None):
    pixels = np.asarray(pixels)
    pixels = pixels[..., None] if pixels.ndim == 3 else pixels
    ids = np.array([f"{prefix}/{i}.png" for i in range(len(pixels))], dtype=np.str_)
    labels = np.arange(len(pixels), dtype=np.int64) % 2 if labels is None else np.array(labels, dtype=np.int64)
    return Images(pixels, labels, CLASSES, ids, groups)


def changed(pixels, how):
    """Each picture through a change of PIL images, brought back to its size."""
    size = pixels.shape[1]
    return np.stack([np.asarray(how(Image.fromarray(p)).convert("L").resize((size, size), 2)) for p in pixels])


def jpeg(picture, quality=30):
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality)
    return Image.open(file)


def cut(picture, left, top, right, bottom):
    width, height = picture.size
    return picture.crop((left * width, top * height, (1 - right) * width, (1 - bottom) * height))


def rows(found, **where):
    """(image, match) numbers of the pairs that `where` names, e.g. kind="exact"."""
    table = found.pairs
    for column, value in where.items():
        table = table[table[column] == value]
    return [
        (int(a.split("/")[1][:-4]), int(b.split("/")[1][:-4]))
        for a, b in zip(table.image, table.match, strict=True)
    ]


# ---- the same pixels


def test_the_same_pixels_are_found_with_the_first_image_that_has_them():
    train, test = pictures(6), pictures(4, seed=1)
    train[4] = train[1]
    test[2] = train[1]
    found = audit(Splits(images(train, "train"), {"test": images(test, "test")}))
    assert rows(found, test_set="test", seen_in="train") == [(2, 1)]
    assert rows(found, test_set="train") == [(4, 1)]
    assert list(found.pairs.kind) == ["exact", "exact"]
    assert (found.pairs.distance == 0).all()


def test_of_three_copies_within_a_set_two_are_surplus():
    train = pictures(9)
    train[5] = train[8] = train[2]
    found = audit(Splits(images(train, "train"), {}))
    assert rows(found, seen_in="train", kind="exact") == [(5, 2), (8, 2)]
    assert rows(found, kind="perceptual") == []


def test_one_grey_level_in_one_pixel_is_no_exact_copy_but_the_same_picture():
    train = pictures(8)
    test = train[3:4].copy()
    test[0, 20, 20] ^= 1
    found = audit(Splits(images(train, "train"), {"test": images(test, "test")}))
    assert rows(found, test_set="test") == [(0, 3)]
    assert list(found.pairs.kind) == ["perceptual"]


# ---- the same patient


def patients(*names):
    return np.array(names, dtype=np.str_)


def test_a_patient_in_two_parts_is_one_row_an_image_with_the_first_match():
    train = images(pictures(5), "train", patients("a", "b", "b", "b", "c"))
    test = images(pictures(4, seed=1), "test", patients("b", "d", "b", "c"))
    found = audit(Splits(train, {"test": test}))
    assert rows(found, test_set="test", seen_in="train", kind="patient") == [(0, 1), (2, 1), (3, 4)]
    assert found.pairs.distance.isna().all()
    assert found.leaked("test").tolist() == [True, False, True, True]
    assert rows(found, test_set="train") == []


def test_a_group_that_is_only_the_images_name_is_no_knowledge_of_a_patient():
    train, test = pictures(3), pictures(3, seed=1)
    unnamed = audit(
        Splits(
            Images(train[..., None], np.zeros(3, int), CLASSES),
            {"test": Images(test[..., None], np.zeros(3, int), CLASSES)},
        )
    )
    assert len(unnamed.pairs) == 0  # both count their images from 000000
    stems = patients("x/0", "x/1", "x/2")
    named = audit(Splits(images(train, "x", stems), {"test": images(test, "x", stems)}))
    assert len(named.pairs) == 0
    mixed = audit(Splits(images(train, "x", stems), {"test": images(test, "y", stems)}))
    assert len(mixed.pairs) == 0  # "x/1" names a patient in `test`, but no more than an image in `train`


# ---- the same picture


def corner_cut(picture):
    return cut(picture, 0.05, 0.05, 0, 0)


@pytest.fixture(scope="module")
def train():
    return pictures(60)


def test_changed_copies_are_found(train):
    test = changed(train[::3], lambda p: jpeg(ImageOps.mirror(corner_cut(p)), 50))
    found = audit(Splits(images(train, "train"), {"test": images(test, "test")}))
    assert rows(found, test_set="test") == [(i, 3 * i) for i in range(20)]
    assert found.counts("test") == {"leaked_exact": 0, "leaked_perceptual": 20, "leaked_patient": 0, "leaked": 20}
    assert found.pairs.distance.max() <= LIMIT
    assert set(found.pairs["view"]) == {"mirrored"}


def test_a_copy_is_found_whichever_of_the_two_was_cut(train):
    cropped = changed(train, corner_cut)
    found = audit(Splits(images(cropped, "train"), {"test": images(train[:9], "test")}))
    assert rows(found, test_set="test") == [(i, i) for i in range(9)]


def test_other_pictures_are_not_found(train):
    found = audit(Splits(images(train, "train"), {"test": images(pictures(60, seed=5), "test")}))
    assert len(found.pairs) == 0


def test_a_set_of_two_is_compared_too(train):
    """Nothing can be learned from so few."""
    test = changed(train[:1], corner_cut)
    assert audit(Splits(images(train[:1], "train"), {"test": images(test, "test")})).leaked("test").all()
    other = images(train[1:2], "test")
    assert not audit(Splits(images(train[:1], "train"), {"test": other})).leaked("test").any()


@pytest.mark.parametrize("size", [8, 16, 28, 100])
def test_any_size(size):
    train = pictures(12, size)
    test = np.clip(train[:4] * 0.9 + 5, 0, 255).astype(np.uint8)
    found = audit(Splits(images(train, "train"), {"test": images(test, "test")}))
    assert rows(found, test_set="test") == [(0, 0), (1, 1), (2, 2), (3, 3)]
    assert rows(found, test_set="train") == []


def test_colour():
    train = np.stack([pictures(12, seed=s) for s in range(3)], axis=-1)
    test = np.clip(train[:4] * 0.9, 0, 255).astype(np.uint8)
    found = audit(Splits(images(train, "train"), {"test": images(test, "test")}))
    assert rows(found, test_set="test") == [(0, 0), (1, 1), (2, 2), (3, 3)]


def test_uniform_pictures_match_by_their_pixels_only():
    train = np.full((3, 32, 32), 100, dtype=np.uint8)
    train[1] = 101
    test = np.full((2, 32, 32), 100, dtype=np.uint8)
    test[1] = 102
    found = audit(Splits(images(train, "train"), {"test": images(test, "test")}))
    assert rows(found, kind="perceptual") == []
    assert found.leaked("test").tolist() == [True, False]


# ---- the distance


def test_thumbnails_average_areas():
    pixels = pictures(2, 96)[..., None]
    assert thumbnails(pixels) == pytest.approx(pixels[..., 0].reshape(2, 32, 3, 32, 3).mean((2, 4)), abs=1e-3)
    odd = thumbnails(pictures(1, 50)[..., None])
    assert odd.mean() == pytest.approx(pictures(1, 50).mean(), abs=0.01)
    assert thumbnails(np.repeat(pixels, 3, axis=3)) == pytest.approx(thumbnails(pixels), abs=1e-3)


# ---- indices


def test_first_is_the_first(monkeypatch):
    rng = np.random.default_rng(0)
    keys, among = (rng.integers(0, 30, n).astype(np.str_) for n in (50, 20))
    expected = [next((j for j, key in enumerate(among) if key == wanted), -1) for wanted in keys]
    assert _first(keys, among, within=False).tolist() == expected
    earlier = [next((j for j in range(i) if keys[j] == keys[i]), -1) for i in range(50)]
    assert _first(keys, keys, within=True).tolist() == earlier
    assert _first(keys, among[:0], within=False).tolist() == [-1] * 50


# ---- the table and the counts


@pytest.fixture
def splits():
    """A test set with one leak of each kind, one image with two kinds, and one clean; an external set; val."""
    train, test = pictures(20), pictures(5, seed=1)
    test[0] = train[7]
    test[1] = changed(train[8:9], jpeg)[0]
    test[3] = train[9]
    known = np.array([f"p{i}" for i in range(20)])
    whom = patients("t0", "t1", "p2", "p9", "t4")
    far = np.concatenate([test[4:5], pictures(2, seed=3), train[10:11]])
    return Splits(
        images(train, "train", known),
        {"test": images(test, "test", whom, [1, 0, 0, 1, 0]), "far": images(far, "far")},
        images(train[:2], "val"),
    )


def test_counts_are_of_distinct_images(splits):
    found = audit(splits)
    assert found.counts("test") == {"leaked_exact": 2, "leaked_perceptual": 1, "leaked_patient": 2, "leaked": 4}
    assert found.leaked("test").tolist() == [True, True, True, True, False]
    assert found.leaked("test", "patient").tolist() == [False, False, True, True, False]
    assert found.counts("far")["leaked"] == 1
    assert found.counts("val")["leaked"] == 2


def test_every_part_is_compared_with_those_it_must_not_know(splits):
    found = audit(splits)
    assert tuple(found.pairs.columns) == tuple(TYPES)
    seen = found.pairs.groupby("test_set").seen_in.unique().map(set).to_dict()
    assert seen == {"test": {"train", "far"}, "far": {"train", "test"}, "val": {"train"}}
    assert found.matched("test", ("far",)).tolist() == [False] * 4 + [True]
    agree = found.pairs[(found.pairs.test_set == "test") & (found.pairs.kind == "exact")].same_class
    assert agree.tolist() == [True, True, True]


def test_a_test_set_must_not_pass_for_another_part(splits):
    with pytest.raises(ConfigError, match="a test set is called 'train'"):
        audit(Splits(splits.train, {"train": splits.train}))


def test_an_empty_training_set_is_known_to_nobody():
    nothing = images(np.empty((0, 32, 32), np.uint8), "train")
    found = audit(Splits(nothing, {"test": images(pictures(3, 32), "test")}))
    assert len(found.pairs) == 0
    assert found.counts("test")["leaked"] == 0


def test_the_audit_leaves_images_alone_and_repeats_itself(splits):
    before = {name: part.pixels.copy() for name, part in splits.tests.items()}
    splits.train.pixels.flags.writeable = False
    first, second = audit(splits), audit(splits)
    pd.testing.assert_frame_equal(first.pairs, second.pairs)
    assert all(np.array_equal(splits.tests[name].pixels, pixels) for name, pixels in before.items())


# ---- in the store


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store")


def test_the_same_images_are_audited_once(splits, store, monkeypatch):
    first = cached_audit(splits, store, Progress(False))
    pd.testing.assert_frame_equal(first.pairs, audit(splits).pairs)
    monkeypatch.setattr("synthbench.data.audit.table.audit", lambda *_: pytest.fail("audited again"))
    again = cached_audit(splits, store, Progress(False))
    pd.testing.assert_frame_equal(first.pairs, again.pairs)
    assert again.leaked("test").tolist() == first.leaked("test").tolist()


def test_other_images_are_audited_anew(splits, store):
    assert cached_audit(splits, store, Progress(False)).counts("test")["leaked_exact"] == 2
    pixels = splits.tests["test"].pixels.copy()
    pixels[0, 0, 0] ^= 255
    fresh = images(pixels[..., 0], "test", splits.tests["test"].groups)
    assert (
        cached_audit(Splits(splits.train, {"test": fresh}), store, Progress(False)).counts("test")["leaked_exact"]
        == 1
    )


def test_names_that_read_like_numbers_or_gaps_survive_the_store(store):
    pixels = np.repeat(pictures(1), 3, axis=0)[..., None]
    odd = Images(pixels, np.zeros(3, int), CLASSES, np.array(["NA", "1e5", "007"]), np.array(["", "nan", "x"]))
    for _ in range(2):
        table = cached_audit(Splits(odd, {"null": odd}), store, Progress(False)).pairs
        copies = table[(table.test_set == "null") & (table.kind == "exact")]
        assert copies.image.tolist() == ["1e5", "007", "NA", "1e5", "007"]
        assert table[table.kind == "patient"].image.tolist() == ["1e5", "007"]


def test_a_damaged_entry_is_made_again(splits, store):
    pairs = cached_audit(splits, store, Progress(False)).pairs
    (entry,) = store.root.glob("audit/*/audit.csv")
    entry.write_text("test_set,image\n")
    assert cached_audit(splits, store, Progress(False)).pairs.equals(pairs)
