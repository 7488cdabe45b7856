"""The tables of docs/statistics.md: `python benchmarks/pages/make_statistics_doc.py`.

Made from what studies/simulate_intervals.py left in docs/results/intervals.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from blocks import markdown, rewrite

DOCS = Path(__file__).parents[2] / "docs"
PAGE, RESULTS = DOCS / "statistics.md", DOCS / "results" / "intervals"


@dataclass(frozen=True)
class Simulated:
    """Both tables, as committed."""

    coverage: pd.DataFrame
    tests: pd.DataFrame


def by_form(simulated: Simulated) -> str:
    """Least and greatest coverage over the numbers of rows, by form; in brackets the median width at ten rows."""
    table = simulated.coverage[simulated.coverage.images > 0]
    forms = list(dict.fromkeys(table.form))
    rows = [
        [f"{world}: {kind}", str(seeds), *(_cell(part[part.form == form]) for form in forms)]
        for (world, kind), of_kind in table.groupby(["world", "kind"], sort=False)
        for seeds, part in of_kind.groupby("seeds")
    ]
    drawn = ", ".join(
        f"{part.boards.iloc[0]:,} boards of {n} rows ({100 * part.error.max():.2f})"
        for n, part in table.groupby("rows")
    )
    made = (
        f"Drawn on {table.date.iloc[0]}: {drawn}; in brackets the largest standard error of a coverage, in points."
    )
    return f"{markdown(['world: rows', 'seeds', *forms], rows)}\n\n{made}"


def _cell(part: pd.DataFrame) -> str:
    low, high = 100 * part.coverage.min(), 100 * part.coverage.max()
    return f"{low:.1f}–{high:.1f} ({part[part.rows == 10].median_width.iloc[0]:.3f})"


def type_one(simulated: Simulated) -> str:
    """Share of true nulls rejected, in per cent, for each number of seeds."""
    tests = simulated.tests
    forms = [column for column in tests if column not in ("world", "seeds", "rows", "boards", "date")]
    rows = [
        [str(world), *(", ".join(f"{100 * rate:.1f}" for rate in part[form]) for form in forms)]
        for world, part in tests.groupby("world", sort=False)
    ]
    seeds = ", ".join(map(str, dict.fromkeys(tests.seeds)))
    table = markdown(["world", *(f"{form}: {seeds} seeds" for form in forms)], rows)
    return f"{table}\n\n({tests.boards.iloc[0]:,} boards each.)"


BLOCKS: dict[str, Callable[[Simulated], str]] = {"few-seeds": by_form, "type-one": type_one}


def load() -> Simulated:
    """What is committed."""
    return Simulated(*(pd.read_csv(RESULTS / f"{name}.csv") for name in ("coverage", "tests")))


def main() -> None:
    PAGE.write_text(rewrite(PAGE.read_text(encoding="utf-8"), load(), BLOCKS), encoding="utf-8")


if __name__ == "__main__":
    main()
