"""The curve over the number of synthetic images."""

from __future__ import annotations

import csv
import math

import numpy as np
import pytest
from pydantic import ValidationError

from synthbench.testing import check_evaluator
from synthbench_torchkit import classifier as classifier_module
from synthbench_tstr.plugin import Tstr

QUICK = {"backbone": "cnn", "epochs": 2, "batch_size": 16, "learning_rate": 2e-3}
CURVE = Tstr(**QUICK, sizes=(30, 60))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"sizes": (60, 30)}, "must ascend"),
        ({"sizes": (30, 30)}, "must ascend"),
        ({"sizes": ()}, "at least 1 item"),
        ({"sizes": (0, 30)}, "greater than or equal to 1"),
        ({"sizes": (30,), "images": 30}, "either images or sizes"),
    ],
)
def test_wrong_sizes_are_refused(settings, message):
    with pytest.raises(ValidationError, match=message):
        Tstr(**settings)


def test_sizes_come_from_yaml_as_a_list():
    assert Tstr.model_validate_json('{"sizes": [500, 2000]}', strict=True).sizes == (500, 2000)
    with pytest.raises(ValidationError, match="valid integer"):
        Tstr.model_validate_json('{"sizes": ["500"]}', strict=True)


def test_the_largest_size_gives_the_headline_and_the_others_are_named(ctx, real, striped):
    evaluation = CURVE.evaluate(real, striped(100), ctx)
    assert {score.variant for score in evaluation.scores} == {"", "30 images"}
    keys = [(s.metric, s.variant, s.test_set, s.classifier_seed) for s in evaluation.scores]
    assert len(keys) == len(set(keys)) == 9 * (3 + 2)  # the smaller ones are not asked about held-out images
    held_out = {s.n for s in evaluation.scores if s.test_set == "synthetic"}
    assert held_out == {12}
    assert not any(s.variant for s in evaluation.scores if s.test_set == "synthetic")


@pytest.mark.full
def test_the_headline_is_that_of_the_same_number_of_images_and_costs_nothing_more(ctx, real, monkeypatch, striped):
    curve = CURVE.evaluate(real, striped(100), ctx)
    monkeypatch.setattr(classifier_module, "train_classifier", lambda *_: pytest.fail("trained again"))
    alone = Tstr(**QUICK, images=60).evaluate(real, striped(100), ctx)
    assert [s for s in curve.scores if s.variant == ""] == alone.scores


def test_a_size_beyond_the_images_at_hand_has_no_number(ctx, real, striped):
    evaluation = Tstr(**QUICK, sizes=(30, 500), seeds=2).evaluate(real, striped(60), ctx)
    beyond = [score for score in evaluation.scores if score.variant == ""]
    assert {(s.test_set, s.n, s.classifier_seed) for s in beyond} == {
        (name, n, seed) for name, n in {"test": 30, "elsewhere": 20}.items() for seed in (0, 1)
    }
    assert len(beyond) == 9 * 2 * 2
    assert all(math.isnan(s.value) and s.note == "only 60 synthetic images" for s in beyond)
    assert all(math.isfinite(s.value) for s in evaluation.scores if s.variant)
    assert {p.variant for p in evaluation.predictions} == {"30 images"}


def test_the_curve_is_written(ctx, real, striped, rendered):
    evaluation = Tstr(**QUICK, sizes=(30, 60, 500)).evaluate(real, striped(100), ctx)
    with (ctx.workdir / "curve.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {row["images"] for row in rows} == {"30", "60", "500"}
    assert {row["value"] for row in rows if row["images"] == "500"} == {""}
    (one,) = (row for row in rows if (row["images"], row["test_set"], row["metric"]) == ("30", "test", "auroc"))
    found = {(s.variant, s.test_set, s.metric): s.value for s in evaluation.scores}
    assert float(one["value"]) == found["30 images", "test", "auroc"]
    assert (ctx.workdir / "curve.png").read_bytes().startswith(b"\x89PNG")
    assert (ctx.workdir / "classifier-0-30-images" / "confusion.csv").is_file()


def test_every_variant_is_resampled(ctx, real, striped):
    evaluation = CURVE.evaluate(real, striped(100), ctx)
    answers = {p.variant: p for p in evaluation.predictions if p.test_set == "test"}
    weights = np.random.default_rng(0).integers(0, 3, (4, 30))
    found = CURVE.resample(answers, weights)
    assert {variant for _, variant in found} == {"", "30 images"}
    right = answers["30 images"].probabilities.argmax(1) == answers["30 images"].labels
    assert found["accuracy", "30 images"] == pytest.approx(weights @ right / weights.sum(1))


@pytest.mark.full
def test_a_curve_keeps_the_contract():
    findings = check_evaluator(CURVE)
    assert not [str(finding) for finding in findings if finding.warning]


def test_images_beyond_those_at_hand_are_said(ctx, real, striped):
    found = Tstr(**QUICK, images=100).evaluate(real, striped(60), ctx)
    assert all("the 60 synthetic images that there are, not 100" in score.note for score in found.scores)
