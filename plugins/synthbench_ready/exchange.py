"""What a program is handed and hands back: folders of pictures, and a CSV that lists them."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from synthbench import DataError, Images, Labels, PictureRule, Pixels, PluginError
from synthbench_ready.sources import Pictures

__all__ = ["LABELS", "read_pictures", "write_labels", "write_training"]

LABELS = "labels.csv"


def write_training(train: Images, folder: Path) -> None:
    """Class folders of PNG files, and LABELS beside them: path, label, group (the patient) of each."""
    folders = [_folder(name, k) for k, name in enumerate(train.classes)]
    for name in folders:
        (folder / name).mkdir(parents=True)
    rows = []
    for i, (pixels, label) in enumerate(zip(train.pixels, train.labels, strict=True)):
        path = f"{folders[label]}/{i:06d}.png"
        Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels).save(folder / path, compress_level=1)
        rows.append((path, train.classes[label], str(train.groups[i])))
    _write_rows(folder / LABELS, ("path", "label", "group"), rows)


def _folder(name: str, number: int) -> str:
    """The class's name, where that names a folder."""
    is_plain = name == Path(name).name and not name.startswith(".")
    return name if is_plain else f"class-{number}"


def write_labels(labels: Labels, classes: Sequence[str], file: Path) -> None:
    """The images that are asked for: the path of each in the output folder, and its class."""
    rows = [(f"{i:06d}.png", classes[label]) for i, label in enumerate(labels)]
    _write_rows(file, ("path", "label"), rows)


def _write_rows(file: Path, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    with file.open("w", encoding="utf-8", newline="") as opened:
        csv.writer(opened).writerows([columns, *rows])


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
