"""What people see on the terminal: the plan, the plugins, the board."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from synthbench.config import Benchmark
from synthbench.plan import Trial
from synthbench.registry import BASES, Registry

if TYPE_CHECKING:
    from synthbench.run import RunResult

__all__ = ["print_board", "print_plan", "print_plugins"]

WIDE = 200
"""Columns of a table that goes into a file or a pipe, where nothing has to fit a window."""


def print_plugins(registry: Registry) -> None:
    """Name, kind and first line of the docstring of each plugin."""
    for kind in BASES:
        print(f"{kind}s")
        for name, cls in registry.names(kind).items():
            summary = (cls.__doc__ or "").strip().partition("\n")[0]
            print(f"  {name:<24} {summary}")


def print_plan(bench: Benchmark, plan: Sequence[Trial]) -> None:
    """The trials in their order, with seeds and evaluators."""
    external = "".join(f", {entry.label}" for entry in bench.external)
    print(f"{bench.name}: {len(plan)} trials, {bench.samples} images each, on {bench.dataset.label}{external}")
    print(f"headline: {bench.headline} on test")
    for number, trial in enumerate(plan, start=1):
        scored = ", ".join(e.label for e in trial.evaluators) or "nobody"
        role = trial.generator.plugin.role
        print(
            f"{number:>3}  {trial.generator.label} ({role}), seed {trial.index} = {trial.seed}, scored by {scored}"
        )


def print_board(bench: Benchmark, result: RunResult) -> None:
    """The leaderboard: headline, the other test metrics of its evaluator, time; then where the files are."""
    import pandas as pd
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    text = {"generator": str, "role": str, "status": str, "seeds": str}  # a label may read like a number or "NA"
    board = pd.read_csv(result.out / "leaderboard.csv", dtype=text, keep_default_na=False, na_values=[""])
    metrics = [f"{e.label}.{metric}" for e in bench.evaluators for metric in e.plugin.metrics]
    shown = [bench.headline, *(m for m in metrics if m != bench.headline and board[m].notna().any())][:6]
    table = Table(title=f"{escape(bench.name)}: ranked by {escape(bench.headline)} on test")
    for heading in ("rank", "generator", "role", "status", *shown, "fit s", "score s"):
        left = heading in ("generator", "role", "status")
        table.add_column(heading, justify="left" if left else "right", no_wrap=left, overflow="fold")
    for row in board.to_dict("records"):
        scoring = [t for e in bench.evaluators if not math.isnan(t := row[f"{e.label}_wall_s"])]
        table.add_row(
            "" if math.isnan(row["rank"]) else str(int(row["rank"])),
            escape(row["generator"]),
            row["role"],
            f"{row['status']} {row['seeds']}",
            *("" if math.isnan(row[m]) else f"{row[m]:.3f}" for m in shown),
            "" if math.isnan(row["fit_wall_s"]) else f"{row['fit_wall_s']:.1f}",
            f"{sum(scoring):.1f}" if scoring else "",
        )
    Console(width=None if sys.stdout.isatty() else WIDE).print(table)
    print(f"results: {result.out / 'leaderboard.csv'}, scores.csv, run.json, trials/")
    for outcome in result.failed:
        for reason in outcome.reasons:
            print(f"failed: {outcome.trial.title}: {reason}")
