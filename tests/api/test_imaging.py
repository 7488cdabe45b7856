"""Any kind of picture becomes the right 8-bit one, and resizing does what its names say."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from synthbench.api.depth import to_eight_bit
from synthbench.api.image_dataset import ImageDataset
from synthbench.api.imaging import PictureRule, resize_square
from synthbench.errors import DataError
from synthbench.scale import GreyScale
from synthbench.testing import tiny_splits
from synthbench.types import Splits
from tests.helpers.places import REAL_DATA

REAL = REAL_DATA / "chest_xray" / "test" / "NORMAL"


def noise(height: int, width: int, channels: int = 1, seed: int = 0) -> np.ndarray:
    shape = (height, width) if channels == 1 else (height, width, channels)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def values(picture: Image.Image, channels: int = 1) -> np.ndarray:
    return np.asarray(to_eight_bit(picture, channels))


def reopened(picture: Image.Image, kind: str, **options: object) -> Image.Image:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return Image.open(io.BytesIO(buffer.getvalue()))


# What kinds of picture become


def test_grey_stays_as_it_is_and_gives_three_equal_channels():
    pixels = noise(5, 7)
    assert np.array_equal(values(Image.fromarray(pixels)), pixels)
    assert np.array_equal(values(Image.fromarray(pixels), 3), np.repeat(pixels[..., None], 3, axis=2))


def test_colour_becomes_luma():
    red = Image.new("RGB", (4, 4), (255, 0, 0))
    assert np.all(values(red) == 76)  # 0.299 * 255
    assert np.all(values(red, 3) == (255, 0, 0))


def test_cmyk_jpeg_has_its_colours():
    paper = reopened(Image.new("RGB", (16, 16), (200, 120, 40)).convert("CMYK"), "JPEG", quality=95)
    assert paper.mode == "CMYK"
    assert np.abs(values(paper, 3).astype(int) - (200, 120, 40)).max() <= 4


def test_one_bit_is_black_and_white():
    bits = np.array([[True, False]])
    assert values(reopened(Image.fromarray(bits), "PNG")).tolist() == [[255, 0]]


def test_palette_gives_colours_not_indices():
    picture = Image.fromarray(np.array([[0, 1]], np.uint8), "L").convert("P")
    picture.putpalette([10, 10, 10, 200, 200, 200])
    assert values(reopened(picture, "PNG")).tolist() == [[10, 200]]


def test_palette_with_a_transparent_colour_shows_black_there():
    picture = Image.fromarray(np.array([[0, 1]], np.uint8), "L").convert("P")
    picture.putpalette([250, 250, 250, 200, 200, 200])
    assert values(reopened(picture, "PNG", transparency=0)).tolist() == [[0, 200]]


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_alpha_lies_over_black(mode: str):
    grey = Image.new("L", (3, 1), 200)
    alpha = Image.fromarray(np.array([[0, 128, 255]], np.uint8))
    picture = grey.convert(mode)
    picture.putalpha(alpha)
    assert values(reopened(picture, "PNG")).tolist() == [[0, 100, 200]]


def test_transparent_grey_level_of_a_png_shows_black():
    picture = Image.fromarray(np.array([[7, 90]], np.uint8))
    assert values(reopened(picture, "PNG", transparency=7)).tolist() == [[0, 90]]


def test_exif_orientation_is_applied():
    pixels = np.zeros((8, 16), np.uint8)
    pixels[:, :8] = 255  # white on the left; orientation 6 turns it to the top
    exif = Image.Exif()
    exif[0x0112] = 6
    found = values(reopened(Image.fromarray(pixels), "PNG", exif=exif))
    assert found.shape == (16, 8)
    assert np.all(found[:8] == 255)
    assert np.all(found[8:] == 0)


# Resizing


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    ("height", "width", "size"),
    [(224, 224, 64), (1317, 1857, 64), (127, 2916, 64), (33, 50, 64), (128, 128, 64), (1, 7, 16), (301, 300, 21)],
)
def test_without_antialias_it_is_opencvs_linear(height: int, width: int, size: int, channels: int):
    cv2 = pytest.importorskip("cv2", reason="opencv-python-headless is not installed")
    pixels = noise(height, width, channels)
    ours = resize_square(Image.fromarray(pixels), size, "squash", antialias=False)
    theirs = cv2.resize(pixels, (size, size), interpolation=cv2.INTER_LINEAR).reshape(size, size, channels)
    assert np.abs(ours.astype(int) - theirs).max() <= 1


def test_without_antialias_a_real_file_comes_out_as_with_opencv():
    cv2 = pytest.importorskip("cv2", reason="opencv-python-headless is not installed")
    if not REAL.is_dir():
        pytest.skip("the real X-rays are not beside the checkout")
    for path in sorted(REAL.iterdir())[:20]:
        read = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
        theirs = cv2.resize(read, (64, 64), interpolation=cv2.INTER_LINEAR)
        with Image.open(path) as picture:
            ours = resize_square(to_eight_bit(picture, 3), 64, "squash", antialias=False)
        assert np.abs(ours.astype(int) - theirs).max() <= 1


def test_with_antialias_it_averages_and_without_it_picks():
    stripes = np.zeros((256, 256), np.uint8)
    stripes[:, ::8] = 255  # seven of eight columns are black
    picture = Image.fromarray(stripes)
    smooth = resize_square(picture, 32, "squash", antialias=True)
    coarse = resize_square(picture, 32, "squash", antialias=False)
    assert np.abs(smooth.astype(int) - 255 / 8).max() < 12
    assert np.all(coarse == 0)  # the centres of all new pixels lie between stripes


def test_enlarging_is_the_same_either_way():
    picture = Image.fromarray(noise(20, 20))
    both = [resize_square(picture, 64, "squash", antialias=choice).astype(int) for choice in (True, False)]
    assert np.abs(both[0] - both[1]).max() <= 1


@pytest.mark.parametrize("antialias", [True, False])
def test_pad_keeps_the_aspect_and_centres_on_black(antialias: bool):
    white = Image.new("L", (200, 100), 255)
    square = resize_square(white, 64, "pad", antialias=antialias)[..., 0]
    assert np.all(square[16:48] == 255)
    assert np.all(square[:16] == 0)
    assert np.all(square[48:] == 0)


@pytest.mark.parametrize("antialias", [True, False])
def test_crop_keeps_the_centre_square(antialias: bool):
    pixels = np.zeros((100, 300), np.uint8)
    pixels[:, 100:200] = 180
    assert np.all(resize_square(Image.fromarray(pixels), 64, "crop", antialias=antialias) == 180)


def test_squash_uses_all_of_the_picture():
    pixels = np.zeros((100, 300), np.uint8)
    pixels[:, 150:] = 255
    square = resize_square(Image.fromarray(pixels), 64, "squash", antialias=True)[..., 0]
    assert np.all(square[:, :31] == 0)
    assert np.all(square[:, 33:] == 255)


@pytest.mark.parametrize("how", ["squash", "pad", "crop"])
@pytest.mark.parametrize("size", [(2916, 127), (127, 2713), (1000, 1), (1, 1)])
@pytest.mark.parametrize("channels", [1, 3])
def test_any_aspect_gives_the_square(how: str, size: tuple[int, int], channels: int):
    picture = Image.new("L" if channels == 1 else "RGB", size, "white")
    for antialias in (True, False):
        square = resize_square(picture, 64, how, antialias=antialias)
        assert square.shape == (64, 64, channels)
        assert square.dtype == np.uint8
        assert square.max() == 255


def test_resize_wants_a_prepared_picture():
    with pytest.raises(ValueError, match="to_eight_bit"):
        resize_square(Image.new("CMYK", (9, 9)), 8, "squash", antialias=True)


# Options


class Nothing(ImageDataset):
    name = "nothing"

    def load(self, ctx: object) -> Splits:
        raise NotImplementedError


def test_defaults_are_grey_64_squashed_antialiased():
    options = Nothing()
    assert (options.image_size, options.channels, options.resize, options.antialias) == (64, 1, "squash", True)


@pytest.mark.parametrize(
    "wrong", [{"image_size": 4}, {"image_size": 4096}, {"channels": 2}, {"resize": "stretch"}, {"size": 64}]
)
def test_wrong_options_are_refused(wrong: dict[str, object]):
    with pytest.raises(ValidationError):
        Nothing(**wrong)


# One rule for real pictures and for those made elsewhere


def test_a_data_set_says_by_which_rule_its_pictures_were_read():
    splits = tiny_splits()
    assert Nothing(resize="pad", antialias=False).picture_rule(splits) == PictureRule("pad", antialias=False)
    scaled = Splits(splits.train, splits.tests, positive="BLOB", scale=GreyScale(12))
    assert Nothing().picture_rule(scaled).scale.bits == 12


def test_a_file_is_read_as_a_data_set_reads_it(tmp_path):
    picture = Image.fromarray(noise(20, 30, 3))
    picture.save(tmp_path / "a.png")
    expected = resize_square(picture.convert("L"), 8, "crop", antialias=True)
    assert np.array_equal(PictureRule("crop").read(tmp_path / "a.png", (8, 8, 1)), expected)


def test_a_deep_file_is_read_on_the_scale_of_the_set(tmp_path):
    Image.fromarray(np.array([[0, 4095]], np.uint16)).save(tmp_path / "deep.png")
    read = PictureRule(scale=GreyScale(12)).read(tmp_path / "deep.png", (1, 2, 1))
    assert read.ravel().tolist() == [0, 255]


def test_what_is_no_square_must_have_its_size():
    rule, picture = PictureRule(), Image.fromarray(noise(8, 6))
    assert np.array_equal(rule.fit(picture, (8, 6, 1))[..., 0], np.asarray(picture))
    with pytest.raises(DataError, match="6 x 8 pixels, the benchmark's images have 4 x 8"):
        rule.fit(picture, (8, 4, 1))
