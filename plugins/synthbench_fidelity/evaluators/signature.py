"""One line a metric that can be cited: what was compared, with which extractor, options and versions."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

from synthbench import Evaluator, Images

__all__ = ["FILE", "write_signature"]

FILE = "signature.txt"
PACKAGES = ("numpy", "scipy", "torch")


def write_signature(
    folder: Path, plugin: Evaluator, train: Images, n: int, how: str, against: int | None = None
) -> None:
    """Write `signature.txt`, a line a metric.

    n        synthetic images compared
    how      what stands between pixels and numbers: an extractor's signature, say
    against  training images that they were compared with, where that is not all
    """
    there = len(train) if against in (None, len(train)) else f"{against} of {len(train)}"
    size = "x".join(map(str, train.shape))
    options = {name: value for name, value in plugin.model_dump(mode="json").items() if name != "extractor"}
    listed = ", ".join(f"{name} {value}" for name, value in options.items())
    versions = ", ".join(f"{package} {metadata.version(package)}" for package in PACKAGES)
    facts = " | ".join([f"N {n} synthetic, {there} train images, {size}", listed, how, versions])
    lines = [f"{metric} | {facts}\n" for metric in plugin.metrics]
    (folder / FILE).write_text("".join(lines), encoding="utf-8")
