"""docs/board.md says what the committed run says."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import make_board_doc as page
import pandas as pd
from blocks import rewrite
from results import FILES, FOLDERS, load_results

from tests.helpers.places import ROOT


def test_the_page_is_what_the_results_make() -> None:
    text = page.PAGE.read_text(encoding="utf-8")
    fresh = rewrite(text, load_results(page.RESULTS), page.BLOCKS)
    assert text == fresh, "run `python benchmarks/pages/make_board_doc.py` and commit docs/"


def test_a_changed_number_changes_the_page(tmp_path: Path) -> None:
    shutil.copytree(page.RESULTS, tmp_path / "run")
    board = pd.read_csv(tmp_path / "run" / "leaderboard.csv")
    board.loc[0, "kid"] = 7.654
    board.to_csv(tmp_path / "run" / "leaderboard.csv", index=False)
    assert "7.654" in page.likeness(load_results(tmp_path / "run"))


def test_the_papers_generator_is_subtracted_whichever_side_it_stands_on() -> None:
    results = load_results(page.RESULTS)
    table = page.against_the_paper(results)
    assert len(table.splitlines()) == 2 + sum(results.comparisons[["a", "b"]].eq(page.PAPERS).any(axis=1))
    assert len(table.splitlines()) > 4
    for pair in results.comparisons.to_dict("records"):
        if page.PAPERS in (pair["a"], pair["b"]):
            other = pair["b"] if pair["a"] == page.PAPERS else pair["a"]
            values = results.board.set_index("generator")[results.headline.replace(".", "_").replace("-", "_")]
            assert f"| `{other}` | {values[other] - values[page.PAPERS]:+.3f} |" in table


def test_the_run_is_the_shipped_file_on_the_whole_data() -> None:
    run = json.loads((page.RESULTS / "run.json").read_text(encoding="utf-8"))
    assert run["benchmark"]["name"] == "cxr-board"
    assert run["data"]["sets"]["test"]["counts"] == {"NORMAL": 234, "PNEUMONIA": 390}
    assert {trial["status"] for trial in run["trials"]} == {"done"}


def test_no_folder_of_a_machine_is_named() -> None:
    for name in FILES:
        assert not FOLDERS.search((page.RESULTS / name).read_text(encoding="utf-8")), name


def test_the_picture_is_there_and_small() -> None:
    assert 0 < page.PICTURE.stat().st_size <= 300_000
    assert page.PICTURE.is_relative_to(ROOT / "docs")
