"""A disk that is full: a small one is mounted for it, where that can be done (Linux, root)."""

import subprocess
import sys

import numpy as np
import pytest

from synthbench.errors import StoreError
from synthbench.storage.disk import disk_errors, save_array
from synthbench.storage.store import Store


@pytest.fixture
def small(tmp_path):
    """A file system of 1 MB."""
    folder = tmp_path / "small"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    try:
        mounted = subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        mounted = False
    if not mounted:
        pytest.skip("no small file system can be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_store_is_one_message_and_what_was_finished_stays(small):
    store = Store(small / "store")
    kept = store.make(
        "things", {"seed": 1}, lambda folder: save_array(folder / "a.npy", np.zeros(50_000, np.uint8))
    )
    with pytest.raises(StoreError, match=r"the disk is full: .*; free some space"):
        store.make(
            "things", {"seed": 2}, lambda folder: save_array(folder / "a.npy", np.zeros(2_000_000, np.uint8))
        )
    assert store.find("things", {"seed": 1}).path == kept.path
    assert [path.name for path in (store.root / "things").iterdir()] == [kept.path.name]


FEATURES = """
import sys
from pathlib import Path
import numpy as np
from synthbench import Extractor
from synthbench.testing import context_in, tiny_splits
from synthbench.errors import StoreError

class Wide(Extractor):
    name = "wide"
    @property
    def preprocessing(self):
        return "none"
    def load(self, train, ctx):
        return lambda pixels: np.ones((len(pixels), 100_000), np.float32)

train = tiny_splits().train
try:
    context_in(Path(sys.argv[1])).features(train, Wide(), train=train)
except StoreError as error:
    print(error)
"""


def test_features_on_a_full_disk_are_no_bus_error(small, tmp_path):
    """Through a memory map on a sparse file the process would be gone, without a word."""
    script = tmp_path / "features.py"
    script.write_text(FEATURES)
    done = subprocess.run([sys.executable, str(script), str(small)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "the disk is full" in done.stdout


def test_a_file_size_limit_is_named(tmp_path):
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, before[1]))
    try:
        with pytest.raises(StoreError, match="would be larger than"), disk_errors(tmp_path, ""):
            save_array(tmp_path / "a.npy", np.zeros(20_000, np.uint8))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
