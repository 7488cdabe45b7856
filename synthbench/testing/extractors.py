"""Checks of an `Extractor`: one row of finite numbers an image, from its pixels alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from synthbench.api.features import check_features
from synthbench.api.interfaces import Embed, Extractor, Features
from synthbench.storage.weights import provide
from synthbench.testing.cases import Case, copied, frozen, tiny_splits
from synthbench.testing.findings import Violation, require
from synthbench.types import Pixels

__all__ = ["CHECKS", "ExtractorCase"]

IMAGES = 6
TOLERANCE = 1e-4
"""How far a feature may move with its batch, relative to the largest one of the image."""


@dataclass
class ExtractorCase(Case):
    """An extractor, loaded twice, and run on a few test images: those of class 0, then those of class 1."""

    plugin: Extractor

    @cached_property
    def pixels(self) -> Pixels:
        """IMAGES images of the test set, spread over it; may be written to."""
        test = copied(next(iter(self.real.tests.values())))
        return test.subset(np.linspace(0, len(test) - 1, IMAGES).astype(int)).pixels

    def load(self) -> Embed:
        """As a run loads it: published files are there, and only one that learns sees training images."""
        provide(self.plugin.files(), self.context(seed=0).progress)
        train = frozen(self.real.train)
        return self.plugin.load(train if self.plugin.learns else train.subset(np.arange(0)), self.context(seed=0))

    @cached_property
    def embed(self) -> Embed:
        return self.load()

    @cached_property
    def inputs(self) -> Pixels:
        """What the first call was handed: what it did to it is looked at later."""
        return self.pixels.copy()

    @cached_property
    def features(self) -> Features:
        return self.embed(self.inputs)

    def compare(self, other: Features, what: str, advice: str, tolerance: float) -> str:
        """Raise Violation where `other` is further than `tolerance` from the first features; else the distance."""
        scale = np.abs(self.features).max(axis=1, keepdims=True) + np.finfo(np.float32).tiny
        off = float((np.abs(other - self.features) / scale).max())
        require(off <= tolerance, f"features move by {off:.1e} of the largest {what}", advice)
        return f"{off:.1e} of the largest at most"


def _declarations(case: ExtractorCase) -> str:
    text = case.plugin.preprocessing
    advice = "say input size, resize rule, channels and normalisation in a line: it is cited with every number"
    require(isinstance(text, str) and bool(text) and "\n" not in text, f"preprocessing is {text!r}", advice)
    wrong = [file.name for file in case.plugin.files() if not file.url]
    require(not wrong, f"files without an address: {wrong}", "give each WeightFile the url that it comes from")
    return text


def _load(case: ExtractorCase) -> str:
    require(callable(case.embed), f"load returned a {type(case.embed).__name__}", "return a function", last=True)
    return case.plugin.signature()


def _type_and_shape(case: ExtractorCase) -> str:
    try:
        check_features(case.features, IMAGES, case.plugin.label)
    except ValueError as error:
        raise Violation(str(error), "return a finite NumPy array float32 (n, D)", last=True) from error
    return f"float32 {case.features.shape}"


def _pixels_matter(case: ExtractorCase) -> str:
    rows = len(np.unique(case.features, axis=0))
    require(
        rows == IMAGES, f"{rows} different rows for {IMAGES} images", "let each image have features of its own"
    )
    return "other images, other features"


def _batches(case: ExtractorCase) -> str:
    alone = np.concatenate([case.embed(case.pixels[i : i + 1].copy()) for i in range(IMAGES)])
    advice = "put the network into evaluation mode (batch norm!) and normalise each image by itself"
    return case.compare(alone, "when each image is alone in its batch", advice, TOLERANCE)


def _order(case: ExtractorCase) -> str:
    backwards = case.embed(case.pixels[::-1].copy())[::-1]
    return case.compare(backwards, "in another order", "keep rows in the order of the images", TOLERANCE)


def _same_again(case: ExtractorCase) -> str:
    again = case.watch(lambda: case.load()(case.pixels.copy()))
    advice = "draw nothing at random, dropout included; the network is the same each time it is loaded"
    return case.compare(again, "when it is loaded again", advice, 0.0 if case.exact else TOLERANCE)


def _unchanged(case: ExtractorCase) -> str:
    require(np.array_equal(case.inputs, case.pixels), "the pixels changed", "work on a copy")
    return "pixels as before"


def _colour(case: ExtractorCase) -> str:
    """Grey extractors see colour benchmarks, and the other way round."""
    height, _, channels = case.real.train.shape
    if case.plugin.learns:
        return "not asked of one that learns from images of one kind"
    other = tiny_splits(size=height, channels=4 - channels).tests["test"].pixels[:2]
    shape = case.embed(other.copy()).shape
    advice = "take 1 and 3 channels, giving the same number of features for both"
    require(shape == (2, case.features.shape[1]), f"{4 - channels} channels give {shape}", advice)
    return "1 and 3 channels"


CHECKS: dict[str, Callable[[ExtractorCase], str]] = {
    "declarations": _declarations,
    "load": _load,
    "type and shape": _type_and_shape,
    "pixels matter": _pixels_matter,
    "batches": _batches,
    "order": _order,
    "same again": _same_again,
    "inputs unchanged": _unchanged,
    "channels": _colour,
}
