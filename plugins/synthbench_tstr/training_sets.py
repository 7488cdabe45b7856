"""What classifiers are trained on: draws from a set of images, altered copies, and sets put together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from synthbench import DataError, Evaluation, Images

__all__ = ["altered", "check_alike", "draw", "draw_again", "noted", "together"]

DEGREES, SHIFT, SCALE, TONE = 10, 0.05, (0.9, 1.1), 0.2
"""Turned by up to so many degrees, shifted by that share of the side, scaled; brightness and contrast by +-TONE.

Not mirrored: a chest has its heart on one side, and markers are letters.
"""


def check_alike(real: Images, synthetic: Images) -> None:
    """Raise DataError unless classes and shape agree."""
    for facet in ("classes", "shape"):
        of_real, of_synthetic = getattr(real, facet), getattr(synthetic, facet)
        if of_real != of_synthetic:
            raise DataError(
                f"the synthetic images have {facet} {of_synthetic}, the real ones {of_real}: they must agree"
            )


def draw(images: Images, limit: int | None, rng: np.random.Generator) -> Images:
    """At most `limit` images, in their order: a random draw, the classes in proportion, a larger draw
    containing the smaller one."""
    if limit is None or limit >= len(images):
        return images
    # Each class is spread evenly over 0-1, so that any head of the order has the classes in proportion, and a
    # curve over sizes differs by more images alone, not by other ones.
    place = np.empty(len(images))
    for k in range(len(images.classes)):
        members = rng.permutation(np.flatnonzero(images.labels == k))
        place[members] = (np.arange(len(members)) + 0.5) / max(1, len(members))
    return images.subset(np.sort(np.argsort(place, kind="stable")[:limit]))


def noted(evaluation: Evaluation, limit: int | None, there: int) -> Evaluation:
    """The evaluation, its scores with a note where `draw` had fewer images than asked for: `there` of `limit`."""
    if limit is None or limit <= there:
        return evaluation
    note = f"trained on the {there} synthetic images that there are, not {limit}"
    scores = [replace(score, note="; ".join(filter(None, [score.note, note]))) for score in evaluation.scores]
    return replace(evaluation, scores=scores)


def together(first: Images, second: Images) -> Images:
    """All images of both, each under its own id."""
    return replace(
        first,
        pixels=np.concatenate([first.pixels, second.pixels]),
        labels=np.concatenate([first.labels, second.labels]),
        ids=np.concatenate([first.ids, second.ids]),
        groups=np.concatenate([first.groups, second.groups]),
    )


def draw_again(images: Images, counts: Mapping[str, int], rng: np.random.Generator) -> Images:
    """`images`, then copies of them: `counts` of each class, of random ones, none much more often than another.

    Raises DataError where a class has no images to copy.
    """
    copies = []
    for k, (name, wanted) in enumerate(counts.items()):
        members = np.flatnonzero(images.labels == k)
        if wanted and not len(members):
            raise DataError(f"there are no real training images of {name} to draw again")
        copies.append(np.resize(rng.permutation(members), wanted))
    return images.subset(np.concatenate([np.arange(len(images)), *copies]))


def altered(images: Images, seed: int) -> Images:
    """Classical augmentation: each image through torchvision's RandomAffine and ColorJitter, black around it.

    Ids and groups stay, so that an image and its copies come on one side of a classifier's validation split. The
    same seed gives the same pixels.
    """
    import torch
    from torchvision.transforms import InterpolationMode, v2

    transform = v2.Compose(
        [
            v2.RandomAffine(DEGREES, (SHIFT, SHIFT), SCALE, interpolation=InterpolationMode.BILINEAR),
            v2.ColorJitter(brightness=TONE, contrast=TONE),
        ]
    )
    pixels = np.empty_like(images.pixels)
    with torch.random.fork_rng(devices=[]):  # torchvision draws from the global generator alone
        torch.manual_seed(seed)
        for i, image in enumerate(images.pixels):
            pixels[i] = transform(torch.tensor(image).permute(2, 0, 1)).permute(1, 2, 0).numpy()
    return replace(images, pixels=pixels)
