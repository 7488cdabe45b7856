"""`images`: a row of images that were made elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Self

from pydantic import Field, model_validator

from synthbench import Context, DataError, Generator, Images, Origin, TrainedOn
from synthbench_ready.digest import SEED_INDEX, digest_of_files, digest_of_places, every_seed
from synthbench_ready.draw import Drawer
from synthbench_ready.find import files_at, find_images, find_unlabelled
from synthbench_ready.sources import Source

__all__ = ["ReadyImages"]


class ReadyImages(Generator):
    """Images made elsewhere, each drawn at most once: class folders, a flat folder with a CSV, .npz or .npy.

    They are made the benchmark's size by the rule of its data set. Unless `trained_on` says `train`, the generator
    behind them may have seen the test images, and the row has no rank.
    """

    name: ClassVar[str] = "images"

    root: Path = Field(
        description="a folder of class folders, a flat folder with `manifest`, an .npz (`images` or `arr_0`, "
        "`labels` or `arr_1`) or .npy file, as seen from the file that names it. With `{seed_index}` in it a "
        "place for each of the benchmark's seeds, counted from 0; without, one seed"
    )
    trained_on: TrainedOn = Field(
        "unknown",
        description="what the generator behind them saw: `train`, the benchmark's training images and no others "
        "of its images; `all` of them; or `unknown`",
    )
    manifest: str | None = Field(  # no path: those are seen from the benchmark file
        None, description="CSV file with the columns path and label; a relative one lies in root"
    )
    labels: Path | None = Field(None, description=".npy file of labels, for arrays that have none beside them")
    classes: tuple[str, ...] | None = Field(
        None, description="class names behind the labels 0, 1, ...; unset: the benchmark's classes in their order"
    )
    labelled: bool = Field(
        True,
        description="false: labels do not count, for a data set that has none; folders below root make no classes",
    )
    fewer: bool = Field(
        False, description="take what there is where a class has fewer images than asked for; the board says so"
    )

    @model_validator(mode="after")
    def _has_labels_for_them(self) -> Self:
        if not self.labelled and (self.manifest or self.labels or self.classes):
            raise ValueError(
                "labelled: false leaves no room for `manifest`, `labels` and `classes`; take them away"
            )
        return self

    def origin(self) -> Origin:
        """One place is one seed."""
        return Origin(self.trained_on, None if SEED_INDEX in str(self.root) else 1, self.fewer)

    def inputs(self) -> Mapping[str, str]:
        """The images count by their content, those of all seeds together, with the table that lists them."""
        found = [
            (place, files_at(place, self._manifest(place), labelled=self.labelled))
            for place in every_seed(self.root)
        ]
        labels = {"labels": digest_of_places(every_seed(self.labels))} if self.labels else {}
        return {"images": digest_of_files(found), **labels}

    def fit(self, train: Images, ctx: Context) -> Drawer:
        """Find them; what is drawn is read when it is."""
        place = _of_seed(self.root, ctx.seed_index)
        source = self._found(place, train.classes, ctx.seed_index)
        if source.aside:
            first, n = source.aside[0], len(source.aside)
            ctx.progress.say(f"{place}: {n} files are not drawn, {first.path} first: {first.reason}")
        size = " x ".join(map(str, train.shape))
        ctx.log.info("%d images in %s, made %s by %s", len(source.labels), place, size, ctx.pictures)
        return Drawer(source, str(place), train.classes, train.shape, ctx.pictures, self.fewer)

    def _found(self, place: Path, classes: tuple[str, ...], seed_index: int) -> Source:
        if not self.labelled:
            if len(classes) > 1:
                named = ", ".join(classes)
                raise DataError(f"labelled: false is for a data set without labels; this one has {named}")
            return find_unlabelled(place)
        labels = _of_seed(self.labels, seed_index) if self.labels else None
        manifest = self._manifest(place)
        return find_images(place, classes, manifest=manifest, labels=labels, numbers=self.classes)

    def _manifest(self, place: Path) -> Path | None:
        return place / Path(self.manifest).expanduser() if self.manifest else None


def _of_seed(path: Path, index: int) -> Path:
    return Path(str(path).replace(SEED_INDEX, str(index)))
