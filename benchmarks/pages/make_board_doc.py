"""docs/board.md from a run: `python benchmarks/pages/make_board_doc.py [RUN_DIR]`.

Copies the small result files of a run of benchmarks/cxr-board.yaml to docs/results/cxr-board and its samples to
docs/images/board.png, and rewrites the generated blocks of docs/board.md from the copies.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import pandas as pd
from blocks import markdown, rewrite
from board_tables import by_metric, costs, facts, number, rank_of, with_interval
from foretold import of_scores, table
from paper.figures import draw_grids
from results import FILES, Results, by_seed, copy_results, load_results

DOCS = Path(__file__).parents[2] / "docs"
PAGE, RESULTS, PICTURE = DOCS / "board.md", DOCS / "results" / "cxr-board", DOCS / "images" / "board.png"
BACKBONES = ("vgg16", "cnn")
PAPERS = "acgan"
"""The generator that all are held against."""


def standings(results: Results) -> str:
    """Every row, best headline first: rank, both judges, copying, what its images are worth, its price."""
    judges = [results.judge(backbone) for backbone in BACKBONES]
    rows = [
        [rank_of(row), f"`{row['generator']}`", row["role"], str(row["seeds"])]
        + [with_interval(results.cell(row["generator"], judge, "auroc", "test")) for judge in judges]
        + ["" if pd.isna(row["copying"]) else row["copying"], worth(row), minutes(row["fit_s"] + row["sample_s"])]
        for row in results.board.to_dict("records")
    ]
    asked = [f"`{judge}.auroc`" for judge in judges]
    return markdown(["rank", "generator", "role", "seeds", *asked, "copies", "worth", "minutes"], rows)


def worth(row: dict[str, object]) -> str:
    """How many class-balanced real images give the same headline."""
    if "worth" not in row or pd.isna(row["worth"]):
        return ""
    low, value, high = (number(row[f"worth{end}"], 0) for end in ("_low", "", "_high"))
    return f"{value} ({low}–{high})"


def minutes(seconds: object) -> str:
    return number(float(str(seconds)) / 60, 1)


def single_seeds(results: Results) -> str:
    """What each training gave, the headline's judge first."""
    judges = [results.judge(backbone) for backbone in BACKBONES]
    rows = [
        [f"`{name}`", *(", ".join(number(one) for one in by_seed(results, name, j, "auroc")) for j in judges)]
        for name in results.board.generator
    ]
    return markdown(["generator", *(f"`{judge}.auroc`" for judge in judges)], rows)


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


def likeness(results: Results) -> str:
    """What looks at the images alone, a generator a row."""
    columns = {
        "kid": 3,
        "fd": 1,
        "precision_recall_precision": 2,
        "density_coverage_density": 2,
        "vendi": 2,
        "c2st_auroc": 2,
        "membership_auroc": 2,
        "memorisation_verified_copies": 2,
    }
    rows = [
        [f"`{row['generator']}`", *(number(row[name], digits) for name, digits in columns.items())]
        for row in results.board.to_dict("records")
    ]
    return markdown(["generator", *(f"`{name}`" for name in columns)], rows)


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


def foretold(results: Results) -> str:
    """Which metric of images had the candidates in the headline's order."""
    return table(of_scores(results.scores, results.headline, ("candidate",)))


BLOCKS: dict[str, Callable[[Results], str]] = {
    "standings": standings,
    "single-seeds": single_seeds,
    "against-the-paper": against_the_paper,
    "likeness": likeness,
    "elsewhere": elsewhere,
    "foretold": foretold,
    "costs": costs,
    "run-facts": facts,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, nargs="?", help="a finished run of benchmarks/cxr-board.yaml")
    run = parser.parse_args().run
    if run:
        copy_results(run, RESULTS, FILES)
        pictures = sorted((run / "trials").glob("*/seed-0/generator/samples.png"))
        draw_grids(pictures, PICTURE, titles=[picture.parts[-4] for picture in pictures])
    PAGE.write_text(rewrite(PAGE.read_text(encoding="utf-8"), load_results(RESULTS), BLOCKS), encoding="utf-8")
    print(f"{PAGE.name}: written; look at {RESULTS} and {PICTURE} before you commit them")


if __name__ == "__main__":
    main()
