"""`synthbench score`: the benchmark file that it writes, and that it runs this one."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image

from synthbench import cli
from synthbench.commands import score as score_module
from synthbench.commands.score import scoring_file
from synthbench.commands.validate import validate
from synthbench.errors import ConfigError
from synthbench.testing import context_in
from synthbench_ready.find import find_images


def pictures(root, n=3, classes=("ill", "normal")):
    rng = np.random.default_rng(0)
    for name in classes:
        (root / name).mkdir(parents=True)
        for i in range(n):
            Image.fromarray(rng.integers(0, 256, (8, 8), dtype=np.uint8)).save(root / name / f"{i}.png")
    return root


@pytest.fixture
def here(tmp_path, monkeypatch):
    """Real and synthetic images, and a run that only remembers what it was asked for."""
    monkeypatch.chdir(tmp_path)
    pictures(tmp_path / "real"), pictures(tmp_path / "gan", 4), pictures(tmp_path / "flow", 2)
    calls = []
    monkeypatch.setattr(score_module, "run", lambda file, **options: calls.append((file, options)))
    return calls


def test_the_file_it_writes_is_a_benchmark_and_runs_into_the_same_folder(here, tmp_path):
    score_module.score(tmp_path / "real", [tmp_path / "gan", tmp_path / "flow"], out=tmp_path / "out", size=16)
    ((file, options),) = here
    assert (file, options["out"]) == (tmp_path / "out/benchmark.yaml", tmp_path / "out")
    bench, plan = validate(file)
    assert (bench.name, str(bench.headline), bench.samples) == ("out", "tstr.auroc", 8)
    assert [g.label for g in bench.generators if g.declared.role == "candidate"] == ["gan", "flow"]
    assert {g.declared.origin.trained_on for g in bench.generators if g.use == "images"} == {"unknown"}
    fidelity = [e for e in bench.evaluators if e.use != "tstr"]
    assert all(e.generators == ("gan", "flow") for e in fidelity)
    assert {trial.generator.declared.role for trial in plan} == {"candidate", "floor", "ceiling"}


def test_a_test_folder_that_nobody_saw_is_the_test_part_and_rows_have_ranks(here, tmp_path):
    pictures(tmp_path / "others")
    content = scoring_file(tmp_path / "real", [tmp_path / "gan"], out=tmp_path / "out", test=tmp_path / "others")
    root = tmp_path / "out/real"
    assert content["dataset"]["root"] == str(root)
    assert {name: (root / name).resolve().name for name in ("train", "test")} == {
        "train": "real",
        "test": "others",
    }
    assert [row["trained_on"] for row in content["generators"]] == ["train"]


def test_a_table_of_real_images_is_its_folders_manifest(tmp_path, here):
    table = tmp_path / "real/labels.csv"
    table.write_text("path,label\n")
    data = scoring_file(table, [tmp_path / "gan"], out=tmp_path / "out", groups="(p\\d+)")["dataset"]
    assert (data["root"], data["manifest"], data["groups"]) == (str(tmp_path / "real"), "labels.csv", "(p\\d+)")


def test_again_is_fine_and_another_question_is_refused(here, tmp_path):
    first = {"out": tmp_path / "out", "size": 8}
    for _ in range(2):
        score_module.score(tmp_path / "real", [tmp_path / "gan"], **first)
    (tmp_path / "out/run.json").write_text('{"benchmark": {"name": "out"}}')  # as a run leaves it
    with pytest.raises(ConfigError, match=r"says something else.*another --out"):
        score_module.score(tmp_path / "real", [tmp_path / "flow"], **first)
    assert len(here) == 2
    assert yaml.safe_load((tmp_path / "out/benchmark.yaml").read_text())["generators"][0]["label"] == "gan"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["real", "nowhere"], "nowhere: there is nothing of this name"),
        (["real", "gan", "x/gan"], "two sets of synthetic images are called gan"),
        (["real", "x/noise"], "a set of synthetic images is called as the floor noise; rename the folder"),
        (["one.npz", "gan"], "one.npz cannot be read"),
        (["one.npy", "gan"], "one.npy cannot be read"),
        (["real", "empty"], "empty: no images in it: it holds no file"),
        (["real", "texts"], "texts: no images in it; give a folder of picture files"),
        (["empty", "gan"], "empty: no images in it"),
        (["flat", "gan", "--positive", "ill"], "--positive and --judge are for images with labels"),
        (["real", "flat", "--judge", "vgg16"], "--positive and --judge are for images with labels"),
        (["one.txt", "gan"], "one.txt: real images are a folder of class folders, a CSV"),
        (["unnamed.npz", "gan"], "no array images or arr_0; it holds pictures"),
    ],
)
def test_mistakes_are_one_line_before_any_work(here, tmp_path, capsys, arguments, message):
    pictures(tmp_path / "x/gan")
    pictures(tmp_path / "x/noise")
    (tmp_path / "empty").mkdir()
    pictures(tmp_path / "flat", classes=["."])
    (tmp_path / "texts/ill").mkdir(parents=True)
    (tmp_path / "texts/ill/readme.txt").touch()
    np.savez(tmp_path / "unnamed.npz", pictures=np.zeros(3))
    for suffix in ("npz", "npy", "txt"):
        (tmp_path / f"one.{suffix}").touch()
    assert cli.main(["score", *arguments]) == 2
    assert message in capsys.readouterr().err
    assert here == []
    assert not (tmp_path / "score").exists()


@pytest.fixture
def flat(tmp_path):
    """Folders of pictures without class folders, and the same as arrays."""
    pictures(tmp_path / "flat-real", 8, classes=["."]), pictures(tmp_path / "flat-gan", 4, classes=["."])
    images = np.random.default_rng(1).integers(0, 256, (5, 8, 8), dtype=np.uint8)
    np.save(tmp_path / "real.npy", images), np.savez(tmp_path / "bare.npz", images=images)
    return tmp_path


def checked(real, *synthetic, **options):
    """The benchmark that `score` runs, read from the file that it writes."""
    score_module.score(real, synthetic, out=Path("out"), size=8, **options)
    return validate(Path("out/benchmark.yaml"))[0]


@pytest.mark.parametrize(
    ("real", "synthetic", "without"),
    [
        ("flat-real", "flat-gan", "flat-real, flat-gan"),
        ("flat-real", "gan", "flat-real; those of the others are ignored"),
        ("real", "flat-gan", "flat-gan; those of the others are ignored"),
        ("real.npy", "bare.npz", "real.npy, bare.npz"),
        ("flat-real", "real.npy", "flat-real, real.npy"),
    ],
)
def test_without_labels_likeness_ranks_and_nothing_that_needs_them_runs(
    here, flat, capsys, real, synthetic, without
):
    bench = checked(Path(real), Path(synthetic))
    assert (str(bench.headline), bench.direction) == ("kid.kid[efficientnet-lite0]", "lower")
    assert [e.use for e in bench.evaluators] == ["kid", "precision-recall", "memorisation"]
    assert [g.use for g in bench.generators] == ["images"]
    assert (bench.dataset.plugin.labelled, bench.generators[0].plugin.labelled) == (False, False)
    splits = bench.dataset.plugin.load(context_in(flat / "ctx"))
    assert splits.train.classes == ("unlabelled",)
    assert f"no labels in {without}\n" in capsys.readouterr().out


def test_without_labels_a_patient_is_on_one_side_all_the_same(here, flat):
    for i in range(8):
        (flat / f"flat-real/{i}.png").rename(flat / f"flat-real/p{i // 2}-{i}.png")
    splits = checked(flat / "flat-real", flat / "flat-gan", groups="(p[0-9])").dataset.plugin.load(
        context_in(flat / "ctx")
    )
    sides = [set(images.groups) for images in (splits.train, splits.tests["test"])]
    assert sorted(map(len, sides)) == [1, 3]
    assert not set.intersection(*sides)


def arrays(file, n=24, **more):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (n, 8, 8), dtype=np.uint8)
    np.savez(file, images=images, labels=np.arange(n) // 2 % 12, **more)
    return images


def test_real_arrays_become_class_folders_with_their_patients(here, tmp_path):
    images = arrays("real.npz", patients=np.arange(24) // 2)
    content = scoring_file(tmp_path / "real.npz", [tmp_path / "gan"], out=tmp_path / "out")
    root = Path(content["dataset"]["root"])
    table = pd.read_csv(root / content["dataset"]["manifest"], dtype=str)
    assert sorted(set(table["label"])) == [f"{k:02d}" for k in range(12)], "in the order of the numbers"
    assert list(table["patient"]) == [str(i // 2) for i in range(24)]
    assert np.array_equal([np.asarray(Image.open(root / path)) for path in table["path"]], images)
    written = (root / "labels.csv").stat().st_mtime_ns
    assert scoring_file(tmp_path / "real.npz", [tmp_path / "gan"], out=tmp_path / "out") == content
    assert (root / "labels.csv").stat().st_mtime_ns == written, "the same content is not written again"
    np.savez("real.npz", images=images[:4], labels=["a", "b"] * 2)
    again = scoring_file(tmp_path / "real.npz", [tmp_path / "gan"], out=tmp_path / "out")
    assert again["dataset"]["root"] != content["dataset"]["root"]


@pytest.mark.parametrize(
    ("held", "message"),
    [
        ({"pictures": np.zeros(3)}, "no array images or arr_0; it holds pictures"),
        (
            {"images": np.zeros((3, 4, 4)), "labels": np.zeros(3, int)},
            "values of type float64: write them as uint8",
        ),
        (
            {"images": np.zeros((3, 4, 4), np.uint8), "labels": np.int64(3)},
            "labels are one whole number or class name an image, found int64 one value",
        ),
        ({"images": np.uint8(0)}, "an array of one value: images are N x H x W"),
        ({"images": np.zeros((3, 4, 4), np.uint8), "labels": [0, 1, np.nan]}, "labels hold nan: give each image"),
        ({"images": np.zeros((3, 4, 4), np.uint8), "labels": [0, 1, 1.5]}, r"labels hold 1\.5: give each image"),
        ({"images": np.zeros((3, 4, 4), np.uint8), "labels": [0, 1, -1]}, "labels hold -1; classes count from 0"),
        ({"images": np.zeros((3, 4, 4), np.uint8), "labels": ["a", " ", "b"]}, "labels are empty for image 1"),
        ({"images": np.zeros((3, 4, 4), np.uint8), "patients": [1, 2, np.nan]}, "patients hold nan: give each"),
        ({"images": np.zeros((3, 4, 4), np.uint8), "labels": np.zeros(2, int)}, "3 images and 2 labels"),
    ],
)
def test_arrays_that_are_none_say_why(here, tmp_path, held, message):
    np.savez("real.npz", **held)
    with pytest.raises(ConfigError, match=message):
        scoring_file(tmp_path / "real.npz", [tmp_path / "gan"], out=tmp_path / "out")


def test_a_question_that_led_to_nothing_may_be_put_otherwise(here, tmp_path):
    """The first call forgot --positive: its file is no result."""
    ask = {"real": tmp_path / "real", "synthetic": [tmp_path / "gan"], "out": tmp_path / "out"}
    score_module.score(**ask)
    score_module.score(**ask, positive="ill")
    assert "positive: ill" in (tmp_path / "out/benchmark.yaml").read_text()


@pytest.mark.parametrize("name", ["1e4", "1e-4", "on", "007", "1_30"])
def test_folders_called_like_numbers(here, tmp_path, name):
    pictures(tmp_path / name)
    score_module.score(tmp_path / "real", [tmp_path / name], out=tmp_path / "out", positive="ill")
    assert name in [entry.label for entry in validate(tmp_path / "out/benchmark.yaml").bench.generators]


def test_samples_that_are_none_are_refused(here, tmp_path):
    with pytest.raises(ConfigError, match="--samples -5: expected 2 or more"):
        scoring_file(tmp_path / "real", [tmp_path / "gan"], out=tmp_path / "out", samples=-5)


def test_a_damaged_compressed_batch(here, tmp_path):
    file = tmp_path / "r.npz"
    np.savez_compressed(file, images=np.random.default_rng(0).integers(0, 9, (24, 8, 8), np.uint8))
    content = bytearray(file.read_bytes())
    content[200:220] = bytes(20)
    file.write_bytes(content)
    with pytest.raises(ConfigError, match=r"r\.npz cannot be read"):
        scoring_file(file, [tmp_path / "gan"], out=tmp_path / "out")


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (np.arange(24) % 12, [f"{k:02d}" for k in range(12)]),
        (np.arange(24) % 12 / 1, [f"{k:02d}" for k in range(12)]),
        (np.array([b"ill", b"well"] * 12), ["ill", "well"]),
    ],
)
def test_labels_of_real_and_of_synthetic_arrays_follow_one_rule(here, tmp_path, labels, expected):
    """Whole numbers that are floats, too, and more than ten classes: each stays in its own."""
    pixels = np.zeros((24, 8, 8), np.uint8)
    np.savez(tmp_path / "real.npz", images=pixels, labels=labels), np.savez(tmp_path / "x.npz", pixels, labels)
    root = Path(scoring_file(tmp_path / "real.npz", [tmp_path / "x.npz"], out=tmp_path / "out")["dataset"]["root"])
    real = pd.read_csv(root / "labels.csv", dtype=str)["label"]
    assert sorted(set(real)) == expected
    (tmp_path / "x.npz").rename(tmp_path / "x.NPZ")
    found = find_images(tmp_path / "x.NPZ", expected, manifest=None, labels=None, numbers=None)
    assert [expected[label] for label in found.labels] == list(real)


@pytest.mark.parametrize("name", ["patients", "patient", "patient_id", "groups"])
def test_patients_by_whatever_they_are_called(here, tmp_path, name):
    arrays("real.npz", **{name: np.arange(24) // 2 / 1})
    data = scoring_file(tmp_path / "real.npz", [tmp_path / "gan"], out=tmp_path / "out")["dataset"]
    table = pd.read_csv(Path(data["root"]) / "labels.csv", dtype=str)
    assert list(table["patient"]) == [str(i // 2) for i in range(24)]


def test_so_many_images_are_scored_as_there_are(here, tmp_path):
    """Of an array, too; pictures of a run within, masks and hidden copies are none."""
    arrays("ten.npz", 10)
    (tmp_path / "gan/ill/.ipynb_checkpoints").mkdir()
    pictures(tmp_path / "gan/score/figures", 9)
    (tmp_path / "gan/score/run.json").touch()
    for copy in ("ill/.ipynb_checkpoints/0.png", "ill/0_mask.png"):
        (tmp_path / "gan" / copy).write_bytes((tmp_path / "gan/ill/0.png").read_bytes())
    for synthetic, n in (("ten.npz", 10), ("gan", 8)):
        assert scoring_file(tmp_path / "real", [tmp_path / synthetic], out=tmp_path / "out")["samples"] == n


def test_who_saw_all_real_images_has_not_seen_the_train_part_alone(here, tmp_path):
    asked = {"synthetic": [tmp_path / "gan"], "out": tmp_path / "out", "trained_on": "train"}
    with pytest.raises(ConfigError, match="real has no test part, so one would be cut from images that the gen"):
        scoring_file(tmp_path / "real", **asked)
    table = tmp_path / "real/list.csv"
    table.write_text("path,label,split\nill/0.png,ill,train\nill/1.png,ill,train\n")
    with pytest.raises(ConfigError, match="has no test part"):
        scoring_file(table, **asked)
    table.write_text("path,label,split\nill/0.png,ill,train\nill/1.png,ill,Test\n")
    assert scoring_file(table, **asked)["generators"][0]["trained_on"] == "train"
    pictures(tmp_path / "cut/train"), pictures(tmp_path / "cut/Test")
    assert scoring_file(tmp_path / "cut", **asked)["generators"][0]["trained_on"] == "train"
