"""What a board must know of where a generator's images come from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Origin", "TrainedOn"]

TrainedOn = Literal["train", "all", "unknown"]


@dataclass(frozen=True)
class Origin:
    """Where a generator's images come from, as far as a board must know it.

    trained_on  whose images it saw: "train", those that `fit` is given and no others; "all" or "unknown": perhaps
                the test images too. Then it has no rank, and nobody can tell whether it copies
    seeds       how many seeds there are at most, 1 of a folder of images; None: any number
    fewer       whether its sampler may return `Images` fewer than asked for, some of each class
    """

    trained_on: TrainedOn = "train"
    seeds: int | None = None
    fewer: bool = False
