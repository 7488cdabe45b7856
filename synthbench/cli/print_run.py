"""What people see on the terminal: the plan, the board."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from synthbench.benchmark.definition import Benchmark
from synthbench.benchmark.plan import Trial
from synthbench.cli.console import (
    board_of,
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
    from synthbench.commands.fetch import Fetched
    from synthbench.data.test_sets import TestSet
    from synthbench.results.folder import RunFolder
    from synthbench.runner.loop import RunResult

__all__ = ["print_board", "print_exported", "print_fetched", "print_plan"]


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
    console.print(_board(result.bench, run, result.tests))
    for line in [*warnings_of(run.board), *judge_notes(run.board, run.tables["judges"])]:
        say(line)
    if len(run.classes) == 1:
        say(NO_LABELS)
    console.print(_test_sets(result.tests))
    say(f"results: {result.out / 'leaderboard.csv'}, scores.csv, intervals.csv, audit.csv, run.json, trials/")
    if result.failed:  # the reasons were printed when they came up, and stand in the board's notes
        titles = [failed.trial.title for failed in result.failed]
        say(f"failed, wholly or in part (see above): {'; '.join(titles)}")


def _board(bench: Benchmark, run: RunFolder, tests: Sequence[TestSet]) -> Table:
    positive = "".join(sorted({f"; positive class {t.positive}" for t in tests if t.positive}))
    n_classes = max((len(t.counts) for t in tests), default=2)
    macro = f"; macro means over {n_classes} classes" if n_classes > 2 else ""
    title = f"{bench.name}: ranked by {run.ranked_by}{positive}{macro}; 95 % intervals"
    learned = dig(run.record, "data", "sets", "train", "images", default=None)
    headline, *further = _shown(bench, run)
    spare = [*(key.title for key in reversed(further)), Column.WORTH, "by judge", "status", Column.UTILITY, "role"]
    return board_of(title, caption_of(run.board, learned), _columns(bench, run, [headline, *further]), spare)


def _columns(bench: Benchmark, run: RunFolder, shown: Sequence[ScoreKey]) -> dict[str, list[str]]:
    """By heading: rank (or "copies"), numbers with intervals, seeds, what it cost."""
    board = run.board
    utility = ScoreKey("", Column.UTILITY)
    known = {key.title: run.estimates.get(key, {}) for key in [*shown, *[utility] * (utility in run.estimates)]}
    return {
        "rank": [rank_of(row) for row in board],
        **({"by judge": [by_judge(row) for row in board]} if bench.judges else {}),
        **{name: [row[name] for row in board] for name in (Column.GENERATOR, Column.ROLE, Column.STATUS)},
        **{title: [str(of.get(row[Column.GENERATOR]) or "") for row in board] for title, of in known.items()},
        Column.WORTH: [worth_text(row) for row in board],
        "seeds": [seeds_of(row) for row in board],
        "fit s": [seconds_of(row, Column.FIT) for row in board],
        "score s": [seconds_of(row, Column.SCORE) for row in board],
    }


def _shown(bench: Benchmark, run: RunFolder) -> list[ScoreKey]:
    """The headline, by every judge, then what else there is room for."""
    headline = run.headline_key()
    judged = [headline._replace(evaluator=judge) for judge in bench.judges]
    declared = [
        ScoreKey(e.label, metric, test)
        for e in bench.evaluators
        for metric in e.declared.metrics
        for test in ("test", "")
    ]
    measured = [key for key in declared if key in run.estimates]
    return list(dict.fromkeys([headline, *judged, *measured]))[: max(3, 1 + len(judged))]


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
