"""The training of one network: a flat loop of AdamW, an average of the weights, checkpoints.

Each step's randomness follows from (seed, name, step), so a resume is exact.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from synthbench import Context, SynthbenchError, derive_seed, write_atomic
from synthbench_flow.options import FlowOptions
from synthbench_torchkit.averaging import average_of, update_average
from synthbench_torchkit.state import join, load_moments, load_tensors, moments, save_tensors, select

__all__ = ["Plan", "train"]

Network = TypeVar("Network", bound=nn.Module)
WARM_UP = 0.05
"""Share of the steps in which the learning rate rises."""


@dataclass(frozen=True)
class Plan:
    """How long and how fast; the meanings are those of the plugins' options of these names."""

    steps: int
    learning_rate: float
    weight_decay: float
    ema: float
    log_every: int
    checkpoint_every: int

    @classmethod
    def of(cls, options: FlowOptions, **changes: Any) -> Plan:
        """That of a generator's options, some of them changed."""
        return cls(**options.model_dump(include={field.name for field in fields(cls)}) | changes)

    def rate(self, step: int) -> float:
        """The learning rate at a step: up in a straight line, down along a cosine."""
        rise = min(1.0, (step + 1) / max(1.0, WARM_UP * self.steps))
        return self.learning_rate * rise * (1 + math.cos(math.pi * step / self.steps)) / 2


class Trainee:
    """A network in training: itself, its average, its optimiser."""

    def __init__(self, network: nn.Module, plan: Plan) -> None:
        self.network, self.plan = network, plan
        self.average = average_of(network)
        self.optimiser = torch.optim.AdamW(
            network.parameters(), plan.learning_rate, weight_decay=plan.weight_decay
        )

    def step(self, loss: Tensor, step: int) -> None:
        """One update of the weights and of their average."""
        for group in self.optimiser.param_groups:
            group["lr"] = self.plan.rate(step)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimiser.step()
        update_average(self.average, self.network, self.plan.ema, step)

    def state(self) -> dict[str, Tensor]:
        """All that the next step depends on."""
        return join(
            {
                "network": self.network.state_dict(),
                "average": self.average.state_dict(),
                "adam": moments(self.network, self.optimiser),
            }
        )

    def load(self, state: dict[str, Tensor]) -> None:
        """Take over what `state` returned."""
        self.network.load_state_dict(select(state, "network"))
        self.average.load_state_dict(select(state, "average"))
        load_moments(self.network, self.optimiser, select(state, "adam"))


def train(
    network: Network, loss: Callable[[int], Tensor], plan: Plan, ctx: Context, name: str, table: str
) -> Network:
    """Train `network`, which lies on its device, and return the average of its weights.

    loss   of a step: a scalar that hangs on `network`; its randomness is to follow from the step's number
    name   of the progress bar and of the checkpoint in `ctx.resume`
    table  of the losses in `ctx.workdir`, a CSV

    Goes on from `ctx.resume`. Raises SynthbenchError where the loss is no longer a number.
    """
    trainee, checkpoint = Trainee(network.train(), plan), ctx.resume / f"{name}.safetensors"
    start, history, total = 0, list[tuple[int, float]](), 0.0
    if checkpoint.exists():
        state, about = load_tensors(checkpoint)
        trainee.load(state)
        start, history, total = (
            about["step"],
            [(int(step), mean) for step, mean in about["history"]],
            about["total"],
        )
    with ctx.progress.bar(name, plan.steps, unit="steps", done=start) as bar:
        for step in range(start, plan.steps):
            torch.manual_seed(derive_seed(ctx.seed, name, step))  # dropout draws from the global state
            value = loss(step)
            trainee.step(value, step)
            total += _finite(value, step, name)
            if (step + 1) % plan.log_every == 0:
                history.append((step + 1, total / plan.log_every))
                total = 0.0
                ctx.log.info("%s step %d: loss %.5f", name, *history[-1])
            if (step + 1) % plan.checkpoint_every == 0 or step + 1 == plan.steps:
                about = {"step": step + 1, "history": history, "total": total}
                save_tensors(checkpoint, trainee.state(), about)
            bar.advance(1, note=f"loss {float(value.detach()):.4f}")
    rows = [f"{step},{mean:.6f}" for step, mean in history]
    write_atomic(ctx.workdir / table, "\n".join(["step,loss", *rows, ""]))
    return trainee.average  # type: ignore[return-value]  # a copy of `network`


def _finite(loss: Tensor, step: int, name: str) -> float:
    value = float(loss.detach())
    if not math.isfinite(value):
        raise SynthbenchError(f"{name} diverged at step {step} (loss {value}); try a lower learning_rate")
    return value
