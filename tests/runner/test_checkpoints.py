"""Checkpoints as rows: one training, a row and a point of the curve for each stage of it."""

import csv
import json

import pytest

from synthbench.report.page import make_report

ROW = {"use": "Growing", "checkpoints": [4, 2, 1]}


def steps_of(calls):
    return {call: times for call, times in calls.items() if call.startswith("step")}


def fit_costs(mini):
    rows = csv.DictReader((mini.out / "costs.csv").open())
    return {(row["generator"], row["seed"]): float(row["wall_s"]) for row in rows if row["stage"] == "fit"}


def test_each_is_a_row_and_no_step_is_trained_twice(mini):
    mini.write(ROW, seeds=2)
    assert mini.run() == 0
    assert steps_of(mini.calls()) == {f"step {k}": 2 for k in range(4)}
    board = csv.DictReader((mini.out / "leaderboard.csv").open())
    assert [row["generator"] for row in board] == ["growing@4", "growing@2", "growing@1"]
    costs = fit_costs(mini)
    assert costs["growing@1", "0"] < costs["growing@2", "0"] < costs["growing@4", "0"]


def test_they_have_the_seed_of_their_training(mini):
    mini.write(ROW)
    mini.run()
    seeds = {path.read_text() for path in mini.out.rglob("generator/seed.txt")}
    mini.write({"use": "Growing", "steps": 4})
    mini.run("--out", str(mini.folder / "alone"))
    assert seeds == {path.read_text() for path in (mini.folder / "alone").rglob("generator/seed.txt")}
    assert steps_of(mini.calls()) == {f"step {k}": 1 for k in range(4)}  # the longest is the training itself


def test_a_longer_one_goes_on_and_a_shorter_one_does_not_begin_at_its_end(mini):
    mini.write({"use": "Growing", "steps": 2})
    mini.run()
    mini.calls()
    mini.run("--set", "generators.0.steps=3")
    assert steps_of(mini.calls()) == {"step 2": 1}
    longest = fit_costs(mini)["growing", "0"]
    mini.run("--set", "generators.0.steps=1")
    assert steps_of(mini.calls()) == {"step 0": 1}
    assert fit_costs(mini)["growing", "0"] < longest  # which is not its own


def test_the_name_of_the_training_means_all_of_them(mini):
    mini.write(ROW, "MeanNoise", evaluators=["Distance", {"use": "Twice", "generators": ["growing"]}])
    assert mini.run("--only", "growing") == 0
    with (mini.out / "scores.csv").open() as file:
        scored = {(row["generator"], row["evaluator"]) for row in csv.DictReader(file)}
    assert scored == {(f"growing@{k}", e) for k in (1, 2, 4) for e in ("distance", "twice")}


def test_the_report_has_a_curve_over_them(mini):
    mini.write(ROW)
    mini.run()
    generators = json.loads((mini.out / "run.json").read_text())["benchmark"]["generators"]
    assert [one["checkpoint"]["at"] for one in generators] == [1, 2, 4]
    page = make_report(mini.out, mini.out / "report.html").read_text()
    assert "distance.gap on test by length of training: growing " in page
    assert all(f"at {k}" in page for k in (1, 2, 4))


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            {"use": "MeanNoise", "checkpoints": [1]},
            "generators.0.checkpoints: the generator mini.py:MeanNoise has no",
        ),
        ({**ROW, "steps": 5}, "generators.0.checkpoints: steps says the same; take steps away"),
        ({**ROW, "checkpoints": []}, "generators.0.checkpoints: expected a list of steps"),
        ({**ROW, "checkpoints": [2, 2]}, "generators.0.checkpoints: expected a list of steps"),
        ({**ROW, "checkpoints": [2, True]}, "generators.0.checkpoints: expected a list of steps"),
        ({**ROW, "checkpoints": 2}, "generators.0.checkpoints: expected a list of steps"),
    ],
)
def test_what_cannot_be(mini, capsys, row, message):
    mini.write(row)
    assert mini.run() == 2
    assert message in capsys.readouterr().err
    assert not mini.calls()
