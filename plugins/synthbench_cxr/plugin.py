"""Chest X-ray sets from Kaggle or a local folder, and any folder of images."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import ClassVar, Literal, Self

from pydantic import AliasChoices, Field, field_validator, model_validator

from synthbench import DataError, Dataset, Quarantined, Splits, hookimpl
from synthbench.intake import id_of
from synthbench_cxr.folder import FolderDataset
from synthbench_cxr.holdout import hold_out
from synthbench_cxr.layout import Listing, folded, folder_names, readable, scan, split_folders, subfolders
from synthbench_cxr.locate import Source, existing_folder, locate
from synthbench_cxr.manifest import read_manifest
from synthbench_cxr.no_class import refuse_other_folders
from synthbench_cxr.patients import grouped_by_dicom, grouped_by_pattern, own_group
from synthbench_cxr.unlabelled import REMARK, UNLABELLED, scan_unlabelled

__all__ = ["ChestXray", "CovidPneumoniaNormal", "ImageFolder", "PneumoniaXrayImages"]

KERMANY = "kermany"
"""Both Kaggle sets of its images name their patients alike."""

# Bacteria and virus number their persons apart, and so do IM and NORMAL2-IM: the prefix belongs to the key.
# The last form is that of the original publication (Mendeley), before Kaggle renamed the files.
KERMANY_PATIENT = re.compile(
    r"(person\d+_(?:bacteria|virus)|(?:NORMAL2-)?IM-\d+|(?:BACTERIA|VIRUS|NORMAL)-\d+)", re.IGNORECASE
)


def kermany_patient(image_id: str) -> str:
    """The patient by file name, whatever the split: "train/NORMAL/IM-0115-0001.jpeg" -> "IM-0115"."""
    match = KERMANY_PATIENT.match(PurePosixPath(image_id).name)
    return match[0] if match else own_group(image_id)


def _has_in_a_split(root: Path, class_folder: str) -> bool:
    inside = [below.name.casefold() for part in split_folders(root).values() for below in subfolders(part)]
    return class_folder in inside


def _kermany_listing(root: Path, classes: Mapping[str, str | None], needed: tuple[str, ...]) -> Listing:
    parts = split_folders(root)
    if missing := [part for part in needed if part not in parts]:
        raise DataError(f"{root}: no folder {' or '.join(missing)}; found: {folder_names(root)}")
    return scan(root, parts, classes).grouped(kermany_patient)


class ChestXray(FolderDataset):
    """The Kaggle set "Chest X-Ray Images (Pneumonia)", official split: 5216 train, 16 val, 624 test images."""

    name: ClassVar[str] = "chest-xray"
    domain: ClassVar[str] = (
        "children of 1-5 years, one hospital (Guangzhou Women and Children's Medical Center); "
        "Kermany et al., Cell 2018; the test patients are a block of ids, not a random draw"
    )
    source: ClassVar[Source] = Source(
        folder="chest_xray",
        handle="paultimothymooney/chest-xray-pneumonia/versions/2",  # a fixed version is found offline, too
        layout="{train,val,test}/{NORMAL,PNEUMONIA}",
        fits=lambda root: _has_in_a_split(root, "pneumonia"),
    )

    def folder(self) -> Path:
        return locate(self.source, self.root)

    def cohort_name(self) -> str:
        return KERMANY

    def listing(self, root: Path) -> Listing:
        return _kermany_listing(root, {"normal": "NORMAL", "pneumonia": "PNEUMONIA"}, ("train", "test"))


class PneumoniaXrayImages(FolderDataset):
    """The Kaggle set "Pneumonia X-Ray Images": `chest-xray` re-split, normal/opacity; a test folder suffices."""

    name: ClassVar[str] = "pneumonia-xray-images"
    domain: ClassVar[str] = (
        "the images of chest-xray in another split (children of 1-5 years, Guangzhou): most of its test "
        "images lie in the training set of chest-xray, so it is no independent evidence"
    )
    source: ClassVar[Source] = Source(
        folder="pneumonia_xray_images",
        handle="pcbreviglieri/pneumonia-xray-images",
        layout="{train,val,test}/{normal,opacity}",
        fits=lambda root: _has_in_a_split(root, "opacity"),
    )

    def folder(self) -> Path:
        return locate(self.source, self.root)

    def cohort_name(self) -> str:
        return KERMANY

    def listing(self, root: Path) -> Listing:
        return _kermany_listing(root, {"normal": "NORMAL", "opacity": "PNEUMONIA"}, ("test",))


class CovidPneumoniaNormal(FolderDataset):
    """The Kaggle set "COVID-19, pneumonia, normal chest X-ray images": all test images; patients unknown."""

    name: ClassVar[str] = "covid-pneumonia-normal"
    domain: ClassVar[str] = (
        "mostly adults, gathered from public sets (many hospitals and machines): against a training set of "
        "children, age and origin differ together with the disease"
    )
    source: ClassVar[Source] = Source(
        folder="covid_pneumonia_normal",
        handle="sachinkumar413/covid-pneumonia-normal-chest-xray-images",
        layout="{COVID,NORMAL,PNEUMONIA}",
        fits=lambda root: "covid" in [path.name.casefold() for path in subfolders(root)],
    )

    covid: Literal["pneumonia", "drop", "recall"] = Field(
        "pneumonia",
        description="COVID images count as PNEUMONIA; are left out; or are a test part of their own, `covid`, "
        "labelled PNEUMONIA, of which only recall and accuracy are defined",
    )

    def folder(self) -> Path:
        return locate(self.source, self.root)

    def listing(self, root: Path) -> Listing:
        covid = "PNEUMONIA" if self.covid == "pneumonia" else None
        classes = {"normal": "NORMAL", "pneumonia": "PNEUMONIA", "covid": covid}
        listing = scan(root, {"test": root}, classes)
        if self.covid == "recall":
            alone = {"normal": None, "pneumonia": None, "covid": "PNEUMONIA"}
            listing = listing.joined(scan(root, {"covid": root}, alone))
        return listing.grouped(own_group)


class ImageFolder(FolderDataset):
    """Any folder of class folders, in folders train, val and test or without; or of files that a `manifest` lists.

    Where there is no test part, whole groups of the training images are held out as `test`: always the
    same ones, chosen by the hash of their names, class by class.
    """

    name: ClassVar[str] = "image-folder"
    domain: ClassVar[str] = "a folder of the user's own"

    root: Path = Field(
        description="the folder of the class folders, of train, val and test with them, or of the images listed"
    )
    classes: tuple[str, ...] | None = Field(
        None, min_length=2, description="all class folders in the order of the labels; default: alphabetical"
    )
    manifest: str | None = Field(  # no path: those are seen from the benchmark file
        None,
        description="CSV with the columns path and label, and optionally patient, split (train, val, test) and "
        "attributes, in place of class folders; a relative one lies in root",
    )
    labelled: bool = Field(
        True,
        description="false: the images have no labels, or none that count; folders below root make no classes",
    )
    groups: str | None = Field(
        None,
        validation_alias=AliasChoices("groups", "group_pattern"),  # what files of older versions call it
        description="regular expression, searched in a path below root; its first group is the patient",
    )
    cohort: str = Field("", description="whose patients these are; sets of one cohort know each other's, by name")
    test_fraction: float = Field(
        0.2, gt=0, le=1, description="share of each class's groups held out where there is no test part"
    )

    @field_validator("groups")
    @classmethod
    def _has_a_group(cls, pattern: str | None) -> str | None:
        try:
            if pattern is not None and re.compile(pattern).groups < 1:
                raise ValueError("has no (group): put parentheses around the part that names the patient")
        except re.error as error:
            raise ValueError(f"is no regular expression: {error}") from error
        return pattern

    @model_validator(mode="after")
    def _has_labels_for_them(self) -> Self:
        if not self.labelled and (self.classes or self.positive):
            raise ValueError("labelled: false leaves no room for `classes` and `positive`; take them away")
        return self

    def cohort_name(self) -> str:
        return self.cohort

    def as_external(self, splits: Splits) -> Self:
        """All of it is a test set, unless it has a test part or says `test_fraction`: nobody trains on it."""
        asked = {} if "test_fraction" in self.model_fields_set else {"test_fraction": 1.0}
        return super().as_external(splits).model_copy(update=asked)

    def folder(self) -> Path:
        return existing_folder(self.root, "root")

    def listing(self, root: Path) -> Listing:
        listing = self._listed(root) if self.manifest else self._in_folders(root)
        listing = grouped_by_pattern(listing, self.groups) if self.groups else grouped_by_dicom(listing)
        if not self.labelled:
            listing = replace(listing, remarks=(*listing.remarks, REMARK))
        is_cut = any(item.part == "test" for item in listing.items)
        return listing if is_cut else hold_out(listing, self.test_fraction)

    def check_files(self) -> None:
        if self.manifest:
            self._table(self.folder())

    def _table(self, root: Path) -> Path:
        file = root / Path(self.manifest or "").expanduser()
        if not file.is_file():
            raise DataError(
                f"manifest is {self.manifest}, but there is no file {file}; a relative one lies in root"
            )
        return file

    def _listed(self, root: Path) -> Listing:
        file = self._table(root)
        listing = read_manifest(file, root, "" if self.labelled else UNLABELLED)
        listing = listing.spelled(self._class_names(file, listing.classes, "classes"))
        for part in sorted({item.part for item in listing.items}):
            present = {item.label for item in listing.items if item.part == part}
            if missing := [name for name in listing.classes if name not in present]:
                raise DataError(
                    f"{file}: no images of {', '.join(missing)} in its {part} part; every class needs some"
                )
        return listing

    def _in_folders(self, root: Path) -> Listing:
        parts = split_folders(root) or {"train": root}
        if "train" not in parts and "test" not in parts:
            raise DataError(f"{root}: neither train nor test; found: {folder_names(root)}")
        listing = self._in_class_folders(root, parts) if self.labelled else scan_unlabelled(root, parts)
        if root not in parts.values():
            listing = replace(listing, aside=(*listing.aside, *_beside(root, parts)))
        return listing.grouped(own_group)

    def _in_class_folders(self, root: Path, parts: Mapping[str, Path]) -> Listing:
        folders = [folder for part in parts.values() for folder in subfolders(part)]
        # "Sick" in one part and "SICK" in another are one class; the spelling that sorts first names it
        spellings = sorted((readable(folder.name) for folder in folders), reverse=True)
        names = self._class_names(root, {folded(name): name for name in spellings}.values(), "class folders")
        if self.classes is None:
            refuse_other_folders(root, folders)
        return scan(root, parts, {folded(name): name for name in names})

    def _class_names(self, where: Path, present: Iterable[str], what: str) -> tuple[str, ...]:
        """Spelled, and in the order of the labels, as asked for. Raises DataError where they are others, or fewer
        than two."""
        names = sorted(present)
        asked = self.classes and tuple(readable(name) for name in self.classes)
        if asked is not None and sorted(map(folded, asked)) != sorted(map(folded, names)):
            raise DataError(f"{where}: classes are {', '.join(asked)}, found: {', '.join(names) or 'none'}")
        if not self.labelled:
            return (UNLABELLED,)
        if len(names) < 2:
            inside = folder_names(where) if where.is_dir() else ", ".join(names) or "none"
            table = "a folder of images without class folders needs a `manifest`, or " * where.is_dir()
            advice = f"{table}`labelled: false` where nothing is known of labels"
            raise DataError(f"{where}: needs at least two {what}, found: {inside}; {advice}")
        return asked or tuple(names)


def _beside(root: Path, parts: Mapping[str, Path]) -> list[Quarantined]:
    """Folders beside train, val and test: nothing in them is read, and that is said."""
    others = [folder for folder in subfolders(root) if folder not in parts.values()]
    reason = f"a folder beside {', '.join(folder.name for folder in parts.values())} is not read"
    return [Quarantined(f"{id_of(folder, root)}/", reason) for folder in others]


@hookimpl
def register_datasets() -> list[type[Dataset]]:
    return [ChestXray, CovidPneumoniaNormal, ImageFolder, PneumoniaXrayImages]
