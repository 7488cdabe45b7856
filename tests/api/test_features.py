"""The feature service: one pass an image set and extractor, kept by content; `fetch` and `--offline` around it."""

import json
import os
import shutil
from collections import Counter
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from synthbench import cli
from synthbench.api.extractors import Known, build_extractor
from synthbench.api.registry import load_registry
from synthbench.errors import DataError
from synthbench.report.board import _board_notes
from synthbench.results.folder import read_folder
from synthbench.testing import tiny_splits
from synthbench.testing.cases import frozen
from tests.helpers.places import HELPERS

FEATURED = HELPERS / "featured.py"


@pytest.fixture
def made(mini):
    """A function: an extractor of featured.py, by class and options."""
    shutil.copy(FEATURED, mini.folder)
    registry = load_registry()
    return lambda cls, **options: build_extractor(
        {"use": f"featured.py:{cls}", **options}, Known(registry, mini.folder)
    )


@pytest.fixture
def real():
    return tiny_splits()


def work(calls):
    """How often extractors were loaded, and images embedded."""
    return (
        sum(n for call, n in calls.items() if call.startswith("load ")),
        sum(int(call.split()[1]) * n for call, n in calls.items() if call.startswith("embed")),
    )


def test_float32_rows_in_the_order_of_the_images(made, real, ctx):
    train = real.train
    features = ctx.features(train, made("Levels"), train=train)
    assert isinstance(features, np.memmap)
    assert (features.dtype, features.shape) == (np.float32, (48, 2))
    expected = train.pixels.reshape(48, -1).mean(1)
    np.testing.assert_allclose(features[:, 0], expected, rtol=1e-6)
    with pytest.raises(ValueError, match="read-only"):
        features[0, 0] = 1


def test_in_batches_of_the_size_asked_for(made, real, ctx, mini):
    ctx.features(real.train, made("Levels", batch_size=20), train=real.train)
    assert mini.calls() == Counter({"load 0 0": 1, "embed 20": 2, "embed 8": 1})


def test_asked_again_nothing_is_computed(made, real, ctx, mini):
    first = ctx.features(real.train, made("Levels"), train=real.train)
    assert work(mini.calls()) == (1, 48)
    again = ctx.features(real.train, made("Levels"), train=real.train)
    other = ctx.child("another evaluator").features(frozen(real.train), made("Levels"), train=real.train)
    assert work(mini.calls()) == (0, 0)
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(first, other)


def test_the_key_is_the_pixels_alone(made, real, ctx, mini):
    train = real.train
    renamed = replace(
        train,
        ids=np.array([f"x{i}" for i in range(48)]),
        groups=np.array(["g"] * 48),
        labels=1 - train.labels,
        classes=("A", "B"),
    )
    assert renamed.digest != train.digest
    first = ctx.features(train, made("Levels"), train=train)
    np.testing.assert_array_equal(ctx.features(renamed, made("Levels"), train=train), first)
    assert work(mini.calls()) == (1, 48)
    changed = replace(train, pixels=np.where(np.arange(48).reshape(-1, 1, 1, 1) == 5, 7, train.pixels))
    features = ctx.features(changed, made("Levels"), train=train)
    assert np.flatnonzero((features != first).any(axis=1)).tolist() == [5]
    reshaped = replace(train, pixels=train.pixels.reshape(48, 16, 64, 1))
    ctx.features(reshaped, made("Levels"), train=train)
    assert work(mini.calls()) == (2, 96)


@pytest.mark.parametrize("other", [{"scale": "2"}, {"batch_size": 7}])
def test_other_options_are_computed_anew(made, real, ctx, mini, other):
    ctx.features(real.train, made("Levels"), train=real.train)
    ctx.features(real.train, made("Levels", **other), train=real.train)
    assert work(mini.calls()) == (2, 96)


def test_other_code_and_another_kind_of_device_too(made, real, ctx, mini):
    ctx.features(real.train, made("Levels"), train=real.train)
    replace(ctx.features, device="cuda:1")(real.train, made("Levels"), train=real.train)
    replace(ctx.features, device="cuda:0")(real.train, made("Levels"), train=real.train)
    assert work(mini.calls()) == (2, 96)
    source = mini.folder / "featured.py"
    source.write_text(source.read_text().replace("values.std(1)", "values.var(1)"))
    mini.forget()
    ctx.features(real.train, made("Levels"), train=real.train)
    assert work(mini.calls()) == (1, 48)


def test_only_one_that_learns_sees_training_images_and_they_count(made, real, ctx, mini):
    test, train = real.tests["test"], real.train
    ctx.features(test, made("Levels"), train=train)
    ctx.features(test, made("Levels"), train=train.subset(np.arange(9)))
    assert mini.calls() == Counter({"load 0 0": 1, "embed 16": 1, "embed 8": 1})
    first = ctx.features(test, made("Centred"), train=train)
    second = ctx.features(test, made("Centred"), train=train.subset(np.arange(9)))
    calls = mini.calls()
    assert (calls["load 0 48"], calls["load 0 9"]) == (1, 1)
    assert not np.array_equal(first, second)


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("doubles", r"must return float32 \(16, D\) for 16 images, found float64 \(16, 2\)"),
        ("rows", r"found float32 \(15, 2\)"),
        ("list", "found list"),
        ("nan", "returned features that are not finite"),
    ],
)
def test_what_an_extractor_must_not_return(made, real, ctx, how, message):
    with pytest.raises(ValueError, match=message):
        ctx.features(real.train, made("Broken", how=how), train=real.train)
    assert list((ctx.store.root / "features").iterdir()) == []


def test_inputs_are_untouched_and_no_images_are_refused(made, real, ctx):
    train = real.train
    before = train.pixels.copy()
    ctx.features(train, made("Broken", how="writes"), train=train)
    np.testing.assert_array_equal(train.pixels, before)
    with pytest.raises(ValueError, match="no images"):
        ctx.features(train.subset(np.arange(0)), made("Levels"), train=train)


def test_a_damaged_entry_is_named_and_made_again(made, real, ctx, capsys):
    whole = np.array(ctx.features(real.train, made("Levels"), train=real.train))
    (file,) = ctx.store.root.glob("features/*/features.npy")
    file.write_bytes(b"")
    assert np.array_equal(ctx.features(real.train, made("Levels"), train=real.train), whole)
    assert f"{file.parent} is damaged (features.npy has 0 bytes of" in capsys.readouterr().err


def test_a_later_batch_of_another_width_is_refused(real, ctx, made, monkeypatch):
    widths = iter([3, 4])
    levels = made("Levels")
    monkeypatch.setattr(
        type(levels), "load", lambda *_: lambda batch: np.zeros((len(batch), next(widths)), np.float32)
    )
    with pytest.raises(ValueError, match="returned 4 features after 3"):
        ctx.features(real.train, levels, train=real.train)


def test_an_entry_says_what_made_it_and_leaves_nothing_else(made, real, ctx):
    ctx.features(real.train, made("Levels"), train=real.train)
    (entry,) = (ctx.store.root / "features").iterdir()
    assert sorted(path.name for path in entry.iterdir()) == ["features.npy", "meta.json"]
    meta = json.loads((entry / "meta.json").read_text())
    assert meta["signature"] == "levels:1 | any size, times 1 | synthbench 0.1.0"
    assert meta["key"]["extractor"]["config"] == {"batch_size": 16, "scale": "1"}
    assert not any((ctx.store.root / "resume" / "features").iterdir())


# ---- in a run


@pytest.fixture
def bench(mini, monkeypatch, tmp_path):
    """A benchmark with two evaluators over one extractor that needs a published file, not yet here."""
    shutil.copy(FEATURED, mini.folder)
    (mini.folder / "hub.txt").write_text("2")
    monkeypatch.setenv("SYNTHBENCH_WEIGHTS", str(tmp_path / "weights"))
    for name in ("SYNTHBENCH_OFFLINE", "HF_HUB_OFFLINE"):
        monkeypatch.setenv(name, "0")  # so that what `--offline` sets ends with the test
    publish(mini)
    two = [gap("gap"), gap("gap-again")]
    mini.write("MeanNoise", headline="gap.gap")
    text = mini.file.read_text()
    mini.file.write_text(text[: text.index("evaluators:")] + f"evaluators: {json.dumps(two)}\n")
    return mini


def gap(label):
    return {"use": "featured.py:Gap", "label": label, "extractor": "featured.py:Published"}


def publish(mini, sha256=""):
    url = (mini.folder / "hub.txt").as_uri()
    about = {"name": "own/weight.txt", "url": url, "sha256": sha256}
    (mini.folder / "featured.json").write_text(json.dumps(about))


def test_evaluators_share_one_pass_over_each_image_set(bench, tmp_path):
    assert bench.run() == 0
    calls = bench.calls()
    assert calls["evaluate"] == 2
    assert work(calls) == (2, 10 + 8)  # synthetic and test
    assert (tmp_path / "weights/own/weight.txt").read_text() == "2"
    scores = pd.read_csv(bench.out / "scores.csv").set_index("evaluator")
    assert scores.loc["gap", "value"] == scores.loc["gap-again", "value"]
    bench.run()
    assert set(bench.calls()) <= {"load"}  # the data set's own


def test_another_weight_scores_anew(bench, tmp_path):
    bench.run()
    before = pd.read_csv(bench.out / "scores.csv")["value"][0]
    (tmp_path / "weights/own/weight.txt").write_text("4")
    bench.calls()
    assert bench.run() == 0
    assert work(bench.calls()) == (2, 18)
    assert pd.read_csv(bench.out / "scores.csv")["value"][0] == pytest.approx(2 * before)


@pytest.mark.parametrize("command", ["run", "validate", "fetch"])
def test_offline_fails_before_any_work_and_says_what_goes_where(bench, capsys, tmp_path, command):
    code = cli.main([command, str(bench.file), "--offline"])
    assert code == 2
    assert f"{tmp_path / 'weights/own/weight.txt'} is missing: it comes from file://" in capsys.readouterr().err
    assert bench.calls() == Counter()
    assert not bench.cache.exists()


def test_an_optional_evaluator_is_left_out_where_its_file_is_missing(bench, capsys):
    """Said once, in the run's record too; the others' scores are there. With the file it is as any other."""
    text = bench.file.read_text()
    optional = {**gap("gap"), "extractor": "featured.py:Levels"}, {**gap("gap-again"), "optional": True}
    bench.file.write_text(text[: text.index("evaluators:")] + f"evaluators: {json.dumps(optional)}\n")
    assert bench.run("--offline") == 0
    told = [line for line in capsys.readouterr().out.splitlines() if "left out" in line]
    assert len(told) == 1
    assert told[0].startswith("gap-again is left out: ")
    assert told[0].endswith("`synthbench fetch` gets it")
    assert set(pd.read_csv(bench.out / "scores.csv")["evaluator"]) == {"gap"}
    assert list(json.loads((bench.out / "run.json").read_text())["left_out"]) == ["gap-again"]
    saved = read_folder(bench.out)
    notes = _board_notes(saved, saved.headline_key())
    assert any(note.startswith("gap-again is left out: ") for note in notes)
    os.environ["SYNTHBENCH_OFFLINE"] = "0"
    assert bench.run() == 0
    assert set(pd.read_csv(bench.out / "scores.csv")["evaluator"]) == {"gap", "gap-again"}


@pytest.mark.parametrize(
    ("value", "message"),
    [("true", "it ranks the board, so it cannot be optional"), ("1", "expected true or false")],
)
def test_what_cannot_be_optional(bench, capsys, value, message):
    assert cli.main(["validate", str(bench.file), "--set", f"evaluators.0.optional={value}"]) == 2
    assert message in capsys.readouterr().err


def test_fetch_gets_the_file_and_the_data_and_offline_works_then(bench, capsys):
    assert cli.main(["fetch", str(bench.file)]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[0] == "squares: 1 file put aside: 1 cut short"
    assert shown[1].endswith("no digest is published: pin this one with `sha256:`")
    assert shown[2] == "data: train 20, test 8 images"
    assert bench.calls() == Counter({"load": 1})
    (bench.folder / "hub.txt").unlink()
    assert cli.main(["validate", str(bench.file), "--offline"]) == 0
    assert bench.run("--offline") == 0


def test_a_file_of_another_digest_is_refused_before_any_work(bench, capsys):
    publish(bench, sha256="00ff")
    assert bench.run() == 2
    assert "gave another file" in capsys.readouterr().err
    assert bench.calls() == Counter()


def test_without_the_file_features_say_so(made, real, ctx, mini, monkeypatch, tmp_path):
    monkeypatch.setenv("SYNTHBENCH_WEIGHTS", str(tmp_path / "weights"))
    publish(mini)
    with pytest.raises(DataError, match="`synthbench fetch` gets it"):
        ctx.features(real.train, made("Published"), train=real.train)
