"""The store: complete entries or none, failures never, and messages where the disk says no."""

import errno
import hashlib
import json
import os
import shutil
import stat
import subprocess
import sys
from contextlib import contextmanager

import numpy as np
import pytest

from synthbench.errors import StoreError
from synthbench.storage.locks import is_free, try_hold
from synthbench.storage.store import (
    NotStoredError,
    Store,
    default_root,
    digest_of,
    load_images,
    save_images,
    write_atomic,
)
from synthbench.storage.upkeep import damaged_entries, running, sweep
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
    assert set(first.meta) == {"key", "made_in", "costs", "files"}
    assert first.meta["files"] == {"content.txt": [3, hashlib.sha256(b"one").hexdigest()]}
    assert (first.meta["key"], first.meta["costs"]) == (KEY, {"fit": 1})
    assert set(first.meta["made_in"]) == {"wall_s", "cpu_s"}
    stored = json.loads((first.path / "meta.json").read_text())
    assert stored.pop("seal")
    assert stored == first.meta
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


def test_shared_work_is_booked_apart_and_counts_nowhere_else(store):
    def share(folder):
        store.make("parts", KEY, build("of it"))
        return build("shared")(folder)

    with store.counting() as first:
        made = store.make("things", KEY, share, shared=True)
    with store.counting() as later:
        store.make("things", KEY, share, shared=True)
        store.make("parts", KEY, build("of it"))
    name = f"things/{made.path.name}"
    assert first.shared == later.shared == {name: made.meta["made_in"]}
    assert first.booked == made.meta["made_in"]
    assert later.booked == {"wall_s": 0.0, "cpu_s": 0.0}
    assert first.spared == {"wall_s": 0.0, "cpu_s": 0.0}
    assert later.spared == Store(store.root).find("parts", KEY).meta["made_in"]
    assert first.built == 1


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


MAKER = """
import sys, time
from pathlib import Path
from synthbench.storage.store import Store
root, key = Path(sys.argv[1]), {"use": "a", "seed": 1}
def build(folder):
    print("building", flush=True)
    time.sleep(float(sys.argv[2]))
    (folder / "content.txt").write_text("the other's")
Store(root).make("things", key, build)
with Store(root).resume_folder("things", {"use": "killed"}) as folder:
    (folder / "step.txt").write_text("700")
    print("resuming", flush=True)
    time.sleep(60)
"""


@contextmanager
def another_process(store, seconds):
    command = [sys.executable, "-c", MAKER, str(store.root), str(seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "building\n"
        try:
            yield process
        finally:
            process.kill()


def test_one_process_makes_an_entry_and_others_wait_for_it(store):
    said, calls = [], []
    with another_process(store, 1.5):
        waiting = Store(store.root, say=said.append)
        assert sweep(store.root) == 0  # alive: nothing of it is removed
        assert content(waiting.make("things", KEY, build("mine", calls))) == "the other's"
    assert not calls
    assert said == [f"waiting for another run that makes things a ({digest_of(KEY)[:8]})"]


def test_what_a_killed_process_was_making_is_made_by_the_next_and_swept(store):
    with another_process(store, 60) as process:
        process.kill()
        process.wait()
        left = entries(store)
        assert [name.startswith(f".{digest_of(KEY)[:32]}-") for name in left] == [True]
        said = []
        assert content(Store(store.root, say=said.append).make("things", KEY, build("mine"))) == "mine"
    assert said == []
    assert sweep(store.root) == 1
    assert entries(store) == [digest_of(KEY)[:32]]
    assert list((store.root / "locks").iterdir()) == []


def test_a_resume_folder_belongs_to_one_process_and_outlives_it(store):
    key = {"use": "killed"}
    with another_process(store, 0) as process:
        assert process.stdout.readline() == "resuming\n"
        file = store.lock_file(store.root / "resume" / "things" / digest_of(key)[:32])
        assert not is_free(file)
        process.kill()
        process.wait()
        with store.resume_folder("things", key) as folder:
            assert (folder / "step.txt").read_text() == "700"


def test_a_group_shares_entries_by_umask_and_group(store):
    store.root.mkdir()
    store.root.chmod(0o2775)
    before = os.umask(0o002)
    try:
        made = store.make("things", KEY, build("one")).path
        with store.resume_folder("things", KEY) as folder, try_hold(store.root / "locks" / "x"):
            modes = {p: stat.S_IMODE(p.stat().st_mode) for p in (made, folder, made.parent)}
            files = [made / "content.txt", made / "meta.json", store.root / "locks" / "x"]
            assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o664}
    finally:
        os.umask(before)
    assert set(modes.values()) == {0o2775}


DAMAGE = {
    "cut": lambda file: file.write_bytes(file.read_bytes()[:-1]),
    "changed": lambda file: file.write_bytes(file.read_bytes()[:-1] + b"!"),
    "gone": lambda file: file.unlink(),
    "empty": lambda file: file.write_bytes(b""),
    "a folder": lambda file: (file.unlink(), file.mkdir()),
}


@pytest.mark.parametrize("name", ["content.txt", "files/log.txt", "meta.json"])
@pytest.mark.parametrize("how", DAMAGE)
def test_a_damaged_entry_is_named_once_and_made_again(store, name, how):
    def write(folder):
        (folder / "files").mkdir()
        (folder / "files" / "log.txt").write_text("log")
        return build("one")(folder)

    artifact = store.make("things", KEY, write)
    DAMAGE[how](artifact.path / name)
    said, calls = [], []
    later = Store(store.root, say=said.append)
    assert content(later.make("things", KEY, build("two", calls))) == "two"
    assert calls == ["two"]
    if (how, name) != ("gone", "meta.json"):
        assert len(said) == 1
        assert said[0].startswith(f"{artifact.path} is damaged ({name}")
        assert said[0].endswith("): it is made again")
    assert entries(store) == [digest_of(KEY)[:32]]
    assert list(damaged_entries(store.root)) == [(artifact.path, "")]


@pytest.mark.parametrize(
    "change", [{"costs": {"fit": 2}}, {"key": {**KEY, "seed": 2}}, {"files": {}}, {"seal": ""}]
)
def test_meta_data_that_are_valid_and_changed_are_damage(store, change):
    file = store.make("things", KEY, build("one")).path / "meta.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **change}))
    said = []
    assert content(Store(store.root, say=said.append).make("things", KEY, build("two"))) == "two"
    assert len(said) == 1


def test_an_entry_under_another_ones_name_is_damage(store):
    artifact = store.make("things", KEY, build("one"))
    artifact.path.rename(store.entry("things", {"seed": 2}))
    assert content(Store(store.root, say=[].append).make("things", {"seed": 2}, build("two"))) == "two"


def test_entries_without_digests_are_made_again_with_one_word(store):
    said = []
    for seed in (1, 2):
        file = store.make("things", {"seed": seed}, build("old")).path / "meta.json"
        old = {
            name: value for name, value in json.loads(file.read_text()).items() if name not in ("files", "seal")
        }
        file.write_text(json.dumps(old))
    later = Store(store.root, say=said.append)
    assert [content(later.make("things", {"seed": seed}, build("new"))) for seed in (1, 2)] == ["new", "new"]
    assert said == [f"{store.root}: entries of an older version, without digests, are made again"]


def test_large_entries_are_checked_once_a_run_and_small_ones_always(store, monkeypatch):
    checked = []
    monkeypatch.setattr("synthbench.storage.store.check_files", lambda path, meta: checked.append(path))
    store.make("things", KEY, build("one"))
    store.find("things", KEY)
    store.find("things", KEY)
    assert len(checked) == 2
    monkeypatch.setattr("synthbench.storage.store.LARGE", 3)
    store.find("things", KEY)
    store.find("things", KEY)
    assert len(checked) == 3
    assert Store(store.root).find("things", KEY)
    assert len(checked) == 4


def test_work_that_meets_a_damaged_entry_is_done_once_more(store):
    entry = store.make("things", KEY, build("one"))
    said, calls = [], []

    def work():
        calls.append(entry.path.exists())
        if len(calls) == 1:
            raise StoreError.damaged(entry.path / "files", "cut short")
        return "done"

    assert Store(store.root, say=said.append).mending(work) == "done"
    assert calls == [True, False]
    assert said == [f"{entry.path} is damaged (cut short): it is made again"]
    with pytest.raises(StoreError, match="no entry"):
        store.mending(lambda: (_ for _ in ()).throw(StoreError("no entry")))


def test_nothing_is_made_while_finished_work_alone_is_asked_for(store):
    made = store.make("things", KEY, build("one"))
    fresh = Store(store.root, fresh=True)
    with fresh.finished_only():
        assert fresh.make("things", KEY, build("two")).path == made.path
        with pytest.raises(NotStoredError):
            fresh.make("things", {"seed": 2}, build("two"))
    assert content(fresh.make("things", KEY, build("two"))) == "two"


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
    with store.resume_folder("generator", KEY) as folder:
        (folder / "step.txt").write_text("700")
    with Store(store.root).resume_folder("generator", KEY) as folder:
        assert (folder / "step.txt").read_text() == "700"
    with store.resume_folder("generator", {**KEY, "seed": 2}) as other:
        assert not any(other.iterdir())
    assert folder.exists()
    assert not other.exists()  # nothing was left in it


def test_fresh_starts_with_an_empty_resume_folder_and_then_keeps_it(store):
    with store.resume_folder("generator", KEY) as folder:
        (folder / "step.txt").write_text("700")
    fresh = Store(store.root, fresh=True)
    with fresh.resume_folder("generator", KEY) as folder:
        assert not any(folder.iterdir())
        (folder / "step.txt").write_text("10")
    with fresh.resume_folder("generator", KEY) as folder:
        assert (folder / "step.txt").read_text() == "10"


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


def test_a_store_that_can_only_be_read_gives_what_it_has(store, monkeypatch):
    made = store.make("things", KEY, build("one"))

    def refuse(path, *args, **kwargs):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    monkeypatch.setattr("synthbench.storage.locks._locked", refuse)
    other = Store(store.root)
    with running(other), other.resume_folder("dataset", KEY) as folder:
        assert folder.is_dir()
        assert not folder.is_relative_to(store.root)
        assert other.make("things", KEY, build("two")).path == made.path
        with pytest.raises(StoreError, match="cannot be written"):
            other.make("things", {"seed": 2}, build("two"))


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES])
def test_a_cache_folder_that_cannot_be_written_is_named(store, monkeypatch, number):
    def refuse(path, *args, **kwargs):
        raise OSError(number, os.strerror(number), str(path))

    monkeypatch.setattr("pathlib.Path.mkdir", refuse)
    message = rf"{store.root} cannot be written \({os.strerror(number)}\); set SYNTHBENCH_CACHE"
    with pytest.raises(StoreError, match=message):
        store.make("things", KEY, build("one"))
    with pytest.raises(StoreError, match=message), store.resume_folder("things", KEY):
        pass


def test_a_cache_folder_that_is_a_file_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be written"), Store(tmp_path / "file").resume_folder("a", KEY):
        pass


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
