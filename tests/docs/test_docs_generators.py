"""docs/generators.md says what the committed searches say; which metric foretold the headline."""

from __future__ import annotations

import json
from pathlib import Path

import foretold
import make_generators_doc as page
import numpy as np
import pandas as pd
import pytest
from blocks import rewrite
from scipy import stats


def test_the_tables_are_what_the_results_make() -> None:
    text = page.PAGE.read_text(encoding="utf-8")
    fresh = rewrite(text, page.load(), page.BLOCKS)
    assert text == fresh, "run `python benchmarks/pages/make_generators_doc.py` and commit docs/"


def test_kendall_is_scipys_on_the_rows_taken_so_often() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 5, (2, 9)).astype(float)  # with ties
    counts = rng.multinomial(9, np.full(9, 1 / 9), 20)
    expected = [stats.kendalltau(np.repeat(x, n), np.repeat(y, n)).statistic for n in counts]
    np.testing.assert_allclose(foretold.kendall(x, y, counts), expected)


def test_a_metric_that_knows_and_one_that_does_not() -> None:
    rng = np.random.default_rng(1)
    truth = rng.normal(size=30)
    rows = pd.DataFrame({"auroc": truth, "kid": -truth + rng.normal(0, 0.1, 30), "luck": rng.normal(size=30)})
    answers = foretold.foretold(rows, "auroc", {"luck": 1, "kid": -1}).set_index("metric")
    assert list(answers.index) == ["kid", "luck"]
    assert answers.low["kid"] > 0.7
    assert answers.low["luck"] < 0 < answers.high["luck"]


def test_few_generators_say_nothing() -> None:
    rows = pd.DataFrame({"auroc": [0.1, 0.2, 0.3, 0.4, None], "kid": [4.0, 3, 2, 1, 0]})
    (answer,) = foretold.foretold(rows, "auroc", {"kid": -1}).itertuples()
    assert answer.n == 4
    assert np.isnan([answer.tau, answer.low, answer.high]).all()
    assert "too few" in foretold.table(foretold.foretold(rows, "auroc", {"kid": -1}))


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Six candidates of two seeds and a ceiling, whose kid is the better the worse they are."""
    (tmp_path / "run.json").write_text(json.dumps({"benchmark": {"headline": "tstr.auroc"}}))
    rows = [
        {
            **{"generator": f"g{k}", "role": "ceiling" if k == 6 else "candidate", "seed": seed},
            **{"evaluator": evaluator, "metric": metric, "variant": "", "test_set": test_set, "seen": ""},
            **{"value": sign * (k + seed / 10), "direction": direction},
        }
        for k in range(7)
        for seed in (0, 1)
        for evaluator, metric, test_set, sign, direction in [
            ("tstr", "auroc", "test", 1, "higher"),
            ("tstr", "auroc", "elsewhere", -1, "higher"),
            ("kid", "kid", "", 1, "lower"),
            ("vendi", "vendi", "", 1, "target"),
        ]
    ]
    pd.DataFrame(rows).to_csv(tmp_path / "scores.csv", index=False)
    return tmp_path


def test_of_a_run(run: Path) -> None:
    """The headline on `test`, means over seeds, candidates alone, metrics of images that have a better end."""
    (answer,) = foretold.of_run(run, ("candidate",)).itertuples()
    assert (answer.metric, answer.tau, answer.n) == ("kid.kid", -1, 6)
    (answer,) = foretold.of_run(run, ("candidate", "ceiling")).itertuples()
    assert answer.n == 7
