"""DICOM files of one picture, by pydicom (the extra `dicom`): stored values, and how the file wants them shown.

References are to the standard's part 3, https://dicom.nema.org/medical/dicom/current/output/html/part03.html.
"""

from __future__ import annotations

import hashlib
import logging
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from synthbench.api.pictures import check_size, decoding, regular_file
from synthbench.errors import DataError

if TYPE_CHECKING:
    from pydicom import Dataset

__all__ = ["DicomPicture", "dicom_patient", "is_dicom", "marked_as_dicom", "read_dicom"]

Values = npt.NDArray[Any]

MARK, MARK_AT = b"DICM", 128
GREY = {"MONOCHROME1", "MONOCHROME2"}
COLOUR = {"RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT"}


class DicomPicture(NamedTuple):
    """One picture.

    values    (H, W) grey, after the modality's LUT or rescaling, or (H, W, 3) RGB
    bits      of a value that is not negative; None where rescaling made them others than were stored
    bands     samples of a pixel in the file
    inverted  whether the least value is white (MONOCHROME1)
    shown     (H, W), 0-1: how the file wants its values shown, before any inversion; None where it does not say
    shown_by  "its window", "its VOI LUT"; "" where it does not say
    """

    values: Values
    bits: int | None
    bands: int
    inverted: bool
    shown: Values | None
    shown_by: str


def is_dicom(path: Path) -> bool:
    """Whether the file is marked as DICOM, whatever its name; False for what cannot be read."""
    try:
        with regular_file(path).open("rb") as file:
            return marked_as_dicom(file.read(MARK_AT + len(MARK)))
    except (OSError, DataError):
        return False


def marked_as_dicom(head: bytes) -> bool:
    """Whether a file that begins so says that it is DICOM."""
    return head[MARK_AT : MARK_AT + len(MARK)] == MARK


def dicom_patient(path: Path) -> str:
    """Whom a DICOM file shows: a hash of PatientID and its issuer; "" for other files and where it names none.

    The same on every machine, so that sets know each other's patients. It hides a number from a glance, not from
    who tries all numbers.
    """
    if not is_dicom(path):
        return ""
    tags = ["PatientID", "IssuerOfPatientID"]
    try:
        with decoding():
            header = _pydicom().dcmread(path, stop_before_pixels=True, specific_tags=tags)
            number, issuer = (str(header.get(tag) or "").strip() for tag in tags)
    except DataError:  # damaged, or no pydicom: said when it is decoded
        return ""
    digest = hashlib.sha256("\0".join([issuer, number]).encode()).hexdigest()
    return f"dicom-{digest[:16]}" if number else ""


def read_dicom(path: Path) -> DicomPicture:
    """The picture in a DICOM file.

    Raises DataError with the reason where pydicom is not installed, the file is damaged, has several frames or no
    pixels, or is neither grey nor RGB.
    """
    pydicom = _pydicom()
    with decoding():
        file = pydicom.dcmread(path)
        _check(file)
        stored = np.asarray(file.pixel_array)
        if file.PhotometricInterpretation in COLOUR:
            return DicomPicture(stored, int(file.BitsStored), 3, False, None, "")
        values, bits = _modality(stored, file)
        shown, shown_by = _shown(values, file)
        inverted = file.PhotometricInterpretation == "MONOCHROME1"
        return DicomPicture(values, bits, 1, inverted, shown, shown_by)


@cache
def _pydicom() -> Any:
    try:
        import pydicom
    except ImportError as error:
        raise DataError(
            "a DICOM file, which the extra `dicom` reads: `pip install '.[dicom]'` or `uv sync --extra dicom`"
        ) from error
    # What is amiss becomes a reason, not a line; odd text in a field that nobody reads is no reason.
    pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
    logging.getLogger("pydicom").addHandler(logging.NullHandler())
    return pydicom


def _check(file: Dataset) -> None:
    """Raises DataError where the file holds no picture, several, or one that would be read wrongly."""
    if "PixelData" not in file:
        raise DataError(f"DICOM without pixels ({file.get('Modality') or 'no modality'})")
    frames = int(file.get("NumberOfFrames") or 1)
    if frames > 1:
        raise DataError(f"DICOM of {frames} frames: one is no more the picture than another; write a file a frame")
    kind = file.PhotometricInterpretation
    if kind not in GREY | COLOUR:
        raise DataError(f"DICOM in {kind}: grey and RGB are read")
    high, stored = int(file.get("HighBit") or file.BitsStored - 1), int(file.BitsStored)
    if high + 1 != stored and not file.file_meta.TransferSyntaxUID.is_compressed:
        raise DataError(f"DICOM of {stored} bits below bit {high + 1} (HighBit {high}): a retired encoding")
    check_size(int(file.Columns), int(file.Rows))


def _modality(stored: Values, file: Dataset) -> tuple[Values, int | None]:
    """Values as the modality means them (C.11.1), and their bits: those stored where nothing is rescaled."""
    if file.get("ModalityLUTSequence"):
        return _looked_up(stored, file.ModalityLUTSequence[0]), None
    # Some archives write the tags and leave them empty.
    slope, intercept = (_first(file.get(name)) for name in ("RescaleSlope", "RescaleIntercept"))
    slope, intercept = 1.0 if slope is None else slope, intercept or 0.0
    if (slope, intercept) == (1, 0):
        return stored, int(file.BitsStored) - int(file.PixelRepresentation)
    return stored * slope + intercept, None


def _shown(values: Values, file: Dataset) -> tuple[Values | None, str]:
    """By the file's first VOI LUT, else its first window: others are other views of the same picture."""
    if file.get("VOILUTSequence"):
        lut = file.VOILUTSequence[0]
        greatest = 2 ** int(lut.LUTDescriptor[2]) - 1
        return np.clip(_looked_up(values, lut) / greatest, 0, 1), "its VOI LUT"
    centre, width = (_first(file.get(name)) for name in ("WindowCenter", "WindowWidth"))
    if centre is None or width is None:
        return None, ""
    return _windowed(values, centre, width, file.get("VOILUTFunction") or "LINEAR"), "its window"


def _looked_up(values: Values, lut: Dataset) -> Values:
    """By the entries of a LUT (C.11.1.1, C.11.2.1.1): values beyond its ends take the first or the last.

    Not by pydicom, whose index has the type of the entries: with 8 bits it would begin again at every 256th value.
    """
    n, first, bits = (int(number) for number in lut.LUTDescriptor)
    n = n or 2**16
    data = lut.LUTData
    if isinstance(data, bytes):
        entries = np.frombuffer(data, np.uint8 if len(data) < 2 * n else "<u2")
    else:
        entries = np.atleast_1d(np.asarray(data))
        if bits == 8 and len(entries) == (n + 1) // 2:  # two entries a word
            entries = entries.astype("<u2").view(np.uint8)
    if len(entries) < n:
        raise DataError(f"DICOM whose LUT has room for {len(entries)} of {n} entries")
    found: Values = entries[np.clip(np.floor(values).astype(np.int64) - first, 0, n - 1)]
    return found


def _first(value: Any) -> float | None:
    """Of a field that may hold several numbers."""
    several = value if isinstance(value, (list, tuple)) or hasattr(value, "append") else [value]
    return None if not several or several[0] in (None, "") else float(several[0])


def _windowed(values: Values, centre: float, width: float, function: str) -> Values:
    """0-1 by C.11.2.1.2 (LINEAR) and C.11.2.1.3 (SIGMOID, LINEAR_EXACT)."""
    x = values.astype(np.float64)
    if width <= 0 or (function == "LINEAR" and width < 1):
        raise DataError(f"DICOM with a window of width {width:g}")
    if function == "SIGMOID":
        return 1 / (1 + np.exp(np.clip(-4 * (x - centre) / width, -700, 700)))
    if function == "LINEAR_EXACT":
        return np.clip((x - centre) / width + 0.5, 0, 1)
    if width == 1:
        return (x > centre - 0.5).astype(np.float64)
    return np.clip((x - centre + 0.5) / (width - 1) + 0.5, 0, 1)
