"""What people see of finished runs: a merged board, the difference of two runs, what a bundle is worth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from rich.table import Table

from synthbench.cli.console import board_of, caption_of, clean, make_console, rank_of, seconds_of, seeds_of
from synthbench.cli.surroundings import say
from synthbench.results.folder import estimate
from synthbench.storage.layout import Column

if TYPE_CHECKING:
    from synthbench.results.bundle import Packed
    from synthbench.results.diff import Diff, Moved
    from synthbench.results.folder import StoredEstimate
    from synthbench.results.merge import Merged
    from synthbench.results.verified import Verified

__all__ = ["print_diff", "print_merged", "print_packed", "print_verified"]

SHOWN = 30
"""Lines of a kind before the rest is only counted."""


def print_merged(merged: Merged, ranked_by: str) -> None:
    """The board of several runs, then why rows are not ranked, then the notes."""
    records = merged.leaderboard.to_dict("records")
    rows = [{str(column): str(cell) for column, cell in record.items()} for record in records]
    columns = {
        "rank": [rank_of(row) if row["comparable"] == "yes" else "not comparable" for row in rows],
        **{name: [row[name] for row in rows] for name in (Column.GENERATOR, "run", Column.ROLE, Column.STATUS)},
        merged.headline: [str(estimate(row, merged.column) or "") for row in rows],
        Column.UTILITY: [str(estimate(row, Column.UTILITY) or "") for row in rows],
        "seeds": [seeds_of(row) for row in rows],
        "fit s": [seconds_of(row, Column.FIT) for row in rows],
    }
    title = f"ranked by {ranked_by} among comparable rows; 95 % intervals"
    make_console().print(board_of(title, caption_of(rows), columns, ["status", Column.UTILITY, "role"]))
    for name, reason in merged.refused.items():
        say(f"not comparable: {name}: {reason}")
    for note in merged.notes:
        say(f"note: {note}")


def print_diff(diff: Diff, a: str, b: str) -> None:
    """The inputs that changed, by part; the numbers that moved; what that comes to."""
    say(f"A {a}\nB {b}")
    say("inputs" if diff.inputs else "inputs: the same")
    for change in diff.inputs:
        say(f"  {change.part:<14} {change}")
    moved = [number for number in diff.numbers if number.verdict != "same"]
    if moved:
        make_console().print(_moves(moved))
    for label, rank_a, rank_b in diff.ranks:
        say(f"rank of {label}: {rank_a or 'none'} -> {rank_b or 'none'}")
    verdicts = Counter[str](number.verdict for number in diff.numbers)
    kinds = {
        "same": "the same",
        "within": "moved within the interval of the difference",
        "beyond": "beyond it",
        "unknown": "moved and have no interval",
        "other": "in one run only or replaced by a text",
    }
    say(f"{len(diff.numbers)} numbers: {', '.join(f'{verdicts[k]} {text}' for k, text in kinds.items())}")
    if verdicts["beyond"]:
        say(
            f"At 95 % about {(verdicts['within'] + verdicts['beyond']) / 20:.1f} would lie beyond by chance alone."
        )


def _moves(moved: Iterable[Moved]) -> Table:
    table = Table(title="numbers that moved; B - A with its 95 % interval")
    for heading in ("generator", "number", "A", "B", "B - A", "rule", "moved"):
        table.add_column(heading, justify="right" if heading in ("A", "B", "B - A") else "left", overflow="fold")
    for n in moved:
        shift = n.shift
        ends = (
            "no interval" if n.verdict == "unknown" else f"{shift.low:+.4f} to {shift.high:+.4f}" if shift else ""
        )
        by = f"{shift.difference:+.4f} ({ends})" if shift else ""
        row = (n.generator, n.column, _number(n.a), _number(n.b), by, shift.rule if shift else "", n.verdict)
        table.add_row(*map(clean, row))
    return table


def _number(stored: StoredEstimate | None) -> str:
    if stored is None:
        return "absent"
    return f"{stored.value:.4f}" if stored.value == stored.value else stored.text


def print_packed(packed: Packed, file: str) -> None:
    """What is in a bundle and what is not."""
    say(f"{file}: {len(packed.files)} files, {sum(packed.files.values()) / 1e6:.1f} MB unpacked")
    ours = ("trials", "data")
    paths = [PurePosixPath(name) for name in packed.left_out]
    kinds = Counter(p.name if p.parts[0] in ours or len(p.parts) == 1 else f"{p.parts[0]}/" for p in paths)
    _some([f"left out: {name} ({n} file{'s' * (n > 1)})" for name, n in kinds.items()])


def print_verified(verified: Verified, file: str) -> None:
    """What was recomputed, what could not be, what does not match."""
    for note in verified.notes:
        say(f"note: {note}")
    _some([f"file: {line}" for line in verified.files])
    _some(
        [
            f"{m.file}: {m.row}: {m.column}: {m.stored or 'nothing'}, recomputed {m.recomputed or 'nothing'}"
            for m in verified.mismatches
        ]
    )
    for what, n in verified.unchecked.items():
        say(f"not recomputable from the bundle: {what} ({n})")
    for name, n in verified.matching.items():
        say(f"{name}: {n} cells recomputed and found the same")
    problems = (
        f"{len(verified.mismatches)} cells do not match, {len(verified.files)} files do not fit the manifest"
    )
    say(f"{file}: {'holds' if verified.holds else problems}")


def _some(lines: list[str]) -> None:
    for line in lines[:SHOWN]:
        say(line)
    if len(lines) > SHOWN:
        say(f"and {len(lines) - SHOWN} more")
