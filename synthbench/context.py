"""What the harness hands to a plugin. Made by the harness, always passed, never global."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from synthbench.progress import Progress
from synthbench.seeds import derive_seed
from synthbench.store import Store
from synthbench.types import Images

if TYPE_CHECKING:
    from synthbench.interfaces import Extractor

__all__ = ["Context", "Features"]

Features = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Context:
    """One piece of work's surroundings.

    seed      the only source of randomness, 0..2**32-1
    device    "cpu" or "cuda:N", resolved
    workdir   files worth keeping go here (curves, grids, weights): stored with the result, copied to the run
    resume    checkpoints go here: survives a kill, empty on a first start, never shown to the user
    store     the content-addressed cache, for work a plugin wants to share between its own calls
    progress  `with ctx.progress.bar("training", total, unit="images") as bar: bar.advance(n)`
    log       goes to the trial's log file
    """

    seed: int
    device: str
    workdir: Path
    resume: Path
    store: Store
    progress: Progress
    log: logging.Logger

    def rng(self, *who: object) -> np.random.Generator:
        """A NumPy generator seeded by `seed` and who asks."""
        return np.random.default_rng(derive_seed(self.seed, *who))

    def child(self, *who: object) -> Context:
        """The same surroundings under a seed derived from this one."""
        return replace(self, seed=derive_seed(self.seed, *who))

    def features(self, images: Images, extractor: Extractor, *, train: Images) -> Features:
        """Feature vectors float32 (N, D) of `images`, in their order; a read-only memory map.

        Computed once: kept by the content of the pixels, shared by all evaluators. `train` are the real training
        images, for extractors that learn; others do not see them.
        """
        from synthbench.features import features_of

        return features_of(images, extractor, train, self)
