"""What a plugin is examined with: tiny embedded pictures, fresh contexts, copies to compare with."""

from __future__ import annotations

import logging
import random
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from synthbench.api.features import StoredFeatures
from synthbench.api.interfaces import Context, Plugin
from synthbench.api.process_state import process_state
from synthbench.progress import Progress
from synthbench.storage.store import Store
from synthbench.types import Images, Splits

__all__ = ["Case", "context_in", "copied", "differing_fields", "frozen", "tiny_splits"]

Result = TypeVar("Result")
CLASSES = ("PLAIN", "BLOB")
UNLIKELY = 2_718_281_828
FIELDS = ("pixels", "labels", "ids", "groups")


def tiny_splits(size: int = 32, channels: int = 1) -> Splits:
    """The embedded pictures: noise, with a bright blob in the class BLOB; three pictures of each "patient".

    train: 18 PLAIN and 30 BLOB; test: 12 of each. Always the same. `size` in pixels, `channels` 1 or 3.
    """
    train = _pictures("train", (18, 30), size, channels)
    return Splits(
        train=train,
        tests={"test": _pictures("test", (12, 12), size, channels)},
        domain="tiny pictures made for the conformance suite",
        positive="BLOB",
    )


def _pictures(split: str, counts: tuple[int, int], size: int, channels: int) -> Images:
    rng = np.random.default_rng([len(split), size, channels])
    labels = np.repeat(np.arange(2, dtype=np.int64), counts)
    values = rng.normal(90, 12, size=(len(labels), size, size, 1))
    values += np.stack([label * _blob(size, rng) for label in labels])[..., None]
    pixels = np.repeat(np.clip(np.rint(values), 0, 255).astype(np.uint8), channels, axis=3)
    names = [(f"{split}-{i:03d}", f"{split}-patient-{i // 3:02d}") for i in range(len(labels))]
    ids, groups = np.array(names, dtype=np.str_).T
    return Images(pixels, labels, CLASSES, ids, groups)


def _blob(size: int, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """A Gaussian bump of 60 to 110 grey levels near the middle, (size, size)."""
    y, x = rng.uniform(0.35 * size, 0.65 * size, size=2)
    rows, columns = np.mgrid[:size, :size]
    bump = np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / (2 * (size / 10) ** 2))
    return np.asarray(rng.uniform(60, 110) * bump, dtype=np.float64)


def context_in(folder: Path, seed: int = 0, device: str = "cpu") -> Context:
    """What a plugin gets from the harness, all of it below one folder: called again, it finds what it left there.

    seed    0..2**32-1
    device  "cpu" or "cuda:N"
    """
    store, log = Store(folder / "store"), _silent_log()
    workdir, resume, progress = folder / "work", folder / "resume", Progress(enabled=False)
    for place in (workdir, resume):
        place.mkdir(parents=True, exist_ok=True)
    features = StoredFeatures(device, store, progress, log)
    return Context(seed, device, workdir, resume, store, features, progress, log)


@dataclass
class Case:
    """One plugin under examination.

    moved   names the global random generators that its calls changed
    before  the process as it was before the plugin did anything
    """

    plugin: Plugin
    real: Splits
    device: str
    root: Path
    moved: set[str] = field(default_factory=set)
    before: Mapping[str, Any] = field(default_factory=process_state)

    def context(self, seed: int) -> Context:
        """Fresh folders and an empty store under `root`."""
        return context_in(Path(tempfile.mkdtemp(dir=self.root)), seed, self.device)

    def watch(self, call: Callable[[], Result]) -> Result:
        """What the plugin's `call` returns, taking note where it moves a global random generator.

        For second runs: in a first one the import of a library may move it.
        """
        states = np.random.get_state(), random.getstate()  # noqa: NPY002 - to see who else uses it
        np.random.seed(UNLIKELY)  # noqa: NPY002 - so that a plugin's own seed makes a difference
        random.seed(UNLIKELY)
        before = _global_states()
        try:
            return call()
        finally:
            after = _global_states()
            self.moved.update(name for name in before if before[name] != after[name])
            np.random.set_state(states[0])  # noqa: NPY002 - left as it was found
            random.setstate(states[1])

    @property
    def exact(self) -> bool:
        """Whether two runs must agree to the last bit: on the CPU. A GPU may add in another order."""
        return self.device == "cpu"


def _silent_log() -> logging.Logger:
    log = logging.getLogger("synthbench.testing")
    log.propagate = False
    if not log.handlers:
        log.addHandler(logging.NullHandler())
    return log


def _global_states() -> dict[str, str]:
    numpys: dict[str, Any] = np.random.get_state(legacy=False)  # noqa: NPY002 - to see who else uses it
    state = numpys["state"]
    return {
        "numpy.random": repr((state["key"].tolist(), state["pos"], numpys["has_gauss"])),
        "random": repr(random.getstate()),
    }


def copied(images: Images) -> Images:
    """A copy whose arrays may be written to, unlike those of a real run: then it shows who writes to them."""
    copy = replace(images)
    for name in FIELDS:
        object.__setattr__(copy, name, np.array(getattr(images, name)))
    return copy


def frozen(images: Images) -> Images:
    """A copy that refuses writing, as the images of a real run do."""
    return replace(copied(images))


def differing_fields(a: Images, b: Images) -> list[str]:
    """Names of the arrays that are not the same in both."""
    pairs: list[tuple[str, Any, Any]] = [(name, getattr(a, name), getattr(b, name)) for name in FIELDS]
    return [name for name, x, y in pairs if not np.array_equal(x, y)]
