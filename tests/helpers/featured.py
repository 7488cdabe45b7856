"""Extractors and evaluators without torch for the tests of the feature service: named featured.py:Class."""

import json
from pathlib import Path
from typing import ClassVar

import numpy as np

from synthbench import Evaluation, Evaluator, Extractor, ExtractorField, Score, WeightFile, extractor_field

HERE = Path(__file__).parent


def called(what):
    with (HERE / "calls.txt").open("a") as file:
        file.write(f"{what}\n")


class Levels(Extractor):
    """Mean and spread of each image's grey levels."""

    name: ClassVar[str] = "levels"
    argument: ClassVar[str] = "scale"
    scale: str = "1"

    @property
    def preprocessing(self):
        return f"any size, times {self.scale}"

    def load(self, train, ctx):
        called(f"load {ctx.seed} {len(train)}")

        def embed(pixels):
            called(f"embed {len(pixels)}")
            values = pixels.reshape(len(pixels), -1) * float(self.scale)
            return np.stack([values.mean(1), values.std(1)], axis=1).astype(np.float32)

        return embed


class Centred(Levels):
    """The same about the mean of the training images."""

    name: ClassVar[str] = "centred"
    argument: ClassVar[str] = ""
    learns: ClassVar[bool] = True

    def load(self, train, ctx):
        inner, mean = super().load(train, ctx), train.pixels.mean()
        return lambda pixels: (inner(pixels) - mean).astype(np.float32)


class Published(Levels):
    """The same with a weight that is published as a file; featured.json beside this one says where."""

    name: ClassVar[str] = "published"

    def files(self):
        return (WeightFile(**json.loads((HERE / "featured.json").read_text())),)

    def load(self, train, ctx):
        inner, weight = super().load(train, ctx), float(self.files()[0].path.read_text())
        return lambda pixels: inner(pixels) * np.float32(weight)


class Broken(Levels):
    """Returns what it must not."""

    name: ClassVar[str] = "broken"
    how: str = "none"

    def load(self, train, ctx):
        inner = super().load(train, ctx)
        return {
            "doubles": lambda pixels: inner(pixels).astype(np.float64),
            "nan": lambda pixels: inner(pixels) * np.float32(np.nan),
            "rows": lambda pixels: inner(pixels)[:-1],
            "list": lambda pixels: inner(pixels).tolist(),
            "batch": lambda pixels: inner(pixels) - inner(pixels).mean(0) * np.float32(len(pixels) > 1),
            "writes": lambda pixels: inner(write(pixels)),
            "constant": lambda pixels: np.ones((len(pixels), 3), np.float32),
            "random": lambda pixels: inner(pixels) + np.float32(np.random.rand()),  # noqa: NPY002
            "grey": lambda pixels: inner(pixels)[:, : pixels.shape[3]],
        }[self.how]


def write(pixels):
    pixels[:] = 255 - pixels
    return pixels


class Gap(Evaluator):
    """Distance of the mean features."""

    name: ClassVar[str] = "gap"
    metrics: ClassVar = {"gap": "lower"}
    extractor: ExtractorField = extractor_field("efficientnet-lite0")

    def evaluate(self, real, synthetic, ctx):
        called("evaluate")
        mine, theirs = (
            np.asarray(ctx.features(images, self.extractor, train=real.train)).mean(0)
            for images in (synthetic, real.tests["test"])
        )
        return Evaluation([Score("gap", float(np.linalg.norm(mine - theirs)), "test", len(synthetic))])
