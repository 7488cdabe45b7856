"""From pictures of any depth to 8 bits. Those of more are read as their files hold them: Pillow cuts colour.

Which of their values is white is not in the files: radiographs of 12 bits lie in files of 16. So the values stay
what they are until the scale of the whole data set is known (`GreyScale`).
"""

from __future__ import annotations

import logging
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image, ImageOps

from synthbench.api.dicom import DicomPicture, marked_as_dicom, read_dicom
from synthbench.api.pictures import check_size, decoding, orientation, regular_file
from synthbench.errors import DataError
from synthbench.scale import GreyScale

if TYPE_CHECKING:
    from tifffile import TiffPage

__all__ = ["DeepPicture", "read_deep", "to_eight_bit"]

Values = npt.NDArray[Any]

MODES: dict[int, str] = {1: "L", 3: "RGB"}
DECLARED = GreyScale()
ORIENTATION = ExifTags.Base.Orientation

DICOM = "DICOM"

HEAD = 4096
"""Bytes that tell a file's kind and depth."""


@dataclass(frozen=True, eq=False)
class DeepPicture:
    """The first frame of a file.

    values       (H, W) grey or (H, W, 3) RGB, of the file's own type
    bits         how many the file declares for a value that is not negative; None for floating point
    bands        of the file, those of transparency among them
    alpha        (H, W), 0-1 by the bits declared, where a band says what is transparent; None elsewhere
    inverted     whether 0 is white
    orientation  1-8, as in EXIF
    shown        (H, W), 0-1, before any inversion: how a DICOM file wants its values shown, used where the data
                 set has no `window`; None where the file does not say
    shown_by     what of the file says so
    kind         "DICOM", or what else has such values
    """

    values: Values
    bits: int | None
    bands: int
    alpha: Values | None = None
    inverted: bool = False
    orientation: int = 1
    shown: Values | None = None
    shown_by: str = ""
    kind: str = "more than 8 bits"

    def conversion(self, scale: GreyScale) -> str:
        """How `to_eight_bit` makes it 8 bits on this scale, in words that can be counted."""
        rule = "`window`" if scale.window else self.shown_by or "bit depth"
        how = f"{self.kind} by {rule}"
        return f"{how}, inverted" if self.inverted else how

    def to_eight_bit(self, scale: GreyScale) -> Image.Image:
        """An upright picture of mode "L" or "RGB" on the scale of its data set; what is transparent is black.

        Raises DataError where the scale does not say which value is white: floating point, negative values.
        """
        levels = self._levels(scale)
        levels = 1 - levels if self.inverted else levels
        if self.alpha is not None:
            levels *= self._opacity(scale).reshape(self.alpha.shape + (1,) * (levels.ndim - 2))
        picture = Image.fromarray(np.rint(np.nan_to_num(levels) * 255).astype(np.uint8))
        picture.getexif()[ORIENTATION] = self.orientation
        return ImageOps.exif_transpose(picture)

    def range_used(self, scale: GreyScale) -> tuple[float, float] | None:
        """Its lowest and highest value, black 0 and white 1; None unless bit depth alone says what is white."""
        if scale.window is not None or self.shown is not None:
            return None
        low, high = self._ends(scale)
        return (float(self.values.min()) - low) / (high - low), (float(self.values.max()) - low) / (high - low)

    def _opacity(self, scale: GreyScale) -> Values:
        """0-1. Beside colours of 12 bits in a file of 16, opacity has 12 as well where none of it has more."""
        assert self.alpha is not None
        opaque = scale.ends(self.bits)[1] / (2**self.bits - 1) if self.bits else 1.0
        return self.alpha / opaque if 0 < opaque < 1 and self.alpha.max() <= opaque else self.alpha

    def _levels(self, scale: GreyScale) -> Values:
        """0-1, before inversion."""
        if scale.window is None and self.shown is not None:
            return self.shown
        low, high = self._ends(scale)
        return np.clip((self.values.astype(np.float64) - low) / (high - low), 0, 1)

    def _ends(self, scale: GreyScale) -> tuple[float, float]:
        advice = "which value is black and which is white `window: [low, high]` says"
        if scale.window is None and self.bits is None:
            raise DataError(f"{'rescaled' if self.kind == DICOM else 'floating-point'} grey values: {advice}")
        if scale.window is None and self.values.min() < 0:
            raise DataError(f"negative grey values (down to {self.values.min()}): {advice}")
        return scale.ends(self.bits)


def to_eight_bit(
    picture: Image.Image | DeepPicture, channels: Literal[1, 3], scale: GreyScale = DECLARED
) -> Image.Image:
    """An upright 8-bit picture of mode "L" (channels 1) or "RGB" (channels 3).

    - EXIF orientation is applied; of several frames the first counts.
    - Values of more than 8 bits come on the `scale` of their data set: by default that of the declared depth. Give
      the picture as `read_deep` reads it: in Pillow's, colour has lost its low byte already.
    - What is transparent shows black behind it.
    - Colour becomes grey by ITU-R 601 luma.

    Raises DataError where the scale does not say which value is white (floating point, negative), or the EXIF data
    are damaged; ValueError for colours that Pillow cannot convert (CIELAB).
    """
    deep = picture if isinstance(picture, DeepPicture) else _deep(picture)
    if deep is not None:
        return deep.to_eight_bit(scale).convert(MODES[channels])
    assert isinstance(picture, Image.Image)
    with decoding():
        turned = picture.getexif().get(ORIENTATION, 1) != 1
        picture = ImageOps.exif_transpose(picture) if turned else picture
    if picture.has_transparency_data:
        picture = _over_black(picture)
    mode = MODES[channels]  # Pillow copies a picture that has the mode already, and one that is not turned
    return _windowed(picture if picture.mode == mode else picture.convert(mode), scale)


def _deep(picture: Image.Image) -> DeepPicture | None:
    """Grey values of more than 8 bits in Pillow's modes "I;16", "I" and "F"."""
    if picture.mode[0] not in "IF":
        return None
    bits = {"F": None, "I": 31}.get(picture.mode, 16)
    turned = int(picture.getexif().get(ORIENTATION, 1))
    return DeepPicture(np.asarray(picture), bits, 1, orientation=turned)


def _windowed(picture: Image.Image, scale: GreyScale) -> Image.Image:
    """An 8-bit picture on a scale that is not its own 0-255."""
    low, high = scale.ends(8)
    if (low, high) == (0, 255):
        return picture
    levels = np.rint(np.clip((np.arange(256) - low) / (high - low), 0, 1) * 255).astype(np.uint8)
    return picture.point(levels.tolist() * len(picture.getbands()))


def _over_black(picture: Image.Image) -> Image.Image:
    picture = picture.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", picture.size, "black"), picture)


def read_deep(path: Path) -> DeepPicture | None:
    """The picture in `path` where it has more than 8 bits a value, or is DICOM; else None, also for no picture.

    PNG, TIFF, JPEG 2000 and PPM files can have; floating point and signed values count as deep. Raises DataError
    with the reason where the file is damaged, or of a sort that is not read (CMYK or CIELAB of 16 bits, say).
    """
    with decoding():
        with regular_file(path).open("rb") as file:
            head = file.read(HEAD)
        if marked_as_dicom(head):
            return _of_dicom(read_dicom(path))
        reader = next((read for magic, read in READERS.items() if head.startswith(magic)), None)
        return reader(path, head) if reader else None


def _of_dicom(picture: DicomPicture) -> DeepPicture:
    return DeepPicture(
        values=picture.values,
        bits=picture.bits,
        bands=picture.bands,
        inverted=picture.inverted,
        shown=picture.shown,
        shown_by=picture.shown_by,
        kind=DICOM,
    )


def _read_png(path: Path, head: bytes) -> DeepPicture | None:
    if head[24:25] != b"\x10":  # the bit depth in IHDR
        return None
    import imagecodecs

    check_size(*struct.unpack(">II", head[16:24]))
    return _with_alpha(imagecodecs.png_decode(path.read_bytes()), 16, orientation(path))


def _with_alpha(values: Values, bits: int, turned: int = 1) -> DeepPicture:
    """Values (H, W) or (H, W, bands): with an even number of bands the last is transparency."""
    bands = values.shape[2] if values.ndim == 3 else 1
    if bands % 2:
        return DeepPicture(values, bits, bands, orientation=turned)
    colour = values[..., 0] if bands == 2 else values[..., :-1]
    return DeepPicture(colour, bits, bands, values[..., -1] / (2**bits - 1), orientation=turned)


def _read_jpeg2000(path: Path, _: bytes) -> DeepPicture | None:
    import imagecodecs

    content = path.read_bytes()
    size = content.index(b"\xff\x4f\xff\x51")  # start of the codestream, then of its SIZ segment
    right, lower, left, upper = struct.unpack(">4I", content[size + 8 : size + 24])
    depth = content[size + 42]
    bits = (depth & 0x7F) + 1
    if bits <= 8:
        return None
    check_size(right - left, lower - upper)
    is_signed = bool(depth & 0x80)
    return _with_alpha(imagecodecs.jpeg2k_decode(content), bits - is_signed)


def _read_ppm(path: Path, head: bytes) -> DeepPicture | None:
    """P5 (grey) and P6 (RGB), and P2 and P3, the same as text; the header may hold comments."""
    gap = rb"\s+(?:#[^\n]*\n\s*)*"
    header = re.match(rb"P([2356])" + gap + rb"(\d+)" + gap + rb"(\d+)" + gap + rb"(\d+)\s", head)
    if header is None or int(header[4]) < 256:
        return None
    width, height, white = int(header[2]), int(header[3]), int(header[4])
    check_size(width, height)
    shape = (height, width, 3) if header[1] in b"36" else (height, width)
    content = path.read_bytes()[header.end() :]
    if header[1] in b"56":
        values = np.frombuffer(content, ">u2", int(np.prod(shape))).reshape(shape)
    else:
        values = np.array(content.split()[: int(np.prod(shape))], dtype=np.uint16).reshape(shape)
    bits = white.bit_length()
    return _with_alpha(np.rint(values * ((2**bits - 1) / white)).astype(np.uint16), bits)


def _read_tiff(path: Path, _: bytes) -> DeepPicture | None:
    import tifffile

    logging.getLogger("tifffile").addHandler(logging.NullHandler())  # what is amiss becomes a reason, not a line
    with tifffile.TiffFile(path) as file:
        page = file.pages.first
        if page.bitspersample <= 8 and page.sampleformat == tifffile.SAMPLEFORMAT.UINT:
            return None
        check_size(page.imagewidth, page.imagelength)
        bands = _check_tiff(page)
        values = page.asarray()
    if page.planarconfig == tifffile.PLANARCONFIG.SEPARATE and values.ndim == 3:
        values = np.moveaxis(values, 0, 2)
    values = values.reshape(page.imagelength, page.imagewidth, page.samplesperpixel)
    bits = {1: page.bitspersample, 2: page.bitspersample - 1, 3: None}[page.sampleformat]
    # 2: a band of its own; 1 is multiplied in already, 0 says nothing of transparency
    is_alpha = page.extrasamples[:1] == (2,)
    return DeepPicture(
        values=values[..., :3] if bands == 3 else values[..., 0],
        bits=bits,
        bands=page.samplesperpixel,
        alpha=values[..., bands] / (2**bits - 1 if bits else 1) if is_alpha else None,
        inverted=page.photometric == tifffile.PHOTOMETRIC.MINISWHITE,
        orientation=int(page.tags.valueof(ORIENTATION, default=1)),
    )


def _check_tiff(page: TiffPage) -> int:
    """1 for grey, 3 for RGB. Raises DataError for other colours and values: they would be read wrongly."""
    bands = {0: 1, 1: 1, 2: 3}.get(page.photometric)
    if bands is None or page.sampleformat not in (1, 2, 3) or page.imagedepth != 1:
        kind = getattr(page.photometric, "name", page.photometric)
        raise DataError(f"TIFF of {page.bitspersample} bits in {kind}: grey and RGB are read at that depth")
    if not page.samplesperpixel - bands == len(page.extrasamples) <= 1:
        raise DataError(f"TIFF of {page.samplesperpixel} bands that does not say which of them are colours")
    return bands


READERS: dict[bytes, Callable[[Path, bytes], DeepPicture | None]] = {
    b"\x89PNG\r\n\x1a\n": _read_png,
    **dict.fromkeys((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"), _read_tiff),
    **dict.fromkeys((b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51"), _read_jpeg2000),
    **dict.fromkeys((b"P2", b"P3", b"P5", b"P6"), _read_ppm),
}
