"""`c2st` and `membership` as evaluators: known answers, what stands beside them, what they refuse."""

from dataclasses import replace

import numpy as np
import pytest

from synthbench_fidelity.plugin import C2st, Membership

from .conftest import pictures


def scores(plugin, real, synthetic, ctx):
    """Scores by metric without its extractor, and variant."""
    return {(s.metric.partition("[")[0], s.variant): s for s in plugin.evaluate(real, synthetic, ctx).scores}


def test_c2st_of_new_real_images_of_worse_ones_and_of_its_references(pooled, real, alike, ctx):
    plugin = C2st(extractor=pooled)
    good = scores(plugin, real, alike, ctx)
    brighter = replace(alike, pixels=np.clip(alike.pixels.astype(int) + 25, 0, 255).astype(np.uint8))
    bad = scores(plugin, real, brighter, ctx)
    assert good["c2st_auroc", ""].low < 0.5 < good["c2st_auroc", ""].high
    assert bad["c2st_auroc", ""].low > 0.6
    assert good["c2st_auroc", "BLOB"].n == 60
    half, noise = (good["c2st_auroc", name] for name in ("real against real", "noise"))
    assert half.low < 0.5 < half.high
    assert half.note == "120 against 120 images"
    assert noise.value == pytest.approx(1, abs=0.01)
    assert noise == bad["c2st_auroc", "noise"], "the same for every generator"


def test_c2st_of_a_collapsed_generator_has_no_number(pooled, real, alike, ctx):
    found = scores(C2st(extractor=pooled), real, alike.subset(np.arange(120) % 2), ctx)
    assert found["c2st_auroc", ""].note == "too few: 2 different synthetic images (4 needed)"
    assert np.isnan(found["c2st_auroc", ""].value)


def test_membership_of_a_copier_and_of_new_images(pooled, real, alike, ctx):
    plugin = Membership(extractor=pooled)
    everything = scores(plugin, real, real.train, ctx)["membership_auroc", ""]
    assert everything.value == pytest.approx(1, abs=0.01)
    assert everything.note == "240 train against 320 hold-out images, among 240 images"
    honest = scores(plugin, real, alike, ctx)
    assert honest["membership_auroc", ""].low < 0.5 < honest["membership_auroc", ""].high
    assert honest["membership_auroc", "BLOB"].low < 0.5 < honest["membership_auroc", "BLOB"].high
    assert honest["membership_auroc", "BLOB"].note.startswith("120 train against 160 hold-out images")


def test_membership_beside_known_answers(pooled, real, alike, ctx):
    found = scores(Membership(extractor=pooled), real, alike, ctx)
    copies, held_out = (found["membership_auroc", name] for name in ("copy of train", "held-out reals"))
    assert copies.n == 120, "as many as the generator drew: half of the training images"
    assert copies.low > 0.65
    assert held_out.low < 0.5 < held_out.high
    assert held_out.note == "240 train against 200 hold-out images, among 120 images"


def test_a_copy_under_the_wrong_label_is_found(pooled, real, ctx):
    turned = replace(real.train, labels=1 - real.train.labels)
    found = scores(Membership(extractor=pooled), real, turned, ctx)
    assert found["membership_auroc", "BLOB"].value == pytest.approx(1, abs=0.01)


def test_membership_needs_a_holdout_of_two_patients(pooled, real, without_holdout, alike, ctx):
    plugin = Membership(extractor=pooled)
    nowhere = scores(plugin, without_holdout, alike, ctx)
    assert {score.note for score in nowhere.values()} == {"no hold-out"}
    assert np.isnan([score.value for score in nowhere.values()]).all()
    one = replace(real, holdout=pictures(2, 2, each=2))
    found = scores(plugin, one, alike, ctx)
    assert found["membership_auroc", ""].note == "too few: 1 hold-out patients (2 needed)"
    assert found["membership_auroc", "BLOB"].note == "too few: 0 hold-out patients (2 needed)"
