"""Requirements: what they may say, and how a run ends that misses one."""

import pytest

from synthbench.benchmark.requirement import parse_requirement
from synthbench.errors import ConfigError

METRICS = ["distance.gap", "distance.closeness"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("distance.gap", "is no condition; write tstr.auroc"),
        ("distance.gab<=1", "no metric 'distance.gab'. Did you mean 'distance.gap'"),
        ("distance.gap<=much", "'much' is no number"),
        ("distance.gap<=nan", "'nan' is no number"),
        ("distance.gap=1", "never met exactly"),
        ("copying=yes", "only copying=no can be required"),
        ("copying<=0", "only copying=no can be required"),
    ],
)
def test_what_means_nothing_is_refused(text, message):
    with pytest.raises(ConfigError, match=message):
        parse_requirement(text, METRICS)


@pytest.mark.parametrize(
    ("text", "value", "holds"),
    [
        ("distance.gap >= .5", 0.5, True),
        ("distance.gap>.5", 0.5, False),
        ("distance.gap<=5e-1", 0.5, True),
        ("distance.gap<.5", 0.4, True),
        ("utility>=0", float("nan"), False),
    ],
)
def test_a_number_is_held_against_its_limit(text, value, holds):
    assert parse_requirement(text, METRICS).holds(value) is holds


def test_a_label_of_matrix_holds_a_comparison_itself():
    metric = "tstr-epochs=5,rate<=1.auroc"
    known = parse_requirement(f"{metric}>=.8", [metric])
    assert known == (metric, ">=", ".8")


def test_a_run_that_misses_one_ends_with_3_and_says_who(mini, capsys):
    mini.write("MeanNoise", "Floor", require=["distance.gap<=1"])
    assert mini.run() == 0
    assert mini.run("--require", "distance.gap<=.5", "--require", "copying=no") == 3
    said = capsys.readouterr().out.splitlines()
    assert [line for line in said if line.startswith("required")] == [
        "required distance.gap <= .5: meannoise has 0.6987",
        "required copying = no: meannoise has no value",
    ]
    assert mini.record["benchmark"]["require"] == ["distance.gap <= 1", "distance.gap <= .5", "copying = no"]


def test_a_mistake_in_one_is_found_before_any_work(mini, capsys):
    mini.write("MeanNoise", require=["distance.gapp<=1"])
    assert mini.run() == 2
    assert "require: 'distance.gapp<=1': no metric 'distance.gapp'. Did you mean" in capsys.readouterr().err
    assert not mini.calls()
