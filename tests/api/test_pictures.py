"""Which files are opened as pictures, and what is said of those that are none. No file makes a program run."""

from __future__ import annotations

import contextlib
import io
import os
import stat
from pathlib import Path

import numpy as np
import pytest
from PIL import EpsImagePlugin, ExifTags, Image, ImageOps, features

from synthbench import DataError, read_picture
from synthbench.api.pictures import FORMATS
from synthbench.report.album import Album

POSTSCRIPT = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\n0 0 8 8 rectfill\n%%EOF\n"


def gradient(width: int = 16, height: int = 16) -> Image.Image:
    return Image.fromarray(np.linspace(20, 230, width * height).astype(np.uint8).reshape(height, width))


@pytest.fixture
def ghostscript(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that appears when somebody starts Ghostscript."""
    trace, program = tmp_path / "was started", tmp_path / "bin" / "gs"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho x >>"{trace}"\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(EpsImagePlugin, "gs_binary", None)  # looked for anew
    return trace


def test_postscript_under_another_name_starts_no_program(ghostscript: Path, tmp_path: Path):
    file = tmp_path / "x.png"
    file.write_bytes(POSTSCRIPT)
    with pytest.raises(DataError, match="not an image of a known kind"):
        read_picture(file)
    assert Album(tmp_path / "figures").photo(file, alt="", caption="", run=tmp_path) is None
    assert not ghostscript.exists()


def test_that_fixture_sees_ghostscript_start(ghostscript: Path, tmp_path: Path):
    """The test above would pass on nothing."""
    file = tmp_path / "x.png"
    file.write_bytes(POSTSCRIPT)
    with pytest.raises(OSError, match=r".*"), Image.open(file) as picture:
        picture.load()
    assert ghostscript.exists()


@pytest.mark.parametrize("kind", FORMATS)
def test_each_kind_is_read(kind: str):
    if kind == "AVIF" and not features.check("avif"):
        pytest.skip("this Pillow has no AVIF")
    file = io.BytesIO()
    gradient().save(file, kind)
    file.seek(0)
    assert read_picture(file).size == (16, 16)


@pytest.mark.parametrize("number", range(1, 9))
@pytest.mark.parametrize("compression", ["raw", "tiff_lzw"])
@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "CMYK"])
def test_a_turned_tiff_is_turned_whole(mode: str, compression: str, number: int, tmp_path: Path):
    """However it is packed: as a PNG of the same pixels would be by its EXIF."""
    bands = {"L": (), "RGB": (3,), "RGBA": (4,), "CMYK": (4,)}[mode]
    pixels = np.random.default_rng(0).integers(0, 255, (20, 40, *bands), dtype=np.uint8)
    picture = Image.frombytes(mode, (40, 20), pixels.tobytes())
    about = Image.Exif()
    about[ExifTags.Base.Orientation] = number
    picture.save(tmp_path / "x.tif", exif=about, compression=compression)
    turns = {2: np.fliplr, 3: lambda a: np.rot90(a, 2), 4: np.flipud, 5: lambda a: np.swapaxes(a, 0, 1)}
    turns |= {6: lambda a: np.rot90(a, -1), 7: lambda a: np.swapaxes(np.rot90(a, 2), 0, 1), 8: np.rot90}
    upright = ImageOps.exif_transpose(read_picture(tmp_path / "x.tif"))
    assert np.array_equal(np.asarray(upright), turns.get(number, np.asarray)(pixels))


@pytest.mark.parametrize("kind", ["ICO", "PCX", "TGA", "SGI", "ICNS", "PDF"])
def test_other_kinds_are_not(kind: str):
    file = io.BytesIO()
    gradient().save(file, kind)
    file.seek(0)
    with pytest.raises(DataError, match=r"not an image of a known kind \(.*PNG.*TIFF"):
        read_picture(file)


def test_a_pipe_a_device_and_a_folder_are_not_opened(tmp_path: Path):
    """To open the pipe would wait for somebody who writes."""
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "zero.png").symlink_to("/dev/zero")
    (tmp_path / "folder.png").mkdir()
    for name in ("pipe.png", "zero.png", "folder.png"):
        with pytest.raises(DataError, match="no regular file"):
            read_picture(tmp_path / name)
    assert Album(tmp_path / "figures").photo(tmp_path / "pipe.png", alt="", caption="", run=tmp_path) is None


@pytest.mark.parametrize("kind", ["AVIF", "JPEG", "PNG", "TIFF", "WEBP", "GIF", "BMP", "JPEG2000"])
@pytest.mark.parametrize("harm", ["overwritten", "truncated"])
def test_whatever_a_reader_raises_is_a_reason(kind: str, harm: str, tmp_path: Path):
    """Or it decodes what is left, as JPEG 2000 and AVIF may; never is it another error."""
    if kind == "AVIF" and not features.check("avif"):
        pytest.skip("this Pillow has no AVIF")
    file = io.BytesIO()
    Image.merge("RGB", [gradient(64, 64)] * 3).save(file, kind)
    content = bytearray(file.getvalue())
    half = len(content) // 2
    damaged = content[:half] if harm == "truncated" else content[:half] + b"\xff" * (len(content) - half)
    (tmp_path / "a.jpg").write_bytes(damaged)
    with contextlib.suppress(DataError):
        assert read_picture(tmp_path / "a.jpg").size == (64, 64)
