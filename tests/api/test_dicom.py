"""DICOM files: windows, VOI LUTs, inversion, bit depth, patients, and what is refused with a reason."""

import sys

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_windowing
from pydicom.sequence import Sequence

from synthbench import DataError, GreyScale, dicom_patient, is_dicom, read_deep, to_eight_bit
from synthbench.api import dicom
from tests.helpers.dicom import write_dicom

RAMP = np.arange(0, 4096, 16, dtype=np.uint16).reshape(16, 16)


DECLARED = GreyScale()


def grey(path, scale=DECLARED):
    return np.asarray(to_eight_bit(read_deep(path), 1, scale))


def lut(entries, first=0, bits=16, of=None):
    table = Dataset()
    table.LUTDescriptor = [of or len(entries), first, bits]
    table.LUTData = np.asarray(entries, np.uint16).tobytes()
    table["LUTData"].VR = "OW"
    return Sequence([table])


def test_without_a_window_the_stored_bits_decide(tmp_path):
    path = write_dicom(tmp_path / "a.dcm", RAMP)
    assert np.array_equal(grey(path), np.rint(RAMP / 4095 * 255))
    deep = write_dicom(tmp_path / "b.dcm", RAMP, bits=16)
    assert grey(deep).max() == round(4080 / 65535 * 255)
    assert grey(deep, GreyScale(12)).max() == 254, "on the scale of a set whose files declare more than they use"


@pytest.mark.parametrize("function", [None, "LINEAR", "LINEAR_EXACT", "SIGMOID"])
@pytest.mark.parametrize(("slope", "intercept"), [(1, 0), (2, -1024)])
def test_a_window_is_applied_as_pydicom_does(tmp_path, function, slope, intercept):
    fields = {"RescaleSlope": slope, "RescaleIntercept": intercept} if slope != 1 else {}
    fields |= {"VOILUTFunction": function} if function else {}
    path = write_dicom(tmp_path / "a.dcm", RAMP, WindowCenter=[1500, 40], WindowWidth=[1000, 400], **fields)
    rescaled = RAMP * float(slope) + intercept
    low, high = intercept, 4095 * slope + intercept
    expected = (apply_windowing(rescaled, dcmread(path)) - low) / (high - low)
    assert np.abs(grey(path) - expected * 255).max() <= 0.51
    assert read_deep(path).conversion(GreyScale()) == "DICOM by its window"


def test_a_voi_lut_goes_before_a_window(tmp_path):
    entries = np.linspace(0, 1, 4096) ** 2 * 65535
    path = write_dicom(tmp_path / "a.dcm", RAMP, VOILUTSequence=lut(entries), WindowCenter=5, WindowWidth=2)
    assert np.abs(grey(path) - (RAMP / 4095.0) ** 2 * 255).max() <= 0.51
    assert read_deep(path).conversion(GreyScale()) == "DICOM by its VOI LUT"


@pytest.mark.parametrize("packed", [False, True], ids=["a word an entry", "a byte an entry"])
@pytest.mark.parametrize("which", ["VOILUTSequence", "ModalityLUTSequence"])
def test_a_lut_of_8_bits_has_as_many_entries_as_it_says(tmp_path, which, packed):
    entries = np.arange(4096) // 16
    table = lut(entries, bits=8)
    if packed:
        table[0].LUTData = entries.astype(np.uint8).tobytes()
    path = write_dicom(tmp_path / "a.dcm", RAMP, **{which: table}, **({} if which[0] == "V" else WHOLE))
    assert np.abs(grey(path) - RAMP / 4095 * 255).max() <= 1


WHOLE = {"WindowCenter": 127.5, "WindowWidth": 255, "VOILUTFunction": "LINEAR_EXACT"}


def test_what_lies_beyond_a_lut_takes_its_ends(tmp_path):
    path = write_dicom(tmp_path / "a.dcm", RAMP, VOILUTSequence=lut(np.array([0, 65535]), first=2000))
    assert np.array_equal(grey(path), np.where(RAMP > 2000, 255, 0))


def test_monochrome1_is_inverted_after_all_else(tmp_path):
    plain = write_dicom(tmp_path / "a.dcm", RAMP, PhotometricInterpretation="MONOCHROME1")
    assert np.array_equal(grey(plain), np.rint((1 - RAMP / 4095) * 255))
    windowed = write_dicom(
        tmp_path / "b.dcm", RAMP, PhotometricInterpretation="MONOCHROME1", WindowCenter=2000, WindowWidth=400
    )
    assert (grey(windowed).flat[0], grey(windowed).flat[-1]) == (255, 0)
    assert read_deep(windowed).conversion(GreyScale()) == "DICOM by its window, inverted"


def test_the_data_sets_window_overrides_the_files(tmp_path):
    path = write_dicom(
        tmp_path / "a.dcm", RAMP, WindowCenter=5, WindowWidth=2, RescaleSlope=1, RescaleIntercept=-1024
    )
    scale = GreyScale(window=(-1024, 3071))
    assert np.array_equal(grey(path, scale), np.rint(RAMP / 4095 * 255))
    assert read_deep(path).conversion(scale) == "DICOM by `window`"


def test_signed_or_rescaled_values_without_a_window_say_what_to_do(tmp_path):
    rescaled = write_dicom(tmp_path / "a.dcm", RAMP, RescaleSlope=1, RescaleIntercept=-1024)
    with pytest.raises(DataError, match=r"rescaled grey values: .*`window: \[low, high\]`"):
        grey(rescaled)
    signed = write_dicom(tmp_path / "b.dcm", RAMP.astype(np.int16) - 5)
    with pytest.raises(DataError, match="negative grey values"):
        grey(signed)


def test_colour_of_8_bits(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (6, 5, 3), dtype=np.uint8)
    path = write_dicom(tmp_path / "a.dcm", pixels, bits=8)
    assert np.array_equal(np.asarray(to_eight_bit(read_deep(path), 3)), pixels)


def test_lossless_jpeg_is_read(tmp_path):
    import imagecodecs
    from pydicom.encaps import encapsulate
    from pydicom.uid import JPEGLosslessSV1

    path = write_dicom(tmp_path / "a.dcm", RAMP)
    file = dcmread(path)
    file.file_meta.TransferSyntaxUID = JPEGLosslessSV1
    file.PixelData = encapsulate([imagecodecs.ljpeg_encode(RAMP, bitspersample=12)])
    file["PixelData"].is_undefined_length = True
    file.save_as(path)
    assert np.array_equal(grey(path), np.rint(RAMP / 4095 * 255))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"NumberOfFrames": 30}, "DICOM of 30 frames"),
        ({"PixelData": None, "Modality": "SR"}, r"DICOM without pixels \(SR\)"),
        ({"PhotometricInterpretation": "PALETTE COLOR"}, "DICOM in PALETTE COLOR: grey and RGB are read"),
        ({"Rows": 60000, "Columns": 60000}, "no radiograph is larger"),
        ({"Rows": 999}, "cannot be decoded"),
        ({"WindowCenter": 5, "WindowWidth": 0}, "a window of width 0"),
        ({"HighBit": 15}, r"12 bits below bit 16 \(HighBit 15\): a retired encoding"),
        ({"VOILUTSequence": lut([0, 1, 2], of=9)}, "whose LUT has room for 6 of 9 entries"),
    ],
)
def test_what_cannot_be_read_says_why(tmp_path, fields, said):
    path = write_dicom(tmp_path / "a.dcm", RAMP, **fields)
    with pytest.raises(DataError, match=said):
        read_deep(path)


def test_a_damaged_file_is_a_reason(tmp_path):
    (tmp_path / "a.dcm").write_bytes(b"\0" * 128 + b"DICM")
    with pytest.raises(DataError, match=r"DICOM without pixels|cannot be decoded"):
        read_deep(tmp_path / "a.dcm")
    assert dicom_patient(tmp_path / "a.dcm") == ""


def test_patients_are_hashed_the_issuer_included(tmp_path):
    paths = [
        write_dicom(tmp_path / f"{i}", RAMP, PatientID=number, **({"IssuerOfPatientID": issuer} if issuer else {}))
        for i, (number, issuer) in enumerate([("17", ""), (" 17 ", ""), ("18", ""), ("17", "far"), ("", "")])
    ]
    one, again, other, elsewhere, unknown = map(dicom_patient, paths)
    assert one == again
    assert len({one, other, elsewhere, unknown}) == 4
    assert unknown == ""
    assert dicom_patient(tmp_path) == ""


def test_the_mark_tells_whatever_the_name(tmp_path):
    assert is_dicom(write_dicom(tmp_path / "IM000001", RAMP))
    (tmp_path / "b.dcm").write_bytes(b"no")
    assert not is_dicom(tmp_path / "b.dcm")
    assert not is_dicom(tmp_path / "nothing")


def test_without_the_extra_it_is_named(tmp_path, monkeypatch):
    path = write_dicom(tmp_path / "a.dcm", RAMP)
    monkeypatch.setitem(sys.modules, "pydicom", None)
    dicom._pydicom.cache_clear()
    with pytest.raises(DataError, match=r"the extra `dicom` reads: `pip install '\.\[dicom\]'`"):
        read_deep(path)
    dicom._pydicom.cache_clear()
