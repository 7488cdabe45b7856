"""Directions, bounds and gates that no board could use are refused by validate, check and run alike."""

import math
from typing import ClassVar

import pytest

from synthbench import cli
from synthbench.api.declarations import declaration_faults, out_of_bounds
from synthbench.api.interfaces import Evaluator
from synthbench.types import Score
from tests.helpers.reports import no_report


class Honest(Evaluator):
    name: ClassVar[str] = "honest"
    metrics: ClassVar = {"share": "higher", "gap": "lower"}
    bounds: ClassVar = {"share": (0.0, 1.0), "gap": (0, math.inf)}

    def evaluate(self, real, synthetic, ctx):
        raise NotImplementedError


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        (
            {"metrics": {"share": "up", "gap": "lower"}},
            "the direction of share is 'up'; it is",
        ),
        (
            {"bounds": {"share": (1.0, 0.0)}},
            "the bounds of share are (1.0, 0.0); they are two",
        ),
        ({"bounds": {"share": (0.0,)}}, "the bounds of share are (0.0,)"),
        ({"bounds": {"share": (0.0, math.nan)}}, "the bounds of share are (0.0, nan)"),
        ({"bounds": {"auroc": (0.0, 1.0)}}, "bounds names auroc, which `metrics` has not"),
        ({"gates": frozenset({"copies"})}, "gates names copies, which `metrics` has not"),
    ],
)
def test_what_no_board_could_use(changes, fault):
    assert declaration_faults(Honest()) == []
    (found,) = declaration_faults(type("Odd", (Honest,), changes)())
    assert found.startswith(fault)


@pytest.mark.parametrize(
    ("metric", "value", "fine"),
    [
        ("share", 0.0, True),
        ("share", 1 + 1e-12, True),
        ("share", math.nan, True),
        ("share", 1.001, False),
        ("share", -0.001, False),
        ("gap", 1e9, True),
        ("gap", -0.1, False),
    ],
)
def test_a_value_outside_its_bounds(metric, value, fine):
    outside = out_of_bounds(Honest(), [Score(metric, value, "test", 5)])
    assert outside == [] if fine else f"{metric} on 'test' is {value:g}, outside its bounds" in outside[0]


ODD = """

class Wayward(Distance):
    name: ClassVar[str] = "wayward"
    metrics: ClassVar = {"gap": "down", "closeness": "higher"}


class Boundless(Distance):
    name: ClassVar[str] = "boundless"
    bounds: ClassVar = {"gap": (0.0, 0.001)}
"""


@pytest.fixture
def odd(mini):
    mini.plugin.write_text(mini.plugin.read_text() + ODD)
    return mini


def test_validate_check_and_run_refuse_a_direction_that_is_none(odd, capsys):
    odd.write("MeanNoise", evaluators=["Distance", "Wayward"])
    message = "the direction of gap is 'down'; it is 'higher' or 'lower'"
    for command in (["validate", odd.file], ["run", odd.file, "--out", odd.out]):
        assert cli.main(list(map(str, command))) == 2
        assert message in capsys.readouterr().err
    assert not odd.calls()
    assert cli.main(["check", f"{odd.plugin}:Wayward"]) == 1
    assert "FAIL  declarations: cannot use {'gap': 'down'}" in capsys.readouterr().out


def test_check_and_run_refuse_a_value_outside_its_bounds(odd, capsys, monkeypatch):
    no_report(monkeypatch)
    odd.write("MeanNoise", evaluators=["Distance", "Boundless"])
    assert odd.run() == 1
    message = "boundless: ValueError: gap on 'test' is"
    assert message in odd.board.loc["meannoise", "note"]
    assert odd.board.loc["meannoise", "distance_gap"] > 0.001
    capsys.readouterr()
    assert cli.main(["check", f"{odd.plugin}:Boundless"]) == 1
    assert "outside its bounds 0 to 0.001" in capsys.readouterr().out
