"""`image-folder` of DICOM files: found by content, grouped by patient, counted by what was done to them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from synthbench import Context, DataError, GreyScale
from synthbench_cxr.plugin import ImageFolder
from tests.helpers.dicom import write_dicom


def ramp(top: int) -> np.ndarray:
    return np.linspace(0, top, 64).astype(np.uint16).reshape(8, 8)


@pytest.fixture
def hospital(tmp_path: Path) -> Path:
    """Two classes, five patients each with two files: one without a suffix, one with a part of its uid."""
    root = tmp_path / "hospital"
    for k, label in enumerate(("well", "ill")):
        for i in range(5):
            for name in (f"IM{i}", f"1.2.{i}.99{i}"):
                patient = f"P{k}{i}"
                write_dicom(root / label / name, ramp(3000 + i), bits=16, PatientID=patient)
    return root


def load(root: Path, ctx: Context, **options: object):
    return ImageFolder(root=root, image_size=8, **options).load(ctx)


def test_patients_group_the_files_and_stay_on_one_side(hospital: Path, ctx: Context):
    splits = load(hospital, ctx)
    assert sum(len(images) for images in splits.parts.values()) == 20
    assert splits.quarantine == ()
    groups = [set(images.groups) for images in splits.parts.values()]
    assert sum(map(len, groups)) == len(set.union(*groups)) == 10
    assert all(group.startswith("dicom-") for group in set.union(*groups))
    assert splits.scale == GreyScale(12), "of 16 bits declared, 12 are used"
    assert splits.train.pixels.max() == round(3004 / 4095 * 255)


def test_what_was_done_is_counted(hospital: Path, ctx: Context):
    write_dicom(hospital / "ill/a.dcm", ramp(60000), bits=16, WindowCenter=30000, WindowWidth=60000, PatientID="x")
    write_dicom(hospital / "ill/b.dcm", ramp(99), PhotometricInterpretation="MONOCHROME1", PatientID="y")
    Image.fromarray(ramp(3000)).save(hospital / "ill/c.png")
    for _ in range(2):  # read, and from the store
        splits = load(hospital, ctx)
        assert splits.conversions == {
            "DICOM by bit depth": 20,
            "DICOM by bit depth, inverted": 1,
            "DICOM by its window": 1,
            "more than 8 bits by bit depth": 1,
        }
    assert splits.scale == GreyScale(12), "a file that says how it is shown does not decide"


def test_a_pattern_goes_before_the_files_patient(hospital: Path, ctx: Context):
    splits = load(hospital, ctx, groups=r"(\w+/.*\d)$")
    assert not any(group.startswith("dicom-") for group in splits.train.groups)


def test_patients_of_a_table_stay(hospital: Path, ctx: Context):
    rows = [f"{label}/IM{i},{label},{'pq'[i % 2]}{label}" for label in ("well", "ill") for i in range(5)]
    (hospital / "labels.csv").write_text("\n".join(["path,label,patient", *rows]))
    splits = load(hospital, ctx, manifest="labels.csv")
    assert set(splits.train.groups) | set(splits.tests["test"].groups) == {"pwell", "qwell", "pill", "qill"}


def test_files_made_anonymous_are_remarked_on(tmp_path: Path):
    for label in ("a", "b"):
        for i in range(2):
            write_dicom(tmp_path / label / f"{i}.dcm", ramp(100), PatientID="ANON")
    (remark,) = ImageFolder(root=tmp_path, test_fraction=1).listing(tmp_path).remarks
    assert remark.startswith("all DICOM files name the same patient")


def test_frames_and_damage_count_as_bad_files_with_their_reasons(hospital: Path, ctx: Context):
    write_dicom(hospital / "ill/movie.dcm", ramp(100), NumberOfFrames=9)
    (hospital / "ill/cut.dcm").write_bytes(b"\0" * 128 + b"DICM")
    (hospital / "DICOMDIR").write_bytes(b"\0" * 128 + b"DICM")
    splits = load(hospital, ctx, max_bad=0.2)
    reasons = {entry.path: entry.reason for entry in splits.quarantine}
    assert reasons.keys() == {"ill/movie.dcm", "ill/cut.dcm"}
    assert reasons["ill/movie.dcm"].startswith("DICOM of 9 frames")
    with pytest.raises(DataError, match="2 of 22 image files are unreadable"):
        load(hospital, ctx)


@pytest.mark.parametrize("names", [("IM.000{i}", "IM.100{i}"), ("1.2.840.{i}", "1.2.841.{i}")])
def test_files_that_name_no_patient_are_groups_of_their_own(tmp_path: Path, ctx: Context, names: tuple[str, str]):
    """The last number of a UID is no suffix: all would be one patient."""
    for label, name in zip(("well", "ill"), names, strict=True):
        for i in range(6):
            write_dicom(tmp_path / "set" / label / name.format(i=i), ramp(3000 + i), bits=16, PatientID=None)
    splits = load(tmp_path / "set", ctx)
    assert sum(len(set(images.groups)) for images in splits.parts.values()) == 12


def test_rescaling_that_is_there_and_empty_is_none(tmp_path: Path, ctx: Context):
    for label in ("well", "ill"):
        for i in range(3):
            empty = {"RescaleSlope": "", "RescaleIntercept": "", "PatientID": f"{label}{i}"}
            write_dicom(tmp_path / f"set/{label}/{i}.dcm", ramp(3000), bits=12, **empty)
    splits = load(tmp_path / "set", ctx)
    assert splits.quarantine == ()
    assert splits.train.pixels.max() == round(3000 / 4095 * 255)
