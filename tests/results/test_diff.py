"""`synthbench diff`: which inputs changed, which numbers moved, and whether by more than chance explains."""

import math

import numpy as np
import pandas as pd
import pytest
import scipy.stats

from synthbench import cli
from synthbench.cli.print_results import print_diff
from synthbench.progress import Progress
from synthbench.results.comparability import changes
from synthbench.results.diff import Diff, Moved, _ends, _joined, _verdict, _whole, compare_runs
from synthbench.results.folder import StoredEstimate
from tests.helpers.judged_runs import Runs, edited

GOOD = {"label": "good"}
BAD = {"label": "good", "offset": 15.0}
NEAR = {"label": "good", "offset": 0.5}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    return Runs(tmp_path_factory.mktemp("runs"))


def diff(runs, a, b):
    return compare_runs(a, b, Progress(False), runs.folder)


def numbers(found):
    return {(n.generator, n.column): n for n in found.numbers}


def test_a_run_and_its_repetition_do_not_differ(runs, capsys):
    a, b = runs("a", GOOD), runs("b", GOOD)
    found = diff(runs, a, b)
    assert (found.inputs, found.ranks, found.differs) == ([], [], False)
    assert {n.verdict for n in found.numbers} == {"same"}
    assert {n.column for n in found.numbers} == {"judge.accuracy", "judge.doubt", "judge.gap"}
    assert cli.main(["diff", str(a), str(b), "--plugins", str(runs.folder)]) == 0
    out = capsys.readouterr().out
    assert "inputs: the same" in out
    assert "3 numbers: 3 the same, 0 moved" in out


def test_a_change_beyond_the_interval_is_found_on_the_same_images(runs, capsys):
    a, b = runs("a", GOOD), runs("b", BAD)
    found = diff(runs, a, b)
    assert [str(change) for change in found.inputs] == ["generators.good.offset: 0.0 -> 15.0"]
    assert [change.part for change in found.inputs] == ["configuration"]
    moved = numbers(found)["good", "judge.accuracy"]
    assert (moved.verdict, moved.shift.rule) == ("beyond", "paired")
    assert moved.shift.difference == pytest.approx(moved.b.value - moved.a.value)
    assert moved.shift.high < 0
    assert cli.main(["diff", str(a), str(b), "--plugins", str(runs.folder)]) == 1
    out = capsys.readouterr().out
    assert "generators.good.offset: 0.0 -> 15.0" in out
    assert "by chance alone" in out


def test_the_paired_interval_is_that_of_the_patients_differences(runs):
    """By formula: t times the standard error of the mean difference over patients, who have two images each."""
    a, b = runs("a", GOOD), runs("b", BAD)
    right = []
    for run in (a, b):
        answers = pd.read_csv(run / "trials/good/seed-0/judge/predictions.csv")
        told = np.where(answers["p[LIGHT]"] > answers["p[DARK]"], "LIGHT", "DARK")
        right.append((told == answers["label"]).groupby(answers["group"]).mean())
    gained = right[1] - right[0]
    half = scipy.stats.t.isf(0.025, len(gained) - 1) * scipy.stats.sem(gained)
    shift = numbers(diff(runs, a, b))["good", "judge.accuracy"].shift
    assert shift.difference == pytest.approx(gained.mean())
    assert [shift.low, shift.high] == pytest.approx([gained.mean() - half, gained.mean() + half], abs=0.04 * half)


def test_a_change_within_the_interval_is_no_difference(runs):
    found = diff(runs, runs("a", GOOD), runs("b", NEAR))
    assert numbers(found)["good", "judge.accuracy"].verdict in ("same", "within")
    assert numbers(found)["good", "judge.doubt"].shift.rule == "paired"


def test_other_images_are_compared_by_their_intervals(runs):
    a, b = runs("a", GOOD), runs("b", GOOD, dataset={"shift": 1})
    found = diff(runs, a, b)
    assert {(c.part, c.path) for c in found.inputs} == {
        ("data", "sets.test.digest"),
        ("preprocessing", "dataset.shift"),
    }
    moved = numbers(found)["good", "judge.doubt"]
    assert moved.shift.rule == "joined"
    low = (
        moved.b.value
        - moved.a.value
        - math.hypot(moved.b.value - moved.b.ends[0], moved.a.ends[1] - moved.a.value)
    )
    assert moved.shift.low == pytest.approx(low)


def test_a_metric_that_is_not_resampled_is_compared_by_its_own_interval(runs):
    found = numbers(diff(runs, runs("a", GOOD), runs("b", BAD)))["good", "judge.gap"]
    assert (found.verdict, found.shift.rule) == ("beyond", "joined")


def test_without_the_plugin_the_boards_intervals_decide(runs):
    found = compare_runs(runs("a", GOOD), runs("b", BAD), Progress(False))
    assert numbers(found)["good", "judge.accuracy"].shift.rule == "joined"


@pytest.mark.parametrize(
    ("a", "b", "verdict"),
    [
        (
            StoredEstimate(0.5, (0.4, 0.6)),
            StoredEstimate(0.63, (0.53, 0.73)),
            "within",
        ),  # 0.13 < sqrt(.1^2 + .1^2) = .1414
        (StoredEstimate(0.5, (0.4, 0.6)), StoredEstimate(0.65, (0.55, 0.75)), "beyond"),
        (
            StoredEstimate(0.5, (0.4, 0.51)),
            StoredEstimate(0.65, (0.62, 0.95)),
            "beyond",
        ),  # the ends that face each other count
        (StoredEstimate(0.5, (0.49, 0.8)), StoredEstimate(0.65, (0.4, 0.66)), "within"),
        (StoredEstimate(0.5), StoredEstimate(0.65, (0.55, 0.75)), "unknown"),
    ],
)
def test_the_joined_rule(a, b, verdict):
    assert _verdict(_joined(a, b)) == verdict
    back = _joined(b, a)
    forth = _joined(a, b)
    assert (back.low, back.high) == pytest.approx((-forth.high, -forth.low), nan_ok=True)


def test_what_only_one_run_has(runs):
    found = diff(runs, runs("a", GOOD), runs("b", GOOD, {"label": "more", "offset": 5.0}))
    assert [str(c) for c in found.inputs] == ["generators.more: absent -> present"]
    assert numbers(found)["more", "judge.accuracy"].verdict == "other"
    assert numbers(found)["good", "judge.accuracy"].verdict == "same"
    assert found.differs


def test_a_text_against_a_number(runs):
    found = diff(runs, runs("a", {"label": "good", "use": "Broken"}), runs("b", GOOD))
    assert numbers(found)["good", "judge.accuracy"].verdict == "other"
    assert [rank for rank in found.ranks if rank[0] == "good"] == [("good", "", "1")]


def test_the_judges_mean_is_compared_as_each_judge_is(runs, monkeypatch):
    monkeypatch.setattr("synthbench.benchmark.judges.JUDGE", "judged.py:Judge")
    twice = [{"use": "judged.py:Judge", "label": label} for label in ("judge", "other")]
    asked = {"evaluators": twice, "judges": ["judge", "other"], "headline": "judges.accuracy"}
    found = numbers(diff(runs, runs("mean-a", GOOD, **asked), runs("mean-b", BAD, **asked)))
    mean, one = (found["good", f"{judge}.accuracy"] for judge in ("judges", "judge"))
    assert mean.verdict == one.verdict == "beyond"
    assert mean.shift.rule == one.shift.rule == "paired"


def test_a_rank_that_changed_is_shown(runs):
    a = runs("a", {"label": "x"}, {"label": "y", "offset": 20.0})
    b = runs("b", {"label": "x", "offset": 20.0}, {"label": "y"})
    assert sorted(diff(runs, a, b).ranks) == [("x", "1", "2"), ("y", "2", "1")]


def test_environment_and_weights_are_inputs(runs, tmp_path):
    a = runs("a", GOOD)

    def change(record):
        record["versions"]["numpy"] = "1.0"
        record["hardware"]["cpu"] = "abacus"
        record["weights"]["judge"] = {"net.pt": "f" * 64}
        record["git"]["commit"] = "e" * 40
        record["code"]["judged.py:Judge"] = "d" * 64
        record["finished"] = "later"

    found = diff(runs, a, edited(a, tmp_path, change))
    shown = {(c.part, str(c).partition(" -> ")[2]) for c in found.inputs}
    assert shown == {
        ("versions", "1.0"),
        ("hardware", "abacus"),
        ("weights", "present"),
        ("code", "e" * 12),
        ("code", "d" * 12),
    }
    assert not found.differs


def test_entries_are_told_by_label_not_by_place():
    def record(*entries):
        bench = {"dataset": {}, "external": [], "generators": list(entries)}
        parts = ("data", "code", "git", "weights", "versions", "hardware")
        return {"benchmark": bench, **{part: {} for part in parts}}

    x, y = {"label": "x", "sizes": [1, 2]}, {"label": "y", "depth": {"a": 1}}
    assert changes(record(x, y), record(y, x)) == []
    found = changes(record(x, y), record({"label": "y", "depth": {"a": 2}}, {"label": "x", "sizes": [1, 3]}))
    assert [str(c) for c in found] == ["generators.x.sizes: [1, 2] -> [1, 3]", "generators.y.depth.a: 1 -> 2"]


def test_trouble_is_exit_code_2(tmp_path, capsys):
    assert cli.main(["diff", str(tmp_path), str(tmp_path)]) == 2
    assert "no run.json" in capsys.readouterr().err


def test_an_open_end_of_worth_is_open(capsys):
    row = {"value": "400", "low": "250", "high": "inf"}
    a, b = StoredEstimate(400, _ends(row)), StoredEstimate(410, (260, 900))
    shift = _joined(a, b)
    assert (shift.low, _verdict(shift)) == (-math.inf, "within")
    assert shift.high == pytest.approx(10 + math.hypot(490, 150))
    assert _ends(row | {"low": ""}) is None
    moved = Moved("gan", "worth", a, StoredEstimate(410), "unknown", _joined(a, StoredEstimate(410)))
    print_diff(Diff([], [moved], []), "a", "b")
    assert "+10.0000 (no interval)" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(("test_set", "whole"), [("test", "test"), ("far/a/sex=F", "far/a"), ("", "")])
def test_a_subgroup_is_of_equal_images_where_its_set_is(test_set, whole):
    assert _whole(test_set) == whole
