"""The tables of docs/generators.md: `python benchmarks/pages/make_generators_doc.py`.

Made from what studies/search_generators.py left in docs/results/generators.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
from blocks import markdown, rewrite
from foretold import foretold, table

DOCS = Path(__file__).parents[2] / "docs"
PAGE, RESULTS = DOCS / "generators.md", DOCS / "results" / "generators"

SHOWN = {
    "auroc": ("AUROC", 3),
    "verified_copies": ("verified copies", 2),
    "near_copies": ("near copies", 2),
    "membership_auroc": ("`membership`", 2),
    "c2st_auroc": ("`c2st`", 2),
    "kid": ("`kid`", 3),
}
"""Heading and digits of a column."""
LIKENESS = {"kid": -1, "c2st_auroc": -1, "nearest_ratio": 1, "membership_auroc": -1, "ct": 1}
"""What scored the images alone; -1 where lower is better."""


def load() -> pd.DataFrame:
    """One row a generator, as committed."""
    return pd.read_csv(RESULTS / "generators.csv")


def gate(rows: pd.DataFrame) -> str:
    """One row a generator, best AUROC first."""
    lines = [
        [f"`{row['generator']}`", "yes" if row["copying"] else "no"]
        + [f"{row[column]:.{digits}f}" for column, (_, digits) in SHOWN.items()]
        for row in rows.sort_values("auroc", ascending=False).to_dict("records")
    ]
    return markdown(["", "`copying`", *(heading for heading, _ in SHOWN.values())], lines)


BLOCKS: dict[str, Callable[[pd.DataFrame], str]] = {
    "gate": gate,
    "foretold": lambda rows: table(foretold(rows, "auroc", LIKENESS)),
}


def main() -> None:
    PAGE.write_text(rewrite(PAGE.read_text(encoding="utf-8"), load(), BLOCKS), encoding="utf-8")


if __name__ == "__main__":
    main()
