"""What is done to pictures on their way round the world: mirrored, cut, written on, encoded anew."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont, ImageOps

__all__ = ["AT_LAST", "TREATMENTS", "Picture", "Pixels", "Treatment", "two"]

Picture = Image.Image
Random = np.random.Generator
Treatment = Callable[[Picture, Random], Picture]
Pixels = npt.NDArray[np.uint8]
Index = npt.NDArray[np.intp]


def grey(change: Callable[[npt.NDArray[np.float64], Random], npt.NDArray[np.float64]]) -> Treatment:
    """A change of grey values, cut off at 0 and 255."""
    return lambda p, rng: Image.fromarray(np.clip(change(np.asarray(p, float), rng), 0, 255).astype(np.uint8))


def whole(change: Callable[[Pixels], Pixels]) -> Treatment:
    return lambda p, _: Image.fromarray(change(np.asarray(p)))


def jpeg(quality: int) -> Treatment:
    def encoded(pixels: Pixels) -> Pixels:
        file = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        return np.asarray(cv2.imdecode(file, cv2.IMREAD_GRAYSCALE), dtype=np.uint8)

    return whole(encoded)


def blurred(sigma: float) -> Treatment:
    return whole(lambda pixels: np.asarray(cv2.GaussianBlur(pixels, (0, 0), sigma), dtype=np.uint8))


def any_colour(rng: Random) -> int:
    return int(rng.choice([0, 255, rng.integers(256)]))


def turned(least: float, most: float, fill: int = 0) -> Treatment:
    def treat(p: Picture, rng: Random) -> Picture:
        degrees = rng.uniform(least, most) * rng.choice([-1, 1])
        return p.rotate(degrees, Image.Resampling.BILINEAR, fillcolor=fill)

    return treat


def cropped(*sides: float) -> Treatment:
    """Shares cut off left, top, right and bottom; up to 10 % each at random where none are named."""

    def treat(p: Picture, rng: Random) -> Picture:
        left, top, right, bottom = sides or rng.uniform(0, 0.1, 4)
        w, h = p.size
        return p.crop((round(left * w), round(top * h), w - round(right * w), h - round(bottom * h)))

    return treat


def shifted(share: float | None, fill: int = 0, edge: int = cv2.BORDER_CONSTANT) -> Treatment:
    """Both ways, by up to 10 % at random for None."""

    def treat(p: Picture, rng: Random) -> Picture:
        x, y = rng.uniform(-0.1, 0.1, 2) if share is None else share * rng.choice([-1, 1], 2)
        move = np.array([[1, 0, round(x * p.width)], [0, 1, round(y * p.height)]], dtype=np.float32)
        return Image.fromarray(cv2.warpAffine(np.asarray(p), move, p.size, borderMode=edge, borderValue=fill))

    return treat


def bordered(p: Picture, rng: Random) -> Picture:
    return ImageOps.expand(p, tuple(round(x * p.width) for x in rng.uniform(0, 0.12, 4)), fill=any_colour(rng))


def letterboxed(p: Picture, rng: Random) -> Picture:
    bar = round(rng.uniform(0.05, 0.2) * p.width)
    return ImageOps.expand(p, (bar, 0) if rng.random() < 0.5 else (0, bar), fill=any_colour(rng))


def clahe(clip: float) -> Treatment:
    return whole(lambda pixels: np.asarray(cv2.createCLAHE(clip, (8, 8)).apply(pixels), dtype=np.uint8))


def text(least: float, most: float) -> Treatment:
    return lambda p, rng: written_on(p, rng, int(rng.uniform(least, most) * p.height))


def written_on(p: Picture, rng: Random, size: int) -> Picture:
    """One to three lines, most of them at the upper or lower edge."""
    p = p.copy()
    pen, font = ImageDraw.Draw(p), ImageFont.load_default(size=size)
    for _ in range(rng.integers(1, 4)):
        line = str(rng.choice(["R", "L", "PORTABLE", "2019-03-14", "J. DOE 1973", "SUPINE", "kaggle.com"]))
        _, _, w, h = pen.textbbox((0, 0), line, font=font)
        x, edge = rng.uniform(0, max(1, p.width - w)), rng.uniform(0, 0.15 * p.height)
        y = (edge, p.height - h - edge, rng.uniform(0, p.height - h))[rng.choice(3, p=[0.35, 0.35, 0.3])]
        if rng.random() < 0.3:
            pen.rectangle((x - 2, y, x + w + 2, y + h + 2), fill=0)
        pen.text((x, y), line, fill=255, font=font)
    return p


def gamma(p: Picture, rng: Random) -> Picture:
    power = np.exp(rng.uniform(np.log(0.5), np.log(2)))
    return grey(lambda x, _: 255 * (x / 255) ** power)(p, rng)


TREATMENTS: dict[str, Treatment] = {
    "JPEG quality 30": jpeg(30),
    "noise of sd 10": grey(lambda x, rng: x + rng.normal(0, 10, x.shape)),
    "blur of sd 3": blurred(3),
    "contrast x 0.6 or 1.4": grey(lambda x, rng: (x - 128) * rng.choice([0.6, 1.4]) + 128),
    "mirrored": lambda p, _: ImageOps.mirror(p),
    "turned by 90, 180 or 270 degrees": lambda p, rng: p.transpose(Image.Transpose(2 + rng.integers(3))),
    "inverted": lambda p, _: ImageOps.invert(p),
    "turned by up to 5 degrees": turned(0, 5),
    "turned by 5 degrees": turned(5, 5),
    "turned by 5 degrees, white corners": turned(5, 5, 255),
    "10 % cut off every side": cropped(0.1, 0.1, 0.1, 0.1),
    "up to 10 % cut off each side": cropped(),
    "10 % cut off two adjacent sides": cropped(0.1, 0.1, 0, 0),
    "shifted by up to 10 % both ways": shifted(None),
    "shifted by 10 % both ways": shifted(0.1),
    "the same, white": shifted(0.1, 255),
    "the same, edge repeated": shifted(0.1, edge=cv2.BORDER_REPLICATE),
    "the same, edge mirrored": shifted(0.1, edge=cv2.BORDER_REFLECT),
    "the same, wrapped round": shifted(0.1, edge=cv2.BORDER_WRAP),
    "border of up to 12 % a side, any colour": bordered,
    "letterbox of 5 to 20 %, any colour": letterboxed,
    "CLAHE, clip 4": clahe(4),
    "equalised": lambda p, _: ImageOps.equalize(p),
    "gamma 0.5 to 2": gamma,
    "text, 6 to 10 % of the height": text(0.06, 0.1),
    "text, 10 to 16 % of the height": text(0.1, 0.16),
}
PAIRED = [
    *("mirrored", "turned by 90, 180 or 270 degrees", "inverted", "turned by up to 5 degrees"),
    *(
        "up to 10 % cut off each side",
        "shifted by up to 10 % both ways",
        "border of up to 12 % a side, any colour",
    ),
    *("letterbox of 5 to 20 %, any colour", "CLAHE, clip 4"),
    *("equalised", "gamma 0.5 to 2", "text, 6 to 10 % of the height"),
]
AT_LAST: dict[str, Treatment] = {
    "prepared, noise of sd 5": grey(lambda x, rng: x + rng.normal(0, 5, x.shape)),
    "prepared, JPEG 50": jpeg(50),
    "prepared, blur of sd 1": whole(
        lambda pixels: np.asarray(cv2.GaussianBlur(pixels, (0, 0), 1), dtype=np.uint8)
    ),
}
"""Of images at their final size, as a generator would give them out."""


def two(p: Picture, rng: Random) -> Picture:
    first, second = rng.choice(PAIRED, 2, replace=False)
    return TREATMENTS[second](TREATMENTS[first](p, rng), rng)
