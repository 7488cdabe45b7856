"""Checks of a `Generator`: the images asked for, from the seed alone, without touching what it was given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, get_args

import numpy as np
import numpy.typing as npt

from synthbench.api.interfaces import Context, Generator, Sampler
from synthbench.api.nested.resuming import fitted
from synthbench.api.origin import TrainedOn
from synthbench.grey_levels import SCALE_FIRST, unscaled
from synthbench.stats import check_labels, class_probe
from synthbench.testing.cases import Case, copied, differing_fields, frozen
from synthbench.testing.common import repickled
from synthbench.testing.findings import Violation, require
from synthbench.types import Images, Labels

__all__ = ["CHECKS", "GeneratorCase"]

EACH = 40
"""Images asked for of each class: more than the tiny training set has, so that a copier has to copy."""

SURE = 1e-4
"""A fault that could be chance is named below this p."""


@dataclass(frozen=True, eq=False)
class Fitted:
    """One call of `fit`: what went in and what came back."""

    train: Images
    ctx: Context
    sampler: Sampler


@dataclass
class GeneratorCase(Case):
    """A generator, fitted to arrays that may be written to, and again to the same ones read-only."""

    plugin: Generator

    def fit(self, train: Images, ctx: Context) -> Fitted:
        return Fitted(train, ctx, fitted(self.plugin, train, ctx))

    def draw(self, sampler: Sampler, labels: Labels, seed: int = 1) -> Any:
        return sampler(labels, np.random.default_rng(seed))

    @cached_property
    def labels(self) -> Labels:
        """EACH of every class that has training images, in mixed order."""
        present = np.unique(self.real.train.labels)
        return np.random.default_rng(0).permutation(np.repeat(present, EACH))

    @cached_property
    def fitted(self) -> Fitted:
        return self.fit(copied(self.real.train), self.context(seed=1))

    @cached_property
    def asked(self) -> Labels:
        """The labels handed to the first draw: what it did to them is looked at later."""
        return self.labels.copy()

    @cached_property
    def drawn(self) -> Any:
        return self.draw(self.fitted.sampler, self.asked)

    @cached_property
    def drawn_again(self) -> Any:
        """The same seed, fitted anew to read-only arrays."""
        labels = self.labels.copy()
        labels.flags.writeable = False
        train, ctx = frozen(self.real.train), self.context(seed=1)
        return self.watch(lambda: self.draw(self.fit(train, ctx).sampler, labels))

    def compare(self, other: Any, what: str, advice: str) -> None:
        """Raise Violation where `other` is not what was drawn first; on a GPU only a warning."""
        changed = int((_flat(self.drawn) != _flat(other)).any(axis=1).sum())
        message = f"{changed} of {len(self.labels)} images differ {what}"
        require(changed == 0, message, advice, warning=not self.exact)


def _pixels(drawn: Images | npt.NDArray[Any]) -> npt.NDArray[Any]:
    return drawn.pixels if isinstance(drawn, Images) else drawn


def _flat(drawn: Images | npt.NDArray[Any]) -> npt.NDArray[Any]:
    """One row an image."""
    pixels = _pixels(drawn)
    return pixels.reshape(len(pixels), -1)


def _declarations(case: GeneratorCase) -> str:
    role, prior = case.plugin.role, case.plugin.prior
    require(role in ("candidate", "floor", "ceiling"), f"role {role!r}", "set candidate, floor or ceiling")
    require(prior in ("balanced", "train"), f"prior {prior!r}", "set balanced or train")
    origin = case.plugin.origin()
    trained_on = origin.trained_on
    require(trained_on in get_args(TrainedOn), f"trained_on {trained_on!r}", "set train, all or unknown")
    require(origin.seeds is None or origin.seeds > 0, f"seeds {origin.seeds}", "set None or a number above 0")
    return f"role {role}, prior {prior}"


def _fit_and_sample(case: GeneratorCase) -> str:
    return f"{len(case.labels)} labels asked, a {type(case.drawn).__name__} came back"


def _type_and_shape(case: GeneratorCase) -> str:
    drawn = case.drawn
    advice = "return a NumPy uint8 array (N, H, W, C) of values 0..255, or synthbench.Images"
    known = isinstance(drawn, np.ndarray | Images)
    require(known, f"the sampler returned a {type(drawn).__name__}", advice, last=True)
    pixels, wanted = _pixels(drawn), (len(case.labels), *case.real.train.shape)
    shape, advice = f"{pixels.dtype} {pixels.shape}", f"{advice}, one image a label, sized as train's"
    fewer = case.plugin.origin().fewer and isinstance(drawn, Images) and 0 < len(pixels) < len(case.labels)
    wanted = (len(pixels), *wanted[1:]) if fewer else wanted
    require(pixels.shape[:1] == wanted[:1], f"found {shape}, asked for uint8 {wanted}", advice, last=True)
    require(shape == f"uint8 {wanted}", f"found {shape}, asked for uint8 {wanted}", advice)
    return shape


def _contents(case: GeneratorCase) -> str:
    pixels = _flat(case.drawn)
    if pixels.dtype != np.uint8:
        return "not looked at: the type comes first"
    flat = int((pixels == pixels[:, :1]).all(axis=1).sum())
    require(flat < len(pixels), "every image holds one single value", SCALE_FIRST)
    require(not (fault := unscaled(pixels)), fault, SCALE_FIRST)
    require(flat == 0, f"{flat} of {len(pixels)} images hold one single value", SCALE_FIRST, warning=True)
    return f"values {pixels.min()} to {pixels.max()}"


def _labels_kept(case: GeneratorCase) -> str:
    if not isinstance(case.drawn, Images):
        return "pixels only: they go with the labels asked for"
    if len(case.drawn) < len(case.labels):  # as `origin` allows
        kinds = len(case.drawn.classes)
        drawn, asked = (np.bincount(of, minlength=kinds) for of in (case.drawn.labels, case.labels))
        found = f"{drawn.tolist()} images by class, asked for {asked.tolist()}"
        fits = bool(((drawn > 0) == (asked > 0)).all() and (drawn <= asked).all())
        require(fits, found, "leave out some images of each class, and no class")
        return f"fewer: {found}"
    wrong = int((case.drawn.labels != case.labels).sum())
    advice = "return the images in the order of the labels asked for, under these labels"
    require(wrong == 0, f"{wrong} of {len(case.labels)} labels are not those asked for", advice)
    classes = case.drawn.classes
    require(classes == case.real.train.classes, f"classes {classes}", "keep the classes of train")
    return "those asked for"


def _labels_matter(case: GeneratorCase) -> str:
    present = np.unique(case.labels)
    if case.plugin.role == "floor" or len(present) == 1:
        return "not asked of a floor, or of a single class"
    one, other = (_pixels(case.draw(case.fitted.sampler, np.full(8, label))) for label in present[:2])
    advice = "draw each image from the class that its label names; a floor that means not to sets role = floor"
    require(not np.array_equal(one, other), "the same images whatever the label", advice)
    return "another label gives other images"


def _labels_shown(case: GeneratorCase) -> str:
    """What it draws for one class alone is what it can do; for mixed labels it must do that image by image.

    So a weak generator passes: the probe sees as little in its images one way as the other.
    """
    if isinstance(case.drawn, Images) and len(case.drawn) < len(case.labels):
        return "not looked at: fewer images than labels"
    present = np.unique(case.labels)
    if case.plugin.role == "floor" or len(present) == 1:
        return "not asked of a floor, or of a single class"
    pixels, train = _pixels(case.drawn), case.real.train
    if (pixels.dtype, pixels.shape[1:]) != (train.pixels.dtype, train.shape):
        return "not looked at: type and shape come first"
    probe = class_probe(train.pixels, train.labels)
    singly = np.concatenate([_pixels(case.draw(case.fitted.sampler, np.full(EACH, k))) for k in present])
    mixed, alone = (
        check_labels(probe, *drawn) for drawn in ((pixels, case.labels), (singly, np.sort(case.labels)))
    )
    advice = (
        "return image i for labels[i]; a draw class by class is put in place by np.argsort(labels, kind='stable')"
    )
    for fault in filter(None, (mixed.fault, alone.fault)):
        raise Violation(fault, advice)
    right_alone, right_mixed = probe(singly) == np.sort(case.labels), probe(pixels) == case.labels
    shares = (
        f"asked for one class it shows that in {alone.agreement:.0%} of the images, for mixed labels in "
        f"{mixed.agreement:.0%}, by a linear probe of train"
    )
    require(not _clearly_more(right_alone, right_mixed), shares, advice)
    return f"a linear probe of train finds the label in {mixed.agreement:.0%} of the images"


def _clearly_more(one: npt.NDArray[np.bool_], other: npt.NDArray[np.bool_]) -> bool:
    """Whether more of the first are true, by Fisher's exact test."""
    from scipy.stats import fisher_exact

    table = np.array([[side.sum(), (~side).sum()] for side in (one, other)])
    return bool(fisher_exact(table, alternative="greater").pvalue < SURE)


def _single(case: GeneratorCase) -> str:
    pixels = _pixels(case.draw(case.fitted.sampler, case.labels[:1].copy()))
    require(len(pixels) == 1, f"{len(pixels)} images for one label", "return one image for each label")
    return "one label, one image"


def _unchanged(case: GeneratorCase) -> str:
    changed = differing_fields(case.fitted.train, case.real.train)
    advice = "work on a copy: the other generators get the same arrays"
    require(not changed, f"train.{', train.'.join(changed)} changed", advice)
    require(np.array_equal(case.asked, case.labels), "the labels asked for changed", advice)
    return "train and labels as before"


def _read_only(case: GeneratorCase) -> str:
    try:
        return f"{len(_pixels(case.drawn_again))} images"
    except ValueError as error:
        if "read-only" not in str(error):
            raise
        advice = "work on a copy: in a real run the pixels are memory-mapped and cannot be written"
        raise Violation(f"{error}, when the arrays are read-only", advice) from error


def _same_seed(case: GeneratorCase) -> str:
    advice = "take all randomness of fit from ctx.seed (ctx.rng), that of the sampler from its rng"
    case.compare(case.drawn_again, "between two fits under one seed", advice)
    return "the same images"


def _same_draw(case: GeneratorCase) -> str:
    again = case.draw(case.fitted.sampler, case.labels.copy())
    case.compare(again, "when the sampler is asked twice", "draw from the rng passed in; keep no state in it")
    return "the same images"


def _other_seed(case: GeneratorCase) -> str:
    ctx = case.context(seed=2)
    drawn = case.draw(case.fit(copied(case.real.train), ctx).sampler, case.labels.copy(), seed=2)
    advice = "fine where it means to be deterministic; else use ctx.seed and rng: its spread over seeds is 0"
    require(not np.array_equal(_flat(drawn), _flat(case.drawn)), "the same images again", advice, warning=True)
    return "other images"


def _resumed(case: GeneratorCase) -> str:
    fitted = case.fit(copied(case.real.train), case.fitted.ctx)
    advice = "make fit go on from ctx.resume to where it was: finished is finished"
    case.compare(case.draw(fitted.sampler, case.labels.copy()), "after fit over its own ctx.resume", advice)
    return "the same images"


def _sampler_pickled(case: GeneratorCase) -> str:
    advice = "return an object of a class at the top level of a module, with plain data: no lambda, no open file"
    copy = repickled(case.fitted.sampler, "the sampler", advice)
    case.compare(case.draw(copy, case.labels.copy()), "when drawn from the sampler's pickled copy", advice)
    return "its copy draws the same images"


CHECKS: dict[str, Callable[[GeneratorCase], str]] = {
    "declarations": _declarations,
    "fit and sample": _fit_and_sample,
    "type and shape": _type_and_shape,
    "contents": _contents,
    "labels kept": _labels_kept,
    "labels matter": _labels_matter,
    "labels shown": _labels_shown,
    "single image": _single,
    "inputs unchanged": _unchanged,
    "read-only inputs": _read_only,
    "same seed": _same_seed,
    "same draw": _same_draw,
    "other seed": _other_seed,
    "resumed": _resumed,
    "sampler pickled": _sampler_pickled,
}
