"""The network of `latent-flow`: a U-Net that knows time and class. Nothing here knows how it is trained."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from synthbench_flow.condition import CONDITION, Condition
from synthbench_flow.flow import gaussian_velocity
from synthbench_torchkit.tensors import doubled

__all__ = ["Unet"]


class Unet(nn.Module):
    """Velocities of standardised latents: a standard normal's, exact at first, and what the network adds to it.

    x (N, channels, h, w), times (N,), labels int64 (N,) -> (N, channels, h, w); h and w are even. Two sides, h and
    h / 2, of `depth` blocks each way; attention at the smaller one.
    """

    def __init__(self, channels: int, n_classes: int, width: int, depth: int) -> None:
        super().__init__()
        inner = 2 * width
        self.condition = Condition(n_classes)
        self.enter = nn.Conv2d(channels, width, 3, padding=1)
        self.down = nn.ModuleList(Block(width, width) for _ in range(depth))
        self.shrink = nn.Conv2d(width, inner, 3, stride=2, padding=1)
        self.inside = nn.ModuleList(Block(inner, inner) for _ in range(depth))
        self.attention = Attention(inner)
        self.outside = nn.ModuleList(Block(2 * inner, inner) for _ in range(depth))
        self.grow = nn.Conv2d(inner, width, 3, padding=1)
        self.up = nn.ModuleList(Block(2 * width, width) for _ in range(depth))
        self.leave = nn.Conv2d(width, channels, 3, padding=1)
        nn.init.zeros_(self.leave.weight)
        assert self.leave.bias is not None
        nn.init.zeros_(self.leave.bias)

    def forward(self, x: Tensor, times: Tensor, labels: Tensor) -> Tensor:
        condition = self.condition(times, labels)
        hidden, skips = self.enter(x), []
        for block in self.down:
            hidden = block(hidden, condition)
            skips.append(hidden)
        hidden = self.shrink(hidden)  # (N, 2 width, h / 2, w / 2)
        for block in self.inside:
            hidden = block(hidden, condition)
            skips.append(hidden)
        hidden = self.attention(hidden)
        for block in self.outside:
            hidden = block(torch.cat([hidden, skips.pop()], dim=1), condition)
        hidden = self.grow(doubled(hidden))  # (N, width, h, w)
        for block in self.up:
            hidden = block(torch.cat([hidden, skips.pop()], dim=1), condition)
        change: Tensor = self.leave(F.silu(hidden))
        return gaussian_velocity(x, times) + change


class Block(nn.Module):
    """Two 3x3 convolutions beside a shortcut; the condition scales and shifts between. At first the shortcut."""

    def __init__(self, inside: int, outside: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList([_norm(inside), _norm(outside)])
        self.convs = nn.ModuleList([nn.Conv2d(n, outside, 3, padding=1) for n in (inside, outside)])
        self.modulate = nn.Linear(CONDITION, 2 * outside)
        self.shortcut = nn.Conv2d(inside, outside, 1) if inside != outside else nn.Identity()
        for parameter in self.convs[1].parameters():
            nn.init.zeros_(parameter)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        modulation: Tensor = self.modulate(condition)[:, :, None, None]  # (N, 2 outside, 1, 1)
        scale, shift = modulation.chunk(2, dim=1)
        hidden = self.convs[0](F.silu(self.norms[0](x)))
        hidden = self.convs[1](F.silu(self.norms[1](hidden) * (1 + scale) + shift))
        changed: Tensor = self.shortcut(x) + hidden
        return changed


class Attention(nn.Module):
    """Each place looks at all others, in heads of 32 channels or so. Plain products: deterministic on any GPU."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.heads = next(heads for heads in range(max(1, width // 32), 0, -1) if width % heads == 0)
        self.norm, self.ask, self.tell = _norm(width), nn.Conv2d(width, 3 * width, 1), nn.Conv2d(width, width, 1)
        for parameter in self.tell.parameters():
            nn.init.zeros_(parameter)

    def forward(self, x: Tensor) -> Tensor:
        n, width, height, breadth = x.shape
        split = (n, 3, self.heads, width // self.heads, height * breadth)
        queries, keys, values = (
            self.ask(self.norm(x)).reshape(split).unbind(1)
        )  # each (N, heads, width / heads, h w)
        weights = (queries.transpose(2, 3) @ keys / queries.shape[2] ** 0.5).softmax(dim=3)  # (N, heads, h w, h w)
        seen = (values @ weights.transpose(2, 3)).reshape(n, width, height, breadth)
        changed: Tensor = x + self.tell(seen)
        return changed


def _norm(width: int) -> nn.GroupNorm:
    return nn.GroupNorm(next(groups for groups in (8, 4, 2, 1) if width % groups == 0), width)
