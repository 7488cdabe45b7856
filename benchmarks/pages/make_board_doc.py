"""docs/board.md from a run: `python benchmarks/pages/make_board_doc.py [RUN_DIR]`.

Copies the small result files of a run of benchmarks/cxr-board.yaml to docs/results/cxr-board and its samples to
docs/images/board.png, and rewrites the generated blocks of docs/board.md from the copies.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Hashable, Mapping
from pathlib import Path

import pandas as pd
from blocks import markdown, rewrite
from board_answer import BACKBONES, PAPERS, board_answer, rank_by
from board_tables import by_metric, costs, facts, number, rank_of, with_interval
from foretold import foretold, table
from paper.figures import draw_grids
from results import FILES, Results, copy_results, load_results

from synthbench.leaderboard.utility import worth_text

DOCS = Path(__file__).parents[2] / "docs"
PAGE, RESULTS, PICTURE = DOCS / "board.md", DOCS / "results" / "cxr-board", DOCS / "images" / "board.png"


def standings(results: Results) -> str:
    """Every row, best headline first: both judges and their ranks, copying, worth, price."""
    judges = [results.judge(backbone) for backbone in BACKBONES]
    rows = [
        [f"`{row['generator']}`", row["role"]]
        + [with_interval(results.cell(row["generator"], judge, "auroc", "test")) for judge in judges]
        + [rank_of(row), rank_by(judges[1], row["judges"])]
        + ["" if pd.isna(row["copying"]) else row["copying"], worth(row)]
        + [number((row["fit_s"] + row["sample_s"]) / 60, 1)]
        for row in results.board.to_dict("records")
    ]
    asked = [f"`{judge}.auroc`" for judge in judges]
    return markdown(["generator", "role", *asked, "rank", "by the CNN", "copies", "worth", "minutes"], rows)


def worth(row: Mapping[Hashable, object]) -> str:
    """How many class-balanced real images give the same headline, as the report says it."""
    return worth_text({str(name): "" if pd.isna(value) else str(value) for name, value in row.items()})


def against_the_paper(results: Results) -> str:
    """The headline's difference to the paper's generator, candidate by candidate."""
    rows = []
    for pair in results.comparisons.to_dict("records"):
        if PAPERS in (pair["a"], pair["b"]):
            sign = 1 if pair["b"] == PAPERS else -1
            other = pair["a"] if sign == 1 else pair["b"]
            ends = sorted(sign * float(pair[end]) for end in ("low", "high"))
            difference = sign * float(pair["difference"])
            rows.append((difference, [f"`{other}`", f"{difference:+.3f}", "{:+.3f} to {:+.3f}".format(*ends)]))
            rows[-1][1].append(number(float(pair["p_holm"])))
    lines = [row for _, row in sorted(rows, key=lambda item: -item[0])]
    return markdown([f"`{results.headline}` less `{PAPERS}`'s", "difference", "95 % interval", "p (Holm)"], lines)


LIKENESS = {
    "kid": ("`kid`", 3, -1),
    "fd": ("`fd`", 1, -1),
    "precision_recall_precision": ("precision", 2, 1),
    "density_coverage_density": ("density", 2, 1),
    "vendi": ("`vendi`", 2, 1),
    "c2st_auroc": ("`c2st`", 2, -1),
    "membership_auroc": ("`membership`", 2, -1),
}
"""What looks at the images alone: heading, digits, 1 where higher is better."""


def likeness(results: Results) -> str:
    """Those of each generator, and how many of its images are copies."""
    rows = [
        [f"`{row['generator']}`"]
        + [number(row[name], digits) for name, (_, digits, _) in LIKENESS.items()]
        + [number(row["memorisation_verified_copies"], 2)]
        for row in results.board.to_dict("records")
    ]
    headings = [heading for heading, *_ in LIKENESS.values()]
    return markdown(["generator", *headings, "verified copies"], rows)


def elsewhere(results: Results) -> str:
    """The headline on the test sets that are no part of the training set's."""
    evaluator, _, metric = results.headline.rpartition(".")
    cells = results.intervals[(results.intervals.evaluator == evaluator) & (results.intervals.metric == metric)]
    cells = cells[(cells.variant == "") & (cells.seen == "") & cells.value.notna() & (cells.test_set != "test")]
    names = list(dict.fromkeys(cells.test_set))
    rows = [
        [f"`{name}`", *(with_interval(results.cell(name, evaluator, metric, test_set)) for test_set in names)]
        for name in by_metric(results, evaluator).generator
    ]
    return markdown(["generator", *(f"`{name}`" for name in names)], rows)


def who_foretold(results: Results) -> str:
    """Which of them had the candidates in the headline's order."""
    evaluator, _, metric = results.headline.rpartition(".")
    column = f"{evaluator}_{metric}".replace("-", "_")
    candidates = results.board[results.board.role == "candidate"]
    return table(foretold(candidates, column, {name: sign for name, (_, _, sign) in LIKENESS.items()}))


BLOCKS: dict[str, Callable[[Results], str]] = {
    "answer": board_answer,
    "standings": standings,
    "against-the-paper": against_the_paper,
    "likeness": likeness,
    "elsewhere": elsewhere,
    "foretold": who_foretold,
    "costs": costs,
    "run-facts": facts,
}


def draw_samples(run: Path, results: Results, path: Path) -> None:
    """Of each candidate that has images of its own: who copies would show patients, `select` shows its base's."""
    selects = {g["label"] for g in results.run["benchmark"]["generators"] if g["use"] == "select"}
    own = results.board[(results.board.role == "candidate") & (results.board.copying == "no")]
    shown = [label for label in own.generator if label not in selects]
    samples = [run / "trials" / label / "seed-0" / "generator" / "samples.png" for label in shown]
    draw_grids(samples, path, titles=shown)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, nargs="?", help="a finished run of benchmarks/cxr-board.yaml")
    run = parser.parse_args().run
    if run:
        copy_results(run, RESULTS, FILES)
    results = load_results(RESULTS)
    if run:
        draw_samples(run, results, PICTURE)
    PAGE.write_text(rewrite(PAGE.read_text(encoding="utf-8"), results, BLOCKS), encoding="utf-8")
    print(f"{PAGE.name}: written; look at {RESULTS} and {PICTURE} before you commit them")


if __name__ == "__main__":
    main()
