"""The store as a whole: what may go, what stays while a run goes on."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from synthbench.storage.locks import try_hold
from synthbench.storage.store import Store
from synthbench.storage.upkeep import (
    DAY_S,
    collect,
    damaged_entries,
    own_folder,
    running,
    stored_entries,
    sweep,
)


@pytest.fixture
def store(tmp_path):
    """Three entries of 1000 bytes and more, last used one, two and three days ago; and checkpoints, four."""
    store = Store(tmp_path / "store")
    for days in (1, 2, 3):
        made = store.make(
            "things", {"days": days}, lambda folder: (folder / "x").write_bytes(bytes(1000)) and None
        )
        used = time.time() - days * DAY_S - 60
        os.utime(made.path / "meta.json", (used, used))
    with store.resume_folder("things", {}) as folder:
        (folder / "step").write_bytes(bytes(1000))
        os.utime(folder / "step", (time.time() - 4 * DAY_S - 60,) * 2)
    return store


def days(entries):
    return [round((time.time() - entry.used) / DAY_S) for entry in entries]


def test_entries_are_listed_with_size_and_last_use(store):
    entries = stored_entries(store.root)
    assert sorted(days(entries)) == [1, 2, 3, 4]
    assert {entry.kind for entry in entries} == {"things", "resume"}
    assert all(1000 <= entry.size < 2000 for entry in entries)
    store.find("things", {"days": 3})  # reading is using
    assert sorted(days(stored_entries(store.root))) == [0, 1, 2, 4]


def test_what_was_used_least_recently_goes(store):
    assert collect(store.root) == []
    assert days(collect(store.root, older_than=3.5)) == [4]
    assert days(collect(store.root, max_size=3000)) == [3]
    assert days(collect(store.root, older_than=1.5, max_size=1e9)) == [2]
    assert store.find("things", {"days": 1})
    assert not store.find("things", {"days": 2})


def test_what_is_being_made_stays(store):
    (entry,) = (e for e in stored_entries(store.root) if e.kind == "resume")
    with try_hold(store.lock_file(entry.path)):
        assert days(collect(store.root, older_than=2.5)) == [3]
    assert days(collect(store.root, older_than=2.5)) == [4]


def test_what_a_living_run_has_read_stays(store):
    with running(store):
        store.find("things", {"days": 2})
        assert sorted(days(collect(store.root, max_size=0))) == [1, 3, 4]
        assert store.find("things", {"days": 2})
    assert days(collect(store.root, max_size=0)) == [0]


def test_damage_is_found_with_its_file(store):
    (store.entry("things", {"days": 2}) / "x").write_bytes(b"")
    (store.entry("things", {"days": 3}) / "meta.json").unlink()
    damage = {path: why for path, why in damaged_entries(store.root) if why}
    assert damage == {
        store.entry("things", {"days": 2}): "x has 0 bytes of 1000",
        store.entry("things", {"days": 3}): "meta.json is gone",
    }


def test_a_process_s_own_folder_goes_with_it_and_after_a_kill_with_the_next_run(store):
    with own_folder(store.root) as mine:
        assert sweep(store.root) == 0
        assert mine.is_dir()
    assert not mine.exists()
    script = (
        "import sys, time; from pathlib import Path; from synthbench.storage.upkeep import own_folder\n"
        "with own_folder(Path(sys.argv[1])) as folder: print(folder, flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", script, str(store.root)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        theirs = Path(process.stdout.readline().strip())
        sweep(store.root)
        assert theirs.is_dir()
        process.kill()
    sweep(store.root)
    assert not theirs.exists()


def test_files_of_others_in_the_stores_folder_stay(store):
    names = ("weights/inception/x.pth", "things/notes.txt", "things/.hidden/x", "notes.txt", "shared/.mine/x")
    for name in names:
        file = store.root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("mine")
    assert sweep(store.root) == 0
    collect(store.root, max_size=0)
    assert all((store.root / name).exists() for name in names)
