"""Each format at each depth gives the grey levels its values mean; OpenCV and tifffile say what files hold."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from synthbench import DataError, GreyScale, read_deep, read_picture, to_eight_bit

cv2 = pytest.importorskip("cv2", reason="opencv-python-headless is not installed")
tifffile = pytest.importorskip("tifffile")

Values = np.ndarray

DEEP = np.linspace(0, 65535, 20 * 30).astype(np.uint16).reshape(20, 30)
TWELVE = np.linspace(0, 4095, 20 * 30).astype(np.uint16).reshape(20, 30)
COLOUR = np.stack([DEEP, DEEP[::-1], DEEP[:, ::-1]], axis=2)
PLANES = np.moveaxis(COLOUR, 2, 0)
ALPHA = np.linspace(65535, 0, 20 * 30).astype(np.uint16).reshape(20, 30)
SCALES = {12: GreyScale(12), 16: GreyScale(16)}


def levels(path: Path, scale: GreyScale = SCALES[16], channels: int = 1) -> Values:
    return np.asarray(to_eight_bit(read_deep(path) or read_picture(path), channels, scale))


def expected(values: Values, white: float = 65535) -> Values:
    return np.rint(np.clip(values / white, 0, 1) * 255).astype(np.uint8)


def luma(values: Values) -> Values:
    """ITU-R 601 of RGB levels, as OpenCV has it."""
    return cv2.cvtColor(expected(values), cv2.COLOR_RGB2GRAY)


def close(a: Values, b: Values, tolerance: int = 1) -> bool:
    return a.shape == b.shape and int(np.abs(a.astype(int) - b.astype(int)).max()) <= tolerance


def write_png(path: Path, values: Values, chunks: dict[bytes, bytes] | None = None) -> None:
    """A 16-bit PNG of 1 to 4 bands; Pillow writes grey only, OpenCV no grey with alpha."""
    height, width = values.shape[:2]
    kind = {1: 0, 2: 4, 3: 2, 4: 6}[values.reshape(height, width, -1).shape[2]]

    def chunk(tag: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + tag + data + struct.pack(">I", zlib.crc32(tag + data))

    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values.reshape(height, -1))
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, 0))
    more = b"".join(chunk(tag, data) for tag, data in (chunks or {}).items())
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + header + more + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    )


def write_tiff(path: Path, values: Values, **options: object) -> None:
    tifffile.imwrite(path, values, **options)


def write_ppm(path: Path, values: Values, white: int = 65535, comment: bytes = b"") -> None:
    kind = b"P6" if values.ndim == 3 else b"P5"
    header = b"%s\n%s%d %d\n%d\n" % (kind, comment, values.shape[1], values.shape[0], white)
    path.write_bytes(header + values.astype(">u2").tobytes())


def write_jpeg2000(path: Path, values: Values, bits: int = 16) -> None:
    import imagecodecs

    path.write_bytes(imagecodecs.jpeg2k_encode(values, level=0, bitspersample=bits, codecformat="jp2"))


GREY: dict[str, Callable[[Path], None]] = {
    "16.png": lambda path: write_png(path, DEEP),
    "16.tif": lambda path: write_tiff(path, DEEP),
    "16be.tif": lambda path: write_tiff(path, DEEP, byteorder=">"),
    "16big.tif": lambda path: write_tiff(path, DEEP, bigtiff=True),
    "lzw.tif": lambda path: write_tiff(path, DEEP, compression="lzw", predictor=2),
    "deflate.tif": lambda path: write_tiff(path, DEEP, compression="zlib"),
    "packbits.tif": lambda path: write_tiff(path, DEEP, compression="packbits"),
    "tiled.tif": lambda path: write_tiff(path, DEEP, tile=(16, 16)),
    "pages.tif": lambda path: write_tiff(path, np.stack([DEEP, DEEP * 0]), photometric="minisblack"),
    "32.tif": lambda path: write_tiff(path, DEEP.astype(np.uint32)),
    "16.jp2": lambda path: write_jpeg2000(path, DEEP),
    "16.pgm": lambda path: write_ppm(path, DEEP),
    "comment.pgm": lambda path: write_ppm(path, DEEP, comment=b"# from a scanner\n# 2\n"),
}


@pytest.mark.parametrize("name", GREY)
def test_sixteen_bit_grey(tmp_path: Path, name: str):
    path = tmp_path / name
    GREY[name](path)
    if name not in ("pages.tif", "32.tif"):  # the first: more than one page; the second: OpenCV makes it 16 bits
        assert np.array_equal(cv2.imread(str(path), cv2.IMREAD_UNCHANGED), DEEP)
    assert np.array_equal(levels(path), expected(DEEP))


@pytest.mark.parametrize("name", ["16.png", "16.tif", "lzw.tif", "16.jp2", "16.pgm"])
def test_twelve_bits_in_sixteen(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(globals(), "DEEP", TWELVE)
    GREY[name](tmp_path / name)
    assert np.array_equal(levels(tmp_path / name, SCALES[12]), expected(TWELVE, 4095))
    assert np.array_equal(levels(tmp_path / name), expected(TWELVE))  # on the scale of 16 bits: dark


COLOURS: dict[str, Callable[[Path], None]] = {
    "rgb.png": lambda path: write_png(path, COLOUR),
    "rgb.tif": lambda path: write_tiff(path, COLOUR, photometric="rgb"),
    "rgb-be.tif": lambda path: write_tiff(path, COLOUR, photometric="rgb", byteorder=">"),
    "rgb-lzw.tif": lambda path: write_tiff(path, COLOUR, photometric="rgb", compression="lzw"),
    "planes.tif": lambda path: write_tiff(
        path, np.moveaxis(COLOUR, 2, 0), photometric="rgb", planarconfig="separate"
    ),
    "rgb.jp2": lambda path: write_jpeg2000(path, COLOUR),
    "rgb.ppm": lambda path: write_ppm(path, COLOUR),
}


@pytest.mark.parametrize("name", COLOURS)
def test_sixteen_bit_colour(tmp_path: Path, name: str):
    path = tmp_path / name
    COLOURS[name](path)
    if name == "planes.tif":  # OpenCV takes planes for bands
        assert np.array_equal(np.moveaxis(tifffile.imread(path), 0, 2), COLOUR)
    else:
        held = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        assert np.array_equal(cv2.cvtColor(held, cv2.COLOR_BGR2RGB), COLOUR)
    assert np.array_equal(levels(path, channels=3), expected(COLOUR))
    assert close(levels(path), luma(COLOUR))


@pytest.mark.parametrize("scale", SCALES)
def test_grey_and_colour_of_the_same_values_are_equally_bright(tmp_path: Path, scale: int):
    values = {12: TWELVE, 16: DEEP}[scale]
    write_png(tmp_path / "grey.png", values)
    write_tiff(tmp_path / "colour.tif", np.repeat(values[..., None], 3, axis=2), photometric="rgb")
    write_png(tmp_path / "la.png", np.stack([values, np.full_like(values, 65535)], axis=2))
    found = [levels(tmp_path / name, SCALES[scale]) for name in ("grey.png", "colour.tif", "la.png")]
    assert np.array_equal(found[0], found[1])
    assert np.array_equal(found[0], found[2])


# Transparency, white at zero, orientation


def over_black(values: Values) -> Values:
    return expected(values.astype(float) * (ALPHA / 65535).reshape(ALPHA.shape + (1,) * (values.ndim - 2)))


def test_deep_transparency_shows_black(tmp_path: Path):
    write_png(tmp_path / "la.png", np.dstack([DEEP, ALPHA]))
    write_png(tmp_path / "rgba.png", np.dstack([COLOUR, ALPHA]))
    write_tiff(tmp_path / "rgba.tif", np.dstack([COLOUR, ALPHA]), photometric="rgb", extrasamples=["unassalpha"])
    write_tiff(
        tmp_path / "la.tif", np.dstack([DEEP, ALPHA]), photometric="minisblack", extrasamples=["unassalpha"]
    )
    for name in ("la.png", "la.tif"):
        assert np.array_equal(levels(tmp_path / name), over_black(DEEP)), name
    for name in ("rgba.png", "rgba.tif"):
        assert np.array_equal(levels(tmp_path / name, channels=3), over_black(COLOUR)), name


def test_premultiplied_and_undeclared_bands_are_no_transparency(tmp_path: Path):
    for kind in ("assocalpha", "unspecified"):
        write_tiff(tmp_path / "a.tif", np.dstack([COLOUR, ALPHA]), photometric="rgb", extrasamples=[kind])
        assert np.array_equal(levels(tmp_path / "a.tif", channels=3), expected(COLOUR))


def test_the_transparent_grey_level_of_a_deep_png_shows_black(tmp_path: Path):
    write_png(tmp_path / "a.png", DEEP, {b"tRNS": struct.pack(">H", 65535)})
    assert np.array_equal(levels(tmp_path / "a.png"), expected(np.where(DEEP == 65535, 0, DEEP)))


@pytest.mark.parametrize("values", [DEEP, (DEEP >> 8).astype(np.uint8)])
def test_where_white_is_zero_the_picture_is_turned_round(tmp_path: Path, values: Values):
    write_tiff(tmp_path / "a.tif", values, photometric="miniswhite")
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        assert file.pages[0].photometric == tifffile.PHOTOMETRIC.MINISWHITE
    assert close(levels(tmp_path / "a.tif"), 255 - expected(values, np.iinfo(values.dtype).max))


def test_where_white_is_zero_twelve_bits_end_at_4095(tmp_path: Path):
    write_tiff(tmp_path / "a.tif", TWELVE, photometric="miniswhite")
    assert close(levels(tmp_path / "a.tif", SCALES[12]), 255 - expected(TWELVE, 4095))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_deep_pictures_are_turned_upright(tmp_path: Path, orientation: int):
    exif = Image.Exif()
    exif[0x0112] = orientation
    write_png(tmp_path / "deep.png", DEEP, {b"eXIf": exif.tobytes()[6:]})
    write_tiff(tmp_path / "deep.tif", DEEP, extratags=[(274, 3, 1, orientation, True)])
    Image.fromarray(expected(DEEP)).save(tmp_path / "shallow.png", exif=exif)
    upright = levels(tmp_path / "shallow.png")
    assert upright.shape == ((20, 30) if orientation < 5 else (30, 20))
    for name in ("deep.png", "deep.tif"):
        assert np.array_equal(levels(tmp_path / name), upright), name


# Depths that files declare


@pytest.mark.parametrize("bits", [10, 12, 14])
def test_a_declared_depth_counts(tmp_path: Path, bits: int):
    values = (DEEP >> (16 - bits)).astype(np.uint16)
    write_jpeg2000(tmp_path / "a.jp2", values, bits)
    write_ppm(tmp_path / "a.pgm", values, 2**bits - 1)
    for name in ("a.jp2", "a.pgm"):
        assert np.array_equal(levels(tmp_path / name), expected(values, 2**bits - 1)), name


def test_a_packed_twelve_bit_tiff(tmp_path: Path):
    data = b"".join(_pack_twelve(row) for row in TWELVE)
    _write_packed(tmp_path / "a.tif", data, *TWELVE.shape, bits=12)
    assert np.array_equal(levels(tmp_path / "a.tif"), expected(TWELVE, 4095))


def _pack_twelve(row: Values) -> bytes:
    """Two values in three bytes, high bits first."""
    first, second = row[::2].astype(int), row[1::2].astype(int)
    return np.stack([first >> 4, (first & 15) << 4 | second >> 8, second & 255], axis=1).astype(np.uint8).tobytes()


def _write_packed(path: Path, data: bytes, height: int, width: int, bits: int) -> None:
    """One uncompressed strip, big-endian, black at zero."""
    entries = [(256, width), (257, height), (258, bits), (259, 1), (262, 1), (273, 8), (277, 1), (278, height)]
    directory = b"".join(struct.pack(">HHIHH", tag, 3, 1, value, 0) for tag, value in entries)
    directory += struct.pack(">HHII", 279, 4, 1, len(data))
    start = 8 + len(data)
    path.write_bytes(
        b"MM\0*" + struct.pack(">I", start) + data + struct.pack(">H", len(entries) + 1) + directory + bytes(4)
    )


def test_values_of_a_ppm_that_ends_elsewhere(tmp_path: Path):
    write_ppm(tmp_path / "a.pgm", np.array([[0, 500, 1000]]), 1000)
    assert levels(tmp_path / "a.pgm").tolist() == [[0, 127, 255]]


def test_a_ppm_written_as_text(tmp_path: Path):
    """Pillow would stretch 4095 to 65535, and all but black would be white."""
    values = np.arange(12).reshape(3, 4) * 300
    text = " ".join(map(str, values.ravel()))
    (tmp_path / "a.pgm").write_text(f"P2\n# from a scanner\n4 3\n4095\n{text}\n")
    write_ppm(tmp_path / "b.pgm", values, 4095)
    assert levels(tmp_path / "a.pgm").tolist() == levels(tmp_path / "b.pgm").tolist()
    (tmp_path / "a.pgm").write_text("P2\n4 3\n4095\n1 2 3\n")
    with pytest.raises(DataError):
        read_deep(tmp_path / "a.pgm")


def test_signed_values_have_a_bit_less(tmp_path: Path):
    write_tiff(tmp_path / "a.tif", np.array([[0, 32767]], np.int16))
    assert levels(tmp_path / "a.tif").tolist() == [[0, 255]]


# The window


@pytest.mark.parametrize(
    "values", [DEEP, DEEP.astype(np.int32) - 1000, DEEP.astype(np.float32), DEEP.astype(np.float64)]
)
def test_a_window_says_what_is_black_and_what_white(tmp_path: Path, values: Values):
    write_tiff(tmp_path / "a.tif", values)
    found = levels(tmp_path / "a.tif", GreyScale(window=(1000.0, 3000.0)))
    assert np.array_equal(found, expected(values.astype(float) - 1000, 2000))


def test_a_window_of_eight_bit_values_is_for_eight_bit_pictures_too(tmp_path: Path):
    Image.fromarray(np.array([[0, 100, 150, 200, 250]], np.uint8)).save(tmp_path / "a.png")
    assert levels(tmp_path / "a.png", GreyScale(window=(100, 200))).tolist() == [[0, 0, 128, 255, 255]]
    assert levels(tmp_path / "a.png", GreyScale(window=(0, 4095))).tolist() == [[0, 100, 150, 200, 250]]
    colour = np.asarray(to_eight_bit(read_picture(tmp_path / "a.png"), 3, GreyScale(window=(100, 200))))
    assert colour[0, :, 2].tolist() == [0, 0, 128, 255, 255]


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (DEEP.astype(np.float32), r"floating-point grey values: .*`window: \[low, high\]`"),
        (DEEP.astype(np.int32) - 5, r"negative grey values \(down to -5\): .*`window"),
    ],
)
def test_values_without_a_known_white_are_refused(tmp_path: Path, values: Values, reason: str):
    write_tiff(tmp_path / "a.tif", values)
    with pytest.raises(DataError, match=reason):
        levels(tmp_path / "a.tif")


def test_values_that_are_no_numbers_are_black(tmp_path: Path):
    write_tiff(tmp_path / "a.tif", np.array([[np.nan, 1.0]], np.float32))
    assert levels(tmp_path / "a.tif", GreyScale(window=(0, 1))).tolist() == [[0, 255]]


# What is not read


@pytest.mark.parametrize("photometric", ["separated", "cielab", "ycbcr"])
def test_deep_colours_that_are_not_read_are_said(tmp_path: Path, photometric: str):
    bands = np.dstack([COLOUR, ALPHA]) if photometric == "separated" else COLOUR
    write_tiff(tmp_path / "a.tif", bands, photometric=photometric)
    with pytest.raises(DataError, match=f"TIFF of 16 bits in {photometric.upper()}: grey and RGB are read"):
        read_deep(tmp_path / "a.tif")


@pytest.mark.parametrize("bands", [3, 4])
def test_grey_in_several_bands_is_not_read(tmp_path: Path, bands: int):
    """Which of them is the picture? An image of a microscope, or colour that lacks its tag."""
    values = np.dstack([DEEP] * bands)
    write_tiff(tmp_path / "a.tif", values, photometric="minisblack", planarconfig="contig")
    with pytest.raises(DataError, match=f"TIFF of {bands} bands that does not say which of them are colours"):
        read_deep(tmp_path / "a.tif")


SHALLOW = {
    "JPEG": {}, "PNG": {}, "BMP": {}, "GIF": {}, "WEBP": {"lossless": True}, "TIFF": {}, "PPM": {}, "JPEG2000": {},
}  # fmt: skip


@pytest.mark.parametrize("kind", SHALLOW)
def test_eight_bit_pictures_are_left_to_pillow(tmp_path: Path, kind: str):
    Image.fromarray(expected(DEEP)).save(tmp_path / "a", kind, **SHALLOW[kind])
    assert read_deep(tmp_path / "a") is None
    assert close(levels(tmp_path / "a"), expected(DEEP), tolerance=3)


@pytest.mark.parametrize("name", [*GREY, *COLOURS])
def test_a_truncated_deep_file_is_a_reason(tmp_path: Path, name: str):
    path = tmp_path / name
    {**GREY, **COLOURS}[name](path)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 3])
    with pytest.raises(DataError, match="cannot be decoded: "):
        read_deep(path)


def test_a_deep_file_that_claims_to_be_huge_is_not_decoded(tmp_path: Path):
    for name in ("16.png", "16.tif", "16.pgm"):
        GREY[name](tmp_path / name)
    png = bytearray((tmp_path / "16.png").read_bytes())
    png[16:24] = struct.pack(">II", 50_000, 50_000)
    (tmp_path / "16.png").write_bytes(png)
    with tifffile.TiffFile(tmp_path / "16.tif", mode="r+") as file:
        file.pages[0].tags[256].overwrite(50_000)
        file.pages[0].tags[257].overwrite(50_000)
    pgm = (tmp_path / "16.pgm").read_bytes()
    (tmp_path / "16.pgm").write_bytes(pgm.replace(b"30 20", b"50000 50000"))
    for name in ("16.png", "16.tif", "16.pgm"):
        with pytest.raises(DataError, match="no radiograph is larger"):
            read_deep(tmp_path / name)


def test_what_is_no_picture_is_none(tmp_path: Path):
    (tmp_path / "a.png").write_bytes(b"Dear colleague")
    assert read_deep(tmp_path / "a.png") is None


def test_pillows_own_deep_pictures_come_on_the_scale_too():
    """A plugin may have one from elsewhere."""
    picture = Image.fromarray(TWELVE)
    assert np.array_equal(np.asarray(to_eight_bit(picture, 1, SCALES[12])), expected(TWELVE, 4095))
    reopened = io.BytesIO()
    Image.fromarray(np.array([[0, 32768, 65535]], np.int32)).save(reopened, "TIFF")
    assert np.asarray(to_eight_bit(read_picture(reopened), 1)).tolist() == [[0, 128, 255]]
    with pytest.raises(DataError, match="floating-point"):
        to_eight_bit(Image.fromarray(np.zeros((2, 2), np.float32)), 1)


@pytest.mark.parametrize(("opaque", "grey"), [(4095, 128), (65535, 128), (32768, 64)])
def test_opacity_beside_colours_of_12_bits_is_of_12_where_it_has_no_more(tmp_path: Path, opaque: int, grey: int):
    """4095 of 65535 made the picture nearly black, 8 against 127."""
    bands = np.full((4, 4, 4), 2048, np.uint16)
    bands[..., 3] = opaque
    write_tiff(tmp_path / "rgba.tif", bands, photometric="rgb", extrasamples=["unassalpha"])
    picture = read_deep(tmp_path / "rgba.tif")
    assert picture is not None
    assert abs(int(np.asarray(picture.to_eight_bit(GreyScale(12)))[0, 0, 0]) - grey) <= 1
