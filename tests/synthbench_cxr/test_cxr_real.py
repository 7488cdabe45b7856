"""The real X-rays, where they lie beside the checkout."""

from __future__ import annotations

import time

import numpy as np

from synthbench import Context
from synthbench_cxr.plugin import ChestXray, CovidPneumoniaNormal, PneumoniaXrayImages
from tests.helpers.xrays import OPTIONS, with_xrays

pytestmark = with_xrays


def test_chest_xray_has_the_published_counts_and_separate_patients(xray_ctx: Context):
    splits = ChestXray(**OPTIONS).load(xray_ctx)
    test = splits.tests["test"]
    assert splits.train.counts() == {"NORMAL": 1341, "PNEUMONIA": 3875}
    assert splits.val.counts() == {"NORMAL": 8, "PNEUMONIA": 8}
    assert test.counts() == {"NORMAL": 234, "PNEUMONIA": 390}
    assert splits.quarantine == ()
    assert len(set(splits.train.groups)) == 3654
    assert not set(splits.train.groups) & set(test.groups)
    assert not set(splits.train.groups) & set(splits.val.groups)
    assert 100 < splits.train.pixels.mean() < 150  # an X-ray is neither black nor white

    started = time.process_time()
    again = ChestXray(**OPTIONS).load(xray_ctx)
    assert time.process_time() - started < 3  # .1 to 1 by processor; a read takes 5 to 20
    assert np.array_equal(again.tests["test"].pixels, test.pixels)


def test_the_external_sets(xray_ctx: Context):
    covid = CovidPneumoniaNormal(**OPTIONS).load(xray_ctx)
    assert covid.tests["test"].counts() == {"NORMAL": 500, "PNEUMONIA": 624}
    apart = CovidPneumoniaNormal(covid="recall", **OPTIONS).load(xray_ctx)
    assert apart.tests["test"].counts() == {"NORMAL": 500, "PNEUMONIA": 500}
    assert apart.tests["covid"].counts() == {"NORMAL": 0, "PNEUMONIA": 124}
    again = PneumoniaXrayImages(**OPTIONS).load(xray_ctx)
    assert again.tests["test"].counts() == {"NORMAL": 238, "PNEUMONIA": 641}
    for splits in (covid, again):
        assert len(splits.train) == 0
        assert splits.quarantine == ()
