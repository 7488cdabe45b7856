"""Fidelity and copying: each metric beside what it says of noise, other real images, a copy of training."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import chain

from synthbench.report.bars import shown_number, value_cells
from synthbench.report.metrics import BoardMetric, board_metrics, estimates_of
from synthbench.report.provenance_tables import Table
from synthbench.results.folder import RunFolder, dig

__all__ = ["fidelity", "is_reference"]

COLUMNS = (("noise",), ("real against real", "real"), ("copy of train",))
"""References of a column, variants that are no generator's figure; of several, a metric has one."""

COPYING = ("memorisation", "membership", "authenticity")
"""Evaluators that belong here without references."""


def fidelity(run: RunFolder) -> Table:
    """A row a metric on `test` or of the synthetic images themselves; none without such evaluators.

    One a class, where the class has a reference.
    """
    metrics = [m for m in board_metrics(run) if m.key.test_set in ("test", "") and not m.key.seen]
    uses = {
        dig(one, "label", default=""): dig(one, "use", default="")
        for one in dig(run.bench, "evaluators", default=[])
    }
    shown = {metric.key.evaluator for metric in metrics if is_reference(metric.key.variant)}
    shown |= {m.key.evaluator for m in metrics if uses.get(m.key.evaluator, m.key.evaluator) in COPYING}
    rows = [row for metric in metrics if metric.key.evaluator in shown for row in _row(run, metric, metrics)]
    heads = ["metric", "better", *(f"reference: {names[0]}" for names in COLUMNS), *run.roles]
    return Table("Synthetic images against the training images, with references", heads, rows, "intervals.csv")


def is_reference(variant: str) -> bool:
    """Whether a variant is a reference, of all images or ("NORMAL, real") of a class."""
    return variant.rpartition(", ")[2] in chain.from_iterable(COLUMNS)


def _row(run: RunFolder, metric: BoardMetric, metrics: Sequence[BoardMetric]) -> Iterator[list[str]]:
    if is_reference(metric.key.variant):
        return
    by_variant = {
        m.key.variant: m
        for m in metrics
        if (m.key.evaluator, m.key.metric) == (metric.key.evaluator, metric.key.metric)
    }
    before = f"{metric.key.variant}, " if metric.key.variant else ""
    references = [
        next((by_variant[before + name] for name in names if before + name in by_variant), None)
        for names in COLUMNS
    ]
    if metric.key.variant and not any(references):
        return
    title = f"{metric.key.title} [{metric.key.variant}]" if metric.key.variant else metric.key.title
    known = [_reference(run, reference) for reference in references]
    values = [cell.text for cell in value_cells(estimates_of(run, metric.key))]
    yield [title, f"{metric.direction} is better", *known, *values]


def _reference(run: RunFolder, reference: BoardMetric | None) -> str:
    """One number, or from where to where where it differs between generators' rows (other numbers of images)."""
    known = estimates_of(run, reference.key) if reference else []
    values = sorted(one.value for one in known if one and not math.isnan(one.value))
    ends = [shown_number(values[k]) for k in (0, -1)] if values else []
    return " to ".join(dict.fromkeys(ends))
