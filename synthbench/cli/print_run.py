"""What people see on the terminal: the plan, the board."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from synthbench.benchmark.definition import Benchmark
from synthbench.benchmark.plan import Trial
from synthbench.cli.console import (
    NUMBER,
    caption_of,
    clean,
    make_console,
    rank_of,
    seconds_of,
    seeds_of,
    warnings_of,
)
from synthbench.cli.surroundings import say
from synthbench.leaderboard.judge_notes import by_judge, judge_notes
from synthbench.leaderboard.score_key import ScoreKey
from synthbench.leaderboard.utility import worth_text
from synthbench.results.folder import NO_LABELS, dig
from synthbench.storage.layout import Column

if TYPE_CHECKING:
    from rich.table import Table

    from synthbench.commands.export_train import Exported
    from synthbench.data.test_sets import TestSet
    from synthbench.results.folder import Row, RunFolder
    from synthbench.runner.fetch import Fetched
    from synthbench.runner.loop import RunResult

__all__ = ["print_board", "print_exported", "print_fetched", "print_plan"]

LEAST_WIDTH = {"generator": 16, "role": 9, "rank": 3, "seeds": 5}

ROOM_FOR_COSTS = 100
"""Columns of a window from which on it shows what the rows cost."""


def print_fetched(fetched: Fetched) -> None:
    """Every published file with its digest, then how many images there are."""
    for file, digest in fetched.files.items():
        pin = "" if file.sha256 else "; no digest is published: pin this one with `sha256:`"
        say(f"{file.path}: SHA-256 {digest}{pin}")
    say(f"data: {', '.join(f'{name} {n}' for name, n in fetched.images.items())} images")


def print_exported(exported: Exported) -> None:
    """What was written where, what was not, and what may now be said of a generator trained on it."""
    classes = ", ".join(f"{name} {n}" for name, n in exported.counts.items())
    images = sum(exported.counts.values())
    of = "" if exported.patients == images else f" of {exported.patients} patients"
    print(f"{exported.folder}: {images} images{of} ({classes}), and labels.csv")
    print(f"not among them: {', '.join(f'{name} {n}' for name, n in exported.left_out.items())} images")
    print("a generator that was trained on this folder alone may say `trained_on: train`")


def print_plan(bench: Benchmark, plan: Sequence[Trial]) -> None:
    """The trials in their order, with seeds and evaluators."""
    external = "".join(f", {entry.label}" for entry in bench.external)
    say(f"{bench.name}: {len(plan)} trials, {bench.samples} images each, on {bench.dataset.label}{external}")
    say(f"headline: {bench.headline}")
    for number, trial in enumerate(plan, start=1):
        scored = ", ".join(e.label for e in trial.evaluators) or "nobody"
        role = trial.generator.declared.role
        say(
            f"{number:>3}  {trial.generator.label} ({role}), seed {trial.index} = {trial.seed}, scored by {scored}"
        )


def print_board(result: RunResult) -> None:
    """The leaderboard with its intervals, the test sets, then where the files are and what failed."""
    from synthbench.results.folder import read_folder

    console, run = make_console(), read_folder(result.out)
    console.print(_board(result.bench, run, result.tests, console.width))
    for line in [*warnings_of(run.board), *judge_notes(run.board, run.tables["judges"])]:
        say(line)
    if len(run.classes) == 1:
        say(NO_LABELS)
    console.print(_test_sets(result.tests))
    say(f"results: {result.out / 'leaderboard.csv'}, scores.csv, intervals.csv, audit.csv, run.json, trials/")
    if result.failed:  # the reasons were printed when they came up, and stand in the board's notes
        titles = [failed.trial.title for failed in result.failed]
        say(f"failed, wholly or in part (see above): {'; '.join(titles)}")


def _board(bench: Benchmark, run: RunFolder, tests: Sequence[TestSet], width: int) -> Table:
    """A row a generator; what gives way where the window is narrow is a long label, not its numbers."""
    from rich.table import Table

    headline = run.headline_key()
    positive = "".join(sorted({f"; positive class {t.positive}" for t in tests if t.positive}))
    n_classes = max((len(t.counts) for t in tests), default=2)
    macro = f"; macro means over {n_classes} classes" if n_classes > 2 else ""
    place = " on test" * bool(headline.test_set)
    table = Table(title=clean(f"{bench.name}: ranked by {headline.title}{place}{positive}{macro}; 95 % intervals"))
    learned = dig(run.record, "data", "sets", "train", "images", default=None)
    table.caption = clean(caption_of(run.board, learned))
    columns = _columns(bench, run, width)
    texts = ("generator", "role", "status")
    for heading, cells in columns.items():
        table.add_column(
            clean(heading),
            justify="left" if heading in texts else "right",
            overflow="fold",
            no_wrap=heading in ("rank", "role", "seeds"),
            min_width=min(max(map(len, cells), default=0), LEAST_WIDTH.get(heading, NUMBER)),
        )
    for row in zip(*columns.values(), strict=True):
        table.add_row(*row)
    return table


def _columns(bench: Benchmark, run: RunFolder, width: int) -> dict[str, list[str]]:
    """By heading: rank (or "copies"), numbers with intervals, seeds, and where there is room what it cost."""
    board = run.board

    def texts(of: Callable[[Row], str]) -> list[str]:
        return [clean(of(row)) for row in board]

    numbers = {}
    for key in _shown(bench, run):
        known = run.estimates.get(key, {})
        numbers[key.title] = [clean(str(known.get(row["generator"]) or "")) for row in board]
    columns = {
        "rank": texts(rank_of),
        **({"by judge": texts(by_judge)} if bench.judges else {}),
        "generator": texts(lambda row: row[Column.GENERATOR]),
        "role": texts(lambda row: row[Column.ROLE]),
        "status": texts(lambda row: row[Column.STATUS]),
        **numbers,
        Column.WORTH: texts(worth_text),
        "seeds": texts(seeds_of),
        "fit s": texts(lambda row: seconds_of(row, Column.FIT)),
        "score s": texts(lambda row: seconds_of(row, Column.SCORE)),
    }
    idle = ["fit s", "score s"] * (width < ROOM_FOR_COSTS)
    idle += ["status"] * (set(columns["status"]) <= {"done"})
    idle += [Column.WORTH] * (not any(columns[Column.WORTH]))
    return {heading: cells for heading, cells in columns.items() if heading not in idle}


def _shown(bench: Benchmark, run: RunFolder) -> list[ScoreKey]:
    """The headline, by every judge, then what else there is room for; utility."""
    headline, utility = run.headline_key(), ScoreKey("", Column.UTILITY)
    judged = [headline._replace(evaluator=judge) for judge in bench.judges]
    declared = [
        ScoreKey(e.label, metric, test)
        for e in bench.evaluators
        for metric in e.declared.metrics
        for test in ("test", "")
    ]
    measured = [key for key in declared if key in run.estimates]
    shown = list(dict.fromkeys([headline, *judged, *measured]))[: max(3, 1 + len(judged))]
    return shown + [utility] * (utility in run.estimates)


def _test_sets(tests: Sequence[TestSet]) -> Table:
    from rich.table import Table

    table = Table(title="test sets; leaked: training knows the image or the patient")
    for heading in ("test set", "images", "patients", "leaked", "whose images"):
        table.add_column(heading, justify="left" if heading in ("test set", "whose images") else "right")
    for test in tests:
        leaked = f"{test.leaked['leaked']} ({test.share:.0%})" if test.leaked["leaked"] else "0"
        patients = (
            "–" if test.patients == test.images else str(test.patients)
        )  # each its own: nobody may know them
        table.add_row(clean(test.name), str(test.images), patients, leaked, clean(test.domain))
    return table
