"""The feature service: each image set goes through each extractor once, however many evaluators ask.

features = ctx.features(images, extractor, train=real.train)      # float32 (N, D)
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from synthbench.context import Context, Features
from synthbench.interfaces import Embed, Extractor
from synthbench.source import code_version
from synthbench.store import damaged
from synthbench.types import Images

__all__ = ["check_features", "extractors_of", "features_of", "identity", "pixel_digest"]

SCHEMA = 1
"""Counts up when this module changes what an entry holds or means."""

FILE = "features.npy"

_digests: WeakKeyDictionary[Images, str] = WeakKeyDictionary()
"""Of images seen before: reading all pixels again for every evaluator takes seconds on large sets."""


def extractors_of(plugin: Any) -> dict[str, Extractor]:
    """The extractors that a plugin's options name, by option."""
    fields = {name: getattr(plugin, name) for name in type(plugin).model_fields}
    return {name: value for name, value in fields.items() if isinstance(value, Extractor)}


def identity(extractor: Extractor) -> dict[str, Any]:
    """All that decides an extractor: options, weights, code. Part of every cache key that it matters to."""
    return {
        "use": f"{extractor.name}:{type(extractor).__qualname__}",
        "config": extractor.model_dump(mode="json"),
        "inputs": dict(extractor.inputs()),
        "code": code_version(type(extractor).__module__),
    }


def pixel_digest(images: Images) -> str:
    """SHA-256 of the pixels and their shape: the same pictures under other ids and labels have the same."""
    if images not in _digests:
        sha = hashlib.sha256(repr(images.pixels.shape).encode())
        for block in np.array_split(images.pixels, max(1, images.pixels.nbytes >> 26)):
            sha.update(np.ascontiguousarray(block).data)
        _digests[images] = sha.hexdigest()
    return _digests[images]


def features_of(images: Images, extractor: Extractor, train: Images, ctx: Context) -> Features:
    """See `Context.features`. Raises DataError where weights are missing, ValueError for a faulty extractor."""
    if not len(images):
        raise ValueError("no images to extract features from")
    seen = train if extractor.learns else train.subset(np.arange(0))
    key = {
        "schema": SCHEMA,
        "extractor": identity(extractor),
        "pixels": pixel_digest(images),
        "device": ctx.device.partition(":")[0],
        **({"train": train.digest} if extractor.learns else {}),
    }

    def build(folder: Path) -> Mapping[str, Any]:
        with _surroundings(folder, key, ctx) as own:
            _run(extractor.load(seen, own), images, extractor, folder / FILE, ctx)
        return {"signature": extractor.signature()}

    entry = ctx.store.make("features", key, build)
    try:
        features: Features = np.load(entry.path / FILE, mmap_mode="r")
    except (OSError, EOFError, ValueError) as error:
        raise damaged(entry.path, error) from error
    return features


@contextmanager
def _surroundings(folder: Path, key: Mapping[str, Any], ctx: Context) -> Iterator[Context]:
    """The extractor's own: its work is shared, so nothing of the trial that happens to come first shows in it."""
    workdir, resume = folder / "files", ctx.store.resume_folder("features", key)
    workdir.mkdir()
    try:
        yield replace(ctx, seed=0, workdir=workdir, resume=resume)
    finally:
        for place in (workdir, resume):
            if not any(place.iterdir()):
                place.rmdir()


def _run(embed: Embed, images: Images, extractor: Extractor, path: Path, ctx: Context) -> None:
    """Batch by batch into a .npy file: neither all images nor all features need fit into memory."""
    with ctx.progress.bar(f"features {extractor.label}", len(images)) as bar:
        for start in range(0, len(images), extractor.batch_size):
            batch = np.array(images.pixels[start : start + extractor.batch_size])
            part = check_features(embed(batch), len(batch), extractor.label)
            if start == 0:
                shape = (len(images), part.shape[1])
                out = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=shape)
            out[start : start + len(part)] = part
            bar.advance(len(part))
    out.flush()


def check_features(part: Any, n: int, label: str) -> Features:
    """`part`, or ValueError where it is not float32 (n, D) of finite numbers."""
    if not isinstance(part, np.ndarray) or part.dtype != np.float32 or part.ndim != 2 or len(part) != n:
        found = f"{part.dtype} {part.shape}" if isinstance(part, np.ndarray) else type(part).__name__
        raise ValueError(f"extractor {label} must return float32 ({n}, D) for {n} images, found {found}")
    if not np.isfinite(part).all():
        raise ValueError(f"extractor {label} returned features that are not finite")
    return part
