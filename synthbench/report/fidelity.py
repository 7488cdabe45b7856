"""Fidelity and copying: each metric beside what it says of noise, other real images, a copy of training."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

from synthbench.report.bars import shown_number
from synthbench.report.metrics import BoardMetric, board_metrics
from synthbench.report.provenance_tables import Table
from synthbench.results.folder import RunFolder, dig, number

__all__ = ["fidelity", "is_reference"]

COLUMNS = (("noise",), ("real against real", "real"), ("copy of train",))
"""References of a column, variants that are no generator's figure; of several, a metric has one."""

COPYING = ("memorisation", "authenticity")
"""Evaluators that belong here without references."""


def fidelity(run: RunFolder) -> Table:
    """A row a metric on `test`, one a class where the class has a reference; none without such evaluators."""
    metrics = [metric for metric in board_metrics(run) if metric.key.place.partition(" [")[0] == "test"]
    uses = {
        dig(one, "label", default=""): dig(one, "use", default="")
        for one in dig(run.bench, "evaluators", default=[])
    }
    shown = {metric.key.evaluator for metric in metrics if is_reference(metric.key.variant)}
    shown |= {m.key.evaluator for m in metrics if uses.get(m.key.evaluator, m.key.evaluator) in COPYING}
    rows = [row for metric in metrics if metric.key.evaluator in shown for row in _row(run, metric, metrics)]
    heads = ["metric", "better", *(f"reference: {names[0]}" for names in COLUMNS), *run.roles]
    return Table("Synthetic images against the training images, with references", heads, rows, "leaderboard.csv")


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
    values = [_value(row.get(metric.name, "")) for row in run.board]
    yield [title, f"{metric.direction} is better", *known, *values]


def _reference(run: RunFolder, reference: BoardMetric | None) -> str:
    """One number, or from where to where where it differs between generators' rows (other numbers of images)."""
    cells = [number(row.get(reference.name)) for row in run.board] if reference else []
    values = sorted(value for value in cells if value is not None)
    ends = [shown_number(values[k]) for k in (0, -1)] if values else []
    return " to ".join(dict.fromkeys(ends))


def _value(text: str) -> str:
    value = number(text)
    return text if value is None else shown_number(value)
