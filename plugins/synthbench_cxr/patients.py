"""Whom an image of a folder shows, by a pattern in its path; and what makes such a pattern doubtful."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from pathlib import PurePosixPath
from unicodedata import normalize

from synthbench import DataError, dicom_patient
from synthbench.intake import IMAGE_SUFFIXES
from synthbench_cxr.layout import Listing
from synthbench_cxr.threads import in_threads

__all__ = ["grouped_by_dicom", "grouped_by_pattern", "own_group"]


def own_group(image_id: str) -> str:
    """An image of whose patient nothing is known is a group of its own: its id without the suffix of an image.

    The last number of a file called as a UID (1.2.840.17) is no suffix.
    """
    path = PurePosixPath(image_id)
    return str(path.with_suffix("") if path.suffix.casefold() in IMAGE_SUFFIXES else path)


def grouped_by_dicom(listing: Listing) -> Listing:
    """The same with the patient that a DICOM file names (hashed), where nothing else says whom an image shows.

    A remark says where all of them name one patient: so files look that were made anonymous.
    """
    files = [item for item in listing.items if item.group == own_group(item.id)]
    paths = [item.path for item in files]
    named = dict(zip([item.id for item in files], in_threads(dicom_patient, paths), strict=True))
    patients = {patient for patient in named.values() if patient}
    remark = "all DICOM files name the same patient: groups are not known unless `groups` or a manifest tells them"
    remarks = (*listing.remarks, *([remark] if len(patients) == 1 < sum(map(bool, named.values())) else []))
    items = tuple(item.of(named.get(item.id) or item.group) for item in listing.items)
    return replace(listing, items=items, remarks=remarks)


def grouped_by_pattern(listing: Listing, pattern: str) -> Listing:
    """The same with the patient that the first group of `pattern` names in each path.

    Raises DataError where it names none in some of the files: each of them would count as another patient, and a
    patient's images could lie in train and test. A remark says where one patient has images of several classes.
    """
    patients = {item.id: _patient(item.id, pattern) for item in listing.items}
    if unmatched := [image_id for image_id, patient in patients.items() if not patient]:
        n = len(patients) - len(unmatched)
        raise DataError(
            f"groups {pattern!r} matches {n or 'none'} of {len(patients)} files, not {unmatched[0]!r}: "
            "mend it so that it names the patient of each file (letter case counts; `(?i)` in front ignores it)"
        )
    grouped = listing.grouped(patients.__getitem__)
    classes: dict[str, Counter[str]] = {}
    for item in grouped.items:
        classes.setdefault(item.group, Counter())[item.label] += 1
    mixed = {patient: counts for patient, counts in classes.items() if len(counts) > 1}
    remarks = (*listing.remarks, *([_remark(mixed, len(classes))] if mixed else []))
    return replace(grouped, remarks=remarks)


def _patient(image_id: str, pattern: str) -> str:
    match = re.search(pattern, normalize("NFC", image_id))
    return (match[1] or "") if match else ""


def _remark(mixed: dict[str, Counter[str]], total: int) -> str:
    patient, counts = max(mixed.items(), key=lambda entry: entry[1].total())
    images = ", ".join(f"{n} of {label}" for label, n in sorted(counts.items()))
    return (
        f"{len(mixed)} of the {total} patients that `groups` names have images of several classes, e.g. "
        f"{patient!r}: {images}. Where these are different people, let the group tell them apart (by the folder)"
    )
