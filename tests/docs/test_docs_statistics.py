"""docs/statistics.md says what the committed simulations say."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Iterator
from types import ModuleType

import pytest

from synthbench.stats.pooling import joint_quantile, own_tail
from tests.helpers.places import ROOT

PAGE = (ROOT / "docs" / "statistics.md").read_text(encoding="utf-8")


@pytest.fixture
def simulate() -> Iterator[ModuleType]:
    """benchmarks/ holds scripts, not a package: their folder is on the path while these tests run."""
    sys.path.insert(0, str(ROOT / "benchmarks"))
    yield importlib.import_module("simulate_intervals")
    sys.path.remove(str(ROOT / "benchmarks"))


def test_the_tables_are_what_the_simulations_make(simulate: ModuleType) -> None:
    fresh = simulate.rewrite(PAGE, simulate.load(), simulate.BLOCKS)
    assert fresh == PAGE, "run `python benchmarks/simulate_intervals.py --boards 0` and commit docs/"


def test_the_formula_has_the_constants_that_the_page_prints() -> None:
    quantiles = re.search(r"c = ([\d., ]+) for R = 2, 3, 5, 10", PAGE)
    levels = re.search(r"at (\d+) % for two seeds, ([\d.]+) for three, (\d+) for five, (\d+) for ten", PAGE)
    assert quantiles
    assert levels
    assert quantiles[1] == ", ".join(f"{joint_quantile(seeds):.2f}" for seeds in (2, 3, 5, 10))
    assert [float(level) for level in levels.groups()] == [
        round(100 * (1 - 2 * own_tail(seeds)), 1) for seeds in (2, 3, 5, 10)
    ]


def test_what_the_page_says_of_the_form_that_boards_use(simulate: ModuleType) -> None:
    table = simulate.load().coverage
    chosen = table[(table.form == simulate.CHOSEN) & table.world.isin(simulate.NORMAL) & (table.images > 0)]
    plain = chosen[chosen.world != "wild"]
    wild = chosen[chosen.kind == "wild"]
    assert 0.948 <= plain.coverage.min() <= plain.coverage.max() <= 0.9725
    assert 0.911 <= wild.coverage.min() <= wild.coverage.max() <= 0.947
