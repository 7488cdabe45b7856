"""Fits the base and what its policy needs; the sampler draws a pool from the base and keeps a share of it."""

from __future__ import annotations

from collections.abc import Callable
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

    def __call__(self, images: Images, counts: Index, rng: np.random.Generator, /) -> Index:
        """Positions in `images`, each once, `counts[k]` of each class k, which has as many."""


def keep_at_random(images: Images, counts: Index, rng: np.random.Generator) -> Index:
    """The control: any."""
    return _of_each(images.labels, counts, lambda places, _: rng.permutation(len(places)))


@dataclass(frozen=True, eq=False)
class Margin:
    """See `by_margin`."""

    probe: Probe

    def __call__(self, images: Images, counts: Index, rng: np.random.Generator) -> Index:  # noqa: ARG002
        probabilities, _ = self.probe(images)

        def choose(places: Index, label: int) -> Index:
            return by_margin(margins(probabilities[places], label), int(counts[label]))

        return _of_each(images.labels, counts, choose)


@dataclass(frozen=True, eq=False)
class Coverage:
    """See `herd`. `real` holds, by class, the probe's features (M, D) of the training images."""

    probe: Probe
    real: tuple[npt.NDArray[np.float64], ...]

    def __call__(self, images: Images, counts: Index, rng: np.random.Generator) -> Index:  # noqa: ARG002
        _, features = self.probe(images)

        def choose(places: Index, label: int) -> Index:
            return herd(features[places], self.real[label], int(counts[label]))

        return _of_each(images.labels, counts, choose)


def _of_each(labels: Labels, counts: Index, choose: Callable[[Index, int], Index]) -> Index:
    """The first `counts[k]` of each class k in the order that `choose` says, from its places and k."""
    kept = [np.empty(0, dtype=np.int64)]
    for label in np.flatnonzero(counts):
        places = np.flatnonzero(labels == label)
        kept.append(places[choose(places, int(label))[: counts[label]]])
    return np.concatenate(kept)


@dataclass(frozen=True, eq=False)
class Selector:
    """The sampler: a pool from the base, of which the policy keeps a share."""

    pool: Pool
    policy: Policy

    def __call__(self, labels: Labels, rng: np.random.Generator) -> Pixels | Images:
        """As many of each class as asked for, in the labels' order; fewer where the base had fewer to draw."""
        images, known = self.pool(labels, int(rng.integers(2**63)))
        asked, drawn = (np.bincount(of, minlength=len(images.classes)) for of in (labels, images.labels))
        chosen = np.sort(self.policy(images, np.minimum(asked, drawn), rng))
        places = np.full(len(labels), -1)
        for label in np.unique(labels):
            of_class = chosen[images.labels[chosen] == label]
            places[np.flatnonzero(labels == label)[: len(of_class)]] = of_class
        kept = places[places >= 0]
        return images.subset(kept) if known else np.ascontiguousarray(images.pixels[kept])


def fit_selector(
    base: NestedGenerator, policy: str, oversample: int, steps: int, train: Images, ctx: Context
) -> Selector:
    """The probe where the policy asks one, then the base, then what the policy itself learns in `steps`.

    In this order: the probe takes seconds, and images that are too few for it shall cost no training of the base.
    """
    probe = None if policy == "random" else _probe(train, ctx)
    sampler, decided = fit_nested(base, train, ctx)
    pool = Pool(sampler, oversample, train.classes, decided, ctx.store)
    return Selector(pool, _policy(policy, probe, pool, steps, train, ctx))


def _probe(train: Images, ctx: Context) -> Probe:
    from synthbench_select.probe import fit_probe  # and torch

    return fit_probe(train, ctx)


def _policy(name: str, probe: Probe | None, pool: Pool, steps: int, train: Images, ctx: Context) -> Policy:
    if probe is None:
        return keep_at_random
    if name == "margin":
        return Margin(probe)
    if name == "coverage":
        _, features = probe(train)
        return Coverage(probe, tuple(features[train.labels == k] for k in range(len(train.classes))))
    from synthbench_select.dqn import fit_dqn

    return fit_dqn(probe, pool, steps, train, ctx)
