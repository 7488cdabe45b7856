"""The feature service: each image set goes through each extractor once, however many evaluators ask.

features = ctx.features(images, extractor, train=real.train)      # float32 (N, D)
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from synthbench.api.extractors import identity
from synthbench.api.interfaces import Context, Embed, Extractor, Features
from synthbench.api.lending import lend
from synthbench.errors import StoreError
from synthbench.progress import Progress
from synthbench.storage.store import Store
from synthbench.storage.versions import FEATURES
from synthbench.types import Images

__all__ = ["StoredFeatures", "check_features"]

FILE = "features.npy"


@dataclass(frozen=True)
class StoredFeatures:
    """A `FeatureService` that keeps what it computed in the store."""

    device: str
    store: Store
    progress: Progress
    log: logging.Logger

    def __call__(self, images: Images, extractor: Extractor, *, train: Images) -> Features:
        """See `FeatureService`. Raises DataError where weights are missing, ValueError for a faulty extractor."""
        if not len(images):
            raise ValueError("no images to extract features from")
        seen = train if extractor.learns else train.subset(np.arange(0))
        key = {
            "schema": FEATURES,
            "extractor": identity(extractor),
            "pixels": images.pixel_digest,
            "device": self.device.partition(":")[0],
            **({"train": train.digest} if extractor.learns else {}),
        }

        def build(folder: Path) -> Mapping[str, Any]:
            with self._surroundings(folder, key) as ctx, lend(seen, extractor.label, self.store) as own:
                self._extract(extractor.load(own, ctx), images, extractor, folder / FILE)
            return {"signature": extractor.signature()}

        entry = self.store.make("features", key, build, shared=True)
        try:
            features: Features = np.load(entry.path / FILE, mmap_mode="r")
        except (OSError, EOFError, ValueError) as error:
            raise StoreError.damaged(entry.path, error) from error
        return features

    @contextmanager
    def _surroundings(self, folder: Path, key: Mapping[str, Any]) -> Iterator[Context]:
        """The extractor's own: its work is shared, so nothing of the trial that comes first may show in it."""
        workdir = folder / "files"
        workdir.mkdir()
        try:
            with self.store.resume_folder("features", key) as resume:
                yield Context(0, self.device, workdir, resume, self.store, self, self.progress, self.log)
        finally:
            if not any(workdir.iterdir()):
                workdir.rmdir()

    def _extract(self, embed: Embed, images: Images, extractor: Extractor, path: Path) -> None:
        """Batch by batch into a .npy file: neither all images nor all features need fit into memory."""
        # In order through a file, not through a memory map: on a full disk that would end the process (SIGBUS).
        with self.progress.bar(f"features {extractor.label}", len(images)) as bar, path.open("wb") as file:
            for start in range(0, len(images), extractor.batch_size):
                batch = np.array(images.pixels[start : start + extractor.batch_size])
                part = check_features(embed(batch), len(batch), extractor.label)
                if start == 0:
                    width = part.shape[1]
                    about = {"descr": "<f4", "fortran_order": False, "shape": (len(images), width)}
                    np.lib.format.write_array_header_1_0(file, about)
                elif part.shape[1] != width:
                    raise ValueError(
                        f"extractor {extractor.label} returned {part.shape[1]} features after {width}"
                    )
                file.write(np.ascontiguousarray(part, dtype="<f4").data)
                bar.advance(len(part))


def check_features(part: Any, n: int, label: str) -> Features:
    """`part`, or ValueError where it is not float32 (n, D) of finite numbers."""
    if not isinstance(part, np.ndarray) or part.dtype != np.float32 or part.ndim != 2 or len(part) != n:
        shape = f"{part.dtype} {part.shape}" if isinstance(part, np.ndarray) else type(part).__name__
        raise ValueError(f"extractor {label} must return float32 ({n}, D) for {n} images, found {shape}")
    if not np.isfinite(part).all():
        raise ValueError(f"extractor {label} returned features that are not finite")
    return part
