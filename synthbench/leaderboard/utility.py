"""Where a candidate stands between floor and ceiling: utility = (score - floor) / (ceiling - floor)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from synthbench.api.interfaces import Generator
from synthbench.benchmark.config import Benchmark, Entry
from synthbench.leaderboard.estimates import Cell, Floats
from synthbench.stats import utility

__all__ = ["utilities"]

FLOOR = "shuffled-labels"
"""What it reaches is the floor of a metric whose value under guessing is not known beforehand."""


def utilities(label: str, cells: Mapping[str, Cell], bench: Benchmark, n_classes: int) -> dict[str, Any]:
    """`utility`, its bounds and what it was measured by, against the balanced and the imbalanced real ceiling.

    cells  the headline of every generator
    Empty cells where the file has no such ceiling.
    """
    floor = _floor(cells, bench, n_classes)
    columns: dict[str, Any] = {}
    for suffix, prior in (("", "balanced"), ("_imbalanced", "train")):
        ceiling = next((g for g in bench.generators if _is_ceiling(g, prior)), None)
        columns |= _utility(label, ceiling, cells, floor, bench, f"utility{suffix}")
    return columns


def _is_ceiling(entry: Entry[Generator], prior: str) -> bool:
    return entry.plugin.role == "ceiling" and entry.plugin.prior == prior


@dataclass(frozen=True)
class Floor:
    """A constant, or the values and replicates of a generator; `note` says which."""

    value: float | tuple[Floats, Floats]
    note: str


def _utility(
    label: str,
    ceiling: Entry[Generator] | None,
    cells: Mapping[str, Cell],
    floor: Floor | None,
    bench: Benchmark,
    name: str,
) -> dict[str, Any]:
    empty = dict.fromkeys([name, f"{name}_low", f"{name}_high", f"{name}_note"])
    if ceiling is None or floor is None or any(not _known(cells.get(c)) for c in (label, ceiling.label)):
        return empty
    mine, top = cells[label], cells[ceiling.label]
    found = utility(_resampled(mine), _resampled(top), floor.value, groups=mine.patients)
    note = f"ceiling {ceiling.label} of {bench.samples} images; {floor.note}"
    if not found.defined:
        return {**empty, name: "undefined", f"{name}_note": f"{found.note}; {note}"}
    return {name: found.value, f"{name}_low": found.low, f"{name}_high": found.high, f"{name}_note": note}


def _known(cell: Cell | None) -> bool:
    return cell is not None and not cell.text and cell.replicates is not None


def _resampled(cell: Cell) -> tuple[Floats, Floats]:
    if cell.replicates is None:
        raise ValueError(f"{cell.column.name} has no replicates")
    return cell.values, cell.replicates


def _floor(cells: Mapping[str, Cell], bench: Benchmark, n_classes: int) -> Floor | None:
    """Chance where it is known, else the cell of `shuffled-labels`; None where that did not run."""
    chance = {"balanced_accuracy": 1 / n_classes, "auroc": 0.5}
    metric = bench.headline.rpartition(".")[2]
    if metric in chance:
        return Floor(chance[metric], f"floor {chance[metric]:.3g} (chance)")
    cell = cells.get(FLOOR)
    if cell is None or not _known(cell):
        return None
    return Floor(_resampled(cell), f"floor {FLOOR} (mean over {len(cell.values)} seeds)")
