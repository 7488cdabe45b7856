"""Evidence: each array kept once, found again by its content, recomputed by `verify`."""

import errno
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from synthbench import cli
from synthbench.errors import DataError, StoreError
from synthbench.leaderboard.board import make_board
from synthbench.progress import Progress
from synthbench.results.bundle import export
from synthbench.results.evidence import (
    EVIDENCE,
    FOLDER,
    altered,
    copy_evidence,
    digests_below,
    load_evidence,
    save_evidence,
    tidy,
)
from synthbench.results.read import bootstrap_run, read_run
from synthbench.results.recompute import _cells
from synthbench.storage.store import Store
from synthbench.types import Score
from tests.helpers.places import HELPERS
from tests.helpers.reports import no_report

POOLED = HELPERS / "pooled.py"
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
    entry = files("a").parent  # of the evaluation: that has to be made anew
    with pytest.raises(
        StoreError, match=rf"^{entry} .*array.npy is gone\); delete that folder or run with --fresh"
    ):
        copy_evidence(files("a"), store, tmp_path / "run")


def test_an_entry_without_its_array_is_made_again(files, store, tmp_path):
    save_evidence(files("a"), arrays(), store)
    for array in (tmp_path / "store").rglob("array.npy"):
        array.unlink()
    save_evidence(files("b"), arrays(), store)
    copy_evidence(files("b"), store, tmp_path / "run")


def test_an_array_of_the_store_that_has_changed_is_not_copied(files, store, tmp_path):
    save_evidence(files("a"), arrays(), store)
    for array in (tmp_path / "store").rglob("array.npy"):
        array.write_bytes(array.read_bytes()[:-1] + b"!")
    with pytest.raises(StoreError, match="holds another array than its name says"):
        copy_evidence(files("a"), store, tmp_path / "run")
    assert not list((tmp_path / "run").rglob("*.npy"))


def test_a_copy_that_is_cut_short_is_no_copy(files, store, tmp_path, monkeypatch):
    def cut(file, target):
        Path(target).write_bytes(Path(file).read_bytes()[:70])
        raise OSError(errno.ENOSPC, "No space left on device")

    save_evidence(files("a"), arrays(), store)
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "copyfile", cut)
        with pytest.raises(OSError, match="No space"):
            copy_evidence(files("a"), store, tmp_path / "run")
    assert not list((tmp_path / "run" / FOLDER).iterdir())


def test_what_is_not_whole_is_copied_again(files, store, tmp_path):
    save_evidence(files("a"), arrays(), store)
    for _ in range(2):
        copy_evidence(files("a"), store, tmp_path / "run")
        assert altered(tmp_path / "run") == []
        for path in (tmp_path / "run" / FOLDER).iterdir():
            path.write_bytes(path.read_bytes()[:-1])
    assert len(altered(tmp_path / "run")) == 3


def save_npz(path):
    with path.open("wb") as file:
        np.savez(file, a=np.arange(3))


def save_header(path, shape="(1099511627776, 16)", descr="'<f4'"):
    header = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}".encode().ljust(117) + b"\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)


@pytest.mark.parametrize(
    "spoil",
    [
        save_npz,
        save_header,
        lambda path: save_header(path, "(-1,)"),
        lambda path: save_header(path, "((", "1"),
        lambda path: save_header(path, "(2,)", "'|O'"),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"\x93NUMPY\x09\x09rubbish"),
        lambda path: [path.unlink(), path.mkdir()],
    ],
)
def test_a_file_that_is_no_array_is_one_line(files, store, tmp_path, spoil):
    save_evidence(files("a"), arrays(), store)
    copy_evidence(files("a"), store, tmp_path / "run")
    path = min((tmp_path / "run" / FOLDER).iterdir())
    spoil(path)
    (line,) = altered(tmp_path / "run")
    assert line.startswith(f"{FOLDER}/{path.name}")


@pytest.mark.parametrize("content", ["[1]", '{"a": 1}', '{"a": "b"}', "rubbish", "3"])
def test_another_file_of_that_name_does_not_end_a_run(files, store, tmp_path, content):
    save_evidence(files("a"), arrays(), store)
    copy_evidence(files("a"), store, tmp_path / "run")
    (files("b") / EVIDENCE).write_text(content)
    before = kept(tmp_path / "run")
    tidy(tmp_path / "run")
    assert kept(tmp_path / "run") == before
    assert digests_below(tmp_path / "run") == set(before)


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


SMALL = {
    "name": "small",
    "samples": 20,
    "headline": "ms-ssim.ms_ssim",
    "max_leak": 1,
    "baselines": False,
    "dataset": {"use": "phantom", "image_size": 32, "train_images": 60, "test_images": 20},
    "generators": [{"use": "balanced-resample"}],
    "evaluators": [{"use": "ms-ssim"}],
}


@pytest.fixture
def small(tmp_path, monkeypatch):
    """A function: run a benchmark of one generator and one evaluator, and return its exit code."""
    monkeypatch.setenv("SYNTHBENCH_CACHE", str(tmp_path / "cache"))
    no_report(monkeypatch)
    (tmp_path / "small.yaml").write_text(yaml.safe_dump(SMALL))
    return lambda: cli.main(
        ["run", str(tmp_path / "small.yaml"), "--out", str(tmp_path / "out"), "--device", "cpu"]
    )


def test_no_scores_stand_without_their_evidence(small, tmp_path, monkeypatch, capsys):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("synthbench.runner.loop.copy_evidence", full)
        assert small() == 2
    assert "the disk is full" in capsys.readouterr().err
    assert not (tmp_path / "out/scores.csv").exists()
    assert not list((tmp_path / "out").rglob(EVIDENCE))
    assert small() == 0
    assert not pd.read_csv(tmp_path / "out/scores.csv").empty


def test_what_lies_in_the_folder_is_not_asked_of_the_store(small, tmp_path):
    assert small() == 0
    shutil.rmtree(tmp_path / "cache/evidence")
    assert small() == 0


def test_an_evaluation_whose_evidence_is_gone_is_made_again(small, tmp_path, capsys):
    assert small() == 0
    shutil.rmtree(tmp_path / "cache/evidence")
    shutil.rmtree(tmp_path / "out")
    capsys.readouterr()
    assert small() == 0
    entry = Path(re.search(r"(/\S+) is damaged", capsys.readouterr().out)[1])
    assert entry.parent == tmp_path / "cache/scores"
    assert list((tmp_path / "out/evidence").glob("*.npy"))


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
        no_report(patch)
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


@pytest.mark.full
def test_every_score_is_told_again_from_the_features(copy, capsys):
    code, out = verified(copy, capsys)
    scores = pd.read_csv(copy / "scores.csv")
    told = ["value", "n", "low", "high", "seen", "note", "dataset", "role", "direction", "leaked"]
    cells = int(scores[told].notna().to_numpy().sum())
    assert code == 0
    assert cells > 100
    undefined = int(scores["value"].isna().sum())  # "nan" on both sides is a cell that agrees
    assert f"scores.csv: {cells + undefined} cells recomputed" in out
    assert "not recomputable" not in out


@pytest.mark.full
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


def test_names_of_training_images_and_what_an_earlier_run_left_stay_out(copy, tmp_path):
    shutil.copytree(copy / "trials/noise", copy / "trials/earlier")
    np.save(copy / FOLDER / f"{'0' * 64}.npy", np.arange(3))
    packed = export(copy, tmp_path / "b.zip")
    names = {f"trials/{g}/seed-0/generator/nearest.csv" for g in ("noise", "resample")}
    names |= {f"trials/{g}/seed-0/memorisation/closest-pairs.csv" for g in ("noise", "resample")}
    assert all((copy / name).is_file() for name in names)
    assert {*names, "trials/earlier/seed-0/fd/evidence.json", f"{FOLDER}/{'0' * 64}.npy"} <= set(packed.left_out)
    assert not [name for name in packed.files if "earlier" in name]
    assert len([name for name in packed.files if name.startswith(FOLDER)]) == len(kept(copy)) - 1


# ---- a stranger's run.json


def change_record(folder, change):
    """Work on run.json."""
    record = json.loads((folder / "run.json").read_text())
    change(record)
    (folder / "run.json").write_text(json.dumps(record))


def evaluator_of(record, use):
    return next(given for given in record["benchmark"]["evaluators"] if given["use"] == use)


@pytest.mark.parametrize("plugins", [False, True])
@pytest.mark.parametrize("written", ["{}", {"use": "{}"}, ["{}"]], ids=["name", "mapping", "list"])
@pytest.mark.parametrize("absolute", [False, True])
def test_no_extractor_is_imported_from_elsewhere(copy, tmp_path, monkeypatch, plugins, written, absolute):
    here = tmp_path / "here"
    here.mkdir()
    (here / "victim.py").write_text("import pathlib; pathlib.Path(__file__).with_name('ran').touch()")
    monkeypatch.chdir(here)
    use = f"{here}/victim.py:X" if absolute else "victim.py:X"
    extractor = json.loads(json.dumps(written).replace("{}", use))
    change_record(copy, lambda record: evaluator_of(record, "kid").update(extractor=extractor))
    found = read_run(copy, tmp_path if plugins else None)
    assert not (here / "ran").exists()
    if not plugins:
        assert "victim.py:X is a file; --plugins FOLDER says where it lies" in found.missing["kid"]


@pytest.mark.parametrize("folder", ["/somewhere/else/", "sub/", "…/", "../"])
def test_an_extractor_is_found_among_the_plugins_whatever_folder_it_was_in(copy, capsys, folder):
    def change(record):
        for given in record["benchmark"]["evaluators"]:
            if "extractor" in given:
                given["extractor"]["use"] = f"{folder}pooled.py:Pooled"

    change_record(copy, change)
    code, out = verified(copy, capsys)
    assert code == 0
    assert "not recomputable" not in out


def rebuild(folder):
    """Write the board anew, as one would who wants a changed scores.csv or run.json to be believed."""
    run = read_run(folder, folder.parent)
    bootstrap_run(run, run.bench.seed, Progress(False))
    board = make_board(run.bench, run.tests, run.results)
    for name in ("leaderboard", "intervals", "comparisons"):
        getattr(board, name).to_csv(folder / f"{name}.csv", index=False, lineterminator="\n")


def rewrite(folder, change):
    """Put what `change` makes of scores.csv in its place."""
    scores = pd.read_csv(folder / "scores.csv", dtype=str, keep_default_na=False)
    change(scores).to_csv(folder / "scores.csv", index=False)


def doubled(scores):
    headline = (scores.generator == "noise") & (scores.metric == "fd[pooled]") & (scores.variant == "")
    return pd.concat([scores[headline].assign(value="-28000"), scores])


def without_memorisation(scores):
    return scores[(scores.evaluator != "memorisation") | (scores.generator != "resample")]


def with_another_generator(scores):
    return pd.concat([scores, scores.iloc[[0]].assign(generator="stylegan9")])


def a_little_less(scores):
    small = (scores.metric == "exact_copies") & (scores.generator == "noise")
    return scores.assign(value=scores.value.mask(small, "-0.00000009"))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (doubled, "noise, seed 0, fd.fd[pooled]: number of rows: 2, recomputed 1"),
        (without_memorisation, "resample, seed 0, memorisation.exact_copies: value: nothing, recomputed 1.0"),
        (with_another_generator, "stylegan9, seed 0, fd.fd[pooled]: evaluations in run.json: 1, recomputed 0"),
        (a_little_less, "noise, seed 0, memorisation.exact_copies: value: -9e-08, recomputed 0.0"),
        (lambda scores: scores.assign(leaked="999"), "leaked: 999, recomputed nothing"),
        (lambda scores: scores.assign(direction="higher"), "direction: higher, recomputed lower"),
        (lambda scores: scores.assign(role="ceiling"), "fd.fd[pooled]: role: ceiling, recomputed "),
        (lambda scores: scores.assign(dataset="mimic"), "dataset: mimic, recomputed phantom"),
        (lambda scores: scores.assign(seen="generator"), "seen: generator, recomputed nothing"),
        (lambda scores: scores.assign(note="all fine"), "note: all fine, recomputed "),
    ],
)
def test_changed_scores_are_found_under_a_board_that_follows_from_them(copy, capsys, change, expected):
    rewrite(copy, change)
    if change is not with_another_generator:  # no board can be made of it
        rebuild(copy)
    code, out = verified(copy, capsys)
    assert code == 1
    assert expected in out


def test_all_rows_and_files_of_a_done_evaluation_are_missed(copy, capsys):
    rewrite(copy, without_memorisation)
    shutil.rmtree(copy / "trials/resample/seed-0/memorisation")
    rebuild(copy)
    code, out = verified(copy, capsys)
    assert code == 1
    assert "resample, seed 0, memorisation.copying: number of rows: 0, recomputed 1 or more" in out


@pytest.mark.parametrize(
    ("label", "facts", "expected"),
    [
        ("memorisation", {"gates": []}, "memorisation: gates: nothing, recomputed copying"),
        ("fd", {"metrics": {"fd[pooled]": "higher"}}, "fd: metrics: fd[pooled] higher"),
        (
            "vendi",
            {"bounds": {"vendi[pooled]": [0, 1]}},
            "vendi: bounds: vendi[pooled] (0, 1), recomputed nothing",
        ),
    ],
)
def test_what_run_json_says_of_a_class_is_held_to_the_class(copy, capsys, label, facts, expected):
    change_record(copy, lambda r: [r["declared"]["evaluators"][label][key].clear() for key in facts])
    change_record(copy, lambda r: r["declared"]["evaluators"][label].update(facts))
    code, out = verified(copy, capsys)
    assert code in (1, 2)
    assert f"run.json: {expected}" in out


def test_what_other_code_declares_otherwise_is_noted(copy, capsys):
    change_record(copy, lambda r: r["declared"]["evaluators"]["memorisation"].update(gates=[]))
    change_record(copy, lambda r: r["code"].update(memorisation="0" * 64))
    _, out = verified(copy, capsys)
    assert "note: memorisation: run.json says gates none, the class here copying" in out


DRAWS = """
from typing import ClassVar
import numpy as np
from synthbench import Evaluation, Evaluator, Score

class Draws(Evaluator):
    name: ClassVar[str] = "draws"
    metrics: ClassVar = {"drawn": "lower"}

    def evaluate(self, real, synthetic, ctx):
        return Evaluation(self.restate({}, ctx), evidence={"x": np.arange(3)})

    def restate(self, evidence, ctx):
        return [Score("drawn", float(ctx.rng("a").random()), "", 3)]
"""


def test_a_seed_that_rests_on_a_path_cannot_be_told_again(small, tmp_path, capsys):
    """The label is the path where none is given, and export takes the folders off it."""
    (tmp_path / "draws.py").write_text(DRAWS)
    content = {**SMALL, "evaluators": [*SMALL["evaluators"], {"use": f"{tmp_path}/draws.py:Draws"}]}
    (tmp_path / "small.yaml").write_text(yaml.safe_dump(content))
    assert small() == 0
    code, out = verified(tmp_path / "out", capsys)
    assert code == 0
    assert "…/draws.py:Draws.drawn: its seed follows from its label" in out


def test_run_json_replaces_nothing_else_of_a_class(copy):
    change_record(copy, lambda r: r["declared"]["evaluators"]["kid"].update(name="x", restate="y", resample=3))
    change_record(copy, lambda r: r["declared"]["generators"]["noise"].update(fit="x"))
    run = read_run(copy, copy.parent)
    kid = next(entry.plugin for entry in run.bench.evaluators if entry.label == "kid")
    assert kid.name == "kid"
    assert callable(kid.restate)
    assert callable(kid.resample)


def test_other_code_may_word_its_notes_otherwise(copy, capsys):
    change_record(copy, lambda r: r["code"].update({"pooled.py:Pooled": "0" * 64}))
    rewrite(copy, lambda scores: scores.assign(note=scores.note.mask(scores.evaluator == "kid", "in other words")))
    rebuild(copy)
    code, out = verified(copy, capsys)
    assert code == 0
    assert "kid: the code of pooled.py:Pooled here is not what made the run" in out


def test_options_that_cannot_be_used_are_the_reason(copy, capsys):
    change_record(copy, lambda r: evaluator_of(r, "kid")["extractor"].update(cells="many"))
    _, out = verified(copy, capsys)
    assert "its features could not be used (extractor" in out
    assert "valid integer" in out


@pytest.mark.parametrize(
    ("score", "cells"),
    [
        ({"value": float("inf")}, {"value": "nan", "low": "", "high": ""}),
        ({"value": 0.5, "low": float("nan"), "high": 1.0}, {"value": "0.5", "low": "", "high": "1.0"}),
    ],
)
def test_cells_are_as_a_run_writes_them(score, cells):
    assert cells.items() <= _cells(Score("m", test_set="", n=3, **score)).items()
