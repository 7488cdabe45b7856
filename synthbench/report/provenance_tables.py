"""What the page says of the data, the configuration, the machine, and how to make it again."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synthbench.benchmark.definition import Checkpoint
from synthbench.benchmark.yaml_traps import as_yaml
from synthbench.report.bars import shown_number
from synthbench.results.folder import Row, RunFolder, dig, estimate, number
from synthbench.storage.layout import safe_name, trial_folder

__all__ = ["DataPart", "SetupPart", "Table", "comparisons", "data_part", "setup_part"]

FILE = "benchmark.yaml"
"""What a reader saves the configuration as."""

HOLDOUT = (
    "Hold-out: patients cut off the training set before anything is fitted; no generator sees them, "
    "so nearness to them shows what nearness to training images is without copying."
)
MOST_ROWS = 30
"""Rows of a list that the page shows; the rest stands in the run's CSV file."""


@dataclass(frozen=True)
class Table:
    """A plain table; `more` rows are left out, `file` has them all; `folded`: shown on a click."""

    caption: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    file: str = ""
    more: int = 0
    folded: bool = False


@dataclass(frozen=True)
class DataPart:
    """`domain`: whose images the main set holds; then counts, test sets, leaks, quarantine where there are any."""

    domain: str
    tables: Sequence[Table]
    notes: Sequence[str]


@dataclass(frozen=True)
class SetupPart:
    """The benchmark as YAML, tables of environment and method, the commands that make the run again."""

    config: str
    tables: Sequence[Table]
    commands: str
    dirty: bool


def data_part(run: RunFolder) -> DataPart:
    """The data that the run worked on."""
    tables = [
        _splits(run),
        _listed(run, "test_sets", "Test sets; leaked: images that training knows, by pixels, likeness or patient"),
        _shared(run),
        _listed(run, "audit", "Images that two parts of the data share"),
        _listed(run, "quarantine", "Files put aside as unreadable"),
    ]
    domain = str(dig(run.record, "data", "domain", default=""))
    return DataPart(domain, [table for table in tables if table.rows], _data_notes(run))


def _data_notes(run: RunFolder) -> list[str]:
    """What the tables of the data do not say: the hold-out's purpose, a quarantine without files."""
    held = "holdout" in dig(run.record, "data", "sets", default={})
    clean = dig(run.record, "data", "quarantined", default=None) == 0 and not run.tables["quarantine"]
    return [*([HOLDOUT] if held else []), *(["Quarantine: 0 files."] if clean else [])]


def _splits(run: RunFolder) -> Table:
    """Images of each part by class, with the digest of their content."""
    sets = dig(run.record, "data", "sets", default={})
    rows = [
        [
            str(name),
            str(dig(about, "images", default="")),
            *(str(dig(about, "counts", label, default="")) for label in run.classes),
            " x ".join(map(str, dig(about, "shape", default=[]))),
            str(dig(about, "digest", default=""))[:16],
        ]
        for name, about in sets.items()
    ]
    heads = ["part", "images", *run.classes, "size", "SHA-256, begins"]
    return Table("Parts of the data set", heads, rows, "run.json")


def _listed(run: RunFolder, name: str, caption: str) -> Table:
    rows = sorted(run.tables[name], key=_within)
    return _of_rows(caption, rows, f"{name}.csv") if rows else Table(caption, [], [])


def _within(row: Row) -> bool:
    """Whether a row of the audit is of one part alone: less of a leak than one between two."""
    return row.get("seen_in") == row.get("test_set")


def _shared(run: RunFolder) -> Table:
    """How many rows of the audit there are by part, where seen and kind; those between two parts first."""
    counts: dict[tuple[str, str, str], int] = {}
    for row in sorted(run.tables["audit"], key=_within):
        key = (row.get("test_set", ""), row.get("seen_in", ""), row.get("kind", ""))
        counts[key] = counts.get(key, 0) + 1
    rows = [[*key, str(count)] for key, count in counts.items()]
    heads = ["part", "seen in", "kind", "matches"]
    return Table("Matches within and between parts of the data", heads, rows, "audit.csv")


def _of_rows(caption: str, rows: Sequence[Row], file: str) -> Table:
    heads = list(rows[0])
    shown = [[row.get(head, "") for head in heads] for row in rows[:MOST_ROWS]]
    return Table(caption, [head.replace("_", " ") for head in heads], shown, file, len(rows) - len(shown))


def comparisons(run: RunFolder) -> Table:
    """The pairs of candidates that comparisons.csv lists, in numbers a reader can take in."""
    estimates = [(row, estimate(row, "difference", "low", "high")) for row in run.tables["comparisons"]]
    rows = [
        [
            *(row.get(name, "") for name in ("a", "b", "test")),
            str(difference or ""),
            _p(row),
            _verdict(row),
        ]
        for row, difference in estimates
    ]
    heads = ["a", "b", "test", "a minus b (95 % interval)", "p after Holm", "better"]
    shown = rows[:MOST_ROWS]
    n = len({row[side] for row, _ in estimates for side in ("a", "b")})
    caption = f"Pairs of candidates: {len(rows)}"
    if len(rows) < (pairs := n * (n - 1) // 2):
        caption += f" of {pairs} that were tested, those of the best and of neighbours"
    return Table(caption, heads, shown, "comparisons.csv", len(rows) - len(shown))


def _verdict(row: Row) -> str:
    """Who is better, or that nobody is by more than the margin, or that the data do not say."""
    equal = f"equal within {row['margin']}" if row.get("equal") else ""
    return "; ".join(filter(None, [row.get("better", ""), equal])) or "not decided"


def _p(row: Row) -> str:
    p = number(row.get("p_holm"))
    return "< 0.001" if p is not None and p < 0.001 else shown_number(p)


def _as_a_file(bench: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration as a benchmark file has it: the checkpoints of one training are one row again."""
    rows: dict[str, dict[str, Any]] = {}
    for row in bench.get("generators", ()):
        if point := Checkpoint.of_record(row):
            own = {key: value for key, value in row.items() if key not in ("checkpoint", point.unit)}
            training = rows.setdefault(point.of, {**own, "label": point.of, "checkpoints": []})
            training["checkpoints"].append(point.at)
        else:
            rows[str(row.get("label"))] = dict(row)
    return {**bench, "generators": [*rows.values()]}


def setup_part(run: RunFolder) -> SetupPart:
    """The configuration, the machine and the commands."""
    config = as_yaml(_as_a_file(run.bench)) if run.bench else ""
    tables = [
        _facts("Run", _run_facts(run)),
        _facts("Hardware", dig(run.record, "hardware", default={})),
        _facts("Versions", dig(run.record, "versions", default={})),
        _signatures(run),
        _bases(run),
        _notes(run),
    ]
    return SetupPart(
        config,
        [table for table in tables if table.rows],
        _commands(run),
        dirty=dig(run.record, "git", "dirty", default=False) is True,
    )


def _facts(caption: str, facts: dict[str, object]) -> Table:
    return Table(caption, ["what", "value"], [[name.replace("_", " "), str(fact)] for name, fact in facts.items()])


def _run_facts(run: RunFolder) -> dict[str, object]:
    trials = run.trials
    facts = {
        "started": dig(run.record, "started", default=""),
        "finished": dig(run.record, "finished", default=""),
        "commit of synthbench": dig(run.record, "git", "commit", default=""),
        "trials": f"{sum(t.status == 'done' for t in trials)} done of {len(trials)}" if run.record else "",
        "seed": run.bench.get("seed", ""),
    }
    return {name: fact for name, fact in facts.items() if fact != ""}


def _signatures(run: RunFolder) -> Table:
    """What evaluators left in `signature.txt`, "metric | how": each way once, with the metrics it holds for."""
    labels = {safe_name(label): label for label in run.evaluators}
    lines = dict.fromkeys(
        (labels.get(file.parent.name, file.parent.name), *line.partition(" | ")[::2])
        for trial in run.trials  # folders of rows that have left the file may lie beside theirs
        for file in sorted((run.out / trial_folder(Path(), trial.generator, trial.index)).glob("*/signature.txt"))
        for line in file.read_text(encoding="utf-8", errors="replace").splitlines()
    )
    ways: dict[str, list[str]] = {}
    for label, metric, how in lines:
        ways.setdefault(how, []).append(f"{label}.{metric}")
    rows = [[", ".join(metrics), how] for how, metrics in ways.items()]
    caption = "Signatures: how each metric was computed"
    return Table(caption, ["metrics", "signature"], rows, "trials/*/*/*/signature.txt", folded=True)


def _bases(run: RunFolder) -> Table:
    """What the intervals rest on: each basis once, with the number of cells that have it."""
    counts: dict[str, int] = {}
    for row in run.tables["intervals"]:
        if basis := row.get("basis", ""):
            counts[basis] = counts.get(basis, 0) + 1
    rows = [[basis, str(count)] for basis, count in counts.items()]
    return Table("What the 95 % intervals rest on", ["basis", "cells"], rows, "intervals.csv", folded=True)


def _notes(run: RunFolder) -> Table:
    """Why a number is missing or to be read with care: each note once for a metric and test set."""
    notes = dict.fromkeys(
        (f"{row['evaluator']}.{row['metric']}", row["test_set"], row["note"])
        for row in run.tables["scores"]
        if row.get("note")
    )
    rows = [list(note) for note in notes]
    heads = ["metric", "test set", "note"]
    return Table("Notes", heads, rows[:MOST_ROWS], "scores.csv", max(0, len(rows) - MOST_ROWS), folded=True)


def _commands(run: RunFolder) -> str:
    """What a shell needs: the commit as far as it is known, the run from the configuration on the page."""
    commit = dig(run.record, "git", "commit", default="")
    words = [str(word) for word in dig(run.record, "command", default=[])]
    lines = [f"git checkout {shlex.quote(str(commit))}"] if commit else []
    lines += [f"{shlex.join(['synthbench', *words])}  # as it was started"] if words else []
    lines += [f"synthbench run {FILE}  # the same from the configuration above"] if run.bench else []
    return "\n".join(lines)
