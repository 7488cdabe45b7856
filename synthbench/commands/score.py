"""`synthbench score`: folders of real and of synthetic images on a board, without a benchmark file.

It writes the benchmark file that says the same, and runs that: the way on is to edit it and `synthbench run` it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from synthbench.api.origin import TrainedOn
from synthbench.api.registry import load_registry
from synthbench.benchmark.whole import floors_and_ceilings
from synthbench.benchmark.yaml_traps import as_yaml
from synthbench.commands.real_arrays import as_class_folders
from synthbench.commands.run import run
from synthbench.commands.score_labels import images_in, unlabelled
from synthbench.data.class_folders import LABELS
from synthbench.errors import ConfigError
from synthbench.intake import PARTS, folded, read_rows, subfolders
from synthbench.progress import Progress
from synthbench.results.claim import claim
from synthbench.runner.loop import RunResult
from synthbench.storage.disk import make_folder
from synthbench.storage.layout import File

__all__ = ["score", "scoring_file"]

FILE = "benchmark.yaml"
JUDGE = "tstr"
UNLABELLED_HEADLINE = "kid.kid[efficientnet-lite0]"
LIKENESS = ("kid", "precision-recall", "memorisation")
"""Where there are no labels: the first one ranks."""

EPOCHS = 12
"""At most, as in the quickstart: the small CNN stops earlier where it learns no more."""

AT_MOST = 1000
"""Images of a row in feature space: what two cores embed in a minute."""


def score(
    real: Path,
    synthetic: Sequence[Path],
    *,
    out: Path = Path("score"),
    device: str = "auto",
    require: Sequence[str] = (),
    progress: Progress | None = None,
    **options: Any,
) -> RunResult:
    """Score sets of synthetic images against real ones; `benchmark.yaml`, board and report go to `out`.

    options  as `scoring_file` takes them

    Raises SynthbenchError for whatever its user can mend.
    """
    content = scoring_file(real, synthetic, out=out, **options)
    progress = progress or Progress()
    file = out / FILE
    written = as_yaml(content)
    if (out / File.RECORD).exists() and file.exists() and file.read_text(encoding="utf-8") != written:
        raise ConfigError(
            f"{file} says something else: another `score`, or edited since; run it with `synthbench run {file}`, "
            "or give another --out"
        )
    if flat := unlabelled(_real_places(real, options.get("test")), synthetic):
        others = "; those of the others are ignored" * (len(flat) < len({real, *synthetic}))
        progress.say(f"no labels in {', '.join(map(str, flat))}{others}")
    with claim(out, content["name"]):
        file.write_text(written, encoding="utf-8")
    return run(file, out=out, device=device, require=require, progress=progress)


def scoring_file(
    real: Path,
    synthetic: Sequence[Path],
    *,
    out: Path,
    test: Path | None = None,
    groups: str | None = None,
    judge: str = "cnn",
    trained_on: TrainedOn = "unknown",
    size: int = 64,
    channels: int = 1,
    samples: int = 1000,
    positive: str | None = None,
) -> dict[str, Any]:
    """The content of the benchmark file. Where one of the sets has no labels, those of the others are ignored.

    real        class folders, in train and test or without, a CSV file of path and label beside the images, or an
                .npz of images and labels, which is written into `out`; or without labels a flat folder, .npz, .npy
    synthetic   of each set: class folders named as those of `real`, or .npz; or without labels
    out         whose last part names the benchmark; with `test` it holds links to both real folders
    test        a folder of real images that no generator saw: the test set, and `real` is all for training
    groups      regular expression for the patient in a path below `real`
    judge       backbone of the classifier: cnn, vgg16 or timm:<model>
    trained_on  what the generators saw of `real`: no row has a rank unless it is "train", or `test` is given
    size        the images are made so many pixels square
    samples     images of each set that are scored at most, floors and ceilings alike
    Raises ConfigError for what is not there or cannot be told apart.
    """
    labels = _labels(real, synthetic, test)
    flat = _flat(_real_places(real, test), synthetic, needed=positive is not None or judge != "cnn")
    _check_trained_on("unknown" if test or flat else trained_on, real)
    asked = {**flat, "image_size": size, "channels": channels, "groups": groups, "positive": positive}
    row = {**flat, "trained_on": "train" if test else trained_on, "fewer": True}
    return {
        "name": _label(out),
        "samples": _scored(samples, synthetic),
        "headline": UNLABELLED_HEADLINE if flat else f"{JUDGE}.auroc",
        **({"baselines": False} if flat else {}),
        "dataset": {"use": "image-folder", **_real(real, test, out), **_given(asked)},
        "generators": [
            {"use": "images", "label": label, "root": str(place.resolve()), **row}
            for label, place in zip(labels, synthetic, strict=True)
        ],
        "evaluators": _fidelity(labels, *LIKENESS) if flat else _evaluators(judge, labels),
    }


def _check_trained_on(trained_on: TrainedOn, real: Path) -> None:
    """Raise ConfigError for "train" where nobody has put test images aside, in a folder or by a table's column."""
    if trained_on != "train":
        return
    if real.is_dir():
        names = [folder.name for folder in subfolders(real)]
    elif real.suffix.casefold() == ".csv":
        names = [cell for row in read_rows(real, ()) for cell in row.cells.values()]
    else:
        names = []
    if not any(PARTS.get(folded(name)) == "test" for name in names):
        raise ConfigError(
            f"--trained-on train: {real} has no test part, so one would be cut from images that the generators "
            "saw. Give --test, or keep the real images in train and test; or train on what "
            "`synthbench export-train` leaves of them, and say `trained_on: train` in the file that `score` writes"
        )


def _given(options: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in options.items() if value is not None}


def _flat(real: Sequence[Path], synthetic: Sequence[Path], *, needed: bool) -> dict[str, bool]:
    """The option of data set and rows where there are no labels, unless they are `needed`."""
    if not unlabelled(real, synthetic):
        return {}
    if needed:
        raise ConfigError("--positive and --judge are for images with labels; here some have none")
    return {"labelled": False}


def _real_places(real: Path, test: Path | None) -> list[Path]:
    return [real, test] if test else [real]


def _labels(real: Path, synthetic: Sequence[Path], test: Path | None) -> list[str]:
    """Of the synthetic sets, once all that is named is there."""
    for place in (real, *synthetic, *([test] if test else [])):
        if not place.exists():
            raise ConfigError(f"{place}: there is nothing of this name")
        if place.is_dir() and not any(path.is_file() for path in place.rglob("*")):
            raise ConfigError(f"{place}: no images in it: it holds no file")
    labels = [_label(place) for place in synthetic]
    if twice := sorted({label for label in labels if labels.count(label) > 1}):
        raise ConfigError(f"two sets of synthetic images are called {twice[0]}; rename a folder")
    for label, cls in floors_and_ceilings(load_registry()).items():
        if label in labels:
            raise ConfigError(f"a set of synthetic images is called as the {cls.role} {label}; rename the folder")
    return labels


def _evaluators(judge: str, labels: Sequence[str]) -> list[dict[str, Any]]:
    """Utility of all; fidelity of the sets alone: floors and ceilings stand in its calibration."""
    utility = {"use": "tstr", "label": JUDGE, "backbone": judge, "epochs": EPOCHS, "seeds": 2}
    return [utility, *_fidelity(labels, "memorisation", "kid", "precision-recall")]


def _fidelity(labels: Sequence[str], *uses: str) -> list[dict[str, Any]]:
    return [{"use": use, "at_most": AT_MOST, "generators": list(labels)} for use in uses]


def _label(place: Path) -> str:
    """A folder's or file's name, as labels and names of benchmarks may be."""
    stem = place.resolve().stem if place.is_file() else place.resolve().name
    return re.sub(r"[^A-Za-z0-9._-]+", "-", stem).strip("-._") or "score"


def _scored(samples: int, synthetic: Sequence[Path]) -> int:
    """How many images of each set: of fewer than are asked for all of the largest."""
    if samples < 2:
        raise ConfigError(f"--samples {samples}: expected 2 or more")
    return max(2, min(samples, max(map(images_in, synthetic))))


def _real(real: Path, test: Path | None, out: Path) -> dict[str, Any]:
    """Where the real images lie, as options of `image-folder`."""
    if real.is_file():
        return _real_file(real, test, out)
    if test is None:
        return {"root": str(real.resolve())}
    together = out.resolve() / "real"
    make_folder(together)
    for name, folder in (("train", real), ("test", test)):
        link = together / name
        if link.is_symlink():
            link.unlink()
        try:
            link.symlink_to(folder.resolve(), target_is_directory=True)
        except OSError as error:
            raise ConfigError(
                f"{link}: no link to {folder} can be made ({error.strerror}); put both below one folder as train "
                "and test, and give that"
            ) from error
    return {"root": str(together)}


def _real_file(real: Path, test: Path | None, out: Path) -> dict[str, Any]:
    """The same of a table or of arrays."""
    suffix = real.suffix.casefold()
    if suffix not in (".csv", ".npz", ".npy"):
        known = "a folder of class folders, a CSV of path and label, or an .npz of images and labels"
        raise ConfigError(f"{real}: real images are {known}; without labels a flat folder, an .npz or an .npy")
    if test:
        remedy = "it must be a folder; or name the test images in a CSV's column split"
        raise ConfigError(f"{real}: with --test {remedy}")
    if suffix == ".csv":
        return {"root": str(real.resolve().parent), "manifest": real.name}
    return {"root": str(as_class_folders(real, out.resolve())), "manifest": LABELS}
