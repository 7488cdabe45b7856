"""Fits the base and what its policy needs; the sampler draws a pool from the base and keeps a share of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from synthbench import Context, Images, Labels, NestedGenerator, Pixels, fit_nested
from synthbench_select.policies import by_margin, herd, margins
from synthbench_select.pool import Pool

if TYPE_CHECKING:
    from synthbench_select.probe import Probe

__all__ = ["Coverage", "Margin", "Policy", "Selector", "fit_selector", "keep_at_random"]

Index = npt.NDArray[np.int64]


class Policy(Protocol):
    """Which images to keep."""

    def __call__(self, pixels: Pixels, label: int, keep: int, rng: np.random.Generator, /) -> Index:
        """Positions (keep,), each once, of the images (N, H, W, C) of one class, keep <= N."""


def keep_at_random(pixels: Pixels, label: int, keep: int, rng: np.random.Generator) -> Index:  # noqa: ARG001
    """The control: any."""
    return rng.permutation(len(pixels))[:keep]


@dataclass(frozen=True, eq=False)
class Margin:
    """See `by_margin`."""

    probe: Probe

    def __call__(self, pixels: Pixels, label: int, keep: int, rng: np.random.Generator) -> Index:  # noqa: ARG002
        probabilities, _ = self.probe(pixels)
        return by_margin(margins(probabilities, label), keep)


@dataclass(frozen=True, eq=False)
class Coverage:
    """See `herd`. `real` holds, by class, the probe's features (M, D) of the training images."""

    probe: Probe
    real: tuple[npt.NDArray[np.float64], ...]

    def __call__(self, pixels: Pixels, label: int, keep: int, rng: np.random.Generator) -> Index:  # noqa: ARG002
        _, features = self.probe(pixels)
        return herd(features, self.real[label], keep)


@dataclass(frozen=True, eq=False)
class Selector:
    """The sampler: a pool from the base, of which the policy keeps a share."""

    pool: Pool
    policy: Policy

    def __call__(self, labels: Labels, rng: np.random.Generator) -> Pixels | Images:
        """As many of each class as asked for, in the labels' order; fewer where the base had fewer to draw."""
        images, known = self.pool(labels, int(rng.integers(2**63)))
        places = np.full(len(labels), -1)
        for label in np.unique(labels):
            asked, of_class = (np.flatnonzero(of == label) for of in (labels, images.labels))
            keep = min(len(asked), len(of_class))
            chosen = self.policy(images.pixels[of_class], int(label), keep, rng)
            places[asked[:keep]] = of_class[np.sort(chosen)]
        kept = places[places >= 0]
        return images.subset(kept) if known else np.ascontiguousarray(images.pixels[kept])


def fit_selector(base: NestedGenerator, policy: str, oversample: int, train: Images, ctx: Context) -> Selector:
    """The base first, then the probe where the policy asks one."""
    sampler, decided = fit_nested(base, train, ctx)
    pool = Pool(sampler, oversample, train.classes, decided, ctx.store)
    return Selector(pool, _policy(policy, train, ctx))


def _policy(name: str, train: Images, ctx: Context) -> Policy:
    if name == "random":
        return keep_at_random
    from synthbench_select.probe import fit_probe

    probe = fit_probe(train, ctx)
    if name == "margin":
        return Margin(probe)
    _, features = probe(train.pixels)
    return Coverage(probe, tuple(features[train.labels == k] for k in range(len(train.classes))))
