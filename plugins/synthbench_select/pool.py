"""What there is to choose from: drawn from the base, once for all who ask for the same."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from synthbench import Images, Labels, Sampler, code_version, load_images, save_images

__all__ = ["Pool"]


@dataclass(frozen=True, eq=False)
class Pool:
    """Draws from `base`, `oversample` images for each label. Pickles, without the store.

    decided  the key of the base's fit
    store    `ctx.store`, keeps what was drawn; None draws anew
    """

    base: Sampler
    oversample: int
    classes: tuple[str, ...]
    decided: Mapping[str, Any]
    store: Any

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "store": None}

    def __call__(self, labels: Labels, seed: int) -> tuple[Images, bool]:
        """The images, and whether the base knows ids and groups of them; fewer where it had fewer to draw."""
        if self.store is None:
            return self._drawn(labels, seed)
        asked = hashlib.sha256(np.ascontiguousarray(labels).tobytes()).hexdigest()
        code = code_version(__name__)
        key = {"base": self.decided, "labels": asked, "oversample": self.oversample, "seed": seed, "code": code}

        def build(folder: Path) -> Mapping[str, Any]:
            images, known = self._drawn(labels, seed)
            save_images(folder, images)
            return {"known": known}

        entry = self.store.make("pool", key, build)
        return load_images(entry.path), bool(entry.meta["known"])

    def _drawn(self, labels: Labels, seed: int) -> tuple[Images, bool]:
        wanted = np.tile(labels, self.oversample)
        drawn = self.base(wanted.copy(), np.random.default_rng(seed))  # a copy: it may sort what it gets
        if isinstance(drawn, Images):
            return drawn, True
        if len(drawn) != len(wanted):
            raise ValueError(f"the base's sampler returned {len(drawn)} images for {len(wanted)} labels")
        names = np.array([f"pool-{number:06d}" for number in range(len(wanted))], dtype=np.str_)
        return Images(drawn, wanted, self.classes, names), False
