"""What a program is asked for and hands back: a CSV of labels, a folder of pictures."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from synthbench import DataError, Labels, PictureRule, Pixels, PluginError
from synthbench_ready.sources import Pictures

__all__ = ["read_pictures", "write_labels"]


def write_labels(labels: Labels, classes: Sequence[str], file: Path) -> None:
    """The images that are asked for: the path of each in the output folder, and its class."""
    rows = [(f"{i:06d}.png", classes[label]) for i, label in enumerate(labels)]
    with file.open("w", encoding="utf-8", newline="") as opened:
        csv.writer(opened).writerows([("path", "label"), *rows])


def read_pictures(folder: Path, labels: Labels, shape: tuple[int, int, int], rule: PictureRule) -> Pixels:
    """What `write_labels` asked for, from `folder`. Raises PluginError where a picture is missing or none."""
    ids = [f"{i:06d}.png" for i in range(len(labels))]
    paths = [folder / name for name in ids]
    if missing := [path.name for path in paths if not path.is_file()]:
        raise PluginError(f"the program left {len(paths) - len(missing)} of {len(paths)} images, no {missing[0]}")
    try:
        return Pictures(paths, labels, ids).read(np.arange(len(labels)), shape, rule)
    except DataError as error:
        raise PluginError(f"the program left a picture that cannot be read: {error}") from error
