"""What `synthbench stress` prints: metrics by degradations, with the verdict of each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from synthbench.cli.console import clean, make_console
from synthbench.cli.surroundings import say
from synthbench.stress.results import Stressed
from synthbench.stress.verdicts import Finding

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["print_stress", "said"]


def print_stress(name: str, done: Stressed) -> None:
    """Metrics by degradations with the verdict of each, where the files are, and what failed."""
    make_console().print(_table(name, done.findings))
    say(
        "right .20: worse step by step, beyond chance from strength .20 on; uneven: worse, but a step goes back;\n"
        "blind: no change beyond chance; wrong: better, or a gate's false alarm; (.40): nothing is asked"
    )
    say(f"results: {done.out / 'stress.csv'}, points.csv, stress.png")
    for failure in done.failures:
        say(f"failed: {failure}")


def _table(name: str, findings: Sequence[Finding]) -> Table:
    from rich.table import Table

    table = Table(title=f"{clean(name)}: which metric notices that real images get worse")
    degradations = list(dict.fromkeys(f.degradation for f in findings))
    for heading in ("metric", *degradations):
        table.add_column(heading, overflow="fold")
    for key in dict.fromkeys(f.key for f in findings):
        by_degradation = {f.degradation: f for f in findings if f.key == key}
        table.add_row(clean(key.name), *(said(by_degradation[d]) for d in degradations))
    return table


def said(finding: Finding) -> str:
    """ "right .20": the verdict and from which strength on; "(.40)" where nothing is asked."""
    start = "" if math.isnan(finding.start) else f"{finding.start:.2f}".removeprefix("0")
    if finding.verdict == "not asked":
        return f"({start or '–'})"
    return f"{finding.verdict} {start}".strip()
