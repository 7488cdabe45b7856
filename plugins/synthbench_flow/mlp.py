"""The network of `pca-flow`: a residual MLP that knows time and class. Nothing here knows how it is trained."""

from __future__ import annotations

from torch import Tensor, nn

from synthbench_flow.condition import CONDITION, Condition
from synthbench_flow.flow import gaussian_velocity

__all__ = ["ResidualMlp"]


class Block(nn.Module):
    """A residual block whose shift, scale and gate come from the condition; at first it passes x on unchanged."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.modulate = nn.Linear(CONDITION, 3 * width)
        self.layers = nn.Sequential(
            nn.Linear(width, width), nn.SiLU(), nn.Dropout(dropout), nn.Linear(width, width)
        )
        nn.init.zeros_(self.modulate.weight)
        nn.init.zeros_(self.modulate.bias)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        modulation: Tensor = self.modulate(condition)  # (N, 3 width)
        shift, scale, gate = modulation.chunk(3, dim=1)
        change: Tensor = self.layers(self.norm(x) * (1 + scale) + shift)
        return x + gate * change


class ResidualMlp(nn.Module):
    """Velocities of whitened components: the Gaussian's, which is exact at first, and what the network adds to it.

    x (N, size), times (N,), labels int64 (N,) -> (N, size)
    """

    def __init__(self, size: int, n_classes: int, width: int, depth: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.condition = Condition(n_classes)
        self.enter, self.leave = nn.Linear(size, width), nn.Linear(width, size)
        self.blocks = nn.ModuleList(Block(width, dropout) for _ in range(depth))
        self.shift = nn.Linear(CONDITION, size)  # class means of a shared basis need no detour
        for layer in (self.leave, self.shift):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor, times: Tensor, labels: Tensor) -> Tensor:
        condition = self.condition(times, labels)  # (N, CONDITION)
        hidden = self.enter(x)  # (N, width)
        for block in self.blocks:
            hidden = block(hidden, condition)
        change: Tensor = self.shift(condition) + self.leave(hidden)
        return gaussian_velocity(x, times) + change
