"""docs/metrics.md says what the committed results say."""

from __future__ import annotations

import re

import metrics_tables as tables
import pandas as pd
import pytest
import separation
from blocks import rewrite
from make_metrics_doc import PAGE_BLOCKS

from tests.helpers.places import ROOT

PAGE = ROOT / "docs" / "metrics.md"
RESULTS = ROOT / "docs" / "results"


def cells(name: str) -> dict[str, list[str]]:
    """A generated table: by the first cell of each row the others; the heading is ""."""
    found = re.search(
        rf"<!-- generated: {name} -->\n(.*?)\n<!-- end -->", PAGE.read_text(encoding="utf-8"), re.DOTALL
    )
    assert found, f"no block {name}"
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in found[1].splitlines()]
    return {row[0]: row[1:] for row in rows if row[0] != "---"}


def test_the_page_is_what_the_results_make() -> None:
    text = PAGE.read_text(encoding="utf-8")
    fresh = rewrite(text, tables.load_metrics(RESULTS), PAGE_BLOCKS)
    assert text == fresh, "run `python benchmarks/pages/make_metrics_doc.py` and commit docs/"


def runs(values: dict[str, list[float]]) -> pd.DataFrame:
    return pd.DataFrame([{"training": name, "value": v} for name, of_set in values.items() for v in of_set])


def test_how_well_training_sets_are_told_apart() -> None:
    apart = runs({"a": [1.0, 3.0], "b": [11.0, 13.0]})  # means 2 and 12, each with variance 2
    assert separation.variance_ratio(apart) == pytest.approx(50 / 2)
    assert separation.pairs_in_order(apart) == 1
    mixed = runs({"a": [1.0, 4.0], "b": [4.0, 5.0]})  # b above a in 3 of 4 pairs, level in one
    assert separation.pairs_in_order(mixed) == pytest.approx(3.5 / 4)
    ladder = pd.DataFrame({"noise": [0.0, 0.2, 0.4, 0.8], "value": [0.9, 0.95, 0.7, 0.6]})
    assert separation.ladder_correlation(ladder) == pytest.approx(0.8)


def test_what_the_page_says_of_the_headline() -> None:
    """AUROC tells training sets apart where balanced accuracy at .5 does not; both figures stand in the text."""
    table, page = cells("separation"), PAGE.read_text(encoding="utf-8")
    auroc, balanced = (list(map(float, table[f"`{name}`"])) for name in ("auroc", "balanced_accuracy"))
    assert auroc[0] > 2 * balanced[0]
    assert auroc[2] > 2 * balanced[2]
    assert f"vary {balanced[0]} times as much as the seeds of one do, by AUROC {auroc[0]} times" in page
    committed = pd.read_csv(RESULTS / "headline" / "runs.csv")
    assert committed.seed.nunique() >= 3
    assert (
        committed.groupby(["training", "seed"]).ngroups == committed.training.nunique() * committed.seed.nunique()
    )
    worst = committed[committed.training.str.startswith("80%") & (committed.test_set == "test")]
    ends = worst[worst.metric == "auroc"].value.agg(["min", "max"]).map("{:.2f}".format)
    assert f"went from {ends['min'][1:]} to {ends['max'][1:]} over" in page


def test_the_shipped_recipe_is_within_the_margin_of_the_best() -> None:
    recipes = pd.read_csv(RESULTS / "recipes" / "cnn.csv")
    means = recipes.groupby("recipe").auroc.mean()
    assert means.max() - means["shipped"] <= 0.01
    assert means["shipped"] > 0.99, "as the page says: no room for one better by .01"
    assert list(cells("recipes")) == ["recipe", *dict.fromkeys(recipes.recipe)]


def test_a_cell_is_the_score() -> None:
    scores = pd.read_csv(RESULTS / "cxr-cpu" / "scores.csv", keep_default_na=False)
    kid = scores[(scores.metric == f"kid{tables.SPACE}") & (scores.generator == "acgan") & (scores.seed == 0)]
    kid = kid.set_index("variant")
    table = cells("fidelity")
    place = table[""].index("`acgan`")
    assert table["kid"][place].split(",")[0] == f"{float(kid.value['']):.3g}"
    assert float(table["kid"][table[""].index("copies")]) == pytest.approx(
        float(kid.value["copy of train"]), rel=0.5
    )


def test_copiers_are_flagged_and_nobody_else() -> None:
    """What the page says of the gate."""
    table = cells("fidelity")
    flags = dict(zip(table[""], table["copying"], strict=True))
    assert {name for name, flag in flags.items() if flag == "1, 1"} == {"`balanced-resample`"}
    assert {name for name, flag in flags.items() if flag == "0, 0"} == {"`acgan`", "`pca-gaussian`"}
    stress = dict(zip(cells("stress")[""], cells("stress")["`copying`"], strict=True))
    assert stress.pop("copy-train") == "right .2"
    assert set(stress.values()) == {"right"}


def test_every_metric_of_the_run_has_its_signature() -> None:
    lines = (RESULTS / "cxr-cpu" / "signatures.txt").read_text(encoding="utf-8").splitlines()
    scores = pd.read_csv(RESULTS / "cxr-cpu" / "scores.csv")
    other = scores.evaluator.str.startswith("tstr") | scores.evaluator.isin(["lungs-masked", "file-geometry"])
    assert {line.split(" | ")[0] for line in lines} == set(scores.metric[~other])
    assert all(re.search(r"N \d+ synthetic, \d+ train images", line) for line in lines)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (1.0, "1"),
        (-0.00004, "-0.00004"),
        (356.98, "357"),
        (1234.5, "1234"),
        (0.98042, "0.98"),
        (18.0, "18"),
    ],
)
def test_numbers_are_short_and_never_in_powers_of_ten(value: float, text: str) -> None:
    assert tables._short(value) == text
