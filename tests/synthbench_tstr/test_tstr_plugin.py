"""The evaluator: its settings, test sets, scores, predictions and files."""

from __future__ import annotations

import csv
import math
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import yaml
from pydantic import ValidationError

from synthbench.errors import DataError
from synthbench.storage.store import Store
from synthbench.testing import check_evaluator
from synthbench.types import Splits
from synthbench_torchkit import classifier as classifier_module
from synthbench_tstr.plugin import Tstr, register_evaluators
from synthbench_tstr.training_sets import draw
from tests.helpers.places import ROOT

OF_BOTH = {"auroc", "auprc", "balanced_accuracy", "f1"}
OF_TWO = {"auprc_negative", "balanced_accuracy_matched", "specificity_at_90_sensitivity"}
METRICS = {"accuracy", "recall"} | OF_BOTH | OF_TWO
QUICK = Tstr(backbone="cnn", epochs=3, batch_size=16, learning_rate=2e-3, score_train=True)


def rows(path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_defaults_are_the_papers():
    tstr = Tstr()
    assert (tstr.backbone, tstr.weights, tstr.epochs, tstr.batch_size) == ("vgg16", "none", 60, 64)
    assert (tstr.learning_rate, tstr.patience, tstr.validation, tstr.dropout) == (1e-5, 2, 0.2, 0.4)
    assert (tstr.bn_momentum, tstr.images, tstr.sizes, tstr.seeds) == (0.99, None, None, 1)


def test_five_evaluators_are_registered_under_distinct_names():
    names = [evaluator.name for evaluator in register_evaluators()]
    assert sorted(names) == ["augment", "file-geometry", "lungs-masked", "trts", "tstr"]


def test_unset_settings_become_the_backbones_own_and_stand_in_the_configuration():
    given = Tstr.model_validate_json(
        '{"backbone": "timm:resnet18", "epochs": 5, "learning_rate": null}', strict=True
    )
    assert given.model_dump()["learning_rate"] == 1e-4
    assert given.recipe.epochs == 5
    assert Tstr(backbone="cnn").recipe.learning_rate == 1e-3


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"backbone": "vgg19"}, "write vgg16, cnn or timm:<name>"),
        ({"weights": "no/such/file.pt"}, "no such file"),
        ({"backbone": "cnn", "weights": "imagenet"}, "trained from scratch"),
        ({"images": 0}, "greater than or equal to 1"),
        ({"validation": 1.0}, "less than 1"),
        ({"seeds": None}, "valid integer"),
        ({"epoch": 3}, "Extra inputs"),
    ],
)
def test_wrong_settings_are_refused_with_one_message(settings, message):
    with pytest.raises(ValidationError, match=message) as caught:
        Tstr(**settings)
    assert caught.value.error_count() == 1


def test_every_test_set_gets_every_metric_and_says_what_was_seen(ctx, real, striped):
    synthetic = striped(100)
    evaluation = QUICK.evaluate(real, synthetic, ctx)
    found = {(score.test_set, score.metric): score for score in evaluation.scores}
    assert set(found) == {(s, m) for s in ("test", "elsewhere", "train", "synthetic") for m in METRICS}
    assert len(found) == len(evaluation.scores)
    assert set(Tstr.metrics) == METRICS
    numbers = {
        "test": (30, ""),
        "elsewhere": (20, ""),
        "train": (40, "generator"),
        "synthetic": (20, "validation"),
    }
    for (test_set, _), score in found.items():
        assert (score.n, score.seen) == numbers[test_set]
        assert score.classifier_seed == 0
        assert 0 <= score.value <= 1


def test_training_images_are_scored_where_asked_alone(ctx, real, striped):
    """Beside that nothing changes."""
    quiet = QUICK.model_copy(update={"score_train": False}).evaluate(real, striped(100), ctx)
    asked = QUICK.evaluate(real, striped(100), ctx)
    assert not Tstr().score_train
    assert {score.test_set for score in quiet.scores} == {"test", "elsewhere", "synthetic"}
    assert quiet.scores == [score for score in asked.scores if score.test_set != "train"]
    assert [p.test_set for p in quiet.predictions] == [
        p.test_set for p in asked.predictions if p.test_set != "train"
    ]


@pytest.mark.parametrize("name", ["cxr", "cxr-full", "cxr-cpu"])
def test_the_papers_benchmarks_ask_for_them(name):
    file = yaml.safe_load((ROOT / "benchmarks" / f"{name}.yaml").read_text(encoding="utf-8"))
    asked = [evaluator.get("score_train") for evaluator in file["evaluators"] if evaluator["use"] == "tstr"]
    assert asked == [True] * len(asked)
    assert asked


def test_scores_follow_from_the_predictions(ctx, real, striped):
    evaluation = QUICK.evaluate(real, striped(100), ctx)
    values = {(score.test_set, score.metric): score.value for score in evaluation.scores}
    for answers in evaluation.predictions:
        right = answers.probabilities.argmax(1) == answers.labels
        assert values[answers.test_set, "accuracy"] == pytest.approx(right.mean())
    on_test = next(answers for answers in evaluation.predictions if answers.test_set == "test")
    assert on_test.ids.tolist() == real.tests["test"].ids.tolist()


def test_files_agree_with_the_scores(ctx, real, striped):
    evaluation = QUICK.evaluate(real, striped(100), ctx)
    folder = ctx.workdir / "classifier-0"
    assert {path.name for path in folder.iterdir()} == {"history.csv", "report.csv", "confusion.csv"}
    matrix = [row for row in rows(folder / "confusion.csv") if row["test_set"] == "test"]
    counts = np.array([[int(row["NORMAL"]), int(row["PNEUMONIA"])] for row in matrix])
    assert [row["true"] for row in matrix] == ["NORMAL", "PNEUMONIA"]
    assert counts.sum(1).tolist() == [15, 15]
    accuracy = next(s.value for s in evaluation.scores if (s.test_set, s.metric) == ("test", "accuracy"))
    assert counts.trace() / 30 == pytest.approx(accuracy)
    lines = [row for row in rows(folder / "report.csv") if row["test_set"] == "train"]
    assert [row["class"] for row in lines] == ["NORMAL", "PNEUMONIA", "macro avg", "weighted avg"]
    auroc = next(s.value for s in evaluation.scores if (s.test_set, s.metric) == ("train", "auroc"))
    assert [row["auroc"] for row in lines[2:]] == ["nan", "nan"]
    assert float(lines[1]["auroc"]) == pytest.approx(auroc)
    assert [row["support"] for row in lines] == ["20", "20", "40", "40"]
    assert len(rows(folder / "history.csv")) == 3


def test_three_classes_from_end_to_end(ctx, striped):
    real = Splits(train=striped(30, 1, 3), tests={"test": striped(30, 2, 3)})
    evaluation = QUICK.evaluate(real, striped(90, 0, 3), ctx)
    assert all(p.probabilities.shape[1] == 3 and p.positive is None for p in evaluation.predictions)
    assert len(evaluation.scores) == 3 * len(METRICS)
    notes = {score.metric: score.note for score in evaluation.scores if score.test_set == "test"}
    assert {metric for metric, note in notes.items() if note == "for two classes, not 3"} == OF_TWO
    values = {score.metric: score.value for score in evaluation.scores if score.test_set == "test"}
    assert {metric for metric, value in values.items() if math.isnan(value)} == OF_TWO
    on_test = next(p for p in evaluation.predictions if p.test_set == "test")
    assert {metric for metric, _ in QUICK.resample({"": on_test}, np.ones((1, 30), int))} == METRICS - OF_TWO


def test_the_holdout_is_scored_as_images_that_nobody_saw(ctx, real, monkeypatch, striped):
    QUICK.evaluate(real, striped(60), ctx)
    monkeypatch.setattr(classifier_module, "train_classifier", lambda *_: pytest.fail("trained for it"))
    evaluation = QUICK.evaluate(replace(real, holdout=striped(16, 8, prefix="held-")), striped(60), ctx)
    scores = [score for score in evaluation.scores if score.test_set == "holdout"]
    assert {(score.metric, score.n, score.seen) for score in scores} == {(metric, 16, "") for metric in METRICS}
    assert all(math.isfinite(score.value) for score in scores)


def test_the_positive_class_is_the_data_sets(ctx, real, striped):
    """The same predictions, read the other way round."""
    pneumonia, normal = (
        QUICK.evaluate(replace(real, positive=name), striped(60), ctx) for name in ("PNEUMONIA", "NORMAL")
    )
    found = [{(s.test_set, s.metric): s.value for s in e.scores} for e in (pneumonia, normal)]
    assert {p.positive for p in normal.predictions} == {0}
    for test_set in ("test", "elsewhere", "train", "synthetic"):
        assert found[0][test_set, "auprc"] == pytest.approx(found[1][test_set, "auprc_negative"])
        assert found[0][test_set, "balanced_accuracy"] == found[1][test_set, "balanced_accuracy"]
    one, other = ({p.test_set: p for p in e.predictions} for e in (pneumonia, normal))
    right = {name: p.probabilities.argmax(1) == p.labels for name, p in one.items()}
    for k, p, values in ((1, one, found[0]), (0, other, found[1])):
        recall = right["elsewhere"][p["elsewhere"].labels == k].mean()
        assert values["elsewhere", "recall"] == recall
        again = QUICK.resample({"": p["elsewhere"]}, np.ones((1, 20), int))
        assert again["recall", ""] == recall


def test_several_classifier_seeds(ctx, real, striped):
    evaluation = QUICK.model_copy(update={"seeds": 2, "epochs": 1}).evaluate(real, striped(60), ctx)
    assert {score.classifier_seed for score in evaluation.scores} == {0, 1}
    first, second = (a.probabilities for a in evaluation.predictions if a.test_set == "test")
    assert not np.array_equal(first, second)
    assert (ctx.workdir / "classifier-1" / "confusion.csv").is_file()


@pytest.mark.full
def test_a_further_test_set_retrains_nothing(ctx, real, monkeypatch, striped):
    QUICK.evaluate(real, striped(60), ctx)
    monkeypatch.setattr(classifier_module, "train_classifier", lambda *_: pytest.fail("trained again"))
    more = replace(real, tests={**real.tests, "third": striped(10, 4)})
    evaluation = QUICK.evaluate(more, striped(60), ctx)
    assert "third" in {score.test_set for score in evaluation.scores}


def test_the_same_seed_gives_the_same_scores(ctx, real, tmp_path, striped):
    elsewhere = replace(ctx, store=Store(tmp_path / "another store"))
    assert QUICK.evaluate(real, striped(60), ctx).scores == QUICK.evaluate(real, striped(60), elsewhere).scores


@pytest.mark.parametrize(
    ("normals", "sick", "undefined", "note"),
    [
        (15, 0, OF_BOTH | OF_TWO | {"recall"}, "too few: 0 images of PNEUMONIA (5 needed)"),
        (0, 15, OF_BOTH | OF_TWO, "too few: 0 images of NORMAL (5 needed)"),
        (4, 15, OF_BOTH | OF_TWO, "too few: 4 images of NORMAL (5 needed)"),
        (5, 5, set(), ""),
    ],
)
def test_metrics_with_too_few_images_say_so(ctx, real, normals, sick, undefined, note, striped):
    test = real.tests["test"]
    chosen = np.r_[np.flatnonzero(test.labels == 0)[:normals], np.flatnonzero(test.labels == 1)[:sick]]
    few = Splits(train=real.train, tests={"test": test.subset(chosen)})
    how = QUICK.model_copy(update={"epochs": 1})
    evaluation = how.evaluate(few, striped(60), ctx)
    found = {score.metric: score for score in evaluation.scores if score.test_set == "test"}
    assert {metric for metric, score in found.items() if math.isnan(score.value)} == undefined
    assert {score.note for score in found.values()} == ({"", note} if undefined else {""})
    answers = {"": next(p for p in evaluation.predictions if p.test_set == "test")}
    again = how.resample(answers, np.ones((1, normals + sick), np.int64))
    assert {metric for metric, _ in again} == METRICS - undefined


def test_accuracy_needs_five_images_of_any_class(ctx, real, striped):
    few = Splits(train=real.train, tests={"test": real.tests["test"].subset(np.arange(4))})
    evaluation = QUICK.model_copy(update={"epochs": 1}).evaluate(few, striped(60), ctx)
    notes = {score.metric: score.note for score in evaluation.scores if score.test_set == "test"}
    assert notes["accuracy"] == "too few: 4 images (5 needed)"
    assert notes["f1"] == "too few: 2 images of NORMAL, 2 images of PNEUMONIA (5 needed)"
    assert notes["recall"] == "too few: 2 images of PNEUMONIA (5 needed)"


def test_inputs_that_do_not_match_are_refused(ctx, real, striped):
    with pytest.raises(DataError, match="the synthetic images have classes"):
        QUICK.evaluate(real, replace(striped(60), classes=("A", "B")), ctx)
    with pytest.raises(DataError, match="the synthetic images have shape"):
        QUICK.evaluate(real, replace(striped(60), pixels=np.zeros((60, 16, 16, 3), np.uint8)), ctx)
    with pytest.raises(DataError, match="rename the test set 'synthetic'"):
        QUICK.evaluate(replace(real, tests={"synthetic": striped(9)}), striped(60), ctx)


def test_a_draw_keeps_proportions_and_order_and_grows(striped):
    images = striped(100).subset(np.r_[0:100, 0:50:2])  # 75 NORMAL, 50 PNEUMONIA
    small, large = (draw(images, n, np.random.default_rng(0)) for n in (25, 50))
    assert small.counts() == {"NORMAL": 15, "PNEUMONIA": 10}
    assert large.counts() == {"NORMAL": 30, "PNEUMONIA": 20}
    assert set(small.ids) <= set(large.ids)
    assert draw(images, None, np.random.default_rng(0)) is images
    assert draw(images, 500, np.random.default_rng(0)) is images


def test_fewer_images_train_on_fewer(ctx, real, striped):
    evaluation = QUICK.model_copy(update={"images": 40, "epochs": 1}).evaluate(real, striped(100), ctx)
    assert {score.n for score in evaluation.scores if score.test_set == "synthetic"} == {8}


def test_keeps_the_contract():
    findings = check_evaluator(QUICK)  # raises where one failed
    assert not [str(finding) for finding in findings if finding.warning]


def test_importing_the_plugin_imports_nothing_heavy():
    code = "import sys, synthbench_tstr.plugin; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"torch", "torchvision", "timm", "sklearn", "scipy", "pandas", "matplotlib"} & set(loaded)


def test_once_is_the_same_evaluator_with_one_classifier():
    """For floors: the first of its classifiers, so nothing but `seeds` may differ."""
    tstr = Tstr(backbone="cnn", seeds=3, epochs=4)
    assert tstr.once().model_dump() == {**tstr.model_dump(), "seeds": 1}
