"""docs/paper.md says what the committed results say."""

from __future__ import annotations

import importlib
import json
import re
import shutil
from pathlib import Path

import make_paper_doc
import pandas as pd
import pytest
import results as committed
import yaml
from blocks import rewrite
from paper import printed, tables
from paper.networks import trace
from paper.results import FILES, load_results

from tests.helpers.places import ROOT

PAGE = ROOT / "docs" / "paper.md"
RESULTS = ROOT / "docs" / "results" / "cxr-cpu"
MAX_BYTES = 300_000


def block(name: str) -> list[list[str]]:
    """The cells of a generated table, heading first, without the rule."""
    found = re.search(
        rf"<!-- generated: {name} -->\n(.*?)\n<!-- end -->", PAGE.read_text(encoding="utf-8"), re.DOTALL
    )
    assert found, f"no block {name}"
    lines = found[1].splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in [lines[0], *lines[2:]]]


def test_page_is_what_the_results_make() -> None:
    text = PAGE.read_text(encoding="utf-8")
    fresh = rewrite(text, load_results(RESULTS), make_paper_doc.PAGE_BLOCKS)
    assert text == fresh, "run `python benchmarks/pages/make_paper_doc.py` and commit docs/"


def test_the_readme_shows_the_same_results() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    fresh = rewrite(text, load_results(RESULTS), tables.README_BLOCKS)
    assert text == fresh, "run `python benchmarks/pages/make_paper_doc.py` and commit README.md"


def test_a_changed_score_is_noticed(tmp_path: Path) -> None:
    shutil.copytree(RESULTS, tmp_path / "results")
    scores = pd.read_csv(RESULTS / "intervals.csv")
    chosen = (scores.generator == "acgan") & (scores.metric == "auroc") & (scores.test_set == "test")
    scores.loc[chosen, "value"] = 0.123456
    scores.to_csv(tmp_path / "results" / "intervals.csv", index=False)
    text = PAGE.read_text(encoding="utf-8")
    fresh = rewrite(text, load_results(tmp_path / "results"), make_paper_doc.PAGE_BLOCKS)
    assert "0.123" in fresh
    assert "AUROC of the small CNN on ACGAN images: .123;" in fresh


def test_a_run_of_an_earlier_headline_is_called_so() -> None:
    wanted = yaml.safe_load((ROOT / "benchmarks" / "cxr-cpu.yaml").read_text(encoding="utf-8"))["headline"]
    for headline, said in (("x.recall", "was ranked by `x.recall`"), (wanted, f"Ranked by `{wanted}` on `test`.")):
        results = load_results(RESULTS)
        results.run["benchmark"]["headline"] = headline
        assert said in tables.ranking(results)


def test_missing_file_is_named(tmp_path: Path) -> None:
    shutil.copytree(RESULTS, tmp_path / "results")
    (tmp_path / "results" / "run.json").unlink()
    with pytest.raises(FileNotFoundError, match=r"run\.json"):
        load_results(tmp_path / "results")


def test_missing_block_is_named() -> None:
    with pytest.raises(ValueError, match="table-1"):
        rewrite("# no blocks here\n", load_results(RESULTS), make_paper_doc.PAGE_BLOCKS)


@pytest.mark.parametrize("backbone", ["cnn", "vgg16"])
def test_leaderboard_agrees_with_both_files(backbone: str) -> None:
    heading, *rows = block(f"leaderboard-{backbone}")
    evaluator = load_results(RESULTS).judge(backbone)
    scores = pd.read_csv(RESULTS / "scores.csv")
    intervals = pd.read_csv(RESULTS / "intervals.csv", keep_default_na=False)
    cells = intervals.query("evaluator == @evaluator and test_set == 'test' and variant == ''")
    wide = cells.set_index(["generator", "metric"]).wide == "True"
    cells = cells.set_index(["generator", "metric"])[["value", "low", "high"]].apply(pd.to_numeric)
    on_test = scores[(scores.evaluator == evaluator) & (scores.test_set == "test")]
    assert rows
    columns = {"balanced accuracy": "balanced_accuracy", "AUROC": "auroc", "accuracy": "accuracy", "F1": "f1"}
    for row in (dict(zip(heading, cells, strict=True)) for cells in rows):
        for title, metric in columns.items():
            if row[title].startswith("chance "):
                check = intervals.query(
                    "generator == @row['generator'] and metric == @metric and evaluator == @evaluator"
                )
                assert row[title] == check.query("test_set == 'test' and variant == ''").check.item()
                continue
            mine = on_test[(on_test.generator == row["generator"]) & (on_test.metric == metric)]
            value, low, high = cells.loc[(row["generator"], metric)]
            assert row[title].partition(" (")[0] == f"{mine.value.mean():.3f}" == f"{value:.3f}"
            seeds = ", ".join(f"{one:.3f}" for one in mine.groupby("seed").value.mean())
            seen = f"seeds {seeds}" if wide[row["generator"], metric] else f"{low:.3f}–{high:.3f}"
            assert row[title].endswith(f"({seen})")


def test_the_committed_board_is_one_to_print() -> None:
    board = pd.read_csv(RESULTS / "leaderboard.csv")
    assert len(board.columns) <= 40
    assert all(name.isidentifier() for name in board)
    texts = {"generator", "role", "status", "trained_on", "copying", "judges", "note"}
    assert {name for name in board if not pd.api.types.is_numeric_dtype(board[name])} <= texts


def test_confusions_give_the_accuracies_of_scores_csv() -> None:
    counts = pd.read_csv(RESULTS / "acgan-vgg16-confusion.csv")
    scores = pd.read_csv(RESULTS / "scores.csv")
    ours = scores[
        (scores.generator == "acgan")
        & (scores.evaluator == "tstr-vgg16")
        & (scores.metric == "accuracy")
        & (scores.seed == 0)
    ]
    for row in ours.itertuples():
        table = counts[counts.test_set == row.test_set].set_index("true")[["NORMAL", "PNEUMONIA"]]
        right = table.loc["NORMAL", "NORMAL"] + table.loc["PNEUMONIA", "PNEUMONIA"]
        assert right / table.to_numpy().sum() == pytest.approx(row.value)
        assert table.to_numpy().sum() == row.n


def test_the_run_is_the_benchmark_on_the_whole_data() -> None:
    run = json.loads((RESULTS / "run.json").read_text(encoding="utf-8"))
    sets = {name: data["counts"] for name, data in run["data"]["sets"].items()}
    whole = {name: sets["train"][name] + sets["holdout"][name] for name in sets["train"]}
    assert whole == {"NORMAL": 1341, "PNEUMONIA": 3875}
    assert sets["test"] == {"NORMAL": 234, "PNEUMONIA": 390}
    assert run["command"][:2] == ["run", "benchmarks/cxr-cpu.yaml"]
    assert "--set" not in run["command"]
    assert {trial["status"] for trial in run["trials"]} == {"done"}


def test_results_name_no_folder_of_a_machine() -> None:
    for name in FILES:
        text = (RESULTS / name).read_text(encoding="utf-8")
        assert not committed.FOLDERS.search(text), name


def test_folders_are_taken_out(tmp_path: Path) -> None:
    told = {
        "command": ["--out", "/srv/me/runs/x", "dataset.root=/data/sets/cxr", "benchmarks/cxr-cpu.yaml"],
        "n": 1,
    }
    (tmp_path / "run.json").write_text(json.dumps(told), encoding="utf-8")
    committed.copy_results(tmp_path, tmp_path / "copy", {"run.json": "run.json"})
    copy = json.loads((tmp_path / "copy" / "run.json").read_text(encoding="utf-8"))
    assert copy == {"command": ["--out", "x", "dataset.root=cxr", "benchmarks/cxr-cpu.yaml"], "n": 1}


def test_the_papers_table_is_the_swapped_report_of_its_counts() -> None:
    swapped = printed.swapped()
    for row, value in printed.PRINTED.items():
        if value is not None:
            assert round(swapped[row], 2) == value, row
    assert round(printed.righted()["accuracy"], 4) == 0.8547
    assert round(printed.righted()["balanced accuracy"], 4) == 0.8985
    assert [sum(row) for row in printed.CONFUSION] == [1341, 3875]


def test_pictures_and_links_exist_and_are_small() -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", PAGE.read_text(encoding="utf-8"))
    pictures = [PAGE.parent / link for link in links if link.startswith("images/")]
    assert len(pictures) == 8
    assert [link for link in links if not (PAGE.parent / link).exists()] == []
    assert all(0 < picture.stat().st_size <= MAX_BYTES for picture in pictures)


@pytest.mark.parametrize("name", ["Generator", "Discriminator"])
def test_drawings_and_page_have_the_networks_own_numbers(name: str) -> None:
    model = importlib.import_module("synthbench_acgan.model")
    network = getattr(model, name)()
    total, grey = (sum(p.numel() for p in n.parameters()) for n in (network, getattr(model, name)(channels=1)))
    drawing = (PAGE.parent / "images" / f"acgan-{name.lower()}.svg").read_text(encoding="utf-8")
    assert f"{total:,} parameters" in drawing
    for layer in network.modules():
        own = sum(p.numel() for p in layer.parameters(recurse=False))
        assert not own or f"{own:,} parameters" in drawing
    page = PAGE.read_text(encoding="utf-8")
    assert f"{total:,}" in page
    assert f"{grey:,}" in page


def test_activations_are_drawn_on_the_layer_they_follow() -> None:
    torch = importlib.import_module("torch")
    boxes = trace(importlib.import_module("synthbench_acgan.model").Discriminator(), torch.zeros(1, 3, 64, 64))
    text = {box.name: box.text for box in boxes}
    assert text["tag"] == "Linear 16,384 → 1"
    assert text["classify"] == "Linear 256 → 2, softmax"
    assert text["convs.3"].endswith("stride 1, LeakyReLU 0.2")
