"""Subgroups by attribute: scored from predictions, in the long tables alone, without training."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from synthbench.leaderboard.subgroups import unsplit, with_subgroups
from synthbench.progress import Progress
from synthbench.report.subgroups import subgroups
from synthbench.results.bundle import export
from synthbench.results.folder import read_folder
from synthbench.results.verify import verify
from synthbench.storage.layout import subgroup_parts
from synthbench.types import Evaluation, Images, Predictions, Score, Splits

N = 12
LABELS = np.arange(N, dtype=np.int64) % 2
IDS = np.array([f"i{k}" for k in range(N)])
SEX = np.array([*"FM" * 5, "", "M"])


def predictions(seed=0, test_set="test", rows=None):
    chance = np.random.default_rng(seed).uniform(size=N)
    rows = np.arange(N) if rows is None else rows
    odds = np.stack([chance, 1 - chance], axis=1)[rows]
    return Predictions(test_set, IDS[rows], IDS[rows], LABELS[rows], odds, seed)


def accuracy(variants, weights):
    """Weighted accuracy of each variant; of fewer than three images none."""
    return {
        ("accuracy", variant): (weights * (p.probabilities.argmax(1) == p.labels)).sum(1) / weights.sum(1)
        for variant, p in variants.items()
        if len(p.labels) > 2
    }


def evaluation(*of):
    scores = [
        Score(metric, 0.5, p.test_set, len(p.labels), p.classifier_seed, low=0.1, high=0.9)
        for p in of
        for metric in ("accuracy", "other")
    ]
    return Evaluation(scores, of)


def split(*of, rows=slice(None), **attributes):
    test = Images(np.zeros((N, 8, 8, 1), np.uint8), LABELS, ("well", "ill"), IDS).subset(np.arange(N)[rows])
    known = {name: column[rows] for name, column in attributes.items()}
    return with_subgroups(evaluation(*of), accuracy, Splits(test, {"test": test}, attributes={"test": known}))


def test_each_value_is_a_test_set_scored_on_its_images():
    one = predictions()
    result = split(one, sex=SEX)
    rows = {score.test_set: score for score in result.scores[2:]}
    assert list(rows) == ["test/sex=F", "test/sex=M"]
    for value, n in (("F", 5), ("M", 6)):
        score = rows[f"test/sex={value}"]
        right = (one.probabilities.argmax(1) == one.labels)[value == SEX]
        assert (score.metric, score.value, score.n) == ("accuracy", right.mean(), n)
        assert (score.low, score.high, score.note) == (None, None, "")
    assert [p.ids.tolist() for p in result.predictions[1:]] == [IDS[value == SEX].tolist() for value in "FM"]


def test_what_is_too_few_says_so():
    view = np.array(["AP"] * 10 + ["PA"] * 2)
    score = split(predictions(), view=view).scores[-1]
    assert np.isnan(score.value)
    assert (score.test_set, score.n, score.note) == ("test/view=PA", 2, "too few: 1 of well, 1 of ill")


def test_classifiers_keep_apart_and_rows_may_come_in_any_order():
    result = split(predictions(0), predictions(1, rows=np.arange(N)[::-1]), sex=SEX)
    assert [s.classifier_seed for s in result.scores if s.test_set == "test/sex=F"] == [0, 1]
    assert result.predictions[-2].ids.tolist() == IDS[SEX == "F"][::-1].tolist()


@pytest.mark.parametrize("values", ["F" * N, " " * N, "abcdefghijkl", "abcdeabcdeab"])
def test_one_value_or_too_many_make_no_subgroup(values):
    assert len(split(predictions(), x=np.array([value.strip() for value in values])).scores) == 2
    assert len(split(predictions(), x=np.array([*"abcdabcdabcd"])).scores) == 6


def test_numbers_make_no_subgroups_and_that_is_said():
    age, three = np.arange(60) % 13, np.arange(60) % 3
    known = {"age": age.astype(str), "band": three.astype(str), "same": np.array(["x"] * 60)}
    (remark,) = unsplit({"test": known, "train": {"id": np.arange(99).astype(str)}})
    assert remark.startswith("attribute age has 13 values in the 60 images of test, more than 12: no subgroups")
    (few,) = unsplit({"test": {"sex": np.array(["F", "M"])}})
    assert "more than 0" in few


@pytest.mark.parametrize("test_set", ["elsewhere", "train"])
def test_without_attributes_or_with_other_images_nothing_is_added(test_set):
    assert len(split(predictions(test_set=test_set), sex=SEX).scores) == 2
    assert len(split(predictions(), rows=slice(1, None), sex=SEX).scores) == 2


def test_names_are_read_back():
    assert subgroup_parts("far/covid/view=A/P=x") == ("far/covid", "view", "A/P=x")
    assert subgroup_parts("test[clean]") is None
    assert subgroup_parts("far/covid") is None


# ---- in a run

KNOWN = '''

class Known(Squares):
    """Says a side of each test image."""

    sides: str = "LRLRLRRR"

    def load(self, ctx):
        return replace(super().load(ctx), attributes={"test": {"side": np.array(list(self.sides))}})


class Guess(Evaluator):
    """Takes what is brighter than the synthetic mean for LIGHT."""

    name: ClassVar[str] = "guess"
    metrics: ClassVar = {"accuracy": "higher"}
    bounds: ClassVar = {"accuracy": (0.0, 1.0)}

    def evaluate(self, real, synthetic, ctx):
        assert not real.attributes
        called("evaluate")
        test = real.tests["test"]
        light = test.pixels.mean((1, 2, 3)) > synthetic.pixels.mean()
        p = Predictions("test", test.ids, test.groups, test.labels, np.stack([~light, light], 1) * 1.0)
        value = float(self.resample({"": p}, np.ones((1, len(test)), np.uint16))["accuracy", ""][0])
        return Evaluation([Score("accuracy", value, "test", len(test))], [p])

    def resample(self, predictions, weights):
        right = {v: p.probabilities.argmax(1) == p.labels for v, p in predictions.items() if len(p.labels) > 3}
        return {("accuracy", v): weights @ r / weights.sum(1) for v, r in right.items()}
'''


def test_a_run_has_them_in_its_long_tables_and_its_report(mini, tmp_path):
    mini.plugin.write_text("from dataclasses import replace\n" + mini.plugin.read_text() + KNOWN)
    mini.write(
        "MeanNoise",
        {"use": "MeanNoise", "label": "off", "offset": 60},
        dataset="Known",
        evaluators=["Guess"],
        headline="guess.accuracy",
    )
    assert mini.run() == 0
    scores = mini.scores.set_index(["generator", "test_set"])
    assert set(mini.scores["test_set"]) == {"test", "test/side=L", "test/side=R"}
    assert np.isnan(scores.loc[("meannoise", "test/side=L"), "value"])
    assert scores.loc[("meannoise", "test/side=L"), "note"] == "too few: 2 of DARK, 1 of LIGHT"
    assert scores.loc[("meannoise", "test/side=R"), "n"] == 5
    intervals = pd.read_csv(mini.out / "intervals.csv").set_index(["generator", "test_set"])
    right = intervals.loc[("off", "test/side=R")]
    assert right["low"] <= right["value"] <= right["high"]
    assert not [column for column in mini.board if "side" in column]

    table = subgroups(read_folder(mini.out))
    assert list(table.heads) == ["test set", "attribute", "value", "images", "meannoise", "off"]
    assert table.rows[0][:5] == ["test", "side", "L", "3", "too few: 2 of DARK, 1 of LIGHT"]
    assert table.rows[1][4].startswith("1.000 (")

    export(mini.out, tmp_path / "b.zip", evidence=True)
    verified = verify(tmp_path / "b.zip", Progress(False), mini.folder)
    assert verified.holds, verified

    mini.calls()
    mini.write(
        "MeanNoise", dataset={"use": "Known", "sides": "RRRRLLLL"}, evaluators=["Guess"], headline="guess.accuracy"
    )
    assert mini.run() == 0
    assert mini.calls() == {"load": 1, "evaluate": 1}  # nothing fitted again
    assert mini.scores.set_index("test_set").loc["test/side=L", "n"] == 4


def test_a_report_without_attributes_has_no_such_table():
    run = SimpleNamespace(tables={"intervals": [{"test_set": "test"}]}, headline="a.b", roles={"x": "candidate"})
    assert not subgroups(run).rows
