"""What `synthbench audit` prints: the counts of each part."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synthbench.cli.console import clean, make_console
from synthbench.cli.surroundings import say
from synthbench.data.audit.calibration import LIMIT
from synthbench.data.audit.leaks import KINDS, Audit
from synthbench.data.audit.matching import SAME_PATIENT_LIMIT

if TYPE_CHECKING:
    from rich.table import Table

    from synthbench.commands.audit import Audited

__all__ = ["print_audit"]


def print_audit(audited: Audited) -> None:
    """The counts of each part, the limits they go by, where every pair stands; which test sets leak too much."""
    make_console().print(_table(audited.name, audited.audit))
    say(
        f"perceptual: distance at most {LIMIT} (0: one picture, 1: unrelated), less where the training images "
        f"resemble each other, and {SAME_PATIENT_LIMIT} between images of one known patient\n"
        f"every pair: {audited.file}"
    )
    for name, share in audited.leaking.items():
        say(
            f"leak: training knows {share:.1%} of {name}, more than max_leak = {audited.max_leak:.1%}: "
            f"cut the data by patient, or quote the scores on {name}[clean]"
        )


def _table(title: str, audit: Audit) -> Table:
    from rich.table import Table

    table = Table(title=f"{clean(title)}: images that the training set knows")
    table.add_column("part", overflow="fold")
    for heading in ("images", *KINDS, "leaked", "clean", "in other parts", "duplicates within"):
        table.add_column(heading, justify="right")
    for part in audit.ids:
        table.add_row(clean(part), *_cells(audit, part))
    return table


def _cells(audit: Audit, part: str) -> list[str]:
    """One row: counts of distinct images; the training set itself leaks nowhere."""
    n = len(audit.ids[part])
    within = str(audit.matched(part, (part,)).sum())
    if part == "train":
        return [str(n), *[""] * (len(KINDS) + 3), within]
    counts = audit.counts(part)
    share = f"{counts['leaked']} ({counts['leaked'] / n:.1%})" if n else "0"
    others = tuple(name for name in audit.ids if name not in ("train", part))
    elsewhere = "" if part == "val" else str(audit.matched(part, others).sum())
    by_kind = [str(counts[f"leaked_{kind}"]) for kind in KINDS]
    return [str(n), *by_kind, share, str(n - counts["leaked"]), elsewhere, within]
