"""`synthbench stress` on tiny evaluators that notice one thing each."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from synthbench import cli
from synthbench.data.audit import audit
from synthbench.errors import DataError
from synthbench.stress.sweep import REPEATS, halves
from synthbench.types import Images, Splits
from tests.stress.test_degrade import radiographs

EVALUATORS = '''

class Bright(Evaluator):
    """Mean grey level against train's: sees brightness."""

    name: ClassVar[str] = "bright"
    metrics: ClassVar = {"gap": "lower", "mood": "higher"}

    def evaluate(self, real, synthetic, ctx):
        called("bright")
        gap = abs(float(synthetic.pixels.mean()) - float(real.train.pixels.mean()))
        about = {"test_set": "train", "n": len(synthetic), "seen": "generator"}
        return Evaluation([
            Score("gap", gap, **about),
            Score("gap", gap, variant="DARK", **about),
            Score("mood", float(synthetic.pixels.mean()), **about),
        ])


class Copied(Evaluator):
    """The share of images that train holds."""

    name: ClassVar[str] = "copied"
    metrics: ClassVar = {"copying": "lower"}
    gates: ClassVar = frozenset({"copying"})

    def evaluate(self, real, synthetic, ctx):
        known = {image.tobytes() for image in real.train.pixels}
        share = np.mean([image.tobytes() in known for image in synthetic.pixels])
        return Evaluation([Score("copying", float(share), "", len(synthetic))])


class Balance(Evaluator):
    """The share of the rarer class; fails where a class is gone."""

    name: ClassVar[str] = "balance"
    metrics: ClassVar = {"share": "higher"}

    def evaluate(self, real, synthetic, ctx):
        share = np.bincount(synthetic.labels, minlength=2).min() / len(synthetic)
        if not share:
            raise RuntimeError("one class only")
        return Evaluation([Score("share", float(share), "", len(synthetic), low=share - 0.05, high=share + 0.05)])
'''


@pytest.fixture
def stressed(mini, capsys, bare_plots):
    """A function: run `synthbench stress` on the mini benchmark; exit code, verdicts, points, what it printed."""

    def run(*arguments, evaluators=("Bright", "Copied", "Balance"), **changes):
        if "class Bright" not in mini.plugin.read_text():
            mini.plugin.write_text(mini.plugin.read_text() + EVALUATORS)
        changes = {"dataset": {"use": "Squares", "n": 120}, "headline": "bright.gap", **changes}
        mini.write("MeanNoise", evaluators=list(evaluators), **changes)
        mini.forget()
        where = ["--out", str(mini.out), "--device", "cpu", "--levels", "2"]
        code = cli.main(["stress", str(mini.file), *where, *arguments])
        if code == 2:
            return code, None, None, capsys.readouterr()
        verdicts = pd.read_csv(mini.out / "stress.csv", keep_default_na=False)
        points = pd.read_csv(mini.out / "points.csv", keep_default_na=False, na_values={"value": [""]})
        return code, verdicts.set_index(["metric", "degradation"]), points, capsys.readouterr()

    return run


@pytest.mark.full
def test_each_evaluator_notices_what_it_measures(stressed, mini, rendered):
    code, found, points, shown = stressed()
    assert found.loc[("gap", "brightness"), "verdict"] == "right"
    assert float(found.loc[("gap", "brightness"), "leaves_at"]) == 0.5
    assert found.loc[("gap", "brightness"), "leaves_at_amount"] == "32 grey levels more"
    assert found.loc[("mood", "brightness"), "verdict"] == "wrong"
    assert found.loc[("gap", "label-noise"), "verdict"] == "blind"
    assert found.loc[("copying", "copy-train"), "verdict"] == "right"
    assert float(found.loc[("copying", "copy-train"), "last"]) == 1
    assert found.loc[("copying", "noise"), "verdict"] == "right", "the gate keeps still"
    assert found.loc[("gap", "copy-train"), "verdict"] == "not asked"
    assert found.loc[("share", "drop-class"), "verdict"] == "right"
    assert found.loc[("share", "blur"), "verdict"] == "blind"
    assert set(found["test_set"]) == {"train", ""}
    assert len(points) == 4 * (REPEATS + 9 * 2), "variants are left out"
    with Image.open(mini.out / "stress.png") as picture:
        assert picture.width > 1000
    assert "right .50" in shown.out
    assert code == 1, "balance failed where a class was gone"
    assert "failed: balance: RuntimeError: one class only" in shown.out
    assert "one class only" in found.loc[("share", "drop-class"), "note"]
    assert list((mini.out / "failed").rglob("error.txt"))


@pytest.mark.full
def test_strength_0_is_real_against_other_reals_on_several_halvings(stressed):
    _, _, points, _ = stressed()
    base = points[(points["degradation"] == "") & (points["metric"] == "gap")]
    assert base["repeat"].tolist() == list(range(REPEATS))
    assert base["value"].nunique() == REPEATS
    copied = points[(points["degradation"] == "") & (points["metric"] == "copying")]
    assert copied["value"].tolist() == [0.0] * REPEATS


def test_a_second_time_nothing_is_evaluated_and_the_numbers_are_the_same(stressed, mini):
    _, first, _, _ = stressed(evaluators=["Bright"])
    assert mini.calls()["bright"] == REPEATS + 9 * 2
    _, again, _, _ = stressed(evaluators=["Bright"])
    assert mini.calls()["bright"] == 0
    pd.testing.assert_frame_equal(first, again)


@pytest.mark.full
def test_an_evaluator_that_skips_has_no_value_and_says_why(stressed):
    code, found, _, _ = stressed(evaluators=["Bright", "Picky"])
    row = found.loc[("value", "noise")]
    assert (row["verdict"], row["note"]) == ("no value", "skipped: 60 images are too few")
    assert code == 0, "a skip is no failure"


@pytest.mark.full
def test_only_named_evaluators_and_so_many_images(stressed):
    _, found, _, _ = stressed("--only", "picky", "--images", "10", evaluators=["Bright", "Picky"])
    assert set(found["evaluator"]) == {"picky"}
    assert found["note"].iloc[0] == "skipped: 10 images are too few"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--only", "brihgt"], "no such evaluator"),
        (["--levels", "1"], "--levels and --images must be 2 or more"),
        (["--images", "1"], "--levels and --images must be 2 or more"),
        (["--set", "dataset.n=2"], "too few to hold out 50%"),
    ],
)
def test_mistakes_are_said(stressed, arguments, message):
    code, _, _, shown = stressed(*arguments)
    assert code == 2
    assert message in shown.err


def test_the_holdout_is_in_neither_half(stressed, mini):
    stressed("--only", "bright", holdout=0.25)
    assert len(pd.read_csv(mini.out / "points.csv")) == 2 * (REPEATS + 18)


# ---- the halves


def splits_of(train):
    tests = {"test": radiographs(10, seed=7, name="x"), "far": radiographs(10, seed=8, name="y")}
    return Splits(train, tests, holdout=radiographs(10, seed=9, name="h"))


def test_halves_share_no_patient_and_have_as_many_images():
    splits = splits_of(radiographs(121))
    real, stand_in = halves(splits, audit(splits), 1000, seed=0)
    assert not set(real.train.groups) & set(stand_in.groups)
    assert len(real.train) == len(stand_in) >= 55
    assert set(real.tests) == {"test"}
    assert real.holdout is splits.holdout


def test_a_rare_class_is_in_both_halves():
    images = radiographs(300)
    rare = np.flatnonzero(images.labels == 1)[8:]
    splits = Splits(images.subset(np.setdiff1d(np.arange(300), rare)), {})
    for seed in range(2):
        real, stand_in = halves(splits, audit(splits), 20, seed=seed)
        assert len(real.train) == len(stand_in) == 20
        assert min(real.train.counts().values()) >= 1
        assert min(stand_in.counts().values()) >= 1


def test_more_classes_than_there_is_room_for():
    images = radiographs(80)
    four = Images(images.pixels, np.arange(80) // 2 % 4, ("A", "B", "C", "D"), images.ids, images.groups)
    splits = Splits(four, {})
    real, stand_in = halves(splits, audit(splits), 4, seed=0)
    assert set(real.train.counts().values()) == set(stand_in.counts().values()) == {1}
    with pytest.raises(DataError, match="2 images in each half are too few for 4 classes"):
        halves(splits, audit(splits), 2, seed=0)


def test_images_cap_both_halves():
    splits = splits_of(radiographs(120))
    real, stand_in = halves(splits, audit(splits), 20, seed=0)
    assert (len(real.train), len(stand_in)) == (20, 20)
    assert 0 < np.sum(stand_in.labels) < 20


def test_too_few_patients_to_halve():
    splits = splits_of(radiographs(4))
    with pytest.raises(DataError, match="too few"):
        halves(splits, audit(splits), 20, seed=0)
