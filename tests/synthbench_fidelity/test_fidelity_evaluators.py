"""The evaluators feed the pure functions: which images, which names, which notes, which references."""

import csv
from dataclasses import replace
from textwrap import dedent
from typing import ClassVar

import numpy as np
import pytest
from pydantic import ValidationError

from synthbench.api.declarations import scored_twice
from synthbench.api.registry import load_registry
from synthbench.testing import check_evaluator, tiny_splits
from synthbench.types import Splits
from synthbench_fidelity import functional
from synthbench_fidelity import prdc as prdc_module
from synthbench_fidelity.arrays import numbered
from synthbench_fidelity.evaluators import feature_evaluator
from synthbench_fidelity.evaluators.feature_evaluator import FeatureEvaluator
from synthbench_fidelity.evaluators.metric import Figure, Metric
from synthbench_fidelity.evaluators.parts import Pair, class_variant, drawn
from synthbench_fidelity.evaluators.references import Reference, noise, place, some_patients
from synthbench_fidelity.plugin import (
    Authenticity,
    C2st,
    DensityCoverage,
    Fd,
    Fid,
    Kid,
    Membership,
    Memorisation,
    MsSsim,
    PrecisionRecall,
    Vendi,
    register_evaluators,
)
from synthbench_fidelity.prdc import prdc

from .conftest import pictures

FEATURED = [Authenticity, C2st, DensityCoverage, Fd, Kid, Membership, Memorisation, PrecisionRecall, Vendi]
CALIBRATED = [DensityCoverage, Fd, Kid, PrecisionRecall]


def scores(plugin, real, synthetic, ctx):
    """Scores by metric and variant."""
    return {(s.metric, s.variant): s for s in plugin.evaluate(real, synthetic, ctx).scores}


@pytest.mark.parametrize("cls", FEATURED)
def test_they_keep_the_contract(cls, pooled):
    check_evaluator(cls(extractor=pooled))


def test_ms_ssim_keeps_the_contract():
    check_evaluator(MsSsim(pairs=20))


def test_all_are_registered():
    assert {cls.name for cls in register_evaluators()} == {
        "authenticity",
        "c2st",
        "density-coverage",
        "fd",
        "fid",
        "kid",
        "membership",
        "memorisation",
        "ms-ssim",
        "precision-recall",
        "vendi",
    }


def test_fid_is_inceptions_alone():
    assert set(Fid().metrics) == {"fid", "fid_infinity", "fid_place"}
    with pytest.raises(ValidationError, match="FID is Inception's alone; with efficientnet-lite0 use `fd`"):
        Fid(extractor="efficientnet-lite0")


def test_names_carry_the_extractor_and_have_no_dot():
    assert dict(Fd().metrics) == {
        "fd[efficientnet-lite0]": "lower",
        "fd_infinity[efficientnet-lite0]": "lower",
        "fd_place[efficientnet-lite0]": "higher",
    }
    assert "kid[timm:vit_small_lvd142m]" in Kid(extractor="timm:vit_small.lvd142m").metrics
    assert PrecisionRecall().bounds["recall[efficientnet-lite0]"] == (0.0, 1.0)


def test_overall_and_by_class_against_the_training_set(pooled, real, alike, ctx):
    found = scores(Fd(extractor=pooled), real, alike, ctx)
    train, mine = (np.asarray(ctx.features(s, pooled, train=real.train)) for s in (real.train, alike))
    for label, name in ((None, ""), (0, "PLAIN"), (1, "BLOB")):
        sides = (train, real.train.labels), (mine, alike.labels)
        a, b = (x[slice(None) if label is None else labels == label] for x, labels in sides)
        score = found["fd[pooled]", name]
        assert score.value == pytest.approx(functional.frechet_distance(real=a, synthetic=b), rel=1e-12)
        assert (score.n, score.test_set) == (len(b), "")
        assert score.note.startswith(f"{len(b)} against {len(a)} train images")


def test_each_metric_is_its_function(pooled, real, alike, ctx):
    train, mine = (np.asarray(ctx.features(s, pooled, train=real.train)) for s in (real.train, alike))
    kid = scores(Kid(extractor=pooled), real, alike, ctx)["kid[pooled]", ""]
    by_patient = functional.kernel_distance_interval(
        real=train, synthetic=mine, groups=numbered(real.train.groups)
    )
    assert (kid.value, kid.low, kid.high) == by_patient
    precise = scores(PrecisionRecall(extractor=pooled), real, alike, ctx)
    dense = scores(DensityCoverage(extractor=pooled), real, alike, ctx)
    expected = functional.precision_recall(real=train, synthetic=mine)
    expected |= functional.density_coverage(real=train, synthetic=mine)
    assert {kind: (precise | dense)[f"{kind}[pooled]", ""].value for kind in expected} == expected
    share = scores(Authenticity(extractor=pooled), real, alike, ctx)["authenticity[pooled]", ""].value
    assert share == functional.authenticity(train=train, synthetic=mine)
    vendi = scores(Vendi(extractor=pooled), real, alike, ctx)
    assert vendi["vendi[pooled]", ""].value == pytest.approx(functional.vendi_score(features=mine), rel=1e-9)
    assert vendi["vendi[pooled]", "real"].value == pytest.approx(vendi["vendi[pooled]", ""].value, rel=0.1)


def test_vendi_of_a_collapsed_generator(pooled, real, alike, ctx):
    found = scores(Vendi(extractor=pooled), real, alike.subset(np.arange(120) % 2), ctx)
    assert found["vendi[pooled]", "PLAIN"].value == pytest.approx(1)
    assert found["vendi[pooled]", "PLAIN, real"].value > 1.01
    assert "of 60 images each" in found["vendi[pooled]", "PLAIN"].note


def test_a_singular_covariance_is_said_beside_the_number(pooled, real, alike, ctx):
    few = alike.subset(np.arange(12))
    found = scores(Fd(extractor=pooled), real, few, ctx)
    assert "N = 12 <= d = 16: the covariance is singular; read kid beside it" in found["fd[pooled]", ""].note
    assert "singular" not in scores(Fd(extractor=pooled), real, alike, ctx)["fd[pooled]", ""].note
    assert np.isnan(found["fd_infinity[pooled]", ""].value)
    assert found["fd_infinity[pooled]", ""].note == "N = 12: FD is linear in 1/N from 2 d images on (34 needed)"


def test_too_few_images_of_a_class_leave_a_text(pooled, real, alike, ctx):
    one_class = alike.subset(alike.labels == 0)
    found = scores(Kid(extractor=pooled), real, one_class, ctx)
    assert found["kid[pooled]", "BLOB"].note == "too few: 0 synthetic images of BLOB (3 needed)"
    assert np.isnan(found["kid[pooled]", "BLOB"].value)
    assert np.isnan(found["kid_place[pooled]", "BLOB"].value)
    assert np.isfinite(found["kid[pooled]", "PLAIN"].value)


def test_of_many_images_the_same_draw_every_time(pooled, real, alike, ctx):
    plugin = Kid(extractor=pooled, at_most=50)
    first, second = (scores(plugin, real, alike, ctx)["kid[pooled]", ""] for _ in range(2))
    assert first == second
    assert first.n == 50
    assert first.value != scores(Kid(extractor=pooled), real, alike, ctx)["kid[pooled]", ""].value


def test_all_evaluators_draw_the_same_images(alike):
    """So each goes through an extractor once, whoever asks, under whatever seed."""
    first, second = drawn(alike, 50), drawn(alike, 50)
    assert first.digest == second.digest
    assert len(set(first.ids)) == 50
    assert drawn(alike, 120) is alike


@pytest.mark.parametrize("cls", CALIBRATED)
def test_a_class_without_training_images_has_no_number(cls, pooled, real, alike, ctx):
    plugin = cls(extractor=pooled)
    kind = plugin.feature_metrics[0].name
    found = scores(plugin, replace(real, train=real.train.subset(real.train.labels == 0)), alike, ctx)
    assert np.isnan(found[f"{kind}[pooled]", "BLOB"].value)
    assert "0 train images of BLOB" in found[f"{kind}[pooled]", "BLOB"].note
    assert np.isfinite(found[f"{kind}[pooled]", "PLAIN"].value)


@pytest.mark.parametrize("cls", CALIBRATED)
def test_noise_stands_at_0_and_real_images_near_1(cls, pooled, real, alike, ctx):
    """One image of each patient: twins among the real images make the half that is compared less diverse."""
    plugin, real = cls(extractor=pooled), replace(real, train=pictures(240, 4))
    bad = scores(plugin, real, replace(noise(real.train, 120), labels=alike.labels), ctx)
    good = scores(plugin, real, alike, ctx)
    places = [f"{metric.name}_place[pooled]" for metric in plugin.feature_metrics if metric.calibrated]
    assert places
    for name in places:
        assert bad[name, ""].value == 0
        assert good[name, ""].value == pytest.approx(1, abs=0.3)
        assert "0 is noise" in good[name, ""].note


def test_references_are_those_of_the_functions(pooled, real, alike, ctx):
    found = scores(Fd(extractor=pooled), real, alike, ctx)
    train, bad = (
        np.asarray(ctx.features(s, pooled, train=real.train)) for s in (real.train, noise(real.train, 120))
    )
    expected = functional.frechet_distance(real=train, synthetic=bad)
    assert found["fd[pooled]", "noise"].value == pytest.approx(expected, rel=1e-12)
    half = found["fd[pooled]", "real against real"]
    assert (half.n, half.note) == (120, "120 against 120 images")
    assert found["fd[pooled]", "copy of train"].value < half.value < found["fd[pooled]", "noise"].value


@pytest.mark.parametrize("cls", [C2st, Kid, Membership, Vendi])
def test_a_class_called_as_a_reference_is_no_reference(cls, pooled, real, alike, ctx):
    """Under one name the mean of both would stand on the board, as of two classifiers."""
    called = {part: replace(images, classes=("noise", "real")) for part, images in real.parts.items()}
    splits = Splits(called["train"], {"test": called["test"]}, holdout=called["holdout"])
    evaluation = cls(extractor=pooled).evaluate(splits, replace(alike, classes=("noise", "real")), ctx)
    assert not scored_twice(evaluation.scores)
    assert {"", "noise (class)", "real (class)"} <= {score.variant for score in evaluation.scores}


def test_a_classs_variant_is_its_own():
    odd = ["noise", "noise (class)", "real", "x, real", "x, copy of train", "x"]
    variants = [class_variant(name) for name in odd]
    assert len(set(variants) | {"noise", "real", "x, real", "x, copy of train"}) == len(odd) + 4
    assert class_variant("x") == "x"


def test_references_are_computed_once_for_all_generators(pooled, real, alike, copier, ctx):
    plugin = Kid(extractor=pooled)
    first = scores(plugin, real, alike, ctx)
    with ctx.store.counting() as work:
        second = scores(plugin, real, copier, ctx.child("another seed"))
    assert work.built == 3, "the copier's features, and each class's references at its numbers"
    assert first["kid[pooled]", "noise"] == second["kid[pooled]", "noise"]
    with ctx.store.counting() as work:
        scores(plugin, real, copier.subset(np.arange(120)[::-1]), ctx)
    assert work.built == 1, "the features alone"


class Spread(FeatureEvaluator):
    """One number under two names: it asks for 40 images under one of them."""

    name: ClassVar[str] = "spread"

    @property
    def feature_metrics(self):
        def spread(pair):
            return Figure(float(pair.synthetic.std()))

        return [
            Metric("spread", "higher", spread, calibrated=True),
            Metric("spread_of_many", "higher", spread, least=40, calibrated=True),
        ]


def test_each_metric_says_how_many_images_it_needs(pooled, real, alike, ctx):
    """60 training images are enough for both, their halves for one of the two."""
    few = replace(real, train=real.train.subset(np.arange(60)))
    found = scores(Spread(extractor=pooled), few, alike, ctx)
    assert found["spread[pooled]", ""].value == found["spread_of_many[pooled]", ""].value
    assert np.isfinite(found["spread_place[pooled]", ""].value)
    assert found["spread_of_many_place[pooled]", ""].note.startswith("too few images to place it")
    assert ("spread[pooled]", "real against real") in found
    assert ("spread_of_many[pooled]", "real against real") not in found
    assert ("spread_of_many[pooled]", "noise") in found
    assert found["spread_of_many[pooled]", "PLAIN"].note == "too few: 30 train images of PLAIN (40 needed)"


def test_what_two_metrics_share_is_computed_once(pooled, real, alike, ctx, monkeypatch):
    """Precision and recall come from one pass: of 3 parts, and of 3 references of each."""
    calls = []
    monkeypatch.setattr(prdc_module, "prdc", lambda **sets: calls.append(sets) or prdc(**sets))
    scores(PrecisionRecall(extractor=pooled), real, alike, ctx)
    assert len(calls) == 3 + 3 * 3


def test_once_tells_options_apart():
    sides = {"real": np.ones((2, 1)), "synthetic": np.zeros((3, 1)), "patients": np.arange(2)}
    pair = Pair(**sides, rng=np.random.default_rng(0))

    def total(real, synthetic, k):
        return real.sum() + synthetic.sum() + k

    assert [pair.once(total, k=k) for k in (1, 2, 1)] == [3, 4, 3]


def test_the_metric_in_the_docstring_works(pooled, real, alike, ctx, tmp_path):
    """What is shown to those who add one: a file of it passes the conformance suite."""
    block = [line for line in feature_evaluator.__doc__.splitlines() if line.startswith("    ") or not line]
    imports = ["from collections.abc import Sequence", "from typing import ClassVar", "import numpy as np"]
    for module, names in (
        ("feature_evaluator", "FeatureEvaluator"),
        ("metric", "Figure, Metric"),
        ("parts", "Pair"),
    ):
        imports.append(f"from synthbench_fidelity.evaluators.{module} import {names}")
    (tmp_path / "shift.py").write_text("\n".join(imports) + "\n\n" + dedent("\n".join(block)))
    plugin = load_registry().find("evaluator", "shift.py:MeanShift", tmp_path)(extractor=pooled)
    check_evaluator(plugin)
    found = scores(plugin, real, alike, ctx)
    train, synthetic = (ctx.features(s, pooled, train=real.train).mean(axis=0) for s in (real.train, alike))
    assert found["mean_shift[pooled]", ""].value == pytest.approx(float(np.linalg.norm(train - synthetic)))
    assert found["mean_shift_place[pooled]", ""].value == pytest.approx(1, abs=0.3)


def test_the_references_of_each_class_are_in_a_table(pooled, real, alike, ctx):
    scores(PrecisionRecall(extractor=pooled), real, alike, ctx)
    with (ctx.workdir / "calibration.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 3 * 3 * 2
    assert {row["class"] for row in rows} == {"", "PLAIN", "BLOB"}
    copies = [row for row in rows if row["reference"] == "copy of train" and row["metric"] == "precision[pooled]"]
    assert {float(row["value"]) for row in copies} == {1.0}


def test_a_training_set_too_small_for_halves_has_no_place(pooled, real, alike, ctx):
    small = replace(real, train=real.train.subset(np.arange(8)))
    found = scores(DensityCoverage(extractor=pooled), small, alike, ctx)
    assert found["coverage_place[pooled]", ""].note.startswith("too few images to place it")
    assert ("coverage[pooled]", "real against real") not in found


def test_some_patients_come_whole_and_at_random():
    groups = np.repeat(np.array([f"p{i}" for i in range(30)]), np.arange(30) % 4 + 1)
    chosen = some_patients(groups, 30, np.random.default_rng(0))
    assert 26 < chosen.sum() <= 30
    assert not set(groups[chosen]) & set(groups[~chosen])
    other = some_patients(groups, 30, np.random.default_rng(1))
    assert (chosen != other).any()


@pytest.mark.parametrize("seed", range(5))
def test_a_patient_of_many_images_does_not_keep_the_others_out(seed):
    groups = np.array(["many"] * 40 + [f"p{i // 2}" for i in range(60)])
    chosen = some_patients(groups, 30, np.random.default_rng(seed))
    assert chosen.sum() == 30
    assert "many" not in groups[chosen]


def test_ms_ssim_within_the_classes_beside_the_real_one(real, alike, ctx):
    found = scores(MsSsim(pairs=200), real, alike, ctx)
    assert {variant for _, variant in found} == {"", "PLAIN", "BLOB", "real", "PLAIN, real", "BLOB, real"}
    assert found["ms_ssim", ""].value == pytest.approx(found["ms_ssim", "real"].value, abs=0.05)
    one = scores(MsSsim(pairs=20), real, alike.subset(np.arange(120) % 2), ctx)
    assert one["ms_ssim", "PLAIN"].value == pytest.approx(1)
    alone = scores(MsSsim(pairs=20), real, alike.subset(np.array([0, 1, 2])), ctx)
    assert alone["ms_ssim", "BLOB"].note == "too few: 1 images of BLOB (2 needed)"
    assert np.isnan(alone["ms_ssim", ""].value)


def test_a_line_to_cite_for_each_metric(pooled, real, alike, ctx):
    PrecisionRecall(extractor=pooled, k=4).evaluate(real, alike, ctx)
    lines = (ctx.workdir / "signature.txt").read_text().splitlines()
    assert [line.partition(" | ")[0] for line in lines] == list(PrecisionRecall(extractor=pooled).metrics)
    for part in ("N 120 synthetic, 240 train images, 16x16x1", "k 4", pooled.signature(), "numpy ", "torch "):
        assert part in lines[0]


def test_tiny_sets_of_the_conformance_suite_have_no_holdout():
    assert tiny_splits().holdout is None


@pytest.mark.parametrize(("way", "real", "bad"), [("higher", 0.5, 0.9), ("lower", 2.0, 2.0)])
def test_no_place_where_noise_scores_as_well_as_real_images(way, real, bad):
    """Noise has one feature vector, near enough; where that lies amid the data, its precision is 1."""
    references = [
        Reference(name, 9, 9, {"m": value}) for name, value in {"real against real": real, "noise": bad}.items()
    ]
    figure = place(1.0, Metric("m", way, lambda pair: Figure(1.0)), references)
    assert np.isnan(figure.value)
    assert figure.note == f"noise ({bad:.4g}) scores no worse than real against real ({real:.4g})"


def test_some_training_images_are_compared_with_and_the_note_says_how_many(pooled, real, alike, ctx):
    some = Kid(extractor=pooled, train_at_most=30)
    found = scores(some, real, alike, ctx)
    mine, left = drawn(real.train, 30), len(real.train)
    train = np.asarray(ctx.features(mine, pooled, train=real.train))
    synthetic = np.asarray(ctx.features(alike, pooled, train=real.train))
    by_patient = functional.kernel_distance_interval(real=train, synthetic=synthetic, groups=numbered(mine.groups))
    score = found["kid[pooled]", ""]
    assert (score.value, score.low, score.high) == by_patient
    assert score.note.startswith(f"{len(alike)} against 30 of {left} train images")
    plain, of_plain = mine.counts()["PLAIN"], real.train.counts()["PLAIN"]
    assert f"against {plain} of {of_plain} train images" in found["kid[pooled]", "PLAIN"].note
    assert f"{len(alike)} synthetic, 30 of {left} train images" in (ctx.workdir / "signature.txt").read_text()
    evaluation = some.evaluate(real, alike, ctx)
    assert list(some.restate(evaluation.evidence, ctx)) == list(evaluation.scores)


def test_the_two_sample_test_learns_from_some_training_images_too(pooled, real, alike, ctx):
    found = scores(C2st(extractor=pooled, train_at_most=40), real, alike, ctx)
    left = len(real.train)
    assert found["c2st_auroc[pooled]", ""].note.startswith(f"{len(alike)} against 40 of {left} train images")
    assert f"{len(alike)} synthetic, 40 of {left} train images" in (ctx.workdir / "signature.txt").read_text()
    assert found["c2st_auroc[pooled]", "noise"].note == f"{len(alike)} against 40 images"


def test_as_many_as_there_are_is_all_of_them(pooled, real, alike, ctx):
    bounded = scores(Kid(extractor=pooled, train_at_most=10_000), real, alike, ctx)
    assert bounded == scores(Kid(extractor=pooled), real, alike, ctx)


def test_authenticity_is_of_all_training_images():
    with pytest.raises(ValidationError, match="nobody finds what was copied"):
        Authenticity(train_at_most=100)
