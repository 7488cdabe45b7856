"""The headline on subgroups of the test sets (sex, age band, view), generator by generator."""

from __future__ import annotations

from synthbench.report.provenance_tables import Table
from synthbench.results.folder import RunFolder, StoredEstimate
from synthbench.storage.layout import subgroup_parts

__all__ = ["subgroups"]


def subgroups(run: RunFolder) -> Table:
    """One row a subgroup, one column a generator in the board's order; no rows where images have no attributes."""
    cells: dict[tuple[str, str, str], dict[str, str]] = {}
    images: dict[tuple[str, str, str], str] = {}
    for row in run.tables["intervals"]:
        parts = subgroup_parts(row["test_set"])
        if parts and f"{row['evaluator']}.{row['metric']}" == run.headline and not (row["variant"] or row["seen"]):
            images[parts] = row["n"]
            cells.setdefault(parts, {})[row["generator"]] = str(StoredEstimate.of_row(row))
    generators = [label for label in run.roles if any(label in of_set for of_set in cells.values())]
    rows = [
        [*parts, images[parts], *(of_set.get(label, "") for label in generators)]
        for parts, of_set in cells.items()
    ]
    caption = f"{run.headline} by attribute, 95 % intervals"
    return Table(caption, ["test set", "attribute", "value", "images", *generators], rows, "intervals.csv")
