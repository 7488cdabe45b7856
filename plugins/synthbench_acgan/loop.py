"""The training of either pair: a flat loop over steps, with losses, grids of samples and checkpoints."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from torch import Tensor

from synthbench import Context, SynthbenchError, write_atomic
from synthbench_acgan.model import Network
from synthbench_acgan.options import LoopOptions
from synthbench_acgan.sample import save_grid
from synthbench_torchkit.state import load_tensors, save_tensors

__all__ = ["train"]

History = list[list[float]]
"""Rows of losses.csv: the step, then its losses."""


class Players(Protocol):
    """Two networks in training."""

    def kept(self) -> Mapping[str, Network]:
        """The networks by the names of their files; "generator" is the one that draws images."""

    def state(self) -> Mapping[str, Tensor]:
        """All that the next step depends on."""

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Take over what `state` returned."""


def train(
    players: Players,
    step: Callable[[int], Sequence[float]],
    columns: Sequence[str],
    config: LoopOptions,
    ctx: Context,
) -> None:
    """Train up to `config.steps`, going on from `ctx.resume`; losses, grids and weights go to `ctx.workdir`.

    step     updates both networks and returns the losses named by `columns`; its randomness is to follow from
             the step's number

    Raises SynthbenchError where a loss is no longer a number.
    """
    checkpoint = ctx.resume / "state.safetensors"
    if _steps_done(checkpoint) > config.steps:  # a longer training was here: it stays, and this one begins anew
        checkpoint = ctx.resume / f"state-{config.steps}.safetensors"
    start, history = _resume(players, checkpoint)
    with ctx.progress.bar(config.name, config.steps, unit="steps", done=start) as bar:
        for number in range(start, config.steps):
            losses = dict(zip(columns, step(number), strict=True))
            _check_finite(losses, config.name, number)
            note = ", ".join(f"{column} {value:.3f}" for column, value in losses.items())
            last = number == config.steps - 1
            if number % config.log_every == 0 or last:
                history.append([number, *losses.values()])
                ctx.log.info("step %d: %s", number, note)
                _write_losses(ctx.workdir / "losses.csv", columns, history)
            if number in config.grid_steps or last:
                # Into `resume`, which outlives a kill, until `_keep`. The same noise each time: grids compare.
                grid = ctx.resume / f"grid-{number:06d}.png"
                save_grid(grid, players.kept()["generator"], ctx.rng("grid"))
            if (number + 1) % config.checkpoint_every == 0 or last:
                save_tensors(checkpoint, players.state(), {"step": number + 1, "history": history})
            bar.advance(1, note=note)
    _keep(players, columns, config, history, ctx)


def _write_losses(path: Path, columns: Sequence[str], history: History) -> None:
    """CSV of the losses at the logged steps; step 0 is the first one, its losses those before its update."""
    rows = [f"{int(step)}," + ",".join(f"{value:.6f}" for value in losses) for step, *losses in history]
    write_atomic(path, "\n".join([",".join(["step", *columns]), *rows, ""]))


def _resume(players: Players, checkpoint: Path) -> tuple[int, History]:
    """Where to go on, and the losses logged before."""
    if not checkpoint.exists():
        return 0, []
    state, metadata = load_tensors(checkpoint)
    players.load(state)
    return metadata["step"], metadata["history"]


def _steps_done(checkpoint: Path) -> int:
    return int(load_tensors(checkpoint)[1]["step"]) if checkpoint.exists() else 0


def _check_finite(losses: Mapping[str, float], name: str, step: int) -> None:
    if not all(map(math.isfinite, losses.values())):
        values = ", ".join(f"{column} {value}" for column, value in losses.items())
        raise SynthbenchError(f"{name} diverged at step {step} ({values}); try a lower learning_rate")


def _keep(players: Players, columns: Sequence[str], config: LoopOptions, history: History, ctx: Context) -> None:
    """Losses, grids and weights of the whole training, whichever run, or shorter training, made them."""
    last = config.steps - 1
    logged = [row for row in history if row[0] % config.log_every == 0 or row[0] == last]
    _write_losses(ctx.workdir / "losses.csv", columns, logged)
    for step in {*config.grid_steps, last}:
        grid = ctx.resume / f"grid-{step:06d}.png"
        if step <= last and grid.exists():
            shutil.copy(grid, ctx.workdir)
    for name, network in players.kept().items():
        about = {"network": type(network).__name__, "config": network.config}
        save_tensors(ctx.workdir / f"{name}.safetensors", network.state_dict(), about)
