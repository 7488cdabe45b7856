"""RMSprop as Keras computes it. torch's adds epsilon outside the root: its first steps differ up to tenfold."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

__all__ = ["RMSprop"]

BLOCK = 1 << 17
"""Weights updated at a time: few enough to stay in a core's cache between the five passes over them."""


class RMSprop:
    """v <- rho v + (1 - rho) g^2;  w <- (1 - rate * decay) w - rate g / sqrt(v + eps)

    Source: Keras 2.13-3, `keras.optimizers.RMSprop` with `weight_decay`, which falls on every weight, biases too.
    With the paper's values rate * decay is 6e-13: below float32's resolution, in Keras as here.
    """

    def __init__(
        self, module: nn.Module, rate: float, decay: float = 0.0, *, rho: float = 0.9, eps: float = 1e-7
    ) -> None:
        self.weights = dict(module.named_parameters())
        self.squares = {name: torch.zeros_like(weight) for name, weight in self.weights.items()}
        self.rate, self.decay, self.rho, self.eps = rate, decay, rho, eps

    @torch.no_grad()
    def step(self) -> None:
        """Change every weight by its gradient, and forget the gradient."""
        for name, weight in self.weights.items():
            gradient, square = weight.grad, self.squares[name]
            if gradient is None:
                raise RuntimeError(f"{name} has no gradient")
            rows = max(1, BLOCK * len(weight) // weight.numel())
            for start in range(0, len(weight), rows):
                part = slice(start, start + rows)
                self._update(weight[part], gradient[part], square[part])
            weight.grad = None

    def _update(self, weight: Tensor, gradient: Tensor, square: Tensor) -> None:
        square.mul_(self.rho).addcmul_(gradient, gradient, value=1 - self.rho)
        weight.mul_(1 - self.rate * self.decay)
        weight.addcdiv_(gradient, (square + self.eps).sqrt_(), value=-self.rate)

    @torch.no_grad()
    def load(self, squares: Mapping[str, Tensor]) -> None:
        """Take over the running squares of an earlier run."""
        for name, square in self.squares.items():
            square.copy_(squares[name])
