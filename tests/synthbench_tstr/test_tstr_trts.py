"""Trained on real images, tested on synthetic ones."""

from __future__ import annotations

from dataclasses import replace

import pytest

from synthbench.errors import DataError
from synthbench.testing import check_evaluator
from synthbench_torchkit import classifier as classifier_module
from synthbench_tstr.plugin import Trts

QUICK = Trts(backbone="cnn", epochs=6, batch_size=16, learning_rate=2e-3)


def test_scores_are_on_the_synthetic_images_and_carry_no_test_sets_name(ctx, real, striped):
    evaluation = QUICK.evaluate(real, striped(50, 7), ctx)
    assert {(s.test_set, s.n, s.seen, s.variant) for s in evaluation.scores} == {("", 50, "", "")}
    (answers,) = evaluation.predictions
    assert answers.ids.tolist() == striped(50, 7).ids.tolist()


def test_right_labels_score_high_and_wrong_ones_low(ctx, real, striped):
    right = striped(50, 7)
    wrong = replace(right, labels=1 - right.labels)
    by_labels = [
        {s.metric: s.value for s in QUICK.evaluate(real, images, ctx).scores} for images in (right, wrong)
    ]
    assert by_labels[0]["auroc"] > 0.9
    assert by_labels[1]["auroc"] == pytest.approx(1 - by_labels[0]["auroc"])


def test_one_classifier_serves_all_generators(ctx, real, monkeypatch, striped):
    QUICK.evaluate(real, striped(50, 7), ctx)
    monkeypatch.setattr(classifier_module, "train_classifier", lambda *_: pytest.fail("trained again"))
    QUICK.evaluate(real, striped(30, 8), ctx)


def test_images_of_another_shape_are_refused(ctx, real, striped):
    with pytest.raises(DataError, match="the synthetic images have classes"):
        QUICK.evaluate(real, striped(30, 0, 3), ctx)


@pytest.mark.full
def test_keeps_the_contract():
    findings = check_evaluator(QUICK.model_copy(update={"epochs": 2}))
    assert not [str(finding) for finding in findings if finding.warning]
