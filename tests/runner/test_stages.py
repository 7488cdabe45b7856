"""The stages of a run: which labels are asked for, external test sets, what a key holds, what is kept."""

import json
import math

import numpy as np
import pandas as pd
import pytest

from synthbench.api.imaging import PictureRule
from synthbench.api.registry import load_registry
from synthbench.benchmark.config import load_benchmark
from synthbench.benchmark.plan import evaluator_seed, make_plan
from synthbench.progress import Progress
from synthbench.runner.load_data import load_splits
from synthbench.runner.session import Session
from synthbench.runner.stages import Seeds, evaluate, flatness, make_images
from synthbench.scale import GreyScale
from synthbench.storage.store import Store, load_images
from synthbench.types import Images


@pytest.fixture
def work(mini):
    """What `run` makes of the benchmark file: benchmark, session, splits and plan."""

    def make(**changes):
        mini.write(*changes.pop("generators", ["MeanNoise"]), **changes)
        mini.forget()
        bench = load_benchmark(mini.file, load_registry())
        session = Session(Store(mini.cache), "cpu", Progress(False), mini.out / "data")
        return bench, session, load_splits(bench, session), make_plan(bench)

    return make


def made(work, tmp_path, **changes):
    bench, session, splits, plan = work(**changes)
    return [
        load_images(make_images(t, splits.train, bench.samples, session, tmp_path / "failed", PictureRule()).path)
        for t in plan
    ]


# ---- synthetic images


def test_balanced_labels_by_default_and_the_training_prior_on_demand(work, tmp_path):
    unbalanced = {"use": "Squares", "n": 13}  # 7 DARK, 6 LIGHT
    balanced, prior = made(work, tmp_path, dataset=unbalanced, generators=["MeanNoise", "Prior"], samples=9)
    assert balanced.counts() == {"DARK": 5, "LIGHT": 4}
    assert prior.counts() == {"DARK": 5, "LIGHT": 4}
    assert len(prior) == 9
    balanced, prior = made(work, tmp_path, dataset=unbalanced, generators=["MeanNoise", "Prior"], samples=130)
    assert balanced.counts() == {"DARK": 65, "LIGHT": 65}
    assert prior.counts() == {"DARK": 70, "LIGHT": 60}


def test_synthetic_images_show_the_label_asked_for_and_carry_names_of_their_own(work, tmp_path):
    first, second = made(work, tmp_path, seeds=2)
    assert first.ids[0] == "meannoise-0-000000"
    assert not set(first.ids) & set(second.ids)
    for images in (first, second):
        means = images.pixels.reshape(len(images), -1).mean(axis=1)
        assert np.array_equal(means > 110, images.labels == 1)


def test_a_sampler_may_not_change_what_it_was_asked_for(mini, work, tmp_path):
    vandal = (
        "\n\nclass Vandal(Generator):\n    name: ClassVar[str] = 'vandal'\n\n    def fit(self, train, ctx):\n"
        "        def sampler(labels, rng):\n            labels[:] = 0\n"
        "            return np.zeros((len(labels), *train.shape), np.uint8)\n        return sampler\n"
    )
    mini.plugin.write_text(mini.plugin.read_text() + vandal)
    (images,) = made(work, tmp_path, generators=["Vandal"])
    assert images.counts() == {"DARK": 5, "LIGHT": 5}


ASKING = """

class Asking(MeanNoise):
    name: ClassVar[str] = "asking"

    def fit(self, train, ctx):
        (ctx.workdir / "told.txt").write_text(f"{ctx.seed_index} {ctx.pictures.resize} {ctx.pictures.scale.bits}")
        return super().fit(train, ctx)
"""


def test_a_generator_is_told_its_seeds_number_and_how_pictures_are_read(mini, work, tmp_path):
    mini.plugin.write_text(mini.plugin.read_text() + ASKING)
    bench, session, splits, plan = work(generators=["Asking"], seeds=2)
    rule = PictureRule("pad", scale=GreyScale(12))
    for trial in plan:
        stored = make_images(trial, splits.train, bench.samples, session, tmp_path / "failed", rule)
        assert (stored.path / "files" / "told.txt").read_text() == f"{trial.index} pad 12"
    assert stored.meta["key"]["pictures"] == {
        "resize": "pad",
        "antialias": True,
        "scale": {"bits": 12, "window": None},
    }


# ---- keys


def keys(work, **changes):
    _, session, splits, plan = work(**changes)
    return session.key(plan[0].generator, train=splits.train.digest, seed=plan[0].seed)


def test_a_key_holds_everything_that_went_in(work):
    key = keys(work)
    assert set(key) == {"schema", "use", "config", "inputs", "code", "device", "train", "seed"}
    assert key["config"] == {"sigma": 10.0, "offset": 0}
    assert len(key["code"]["source"]) == 64
    assert key["code"]["numpy"] == np.__version__
    assert keys(work) == key
    assert json.loads(json.dumps(key)) == key


def test_the_device_counts_by_its_type(work):
    _, session, _, plan = work()
    kinds = {
        device: Session(session.store, device, session.progress, session.scratch).key(plan[0].generator)["device"]
        for device in ("cpu", "cuda:0", "cuda:1")
    }
    assert kinds == {"cpu": "cpu", "cuda:0": "cuda", "cuda:1": "cuda"}


def test_files_that_a_configuration_names_count_by_content(mini, work):
    mini.plugin.write_text(
        mini.plugin.read_text()
        + "\n\nclass Weighted(MeanNoise):\n    name: ClassVar[str] = 'weighted'\n    weights: str = ''\n\n"
        + "    def inputs(self):\n        return {'weights': Path(self.weights).read_text()}\n"
    )
    weights = mini.folder / "weights.txt"
    weights.write_text("one")
    changes = {"generators": [{"use": "Weighted", "weights": str(weights)}]}
    before = keys(work, **changes)
    weights.write_text("two")
    after = keys(work, **changes)
    assert before["inputs"] == {"weights": "one"}
    assert {name for name in before if before[name] != after[name]} == {"inputs"}


def test_generators_are_compared_under_the_same_evaluator_seed(work):
    bench, *_ = work(evaluators=["Distance", {"use": "Distance", "label": "second"}])
    first, second = bench.evaluators
    assert evaluator_seed(bench, first, 0) == evaluator_seed(bench, first, 0)
    assert len({evaluator_seed(bench, e, i) for e in (first, second) for i in (0, 1)}) == 4


# ---- external data sets


def external(mini, *entries, **changes):
    mini.write("MeanNoise", external=[{"use": "Squares", **entry} for entry in entries], **changes)
    return mini.run()


def test_the_test_parts_of_external_sets_are_scored_under_their_label(mini):
    more = {"label": "far", "shift": 30, "extra_test": "night"}
    assert external(mini, more, {"label": "a/b", "shift": 5}) == 0
    test_sets = mini.scores.query("metric == 'gap'").set_index("test_set")["dataset"].to_dict()
    assert test_sets == {"test": "squares", "far": "far", "far/night": "far", "a/b": "a/b", "train": "squares"}
    row = mini.numbers.loc["meannoise"]
    assert row["distance.gap@far"] > row["distance.gap@a/b"] > row["distance.gap"]
    assert set(mini.record["data"]["sets"]) == {"train", "test", "far", "far/night", "a/b"}
    assert mini.record["data"]["quarantined"] == 3


def test_an_external_set_of_other_images_recomputes_scores_and_no_training(mini):
    mini.write("MeanNoise")
    mini.run()
    mini.calls()
    external(mini, {"label": "far", "shift": 30})
    assert {what.split()[0] for what in mini.calls()} == {"load", "evaluate"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"classes": ["A", "B"]}, r"external far: its classes are ('A', 'B'), the data set's ('DARK', 'LIGHT')"),
        ({"size": 8}, "external far: its images are (8, 8, 1), the data set's (16, 16, 1); give both the same"),
        ({"testless": True}, "external far: this data set has no test part"),
    ],
)
def test_an_external_set_that_does_not_fit_is_refused(mini, capsys, options, message):
    assert external(mini, {"label": "far", **options}) == 2
    assert message in capsys.readouterr().err
    assert mini.calls() == {"load": 2}


def test_an_external_set_does_not_replace_a_test_set_of_the_data_set(mini, capsys):
    assert external(mini, {"label": "far"}, dataset={"use": "Squares", "extra_test": "far"}) == 2
    assert "there is a test set 'far' already" in capsys.readouterr().err


def test_two_classes_of_which_nobody_says_which_is_positive_are_refused(mini, capsys):
    mini.write("MeanNoise", dataset={"use": "Squares", "positive": None})
    assert mini.run() == 2
    said = capsys.readouterr().err
    assert "dataset squares: which of its classes DARK and LIGHT is the positive one" in said
    assert "add `positive: LIGHT` to it, or `positive: DARK`" in said
    assert mini.calls() == {"load": 1}


def test_a_class_that_is_a_number_is_written_as_yaml_takes_it(mini, capsys):
    """A bare 1 is no text, and the option is one."""
    mini.write("MeanNoise", dataset={"use": "Squares", "positive": None, "classes": ["0", "1"]})
    assert mini.run() == 2
    assert "add `positive: '1'` to it, or `positive: '0'`; with `score`: --positive 1" in capsys.readouterr().err


def test_an_external_set_need_not_know_the_positive_class_and_may_not_contradict(mini, capsys):
    assert external(mini, {"label": "far", "positive": None}, dataset={"use": "Squares", "positive": "DARK"}) == 0
    assert mini.record["data"]["positive"] == "DARK"
    assert set(pd.read_csv(mini.out / "test_sets.csv").positive) == {"DARK"}
    assert "positive class DARK" in capsys.readouterr().out
    assert (
        external(mini, {"label": "far", "positive": "LIGHT"}, dataset={"use": "Squares", "positive": "DARK"}) == 2
    )
    assert "external far: positive is LIGHT, the data set's is DARK" in capsys.readouterr().err


def test_another_positive_class_recomputes_scores_and_no_training(mini):
    mini.write("MeanNoise")
    mini.run()
    mini.calls()
    mini.write("MeanNoise", dataset={"use": "Squares", "positive": "DARK"})
    mini.run()
    assert {what.split()[0] for what in mini.calls()} == {"load", "evaluate"}


def test_a_data_set_without_training_images_is_refused(mini, capsys):
    mini.write("MeanNoise", dataset={"use": "Squares", "empty": True})
    assert mini.run() == 2
    assert "dataset squares: it has no training images" in capsys.readouterr().err


# ---- scores


def test_scores_come_back_as_they_were_delivered(work, tmp_path):
    changes = {"evaluators": [{"use": "Distance", "undefined_above": 0.0}]}
    bench, session, splits, (trial,) = work(**changes)
    images = load_images(
        make_images(trial, splits.train, bench.samples, session, tmp_path / "a", PictureRule()).path
    )
    result = evaluate(trial.evaluators[0], Seeds(1, 0), splits, images, session, tmp_path / "b")
    assert [(s.metric, s.test_set, s.n, s.seen) for s in result.scores] == [
        ("gap", "test", 8, ""),
        ("closeness", "test", 8, ""),
        ("gap", "train", 20, "generator"),
        ("closeness", "train", 20, "generator"),
    ]
    assert all(math.isnan(score.value) and score.note == "too far, nothing to compare" for score in result.scores)
    assert "NaN" not in (result.artifact.path / "scores.json").read_text()


def test_predictions_of_every_image_are_kept(mini):
    mini.write("MeanNoise")
    mini.run()
    table = pd.read_csv(mini.out / "trials/meannoise/seed-0/distance/predictions.csv", dtype={"id": str})
    who = ["test_set", "classifier_seed", "variant"]
    assert list(table) == [*who, "id", "group", "label", "positive", "p[DARK]", "p[LIGHT]"]
    assert len(table) == 8
    assert table["id"][7] == "000007"
    assert set(table["label"]) == {"DARK", "LIGHT"}
    assert (table[["p[DARK]", "p[LIGHT]"]].sum(axis=1) == 1).all()


TOLD = '''

class Numbered(Squares):
    """Patients by number, each with two images, as every hospital has them."""

    whose: str = ""
    first: int = 0
    bad: int = 0

    def cohort_name(self):
        return self.whose

    def make(self, n, part):
        images = super().make(n, part + self.first)
        groups = [f"patient {i // 2 + 100 * (part == 0) * (not self.first)}" for i in range(n)]
        ids = [f"{self.first}-{part}-{i}" for i in range(n)]
        return Images(images.pixels, images.labels, images.classes, ids, groups)

    def load(self, ctx):
        splits = super().load(ctx)
        train = self.make(self.n, 0)
        bad = [Quarantined(f"{i}.dcm", "no image by its suffix '.dcm'") for i in range(self.bad)]
        aside = (*bad, *splits.quarantine)
        made = {"DICOM by its window": 3, "DICOM by bit depth, inverted": 2}
        return Splits(train, {"test": self.make(8, 1)}, quarantine=aside, positive="LIGHT", conversions=made)
'''


@pytest.mark.parametrize(("own", "far", "patients"), [("", "", 0), ("a", "b", 0), ("a", "a", 8), ("", "a", 0)])
def test_patients_of_two_hospitals_are_two_people(mini, own, far, patients):
    """Patients 0 to 3 of either set: one and the same where both say whose numbers they are."""
    mini.plugin.write_text(mini.plugin.read_text() + TOLD)
    sets = [
        {"use": "Numbered", "whose": own, "first": 7},
        {"use": "Numbered", "label": "far", "whose": far, "first": 3},
    ]
    mini.write("MeanNoise", dataset=sets[0], external=[sets[1]])
    assert mini.run() == 0
    table = pd.read_csv(mini.out / "test_sets.csv").set_index("test_set")
    assert table.loc["far", "leaked_patient"] == patients


def test_files_put_aside_are_told_on_the_terminal(mini, capsys):
    mini.plugin.write_text(mini.plugin.read_text() + TOLD)
    mini.write("MeanNoise", dataset={"use": "Numbered", "bad": 95})
    assert mini.run() == 0
    said = capsys.readouterr().out
    assert "numbered: 96 files put aside: 95 no image by its suffix '.dcm'; 1 cut short" in said
    assert "numbered: files made 8 bits: 3 DICOM by its window; 2 DICOM by bit depth, inverted" in said
    assert mini.record["data"]["conversions"] == {"DICOM by its window": 3, "DICOM by bit depth, inverted": 2}


@pytest.mark.parametrize(("highest", "said"), [(1, "all values lie in 0..1: scale to"), (2, "0..2"), (60, "")])
def test_images_that_were_not_scaled_are_told(highest, said):
    pixels = np.random.default_rng(0).integers(0, highest + 1, (20, 8, 8, 1), dtype=np.uint8)
    fault = flatness(Images(pixels, np.arange(20) % 2, ("A", "B")))
    assert said in fault
    assert bool(fault) == bool(said)
