"""`command`: any program that writes images for given labels."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from logging import Logger
from pathlib import Path
from typing import ClassVar

import numpy as np
from pydantic import Field, field_validator

from synthbench import (
    Context,
    Generator,
    Images,
    Labels,
    Origin,
    PictureRule,
    Pixels,
    TrainedOn,
    started_in,
    write_class_folders,
)
from synthbench_ready.digest import digest_of_places
from synthbench_ready.exchange import read_pictures, write_labels
from synthbench_ready.program import run_program

__all__ = ["Command", "Program"]

PLACEHOLDER = re.compile(r"\{(\w+)\}")
FITTING = frozenset({"train", "model", "seed", "device"})
DRAWING = FITTING | {"labels", "out"}


class Command(Generator):
    """A program that writes an image for each of the labels it is given; optionally another one that trains.

    The programs run one after the other, without a shell, in the folder that the run was started in. What they
    print is in the trial's log.txt; an exit code other than 0 fails the row.
    """

    name: ClassVar[str] = "command"

    command: tuple[str, ...] = Field(
        min_length=1,
        description="the program that draws, and its arguments, a text each. `{labels}`: CSV file of path and "
        "label, `{out}`: empty folder to write each path into, `{seed}`, `{train}`: folder of class folders of "
        "PNG files with a labels.csv, `{model}`: folder that fit_command left, `{device}`: cpu or cuda:N",
    )
    fit_command: tuple[str, ...] | None = Field(
        None,
        min_length=1,
        description="the program that trains, once a seed, with `{train}`, `{model}` to write into, `{seed}`, "
        "`{device}`",
    )
    timeout: float = Field(86400.0, gt=0, description="seconds after which a program is ended and its row fails")
    sources: tuple[Path, ...] = Field(
        (),
        description="further files and folders that decide the images (modules, weights): changed, all is made "
        "again. Files that the commands name count anyway",
    )
    trained_on: TrainedOn = Field(
        "train",
        description="what its network saw: `train`, what stands in `{train}` and no others of the benchmark's "
        "images; `all` of them; or `unknown`, as of weights from elsewhere",
    )

    @field_validator("command")
    @classmethod
    def _draws(cls, words: tuple[str, ...]) -> tuple[str, ...]:
        named = _known(words, DRAWING)
        if missing := sorted({"labels", "out"} - named):
            raise ValueError(f"must name {' and '.join(f'{{{name}}}' for name in missing)}")
        return words

    @field_validator("fit_command")
    @classmethod
    def _fits(cls, words: tuple[str, ...] | None) -> tuple[str, ...] | None:
        _known(words or (), FITTING)
        return words

    def origin(self) -> Origin:
        """What its options say."""
        return Origin(self.trained_on)

    def inputs(self) -> Mapping[str, str]:
        """The files that the commands name, and `sources`, count by content."""
        words = (*self.command, *(self.fit_command or ()))
        named = (started_in() / word for word in words)
        files = [*(path for path in named if _is_file(path)), *self.sources]
        return {"files": digest_of_places(files)} if files else {}

    def fit(self, train: Images, ctx: Context) -> Program:
        """Run `fit_command`, unless an earlier call has finished it; it finds its own files after a kill."""
        model, done = ctx.resume / "model", ctx.resume / "done"
        if self.fit_command is not None and not done.exists():
            model.mkdir(exist_ok=True)
            places = {"model": str(model), "seed": str(ctx.seed), "device": ctx.device}
            _run(self.fit_command, places, train, self.timeout, ctx.log)
            done.touch()
        return Program(self.command, self.timeout, train, str(model), ctx.device, ctx.pictures, ctx.log)


@dataclass(frozen=True, eq=False)
class Program:
    """Draws by running a program; `model` is the folder that the training left."""

    command: Sequence[str]
    timeout: float
    train: Images
    model: str
    device: str
    rule: PictureRule
    log: Logger

    def __call__(self, labels: Labels, rng: np.random.Generator) -> Pixels:
        with tempfile.TemporaryDirectory(prefix="synthbench-command-") as folder:
            file, out = Path(folder) / "labels.csv", Path(folder) / "out"
            out.mkdir()
            write_labels(labels, self.train.classes, file)
            places = {"labels": str(file), "out": str(out), "seed": str(rng.integers(2**32))}
            places |= {"model": self.model, "device": self.device}
            _run(self.command, places, self.train, self.timeout, self.log)
            return read_pictures(out, labels, self.train.shape, self.rule)


def _run(words: Sequence[str], places: Mapping[str, str], train: Images, timeout: float, log: Logger) -> None:
    """Fill the placeholders in and run; the training images are written where they are asked for, and removed."""
    with tempfile.TemporaryDirectory(prefix="synthbench-train-") as folder:
        if "train" in _named(words):
            write_class_folders(train, Path(folder))
        filled = {**places, "train": folder}
        run_program([PLACEHOLDER.sub(lambda m: filled[m[1]], word) for word in words], timeout, log)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # too long for a name
        return False


def _named(words: Sequence[str]) -> set[str]:
    return {name for word in words for name in PLACEHOLDER.findall(word)}


def _known(words: Sequence[str], known: frozenset[str]) -> set[str]:
    """The placeholders in `words`. Raises ValueError for one that is not known."""
    if unknown := sorted(_named(words) - known):
        names = ", ".join(f"{{{name}}}" for name in sorted(known))
        raise ValueError(f"{{{unknown[0]}}} is no placeholder; there is {names}")
    return _named(words)
