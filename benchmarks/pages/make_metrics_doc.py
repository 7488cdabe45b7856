"""docs/metrics.md from runs: `python benchmarks/pages/make_metrics_doc.py [--run RUN_DIR] [--stress STRESS_DIR]`.

Copies the signatures of a run of benchmarks/cxr-cpu.yaml and the verdicts of a stress test to docs/results, draws
docs/images/stress.png, and rewrites the generated blocks of docs/metrics.md from what is committed there. The
run's other files are those that make_paper_doc.py copies; docs/results/headline is headline_table.py's.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from blocks import rewrite
from metrics_answer import metrics_answer
from metrics_tables import BLOCKS, SHOWN, load_metrics

DOCS = Path(__file__).parents[2] / "docs"
PAGE, RESULTS, STRESS = DOCS / "metrics.md", DOCS / "results" / "cxr-cpu", DOCS / "results" / "cxr-stress"
PICTURE = DOCS / "images" / "stress.png"
PAGE_BLOCKS = {"answer": metrics_answer, **BLOCKS}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, help="a finished run of benchmarks/cxr-cpu.yaml")
    parser.add_argument("--stress", type=Path, help="the folder of a stress test of benchmarks/cxr-cpu.yaml")
    arguments = parser.parse_args()
    if arguments.run:
        copy_signatures(arguments.run, RESULTS / "signatures.txt")
    if arguments.stress:
        STRESS.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(arguments.stress / "stress.csv", STRESS / "stress.csv")
        draw_picture(arguments.stress, PICTURE)
    results = load_metrics(RESULTS.parent)
    PAGE.write_text(rewrite(PAGE.read_text(encoding="utf-8"), results, PAGE_BLOCKS), encoding="utf-8")
    print(f"{PAGE.name}: written; look at {PICTURE} before you commit it")


def copy_signatures(run: Path, target: Path) -> None:
    """The lines of all evaluators that left some for the ACGAN."""
    files = sorted((run / "trials" / "acgan" / "seed-0").glob("*/signature.txt"))
    target.write_text("".join(file.read_text(encoding="utf-8") for file in files), encoding="utf-8")


def draw_picture(folder: Path, target: Path) -> None:
    """The picture of a stress test with the rows of `SHOWN` alone, in few colours."""
    import pandas as pd
    from PIL import Image

    from synthbench import read_picture
    from synthbench.leaderboard.score_key import ScoreKey
    from synthbench.stress.picture import draw
    from synthbench.stress.sweep import Point
    from synthbench.stress.verdicts import Finding

    def rows(name: str, numbers: tuple[str, ...]) -> list[dict[str, object]]:
        table = pd.read_csv(folder / name, keep_default_na=False, na_values={key: [""] for key in numbers})
        found = [{str(key): value for key, value in row.items()} for row in table.to_dict("records")]
        where = ("evaluator", "metric", "test_set", "seen")
        columns = [ScoreKey(*(str(row.pop(key)) for key in where), variant="") for row in found]
        both = zip(found, columns, strict=True)
        return [{**row, "column": column} for row, column in both if column.name in SHOWN]

    findings = [
        Finding(**{key: value for key, value in row.items() if key != "leaves_at_amount"})  # type: ignore[arg-type]
        for row in rows("stress.csv", ("spearman", "leaves_at", "base", "last", "tolerance"))
    ]
    points = [
        Point(**{key: value for key, value in row.items() if key != "amount"})  # type: ignore[arg-type]
        for row in rows("points.csv", ("value", "low", "high"))
    ]
    draw(target, "Real chest X-rays made worse, 1000 against 1000", findings, points)
    read_picture(target).convert("P", palette=Image.Palette.ADAPTIVE, colors=64).save(target, optimize=True)


if __name__ == "__main__":
    main()
