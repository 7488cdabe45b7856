"""`synthbench export-train`: exactly the training part, and that `image-folder` reads it back as it was."""

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image

import synthbench as sb
from synthbench import cli
from synthbench.api.registry import load_registry
from synthbench.benchmark.config import load_benchmark
from synthbench.data.class_folders import write_class_folders
from synthbench.intake import read_rows
from synthbench.progress import Progress
from synthbench.runner.load_data import audited_splits
from synthbench.runner.session import Session
from synthbench.storage.store import Store
from tests.helpers.mini import Distance, MeanNoise


def content(root, **options):
    own = {"use": "image-folder", "root": root, "image_size": 16, "positive": "ill", **options}
    return {
        "name": "mine",
        "headline": "distance.gap",
        "holdout": 0.25,
        "dataset": own,
        "generators": [MeanNoise],
        "evaluators": [Distance],
    }


@pytest.fixture
def pictures(tmp_path, monkeypatch):
    """Three pictures of each of sixteen patients, in two class folders."""
    monkeypatch.setenv("SYNTHBENCH_CACHE", str(tmp_path / "cache"))
    rng = np.random.default_rng(0)
    for i in range(48):
        file = tmp_path / "real" / ("ill" if i // 3 % 2 else "well") / f"p{i // 3:02d}-{i}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (20, 24), dtype=np.uint8)).save(file)
    return tmp_path / "real"


def trained_on(benchmark, folder):
    """What `fit` gets of it."""
    bench = load_benchmark(benchmark, load_registry())
    session = Session(Store(folder / "cache"), "cpu", Progress(False), folder / "data")
    return audited_splits(bench, session)[0]


def test_it_is_the_training_part_of_a_run_and_reads_back_the_same(pictures, tmp_path):
    benchmark = content(pictures, groups="(p[0-9]+)")
    folder = sb.export_train(benchmark, tmp_path / "train")
    splits = trained_on(benchmark, tmp_path)
    table = pd.read_csv(folder / "labels.csv")
    assert list(table.columns) == ["path", "label", "patient", "source"]
    assert set(table["source"]) == set(splits.train.ids)
    assert not set(table["patient"]) & {*splits.holdout.groups, *splits.tests["test"].groups}
    assert sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.png")) == sorted(table["path"])
    again = content(folder, manifest="labels.csv", test_fraction=0.3) | {"holdout": 0.0}
    parts = trained_on(again, tmp_path)
    read = {image: part for part in (parts.train, parts.tests["test"]) for image in part.ids}
    assert len(read) == len(splits.train)
    for path, source in zip(table["path"], table["source"], strict=True):
        part = read[path]
        (here,), (there,) = np.flatnonzero(part.ids == path), np.flatnonzero(splits.train.ids == source)
        assert np.array_equal(part.pixels[here], splits.train.pixels[there])
        assert part.classes[part.labels[here]] == splits.train.classes[splits.train.labels[there]]
        assert part.groups[here] == splits.train.groups[there]


def test_the_command_says_what_is_in_it_and_what_is_not(pictures, tmp_path, capsys):
    plugins = {"generators": [{"use": "noise"}], "evaluators": [{"use": "memorisation"}]}
    benchmark = content(str(pictures)) | plugins | {"headline": "memorisation.copying"}
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(benchmark))
    arguments = ["export-train", str(tmp_path / "mine.yaml"), str(tmp_path / "train")]
    code = cli.main(arguments)
    shown = capsys.readouterr()
    assert code == 0, shown.err
    assert "train: 28 images (ill 14, well 14), and labels.csv" in shown.out
    assert "not among them: " in shown.out
    assert cli.main(arguments) == 2
    assert "train is not empty; nothing was written" in capsys.readouterr().err


def test_colours_stay_and_a_class_that_names_no_folder_gets_one(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (2, 4, 4, 3), dtype=np.uint8)
    images = sb.Images(pixels, np.array([0, 1]), ("a/b", ".."), groups=np.array(["1", "2"]))
    write_class_folders(images, tmp_path)
    files = [tmp_path / "class-0/000000.png", tmp_path / "class-1/000001.png"]
    assert np.array_equal(np.stack([np.asarray(Image.open(file)) for file in files]), pixels)
    assert list(pd.read_csv(tmp_path / "labels.csv")["label"]) == ["a/b", ".."]


def test_classes_of_any_name_have_a_folder_of_their_own(tmp_path):
    classes = ("class-1", "a/b", "labels.csv", " ill", "..")
    pixels = np.arange(5, dtype=np.uint8).reshape(5, 1, 1, 1).repeat(4, 1).repeat(4, 2)
    write_class_folders(sb.Images(pixels, np.arange(5), classes), tmp_path)
    rows = read_rows(tmp_path / "labels.csv", ("path", "label"))
    assert [row["label"] for row in rows] == [name.strip() for name in classes]
    assert len({row["path"].partition("/")[0] for row in rows}) == 5
    assert [np.asarray(Image.open(tmp_path / row["path"])).max() for row in rows] == list(range(5))
