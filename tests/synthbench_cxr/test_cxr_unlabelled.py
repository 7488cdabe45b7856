"""`image-folder` with `labelled: false`: every picture is of one class, whatever folder it lies in."""

from __future__ import annotations

from pathlib import Path

import pytest

from synthbench import ConfigError, Context, DataError
from synthbench.api.registry import load_registry
from synthbench.benchmark.config import build_plugin
from synthbench_cxr.plugin import ImageFolder
from synthbench_cxr.unlabelled import REMARK

from .conftest import MakeSet


def unlabelled(root: Path, **options: object) -> ImageFolder:
    return ImageFolder(root=root, labelled=False, image_size=8, **options)


def test_pictures_at_any_depth_are_of_one_class_and_masks_are_none(make_set: MakeSet, ctx: Context, capsys):
    root = make_set("s", {"{i}.png": 6, "p7/{i}.png": 4, "p7/deep/{i}.png": 2, "masks/{i}.png": 3})
    (root / "notes.txt").touch()
    (root / "again").symlink_to(root, target_is_directory=True)
    splits = unlabelled(root).load(ctx)
    assert splits.train.classes == ("unlabelled",)
    ids = {str(i) for images in splits.parts.values() for i in images.ids}
    assert ids == {
        *(f"{i}.png" for i in range(6)),
        *(f"p7/{i}.png" for i in range(4)),
        "p7/deep/0.png",
        "p7/deep/1.png",
    }
    reasons = {bad.reason for bad in splits.quarantine}
    assert len(reasons) == 3, "masks, a text, a link to what is read"
    assert f"image-folder: {REMARK}" in capsys.readouterr().out


def test_its_own_split_and_patients(make_set: MakeSet, ctx: Context):
    root = make_set("s", {"train/a{i}.png": 4, "Test/b{i}.png": 2, "train/x/c{i}.png": 2})
    splits = unlabelled(root, groups="([abc])[0-9]").load(ctx)
    assert sorted(splits.train.ids) == [*(f"train/a{i}.png" for i in range(4)), "train/x/c0.png", "train/x/c1.png"]
    assert set(splits.train.groups) == {"a", "c"}
    assert sorted(splits.tests["test"].ids) == ["Test/b0.png", "Test/b1.png"]


def test_a_table_needs_no_labels_then_and_those_it_has_do_not_count(make_set: MakeSet, ctx: Context):
    root = make_set("s", {"{i}.png": 6})
    for label, cells in (("", lambda i: ""), (",label", lambda i: f",{i}")):
        rows = "".join(f"{i}.png,p{i // 2}{cells(i)}\n" for i in range(6))
        (root / "t.csv").write_text(f"path,patient{label}\n{rows}")
        splits = unlabelled(root, manifest="t.csv").load(ctx)
        assert splits.train.classes == ("unlabelled",)
        assert {str(g) for images in splits.parts.values() for g in images.groups} == {"p0", "p1", "p2"}
        assert not splits.attributes["train"]


def test_a_folder_without_images_is_one_message(make_set: MakeSet, ctx: Context):
    root = make_set("s", {"train/{i}.png": 4})
    (root / "test").mkdir()
    (root / "test/readme.txt").touch()
    with pytest.raises(DataError, match=r"test: no images in it; image files end in \.avif"):
        unlabelled(root).load(ctx)


@pytest.mark.parametrize("option", ["classes=[a, b]", "positive=a"])
def test_options_that_need_labels_are_refused(tmp_path: Path, option: str):
    cls = load_registry().find("dataset", "image-folder", tmp_path)
    with pytest.raises(ConfigError, match="labelled: false leaves no room for `classes` and `positive`"):
        build_plugin(cls, [f"root={tmp_path}", "labelled=false", option])


def test_one_class_folder_names_the_way_out(make_set: MakeSet, ctx: Context):
    with pytest.raises(DataError, match=r"needs at least two class folders.*`labelled: false`"):
        ImageFolder(root=make_set("s", {"a/{i}.png": 3})).load(ctx)


def test_results_beside_the_pictures_are_no_pictures(make_set: MakeSet, ctx: Context):
    """`score . ../gan` within the folder leaves grids of samples there: in the next run they were real images."""
    root = make_set("s", {"{i}.png": 8, "score/trials/gan/{i}.png": 3, "runs/one/figures/{i}.png": 2})
    (root / "score/.synthbench.lock").touch()
    (root / "runs/one/run.json").touch()
    splits = unlabelled(root).load(ctx)
    assert sum(map(len, splits.parts.values())) == 8
    assert {bad.path for bad in splits.quarantine} == {"score", "runs"}


def test_results_beside_class_folders_are_no_class(make_set: MakeSet, ctx: Context):
    root = make_set("s", {"A/{i}.png": 8, "B/{i}.png": 8, "runs/one/figures/{i}.png": 2})
    (root / "runs/one/run.json").touch()
    assert ImageFolder(root=root, image_size=8, positive="B").load(ctx).train.classes == ("A", "B")
