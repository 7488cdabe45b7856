"""Evidence: each array kept once, found again by its content, recomputed by `verify`."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from synthbench import cli
from synthbench.errors import DataError, StoreError
from synthbench.evidence import EVIDENCE, FOLDER, copy_evidence, load_evidence, save_evidence, tidy
from synthbench.store import Store

POOLED = Path(__file__).with_name("helpers") / "pooled.py"
FIDELITY = ("fd", "kid", "precision-recall", "density-coverage", "vendi", "authenticity", "memorisation")


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store")


@pytest.fixture
def files(tmp_path):
    """A function: the folder of an evaluation's files in a run's folder."""

    def files(name):
        folder = tmp_path / "run" / "trials" / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    return files


def arrays(seed=0):
    rng = np.random.default_rng(seed)
    return {
        "features": rng.normal(size=(5, 3)).astype(np.float32),
        "names": np.array(["ä", "b"]),
        "n": np.array(3),
    }


def kept(out):
    return sorted(path.stem for path in (out / FOLDER).glob("*.npy"))


def test_arrays_come_back_as_they_were_and_read_only(files, store, tmp_path):
    given = {**arrays(), "empty": np.empty(0), "turned": np.arange(6).reshape(2, 3).T}
    save_evidence(files("a"), given, store)
    copy_evidence(files("a"), store, tmp_path / "run")
    found = load_evidence(files("a"), tmp_path / "run")
    assert found.keys() == given.keys()
    for name, array in given.items():
        assert found[name].dtype == array.dtype
        assert np.array_equal(found[name], array)
        assert not found[name].flags.writeable


def test_nothing_is_no_file(files, store, tmp_path):
    save_evidence(files("a"), {}, store)
    copy_evidence(files("a"), store, tmp_path / "run")
    assert list(files("a").iterdir()) == []
    assert load_evidence(files("a"), tmp_path / "run") == {}


def test_an_array_that_two_evaluations_have_is_kept_once(files, store, tmp_path):
    for name, seed in {"a": 0, "b": 0, "c": 1}.items():
        save_evidence(files(name), arrays(seed), store)
        copy_evidence(files(name), store, tmp_path / "run")
    assert len(kept(tmp_path / "run")) == 4  # names and n are the same in all three, features in two
    assert len(list((tmp_path / "store" / "evidence").iterdir())) == 4


def test_arrays_of_one_content_and_another_type_are_two(files, store):
    zeros = {"a": np.zeros(2, np.int64), "b": np.zeros(2), "c": np.zeros((1, 2)), "d": np.zeros((2, 1))}
    save_evidence(files("a"), zeros, store)
    assert len(set(json.loads((files("a") / EVIDENCE).read_text()).values())) == 4


def test_what_no_trial_names_any_more_is_deleted(files, store, tmp_path):
    for name, seed in {"a": 0, "b": 1}.items():
        save_evidence(files(name), arrays(seed), store)
        copy_evidence(files(name), store, tmp_path / "run")
    before = kept(tmp_path / "run")
    shutil.rmtree(files("b"))
    tidy(tmp_path / "run")
    assert len(before) == 4
    assert set(kept(tmp_path / "run")) == set(json.loads((files("a") / EVIDENCE).read_text()).values())


def test_an_array_that_is_gone_from_the_store_is_said(files, store, tmp_path):
    save_evidence(files("a"), arrays(), store)
    shutil.rmtree(tmp_path / "store" / "evidence")
    with pytest.raises(StoreError, match=r"array.npy is gone\); delete that folder or run with --fresh"):
        copy_evidence(files("a"), store, tmp_path / "run")


def test_an_array_under_a_wrong_name_is_refused(files, store, tmp_path):
    save_evidence(files("a"), arrays(), store)
    copy_evidence(files("a"), store, tmp_path / "run")
    for path in (tmp_path / "run" / FOLDER).iterdir():
        np.save(path, np.arange(9))
    with pytest.raises(DataError, match="another array than its name says"):
        load_evidence(files("a"), tmp_path / "run")


@pytest.mark.parametrize("digest", ["../../../etc/passwd", "a" * 63, "A" * 64, ""])
def test_names_are_digests_and_nothing_else(files, tmp_path, digest):
    (files("a") / EVIDENCE).write_text(json.dumps({"features": digest}))
    with pytest.raises(ValueError, match="is no digest"):
        load_evidence(files("a"), tmp_path / "run")


# ---- in a bundle


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run of two generators with all evaluators that work on features, and ms-ssim."""
    folder = tmp_path_factory.mktemp("fidelity")
    shutil.copy(POOLED, folder)
    content = {
        "name": "evidence",
        "samples": 60,
        "headline": "fd.fd[pooled]",
        "holdout": 0.5,
        "max_leak": 1,
        "baselines": False,
        "dataset": {"use": "phantom", "image_size": 32, "train_images": 240, "test_images": 20},
        "generators": [{"use": "resample"}, {"use": "noise"}],
        "evaluators": [
            *({"use": use, "extractor": {"use": "pooled.py:Pooled"}} for use in FIDELITY),
            {"use": "ms-ssim"},
        ],
    }
    (folder / "bench.yaml").write_text(yaml.safe_dump(content))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SYNTHBENCH_CACHE", str(folder / "cache"))
        assert cli.main(["run", str(folder / "bench.yaml"), "--out", str(folder / "run"), "--device", "cpu"]) == 0
    return folder / "run"


@pytest.fixture
def copy(run, tmp_path):
    """The run's folder, to be tampered with; the extractor's file lies beside it."""
    shutil.copy(POOLED, tmp_path)
    return shutil.copytree(run, tmp_path / "copy")


def verified(folder, capsys, *options):
    """Exit code and output of `verify` on a bundle of the folder."""
    file = folder.parent / "b.zip"
    assert cli.main(["export", str(folder), str(file), *options]) == 0
    capsys.readouterr()
    code = cli.main(["verify", str(file), "--plugins", str(folder.parent)])
    return code, capsys.readouterr().out


def test_every_score_is_told_again_from_the_features(copy, capsys):
    code, out = verified(copy, capsys)
    scores = pd.read_csv(copy / "scores.csv")
    cells = int(scores[["value", "n", "low", "high"]].notna().to_numpy().sum())
    assert code == 0
    assert cells > 100
    undefined = int(scores["value"].isna().sum())  # "nan" on both sides is a cell that agrees
    assert f"scores.csv: {cells + undefined} cells recomputed" in out
    assert "not recomputable" not in out


def test_features_that_two_evaluators_use_are_packed_once(copy):
    named = [json.loads(file.read_text()) for file in (copy / "trials").rglob(EVIDENCE)]
    assert len({names["real"] for names in named if "real" in names}) == 1
    assert len(kept(copy)) == len({digest for names in named for digest in names.values()})


def test_without_them_it_says_what_is_missing(copy, capsys):
    code, out = verified(copy, capsys, "--no-evidence")
    assert code == 0
    assert "kid.kid[pooled]: its features are not in the bundle" in out


@pytest.mark.parametrize(
    "row",
    [
        {"evaluator": "kid", "metric": "kid[pooled]", "column": "low"},
        {"evaluator": "memorisation", "metric": "copying", "column": "value"},
        {"evaluator": "ms-ssim", "metric": "ms_ssim", "column": "value"},
        {"evaluator": "fd", "metric": "fd_place[pooled]", "column": "n"},
    ],
    ids=lambda row: f"{row['metric']} {row['column']}",
)
def test_a_changed_number_is_found(copy, capsys, row):
    scores = pd.read_csv(copy / "scores.csv", dtype=str, keep_default_na=False)
    chosen = (scores.generator == "resample") & (scores.variant == "")
    chosen &= (scores.evaluator == row["evaluator"]) & (scores.metric == row["metric"])
    assert chosen.sum() == 1
    scores.loc[chosen, row["column"]] = "7"
    scores.to_csv(copy / "scores.csv", index=False)
    code, out = verified(copy, capsys)
    assert code == 1
    assert f"resample, seed 0, {row['evaluator']}.{row['metric']}" in out


def test_changed_features_are_found(copy, capsys):
    """Under a manifest that fits: their name says what they were."""
    largest = max((copy / FOLDER).iterdir(), key=lambda path: path.stat().st_size)
    np.save(largest, np.load(largest) * 2)
    code, out = verified(copy, capsys)
    assert code == 1
    assert f"{FOLDER}/{largest.name} holds another array than its name says" in out
    assert "its features could not be used (DataError" in out
    assert "scores.csv" in out
