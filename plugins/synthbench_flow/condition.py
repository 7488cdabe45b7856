"""What a network is told beside x: the time, and the class."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["CONDITION", "Condition"]

CONDITION = 128
"""Width of what is known of time and class."""


class Condition(nn.Module):
    """times (N,) in 0..1, labels int64 (N,) -> (N, CONDITION). Label n_classes stands for "any class"."""

    frequencies: Tensor

    def __init__(self, n_classes: int) -> None:
        super().__init__()
        self.register_buffer("frequencies", torch.exp(torch.linspace(0, math.log(100), 32)), persistent=False)
        self.classes = nn.Embedding(n_classes + 1, CONDITION)
        self.widen, self.mix = nn.Linear(64, CONDITION), nn.Linear(CONDITION, CONDITION)

    def forward(self, times: Tensor, labels: Tensor) -> Tensor:
        angles = times[:, None] * self.frequencies * math.pi  # (N, 32)
        waves = torch.cat([angles.sin(), angles.cos()], dim=1)  # (N, 64)
        known: Tensor = self.mix(F.silu(self.widen(waves))) + self.classes(labels)
        return F.silu(known)
