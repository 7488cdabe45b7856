"""The average of a network's weights over its training, which draws better than the last of them does.

An exponential one (Polyak & Juditsky, 1992; for GANs Yazici et al., ICLR 2019).
"""

from __future__ import annotations

from copy import deepcopy
from typing import TypeVar

import torch
from torch import nn

__all__ = ["average_of", "update_average"]

Network = TypeVar("Network", bound=nn.Module)


def average_of(network: Network) -> Network:
    """A copy to average in: it draws, and is not trained."""
    return deepcopy(network).eval().requires_grad_(False)


@torch.no_grad()
def update_average(average: nn.Module, network: nn.Module, decay: float, step: int) -> None:
    """After a step, counted from 0: `decay` is the share of the old weights, less of it at first, so that the
    untrained ones are soon forgotten."""
    share = 1 - min(decay, (1 + step) / (10 + step))
    for mean, weight in zip(average.parameters(), network.parameters(), strict=True):
        mean.lerp_(weight, share)
