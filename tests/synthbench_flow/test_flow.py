"""Flow matching against what is known in closed form."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from synthbench_flow.flow import gaussian_velocity, guided, integrate, matching_loss


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_the_flow_between_two_standard_normals_ends_where_it_began() -> None:
    """On the way x = sqrt(t^2 + (1 - t)^2) noise, so the map from t = 0 to 1 is the identity."""
    noise = normal(50, 3)
    torch.testing.assert_close(integrate(gaussian_velocity, noise, 100), noise, rtol=1e-3, atol=1e-3)
    halfway = {}

    def watched(x: Tensor, times: Tensor) -> Tensor:
        halfway[round(float(times[0]), 3)] = x
        return gaussian_velocity(x, times)

    integrate(watched, noise, 100)
    torch.testing.assert_close(halfway[0.5], noise / 2**0.5, rtol=1e-3, atol=1e-3)


def test_heun_is_of_second_order() -> None:
    errors = [float((integrate(gaussian_velocity, normal(9, 1), n) - normal(9, 1)).abs().max()) for n in (20, 40)]
    assert errors[1] < errors[0] / 3.5


def test_the_gaussian_velocity_is_the_regression_of_data_minus_noise() -> None:
    noise, data = normal(200_000), normal(200_000, seed=1)
    for t in (0.1, 0.5, 0.8):
        x = (1 - t) * noise + t * data
        slope = float(((data - noise) @ x) / (x @ x))
        expected = float(gaussian_velocity(torch.ones(1, 1), torch.tensor([t])))
        assert slope == pytest.approx(expected, abs=0.01)


def test_the_velocity_towards_one_point_has_no_loss_and_another_has() -> None:
    target = torch.tensor([3.0, -1.0], dtype=torch.float64)

    def towards(x: Tensor, times: Tensor) -> Tensor:
        return (target - x) / (1 - times[:, None])

    times = torch.linspace(0, 0.9, 40, dtype=torch.float64)
    assert matching_loss(towards, target.expand(40, 2), normal(40, 2), times) < 1e-20
    assert matching_loss(lambda x, t: towards(x, t) + 1, target.expand(40, 2), normal(40, 2), times) > 0.9
    torch.testing.assert_close(
        integrate(lambda x, t: target - normal(40, 2), normal(40, 2), 3), target.expand(40, 2)
    )


def test_times_stand_beside_images() -> None:
    data, noise, times = normal(4, 2, 3, 3), normal(4, 2, 3, 3, seed=1), torch.tensor([0, 0.25, 0.5, 1.0]).double()
    seen = []
    matching_loss(lambda x, t: seen.append(x) or x, data, noise, times)  # type: ignore[func-returns-value]
    torch.testing.assert_close(seen[0][0], noise[0])
    torch.testing.assert_close(seen[0][1], 0.75 * noise[1] + 0.25 * data[1])
    torch.testing.assert_close(seen[0][3], data[3])


def test_guidance_leads_away_from_the_unconditional_velocity() -> None:
    def one(x: Tensor, times: Tensor) -> Tensor:
        return torch.ones_like(x)

    def none(x: Tensor, times: Tensor) -> Tensor:
        return torch.zeros_like(x)

    x, t = torch.zeros(2, 1), torch.zeros(2)
    assert guided(one, none, 1) is one
    assert [float(guided(one, none, w)(x, t)[0]) for w in (0, 0.5, 2.5)] == [0, 0.5, 2.5]
