"""What `lend` hands out, what it compares, and what that costs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from synthbench import Images, PluginError, Splits
from synthbench.api.lending import lend
from synthbench.storage.store import Store, load_images, save_images
from synthbench.testing import tiny_splits
from synthbench.types import Geometry


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store")


def geometry(n):
    return Geometry(**{name: np.arange(n) + 1 for name in ("width", "height", "channels", "n_bytes")})


def test_arrays_are_the_borrowers_own_and_mapped_pixels_shared(tmp_path, store):
    save_images(tmp_path, tiny_splits().train)
    mapped = load_images(tmp_path)
    with lend(mapped, "a", store) as own:
        assert np.shares_memory(own.pixels, mapped.pixels)
        assert own.pixels is not mapped.pixels
        for name in ("labels", "ids", "groups"):
            assert not np.shares_memory(getattr(own, name), getattr(mapped, name))
        with pytest.raises(ValueError, match="WRITEABLE"):
            own.pixels.flags.writeable = True
        own.pixels.shape = (-1,)  # a field of the array itself
        own.pixels.shape = mapped.pixels.shape
        assert own.__dict__["digest"] == mapped.digest, "known, not computed from the pixels again"


def test_pixels_in_memory_are_copied(store):
    train = tiny_splits().train
    with lend(train, "a", store) as own:
        assert not np.shares_memory(own.pixels, train.pixels)
        assert own.digest == train.digest


def test_a_whole_data_set_is_lent_with_all_its_parts(store):
    splits = tiny_splits()
    splits = Splits(
        splits.train, splits.tests, val=splits.train, holdout=splits.train, geometry={"test": geometry(24)}
    )
    with lend(splits, "a", store) as own:
        assert own.geometry["test"].digest == splits.geometry["test"].digest
        assert own.val is not None
        assert own.holdout is not None
        assert own.domain == splits.domain


def test_nobody_is_lent_attributes(store):
    splits = tiny_splits()
    known = replace(splits, attributes={"test": {"sex": splits.tests["test"].ids}})
    with lend(known, "tstr", store) as own:
        assert own.attributes == {}


def spoil_geometry(own: Splits) -> None:
    own.geometry["test"].width.base.flags.writeable = True
    own.geometry["test"].width.base[:] = 0


@pytest.mark.parametrize(
    ("harm", "what"),
    [
        (lambda own: own.tests.pop("test"), "the parts, now train, val, holdout, files of 'test'"),
        (lambda own: object.__setattr__(own, "val", own.train), "val.itself"),
        (spoil_geometry, "files of 'test'.width"),
        (lambda own: object.__setattr__(own.train, "pixels", own.train.pixels[::-1]), "train.pixels"),
        (lambda own: object.__setattr__(own.tests["test"], "ids", "x"), "test set 'test'.ids"),
    ],
)
def test_what_changed_is_named_and_what_came_of_it_is_removed(store, harm, what):
    splits = tiny_splits()
    splits = Splits(splits.train, splits.tests, geometry={"test": geometry(24)})
    before = store.make("things", {"made": "before"}, lambda folder: None)

    def borrow() -> None:
        with lend(splits, "mine", store) as own:
            store.make("things", {"made": "meanwhile"}, lambda folder: None)
            harm(own)

    with pytest.raises(PluginError, match="mine changed what it was given") as caught:
        borrow()
    assert what in str(caught.value)
    assert [path.name for path in (store.root / "things").iterdir()] == [before.path.name]
    assert set(splits.tests) == {"test"}
    assert splits.val is None


def test_who_changes_nothing_keeps_his_own_errors_and_entries(store):

    def borrow() -> None:
        with lend(tiny_splits().train, "mine", store):
            store.make("things", {}, lambda folder: None)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        borrow()
    assert store.find("things", {}) is not None


def test_an_interrupt_is_not_taken_for_a_change(store):

    def borrow() -> None:
        with lend(tiny_splits().train, "mine", store) as own:
            object.__setattr__(own, "classes", ("A", "B"))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        borrow()


@pytest.mark.parametrize("name", ["pixels", "labels", "ids", "groups"])
def test_images_refuse_writing(name):
    train: Images = tiny_splits().train
    with pytest.raises(ValueError, match="read-only"):
        getattr(train, name)[0] = 0
    with pytest.raises(ValueError, match="read-only"):
        getattr(train.subset(np.arange(3)), name)[0] = 0
