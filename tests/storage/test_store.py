"""The store: complete entries or none, failures never, and messages where the disk says no."""

import errno
import json
import os
import shutil

import numpy as np
import pytest

from synthbench.errors import StoreError
from synthbench.storage.store import Store, default_root, digest_of, load_images, save_images, write_atomic
from synthbench.testing import tiny_splits

KEY = {"use": "a", "seed": 1}


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store")


def build(text, calls=None):
    def write(folder):
        (folder / "content.txt").write_text(text)
        if calls is not None:
            calls.append(text)
        return {"costs": {"fit": 1}}

    return write


def content(artifact):
    return (artifact.path / "content.txt").read_text()


def entries(store, kind="things"):
    """Everything below a kind's folder, temporary folders too."""
    folder = store.root / kind
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_what_was_made_is_found_by_its_key_and_not_made_again(store):
    calls = []
    first = store.make("things", KEY, build("one", calls))
    again = Store(store.root).make("things", KEY, build("two", calls))
    assert calls == ["one"]
    assert (content(again), again.path, again.meta) == ("one", first.path, first.meta)
    assert set(first.meta) == {"key", "made_in", "costs"}
    assert (first.meta["key"], first.meta["costs"]) == (KEY, {"fit": 1})
    assert set(first.meta["made_in"]) == {"wall_s", "cpu_s"}
    assert json.loads((first.path / "meta.json").read_text()) == first.meta
    assert entries(store) == [digest_of(KEY)[:32]]


def test_work_counts_what_this_process_has_built(store):
    with store.counting() as all_of_it:
        store.make("things", KEY, build("one"))
        with store.counting() as later:
            made = store.make("things", KEY, build("one"))
            store.make("things", {**KEY, "seed": 2}, build("two"))
    store.make("things", {**KEY, "seed": 3}, build("three"))
    assert (all_of_it.built, later.built) == (2, 1)
    assert later.spared == made.meta["made_in"]


def test_the_order_of_a_keys_entries_does_not_matter_and_their_values_do():
    assert digest_of({"a": 1, "b": [1, 2]}) == digest_of({"b": [1, 2], "a": 1})
    assert len({digest_of({"a": value}) for value in (1, 1.5, "1", None, True, [1])}) == 6


def test_a_key_that_is_not_a_number_is_refused():
    with pytest.raises(ValueError, match="JSON"):
        digest_of({"rate": float("nan")})


@pytest.mark.parametrize("error", [RuntimeError("loss is NaN"), KeyboardInterrupt()])
def test_a_failed_build_leaves_nothing(store, error):
    def fail(folder):
        (folder / "half.txt").write_text("half")
        raise error

    with store.counting() as work, pytest.raises(type(error)):
        store.make("things", KEY, fail)
    assert entries(store) == []
    assert store.find("things", KEY) is None
    assert work.built == 0


def test_nobody_sees_an_entry_before_it_is_complete(store):
    def look(folder):
        assert store.find("things", KEY) is None
        assert Store(store.root).find("things", KEY) is None
        assert not store.entry("things", KEY).exists()

    assert store.find("things", KEY) is None
    store.make("things", KEY, look)
    assert store.find("things", KEY) is not None


def test_the_first_of_two_processes_to_finish_wins(store):
    def slow(folder):
        Store(store.root).make("things", KEY, build("the other's"))
        return build("mine")(folder)

    artifact = store.make("things", KEY, slow)
    assert content(artifact) == "the other's"
    assert len(entries(store)) == 1


@pytest.mark.parametrize("text", ["", "{", '{"key": "\\', "\udce4"])
def test_damaged_meta_data_are_named_with_what_to_do(store, text):
    artifact = store.make("things", KEY, build("one"))
    (artifact.path / "meta.json").write_text(text, encoding="utf-8", errors="surrogateescape")
    with pytest.raises(
        StoreError, match=rf"{artifact.path} is damaged .*; delete that folder or run with --fresh"
    ):
        Store(store.root).make("things", KEY, build("two"))
    assert content(Store(store.root, fresh=True).make("things", KEY, build("two"))) == "two"


def test_an_entry_whose_meta_data_are_gone_is_made_again_in_full(store):
    artifact = store.make("things", KEY, build("one"))
    (artifact.path / "meta.json").unlink()
    (artifact.path / "litter.txt").write_text("from before")
    assert content(Store(store.root).make("things", KEY, build("two"))) == "two"
    last = Store(store.root)
    with last.counting() as work:
        assert content(last.make("things", KEY, build("three"))) == "two"
    assert work.built == 0
    assert not (artifact.path / "litter.txt").exists()


def test_fresh_makes_everything_once_more_and_no_more_than_once(store):
    store.make("things", KEY, build("old"))
    fresh = Store(store.root, fresh=True)
    assert fresh.find("things", KEY) is None
    assert content(fresh.make("things", KEY, build("new"))) == "new"
    assert content(fresh.make("things", KEY, build("newer"))) == "new"
    assert content(Store(store.root).make("things", KEY, build("newest"))) == "new"
    assert len(entries(store)) == 1


def test_fresh_makes_what_is_not_there_yet(store):
    """An empty store, or a generator that is new in the file."""
    fresh = Store(store.root, fresh=True)
    assert content(fresh.make("things", KEY, build("new"))) == "new"
    assert content(Store(store.root).make("things", KEY, build("newer"))) == "new"
    assert len(entries(store)) == 1


def test_fresh_keeps_the_old_entry_where_the_new_one_fails(store):
    store.make("things", KEY, build("old"))
    with pytest.raises(ZeroDivisionError):
        Store(store.root, fresh=True).make("things", KEY, lambda folder: 1 / 0)
    assert content(store.find("things", KEY)) == "old"


# ---- folders to resume from


def test_a_resume_folder_outlives_the_process_and_is_its_keys_own(store):
    folder = store.resume_folder("generator", KEY)
    (folder / "step.txt").write_text("700")
    assert (Store(store.root).resume_folder("generator", KEY) / "step.txt").read_text() == "700"
    assert not any(store.resume_folder("generator", {**KEY, "seed": 2}).iterdir())


def test_fresh_starts_with_an_empty_resume_folder_and_then_keeps_it(store):
    (store.resume_folder("generator", KEY) / "step.txt").write_text("700")
    fresh = Store(store.root, fresh=True)
    folder = fresh.resume_folder("generator", KEY)
    assert not any(folder.iterdir())
    (folder / "step.txt").write_text("10")
    assert (fresh.resume_folder("generator", KEY) / "step.txt").read_text() == "10"


# ---- disks that say no


def no_space(*args, **kwargs):
    raise OSError(errno.ENOSPC, "No space left on device", "/cache/pixels.npy")


def test_a_full_disk_is_named(store):
    with pytest.raises(StoreError, match=r"the disk is full: /cache/pixels\.npy; free some space, then run again"):
        store.make("things", KEY, no_space)
    assert entries(store) == []


def test_numpy_reports_a_full_disk_without_its_number_and_the_store_with_it(store, monkeypatch):
    def numpy_on_a_full_disk(folder):
        raise OSError("1000 requested and 0 written")

    free = shutil.disk_usage(store.root.parent)._replace(free=4096)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: free)
    with pytest.raises(StoreError, match="the disk is full"):
        store.make("things", KEY, numpy_on_a_full_disk)


def test_an_error_of_the_plugins_own_files_is_left_alone(store):
    def plugin(folder):
        raise OSError("weights are malformed")

    with pytest.raises(OSError, match=r"^weights are malformed$"):
        store.make("things", KEY, plugin)
    with pytest.raises(FileNotFoundError):
        store.make("things", KEY, lambda folder: open(folder / "nothing.txt"))  # noqa: PTH123, SIM115


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES])
def test_a_cache_folder_that_cannot_be_written_is_named(store, monkeypatch, number):
    def refuse(path, *args, **kwargs):
        raise OSError(number, os.strerror(number), str(path))

    monkeypatch.setattr("pathlib.Path.mkdir", refuse)
    message = rf"the cache folder {store.root} cannot be written \({os.strerror(number)}\); set SYNTHBENCH_CACHE"
    with pytest.raises(StoreError, match=message):
        store.make("things", KEY, build("one"))
    with pytest.raises(StoreError, match=message):
        store.resume_folder("things", KEY)


def test_a_cache_folder_that_is_a_file_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be written"):
        Store(tmp_path / "file").resume_folder("things", KEY)


# ---- where it lies, and what lies in it


def test_the_variable_chooses_the_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("SYNTHBENCH_CACHE", str(tmp_path / "mine"))
    assert default_root() == tmp_path / "mine"
    monkeypatch.setenv("SYNTHBENCH_CACHE", "~/cache")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_root() == tmp_path / "cache"
    monkeypatch.delenv("SYNTHBENCH_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert default_root().name == "synthbench"


def test_images_come_back_as_they_were_with_their_digest(tmp_path):
    images = tiny_splits().train
    save_images(tmp_path, images)
    back = load_images(tmp_path)
    for name in ("pixels", "labels", "ids", "groups"):
        assert np.array_equal(getattr(back, name), getattr(images, name)), name
    assert back.classes == images.classes
    assert back.digest == images.digest
    assert isinstance(back.pixels, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        back.pixels[0] = 0


@pytest.mark.parametrize("name", ["pixels.npy", "images.json"])
@pytest.mark.parametrize("how", ["gone", "cut", "empty"])
def test_damaged_images_are_named_with_what_to_do(tmp_path, name, how):
    save_images(tmp_path, tiny_splits().train)
    file = tmp_path / name
    if how == "gone":
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[: 200 if how == "cut" else 0])
    with pytest.raises(StoreError, match=r"is damaged .*; delete that folder or run with --fresh"):
        load_images(tmp_path)


def test_a_text_file_is_replaced_as_a_whole_or_not_at_all(tmp_path, monkeypatch):
    file = tmp_path / "scores.csv"
    write_atomic(file, "old")
    monkeypatch.setattr("pathlib.Path.replace", no_space)
    with pytest.raises(OSError, match="No space"):
        write_atomic(file, "new")
    assert file.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["scores.csv"]
    monkeypatch.undo()
    write_atomic(file, "new")
    assert file.read_text() == "new"
