"""Flow matching on straight paths: the training loss and the way from noise to data.

Lipman, Chen, Ben-Hamu, Nickel & Le, "Flow matching for generative modeling" (ICLR 2023), and Liu, Gong & Liu,
"Flow straight and fast" (rectified flow, ICLR 2023): with x_t = (1 - t) noise + t data, a network learns the
velocity E[data - noise | x_t, t]; following it from t = 0 to 1 turns noise into data.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

__all__ = ["Velocity", "gaussian_velocity", "guided", "integrate", "matching_loss"]

Velocity = Callable[[Tensor, Tensor], Tensor]
"""x (N, ...) and times (N,) in 0..1 -> velocities (N, ...)."""


def matching_loss(velocity: Velocity, data: Tensor, noise: Tensor, times: Tensor) -> Tensor:
    """Mean squared error of the velocity on straight paths from `noise` to `data`, both (N, ...), at `times`."""
    t = along(times, data)
    return F.mse_loss(velocity((1 - t) * noise + t * data, times), data - noise)


def gaussian_velocity(x: Tensor, times: Tensor) -> Tensor:
    """The exact velocity where the data are standard normal: (2t - 1) / (t^2 + (1 - t)^2) x.

    By regression of data - noise on x_t: their covariance is 2t - 1, the variance of x_t is t^2 + (1 - t)^2.
    A network that adds to it what the data are beyond their means and variances begins as their Gaussian.
    """
    t = along(times, x)
    return (2 * t - 1) / (t**2 + (1 - t) ** 2) * x


def guided(conditional: Velocity, unconditional: Velocity, weight: float) -> Velocity:
    """Classifier-free guidance (Ho & Salimans, 2022), away from the unconditional velocity; 1 is without."""
    if weight == 1:
        return conditional

    def velocity(x: Tensor, times: Tensor) -> Tensor:
        plain = unconditional(x, times)
        return plain + weight * (conditional(x, times) - plain)

    return velocity


@torch.no_grad()
def integrate(velocity: Velocity, noise: Tensor, steps: int) -> Tensor:
    """From noise at t = 0 to data at t = 1 by Heun's method in equal steps, two velocities each; (N, ...)."""
    x, width = noise, 1 / steps
    for step in range(steps):
        now, then = (torch.full((len(x),), (step + k) * width, dtype=x.dtype, device=x.device) for k in (0, 1))
        first = velocity(x, now)
        second = velocity(x + width * first, then)
        x = x + width / 2 * (first + second)
    return x


def along(times: Tensor, x: Tensor) -> Tensor:
    """(N,) -> (N, 1, ...), to stand beside x (N, ...)."""
    return times.reshape(-1, *[1] * (x.ndim - 1))
