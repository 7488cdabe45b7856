"""docs/statistics.md says what the committed simulations say."""

from __future__ import annotations

import re

import make_statistics_doc as page
import simulate_intervals as simulate
from blocks import rewrite

from synthbench.stats.pooling import joint_quantile, own_tail
from tests.helpers.places import ROOT

PAGE = (ROOT / "docs" / "statistics.md").read_text(encoding="utf-8")


def test_the_tables_are_what_the_simulations_make() -> None:
    fresh = rewrite(PAGE, page.load(), page.BLOCKS)
    assert fresh == PAGE, "run `python benchmarks/pages/make_statistics_doc.py` and commit docs/"


def test_the_formula_has_the_constants_that_the_page_prints() -> None:
    quantiles = re.search(r"c = ([\d., ]+) for R = 2, 3, 5, 10", PAGE)
    levels = re.search(r"at (\d+) % for two seeds, ([\d.]+) for three, (\d+) for five, (\d+) for ten", PAGE)
    assert quantiles
    assert levels
    assert quantiles[1] == ", ".join(f"{joint_quantile(seeds):.2f}" for seeds in (2, 3, 5, 10))
    assert [float(level) for level in levels.groups()] == [
        round(100 * (1 - 2 * own_tail(seeds)), 1) for seeds in (2, 3, 5, 10)
    ]


def test_what_the_page_says_of_the_form_that_boards_use() -> None:
    table = page.load().coverage
    chosen = table[(table.form == simulate.CHOSEN) & table.world.isin(simulate.NORMAL) & (table.images > 0)]
    plain = chosen[chosen.world != "wild"]
    wild = chosen[chosen.kind == "wild"]
    assert 0.948 <= plain.coverage.min() <= plain.coverage.max() <= 0.9725
    assert 0.911 <= wild.coverage.min() <= wild.coverage.max() <= 0.947
