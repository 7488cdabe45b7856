"""The hold-out: a share of train, whole families, every class; nobody who learns sees it."""

import numpy as np
import pandas as pd
import pytest

from synthbench.data.audit import audit
from synthbench.data.holdout import copies_within, with_holdout
from synthbench.data.split import grouped_split, related
from synthbench.errors import DataError
from synthbench.types import Geometry, Images, Splits


def images(groups, labels=None, ids=None, seed=0, size=16):
    """Distinct noise images of the given patients, smooth enough for the audit to tell them apart."""
    n = len(groups)
    pixels = np.random.default_rng(seed).integers(0, 256, (n, size, size, 1)).astype(np.uint8)
    labels = np.arange(n) % 2 if labels is None else np.asarray(labels)
    return Images(pixels, labels.astype(np.int64), ("A", "B"), ids, np.array(groups, dtype=np.str_))


def patients(n, each=2):
    return [f"p{i // each}" for i in range(n)]


def with_copy(data, place, of):
    """`data` with the image at `place` made a copy of another one."""
    pixels = data.pixels.copy()
    pixels[place] = pixels[of]
    return Images(pixels, data.labels, data.classes, data.ids, data.groups)


def splits_of(train, **further):
    return Splits(train, {"test": images([f"t{i}" for i in range(6)], seed=9)}, **further)


def held(splits, share=0.2, seed=0):
    return with_holdout(splits, audit(splits), share, seed)


def test_no_share_changes_nothing():
    splits = splits_of(images(patients(20)))
    found = audit(splits)
    assert with_holdout(splits, found, 0.0, 0) == (splits, found)


def test_each_class_gives_its_share_and_nothing_is_lost():
    splits, _ = held(splits_of(images([f"p{i}" for i in range(200)], labels=np.arange(200) < 50)), 0.1)
    assert splits.holdout.counts() == {"A": 15, "B": 5}
    assert splits.train.counts() == {"A": 135, "B": 45}
    assert len(set(splits.train.ids) | set(splits.holdout.ids)) == 200


def test_patients_stay_together():
    splits, _ = held(splits_of(images(patients(100, each=5))))
    assert 15 <= len(splits.holdout) <= 25
    assert not set(splits.train.groups) & set(splits.holdout.groups)


@pytest.mark.parametrize("seed", range(8))
def test_copies_under_other_names_stay_together(seed):
    """Only the audit knows that images 3 and 40 are one."""
    train = with_copy(images([f"p{i}" for i in range(60)]), 40, of=3)
    splits, _ = held(splits_of(train), 0.5, seed)
    assert len({name in splits.holdout.ids for name in train.ids[[3, 40]]}) == 1


def test_without_the_audit_they_would_be_parted():
    train = with_copy(images([f"p{i}" for i in range(60)]), 40, of=3)
    parted = [len(set(grouped_split(train, 0.5, np.random.default_rng(seed))[[3, 40]])) == 2 for seed in range(8)]
    assert any(parted)


def test_families_join_through_others():
    """0 and 1 share a patient, 1 and 2 are copies, 2 and 3 share an id: relatives all four; 4 and 5 are not."""
    train = images(["p", "p", "q", "r", "s", "t"], ids=np.array(["a", "b", "c", "c", "d", "e"]))
    found = audit(splits_of(with_copy(train, 2, of=1)))
    family = related(train, copies_within(train.ids, found))
    assert len(set(family[:4])) == 1
    assert len(set(family)) == 3
    assert len(set(related(train))) == 4


def test_the_seed_decides_and_another_draws_others():
    splits = splits_of(images(patients(100)))
    first, again, other = (held(splits, seed=seed)[0].holdout for seed in (1, 1, 2))
    assert first.digest == again.digest != other.digest


def test_the_audit_follows():
    """A test image whose copy is held out is not known from training; one whose copy stayed is."""
    train = images([f"p{i}" for i in range(40)])
    test = images([f"t{i}" for i in range(40)], seed=9)
    test = Images(train.pixels.copy(), test.labels, test.classes, np.array([f"t{i}" for i in range(40)]))
    splits, found = held(Splits(train, {"test": test}))
    stayed = np.isin(train.ids, splits.train.ids)
    assert found.leaked("test", "exact").tolist() == stayed.tolist()
    assert found.ids["holdout"].tolist() == splits.holdout.ids.tolist()
    assert found.counts("holdout") == dict.fromkeys(found.counts("holdout"), 0)
    again = audit(splits)
    assert again.leaked("test", "exact").tolist() == found.leaked("test", "exact").tolist()


def test_the_files_behind_the_images_follow():
    train = images(patients(40))
    numbers = np.arange(40)
    geometry = {"train": Geometry(numbers, numbers, numbers, numbers)}
    attributes = {"train": {"view": train.ids}}
    splits, _ = held(splits_of(train, geometry=geometry, attributes=attributes))
    for name, part in {"train": splits.train, "holdout": splits.holdout}.items():
        assert splits.geometry[name].width.tolist() == [int(image_id) for image_id in part.ids]
        assert splits.attributes[name]["view"].tolist() == part.ids.tolist()


def test_one_patient_a_class_is_too_few():
    with pytest.raises(DataError, match=r"holdout: class 'A' has 10 images of 1 patients"):
        held(splits_of(images(["p", "q"] * 10)))


def test_the_parts_of_splits_must_fit():
    with pytest.raises(ValueError, match="'holdout' has images"):
        splits_of(images(patients(10)), holdout=images(["x"] * 4, size=8))


# ---- in a run


def test_a_run_fits_on_the_rest_and_shows_the_holdout(mini):
    mini.write("MeanNoise", holdout=0.25, dataset={"use": "Squares", "n": 40})
    assert mini.run() == 0
    sets = mini.record["data"]["sets"]
    assert (sets["train"]["images"], sets["holdout"]["images"]) == (30, 10)
    assert mini.record["benchmark"]["holdout"] == 0.25
    table = pd.read_csv(mini.out / "test_sets.csv").set_index("test_set")
    assert table.loc["holdout", ["images", "leaked"]].tolist() == [10, 0]
    assert table.loc["holdout", "domain"] == "squares"
    about = (mini.out / "trials/meannoise/seed-0/generator/means.txt").read_text()
    assert mini.run("--set", "holdout=0", out=mini.folder / "whole") == 0
    assert (mini.folder / "whole/trials/meannoise/seed-0/generator/means.txt").read_text() != about


PEEK = '''

class Peek(Evaluator):
    """Counts what it is given."""

    name: ClassVar[str] = "peek"
    metrics: ClassVar = {"kept": "higher"}

    def evaluate(self, real, synthetic, ctx):
        called("peek")
        return Evaluation([Score("kept", float(len(real.holdout or ())), "", len(synthetic))])
'''


def test_evaluators_see_the_holdout_and_another_one_is_another_evaluation(mini):
    """The generator ignores its data, so that only the hold-out tells the evaluations apart."""
    mini.plugin.write_text(mini.plugin.read_text() + PEEK)
    changes = {"dataset": {"use": "Squares", "n": 40}, "evaluators": ["Peek"], "headline": "peek.kept"}
    for share, n in ((0.25, 10), (0.0, 0), (0.5, 20)):
        mini.write("Resuming", holdout=share, **changes)
        assert mini.run() == 0
        assert mini.scores["value"].tolist() == [n]
        assert mini.calls()["peek"] == 1
    assert mini.run() == 0
    assert mini.calls()["peek"] == 0


def test_the_evaluations_key_holds_the_holdouts_content():
    from synthbench.runner.stages import _digests

    train, kept, others = images(patients(10)), images(patients(4), seed=1), images(patients(4), seed=2)
    with_kept, with_others, without = (_digests(splits_of(train, holdout=h)) for h in (kept, others, None))
    assert with_kept["holdout"] != with_others["holdout"]
    assert "holdout" not in without, "entries made before there was a hold-out stay valid"


@pytest.mark.parametrize("share", [-0.1, 0.6, "a tenth"])
def test_an_odd_share_is_refused(mini, capsys, share):
    mini.write("MeanNoise", holdout=share)
    assert mini.run() == 2
    assert "holdout" in capsys.readouterr().err


def test_a_data_set_without_enough_patients_is_said(mini, capsys):
    mini.write("MeanNoise", holdout=0.1, dataset={"use": "Squares", "n": 2, "classes": ["DARK", "LIGHT"]})
    assert mini.run() == 2
    assert "holdout: class" in capsys.readouterr().err


def test_an_external_set_cannot_take_the_name(mini, capsys):
    mini.write("MeanNoise", external=[{"use": "Squares", "label": "holdout"}])
    assert mini.run() == 2
    assert "'holdout' is the name of a test set already" in capsys.readouterr().err
