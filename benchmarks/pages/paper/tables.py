"""The tables of docs/paper.md, made from the committed files of a run and from nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import yaml
from blocks import markdown
from board_tables import (
    HEADINGS,
    METRICS,
    board,
    by_metric,
    costs,
    facts,
    number,
    rank_of,
    sets,
    size,
    with_interval,
)
from paper import printed as paper
from paper.results import GAN, VGG, PaperResults
from results import Results, by_seed

__all__ = ["BLOCKS", "README_BLOCKS"]

BENCHMARK = Path(__file__).parents[2] / "cxr-cpu.yaml"
SETS = {("test", ""): "test", ("train", "generator"): "train[seen]", ("synthetic", "validation"): "synthetic"}


def ranking(results: Results) -> str:
    """What ranked the run, and whether the benchmark file still says so."""
    wanted = yaml.safe_load(BENCHMARK.read_text(encoding="utf-8"))["headline"]
    started = results.run["started"][:10]
    if results.headline == wanted:
        return f"Ranked by `{wanted}` on `test`."
    return (
        f"The run below, of {started}, was ranked by `{results.headline}`, the headline that {BENCHMARK.name} had "
        f"then. Today the file ranks by `{wanted}` ([why](metrics.md#which-metric-tells-training-sets-apart)): "
        "ranks and utility here are those of the earlier headline."
    )


def excerpt(results: Results) -> str:
    """The board of the README: both classifiers on the held-out test set, likeness, copying, cost."""
    judges = [results.judge(backbone) for backbone in ("vgg16", "cnn")]
    rows = [
        [rank_of(row), row["generator"], row["role"]]
        + [in_short(results, row["generator"], judge) for judge in judges]
        + [number(row["kid"], 2), row["copying"], f"{row['fit_s']:.0f} s"]
        for row in results.board.to_dict("records")
    ]
    return markdown(
        ["rank", "generator", "role", *(f"`{judge}.auroc`" for judge in judges), "`kid`", "copies", "fit"], rows
    )


def in_short(results: Results, generator: str, judge: str) -> str:
    """`with_interval` of AUROC to two digits; of a floor chance, and from where to where its draws went."""
    cell = results.cell(generator, judge, "auroc", "test")
    if cell is None or not cell.check:
        return with_interval(cell, 2)
    draws = by_seed(results, generator, judge, "auroc")
    return f"chance ({min(draws):.2f}–{max(draws):.2f})"


def test_sets(backbone: str) -> Callable[[Results], str]:
    """AUROC, balanced accuracy and accuracy on test, train and synthetic images, side by side."""
    shown = [m for m in METRICS if m != "f1"]

    def make(results: Results) -> str:
        evaluator = results.judge(backbone)
        headings = ["generator", *(f"{HEADINGS[m]}, {label}" for m in shown for label in SETS.values()), "N"]
        rows = []
        for name in by_metric(results, evaluator).generator:
            cells = [results.cell(name, evaluator, m, test_set) for m in shown for test_set, _ in SETS]
            rows.append([name, *map(with_interval, cells), " / ".join(map(size, cells[: len(SETS)]))])
        return markdown(headings, rows)

    return make


def table_2(backbone: str, metric: str) -> Callable[[Results], str]:
    """One metric on every test set that is no training image, whole and without the leaked images."""

    def make(results: Results) -> str:
        i, evaluator = results.intervals, results.judge(backbone)
        asked = i[(i.evaluator == evaluator) & (i.metric == metric) & (i.seen == "")]
        names = [
            name for name in dict.fromkeys(asked.test_set) if asked[asked.test_set == name].value.notna().any()
        ]
        rows = [
            [name, *(with_interval(results.cell(name, evaluator, metric, test_set)) for test_set in names)]
            for name in by_metric(results, evaluator).generator
        ]
        counted = ["N", *(size(results.cell(rows[0][0], evaluator, metric, test_set)) for test_set in names)]
        return markdown([f"{HEADINGS[metric]}, trained on", *(f"`{name}`" for name in names)], [*rows, counted])

    return make


def shortcuts(results: Results) -> str:
    """The same classifier with and without lungs, and what the files alone give away."""
    rows = [
        [name]
        + [
            with_interval(results.cell(name, evaluator, metric, "test"))
            for metric in ("balanced_accuracy", "auroc")
            for evaluator in (results.judge("cnn"), "lungs-masked", "file-geometry")
        ]
        for name in results.board[results.board.role != "floor"].generator  # the files are the same for all
    ]
    who = ("whole images", "lungs blacked out", "file geometry alone")
    return markdown(
        ["generator", *(f"{HEADINGS[m]}, {w}" for m in ("balanced_accuracy", "auroc") for w in who)], rows
    )


def table_1(results: PaperResults) -> str:
    """The paper's Table 1 as printed, as it reads rightly, and ours on seen and on held-out images."""
    columns = [paper.PRINTED, paper.righted()] + [our_report(results, name) for name in ("train", "test")]
    headings = ["", "paper, as printed", "paper, arguments in the right order", "ours, seen images (train)"]
    rows = [[row, *(cell(column[row]) for column in columns)] for row in columns[1]]
    return markdown([*headings, "ours, held-out images (test)"], rows)


def cell(value: float | int | str | None) -> str:
    """Counts and texts as they are, the rest to the paper's two digits; a dash where it prints nothing."""
    return "–" if value is None else str(value) if isinstance(value, int | str) else number(value, 2)


def our_report(results: PaperResults, test_set: str) -> dict[str, float | int | str | None]:
    """The same rows as the paper's, for the VGG16 trained on our ACGAN's images (first seed)."""
    rows: dict[str, float | int | str | None] = {}
    for name in paper.CLASSES:
        found = results.report_row(test_set, name)
        rows |= {f"{name} {what}": found[what] for what in ("precision", "recall", "f1")}
        rows[f"{name} support"] = int(found["support"])
    for metric in ("accuracy", "balanced_accuracy"):
        rows[metric.replace("_", " ")] = by_seed(results, GAN, VGG, metric, test_set)[0]
    return rows


def confusions(results: PaperResults) -> str:
    """Counts, rows the true class; the paper's follow from its Table 1."""
    ours = {"ours, seen images (train)": "train", "ours, held-out images (test)": "test"}
    rows = [["paper, seen images", *(str(n) for row in paper.CONFUSION for n in row)]]
    for label, test_set in ours.items():
        table = results.confusion[results.confusion.test_set == test_set].set_index("true")
        rows.append([label, *(str(table.loc[true, said]) for true in paper.CLASSES for said in paper.CLASSES)])
    headings = [f"{true} called {said}" for true in paper.CLASSES for said in paper.CLASSES]
    return markdown(["", *headings], rows)


def losses(results: PaperResults) -> str:
    """The four losses at the steps that the paper prints, and at our last."""
    ours = results.losses.set_index("step")
    rows = []
    for step in dict.fromkeys([*paper.LOSSES, int(ours.index[-1])]):
        pairs = zip(paper.LOSSES.get(step, [None] * 4), paper.LOSS_COLUMNS, strict=True)
        both = [(printed, ours[name].get(step)) for printed, name in pairs]
        rows.append([str(step), *(number(value) for pair in both for value in pair)])
    what = ("D tag", "D labels", "G tag", "G labels")
    return markdown(["step", *(f"{loss}, {who}" for loss in what for who in ("paper", "ours"))], rows)


BLOCKS: dict[str, Callable[[PaperResults], str]] = {
    "table-1": table_1,
    "confusions": confusions,
    "ranking": ranking,
    "leaderboard-cnn": board("cnn"),
    "leaderboard-vgg16": board("vgg16"),
    "test-sets-cnn": test_sets("cnn"),
    "test-sets-vgg16": test_sets("vgg16"),
    "sets": sets,
    "table-2-balanced-accuracy": table_2("cnn", "balanced_accuracy"),
    "table-2-auroc": table_2("cnn", "auroc"),
    "table-2-recall": table_2("cnn", "recall"),
    "table-2-vgg16": table_2("vgg16", "auroc"),
    "shortcuts": shortcuts,
    "losses": losses,
    "run-facts": facts,
    "costs": costs,
}
README_BLOCKS: dict[str, Callable[[Results], str]] = {"board": excerpt}
