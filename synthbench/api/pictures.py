"""From a file to a picture: which kinds are opened at all, and what is said of a file that is none of them.

Every file that is opened as a picture comes through here, for no file is to be trusted: neither one in a data
set's folder nor one in a stranger's run.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import BinaryIO

from PIL import ExifTags, Image, UnidentifiedImageError

from synthbench.errors import DataError

__all__ = [
    "FORMATS",
    "MAX_PIXELS",
    "PICTURE_SUFFIXES",
    "check_size",
    "decoding",
    "has_picture_suffix",
    "orientation",
    "read_picture",
    "regular_file",
]

FORMATS = ("AVIF", "BMP", "GIF", "JPEG", "JPEG2000", "PNG", "PPM", "TIFF", "WEBP")
"""All that is opened, by content, whatever a file's name says. Pillow knows more kinds; for PostScript it starts a
program on the file's content."""

PICTURE_SUFFIXES = frozenset(
    (
        *(".avif", ".bmp", ".gif", ".jfif", ".jp2", ".jpe", ".jpeg", ".jpg"),
        *(".pbm", ".pgm", ".png", ".pnm", ".ppm", ".tif", ".tiff", ".webp"),
    )
)
"""How files of these kinds are called, in small letters; what one holds its content alone decides."""

MAX_PIXELS = 80_000_000
"""No radiograph is larger; a small file that claims to be would fill the memory."""


def read_picture(source: Path | BinaryIO) -> Image.Image:
    """The first frame of an image file, decoded by Pillow, in the file's own mode.

    Raises DataError with the reason, but not the name, where the file is none of `FORMATS`, damaged, too large, or
    no regular file.
    """
    with decoding():
        if isinstance(source, Path):
            # Opened here: a raw TIFF that Pillow opens itself, it maps into memory with the width that the picture
            # has after it was turned.
            with regular_file(source).open("rb") as content:
                return _decoded(content)
        return _decoded(source)


def _decoded(content: BinaryIO) -> Image.Image:
    with Image.open(content, formats=_formats()) as picture:
        check_size(picture.width, picture.height)
        picture.load()
        return picture


def orientation(path: Path) -> int:
    """How the picture is turned: EXIF's number, 1 where it says nothing."""
    with Image.open(path, formats=_formats()) as picture:
        return int(picture.getexif().get(ExifTags.Base.Orientation, 1))


def has_picture_suffix(path: Path) -> bool:
    """Whether the file is called as one of `FORMATS` is; its content may say something else."""
    return path.suffix.casefold() in PICTURE_SUFFIXES


@cache
def _formats() -> tuple[str, ...]:
    """Of `FORMATS` those that this Pillow has: AVIF came late, JPEG 2000 is left out of some builds."""
    Image.init()
    return tuple(name for name in FORMATS if name in Image.OPEN)


def regular_file(path: Path) -> Path:
    """`path`. Raises DataError for a pipe or a device, which may have no end, and for an empty file."""
    about = path.stat()
    if not stat.S_ISREG(about.st_mode):
        raise DataError("no regular file, but a folder, a pipe or a device")
    if about.st_size == 0:
        raise DataError("empty file")
    return path


def check_size(width: int, height: int) -> None:
    """Raises DataError for more than `MAX_PIXELS`, before any of them is decoded."""
    if width * height > MAX_PIXELS:
        raise DataError(f"{width} x {height} pixels: no radiograph is larger than {MAX_PIXELS:,}")


@contextmanager
def decoding() -> Iterator[None]:
    """Turn whatever a reader raises into a DataError with the reason: for calls of readers alone.

    What they raise on damaged content is of many types and differs from version to version (`RuntimeError` for an
    AVIF, `struct.error` for a TIFF). A failing disk counts, too: its reason names it.
    """
    try:
        yield
    except (DataError, MemoryError):  # memory that is full says nothing of the file
        raise
    except UnidentifiedImageError as error:
        raise DataError(f"not an image of a known kind ({', '.join(_formats())})") from error
    except Exception as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise DataError(f"cannot be decoded: {reason or type(error).__name__}") from error
