"""One file after another: good ones become pixels, bad ones a reason, never a black image."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from synthbench_cxr import decode as decoder
from synthbench_cxr.decode import Decoded, decode
from synthbench_cxr.plugin import ChestXray

GREY, COLOUR = ChestXray(), ChestXray(channels=3)


def gradient(width: int = 80, height: int = 60) -> Image.Image:
    return Image.fromarray(np.linspace(20, 230, width * height).astype(np.uint8).reshape(height, width))


def pixels_of(path: Path, how: ChestXray) -> np.ndarray:
    found = decode(path, how)
    assert isinstance(found, Decoded), found
    return found.pixels


def huge_png(width: int, height: int) -> bytes:
    """A PNG of a few bytes that claims to be huge."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


@pytest.mark.parametrize("suffix", ["jpeg", "png", "bmp", "gif", "tiff", "webp", "pgm"])
def test_common_kinds_are_read(tmp_path: Path, suffix: str):
    gradient().save(tmp_path / f"a.{suffix}")
    pixels = pixels_of(tmp_path / f"a.{suffix}", GREY)
    assert pixels.shape == (64, 64, 1)
    assert pixels.dtype == np.uint8
    assert 100 < pixels.mean() < 150


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "LA", "P", "CMYK"])
def test_all_modes_give_the_same_brightness(tmp_path: Path, mode: str):
    path = tmp_path / ("a.jpeg" if mode == "CMYK" else "a.png")
    picture = gradient().quantize(256) if mode == "P" else gradient().convert("RGB").convert(mode)
    assert picture.mode == mode
    picture.save(path)
    expected = decode_of(tmp_path, gradient())
    for how in (GREY, COLOUR):
        found = pixels_of(path, how)
        assert found.shape == (64, 64, how.channels)
        assert np.abs(found.astype(int) - expected).max() < 8


def decode_of(tmp_path: Path, picture: Image.Image) -> np.ndarray:
    picture.save(tmp_path / "reference.png")
    return pixels_of(tmp_path / "reference.png", GREY).astype(int)


def test_a_suffix_that_lies_does_not_matter(tmp_path: Path):
    gradient().save(tmp_path / "a.png")
    (tmp_path / "a.png").rename(tmp_path / "a.jpeg")
    assert pixels_of(tmp_path / "a.jpeg", GREY).shape == (64, 64, 1)


def test_grey_jpeg_in_three_channels_gives_three_equal_ones(tmp_path: Path):
    gradient().save(tmp_path / "a.jpeg")
    pixels = pixels_of(tmp_path / "a.jpeg", COLOUR)
    assert np.all(pixels[..., :1] == pixels)


@pytest.mark.parametrize(("mode", "channels"), [("L", 1), ("RGB", 3), ("RGBA", 4)])
def test_geometry_is_that_of_the_file_not_of_the_pixels(tmp_path: Path, mode: str, channels: int):
    path = tmp_path / "a.png"
    gradient(90, 50).convert("RGB").convert(mode).save(path)
    found = decode(path, COLOUR)
    assert found[1:] == (90, 50, channels, path.stat().st_size, "", None)


def test_options_reach_the_resize(tmp_path: Path):
    gradient(200, 100).save(tmp_path / "a.png")
    padded = pixels_of(tmp_path / "a.png", ChestXray(image_size=32, resize="pad", antialias=False))
    assert padded.shape == (32, 32, 1)
    assert np.all(padded[:8] == 0)


def bad_files(folder: Path) -> dict[str, Path]:
    """Each kind of broken file that folders in the wild hold, by what is said about it."""
    gradient(400, 400).save(folder / "whole.jpeg", quality=95)
    whole = (folder / "whole.jpeg").read_bytes()
    gradient(400, 400).save(folder / "whole.png")
    contents = {
        "empty file": b"",
        "not an image of a known kind": b"Dear colleague, please find attached",
        "cannot be decoded: image file is truncated": whole[: len(whole) // 2],
        "cannot be decoded:": (folder / "whole.png").read_bytes()[:200],
        "no radiograph is larger": huge_png(12_000, 8_000),
        "exceeds limit": huge_png(60_000, 60_000),
    }
    files = {}
    for number, (reason, content) in enumerate(contents.items()):
        files[reason] = folder / f"bad{number}.jpeg"
        files[reason].write_bytes(content)
    Image.new("L", (50, 50), 0).save(folder / "black.png")
    Image.new("RGBA", (50, 50), (9, 9, 9, 0)).save(folder / "clear.png")
    Image.fromarray(np.zeros((4, 4), np.float32)).save(folder / "float.tiff")
    return files | {
        "all pixels have one value": folder / "black.png",
        "all pixels have one value ": folder / "clear.png",
        "floating-point grey values": folder / "float.tiff",
        "cannot be decoded: No such file or directory": folder / "gone.png",
    }


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_bad_files_give_a_reason(tmp_path: Path):
    for reason, path in bad_files(tmp_path).items():
        found = decode(path, GREY)
        assert isinstance(found, str), f"{path.name}: {reason}"
        assert reason.strip() in found


def test_faults_of_the_code_are_not_taken_for_bad_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    gradient().save(tmp_path / "a.png")

    def broken(*args: object, **options: object) -> None:
        raise TypeError("a bug")

    monkeypatch.setattr(decoder, "resize_square", broken)
    with pytest.raises(TypeError, match="a bug"):
        decode(tmp_path / "a.png", GREY)
