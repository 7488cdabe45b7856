"""Paths among options are seen from the file that names them, wherever a field takes one."""

from pathlib import Path
from typing import ClassVar, Literal

import pytest
from pydantic import BaseModel, FilePath

from synthbench.api.interfaces import Dataset
from synthbench.api.paths import absolute_options
from synthbench.api.registry import load_registry
from synthbench.benchmark.config import build_plugin, load_benchmark
from synthbench.errors import ConfigError

BODY = """name: b
headline: "kid.kid[timm:resnet18]"
baselines: false
dataset: {use: image-folder, root: images, classes: ["0", "1"]}
generators: [{use: pca-gaussian}]
evaluators: [{use: kid, extractor: {use: timm, model: resnet18, weights: w.pt}}]
"""


class Inner(BaseModel):
    file: Path | None = None
    note: str = ""


class Every(BaseModel):
    plain: Path = Path()
    maybe: Path | None = None
    several: tuple[Path, ...] = ()
    by_name: dict[str, Path] = {}
    known: Literal["none"] | Path = "none"
    checked: FilePath | None = None
    either: str | Path = ""
    text: str = ""
    inner: Inner = Inner()


def test_every_field_that_takes_a_path(tmp_path):
    options = {
        "plain": "a",
        "maybe": "../b",
        "several": ["c", "/d"],
        "by_name": {"x": "e"},
        "known": "f",
        "checked": "g",
        "either": "h",
        "text": "i",
        "inner": {"file": "j", "note": "k"},
        "unknown": "l",
    }
    absolute = absolute_options(Every, options, lambda spot: tmp_path)
    assert absolute == {
        "plain": f"{tmp_path}/a",
        "maybe": f"{tmp_path}/../b",
        "several": [f"{tmp_path}/c", "/d"],
        "by_name": {"x": f"{tmp_path}/e"},
        "known": f"{tmp_path}/f",
        "checked": f"{tmp_path}/g",
        "either": "h",
        "text": "i",
        "inner": {"file": f"{tmp_path}/j", "note": "k"},
        "unknown": "l",
    }
    plain = {"known": "none", "maybe": None, "inner": None}
    assert absolute_options(Every, plain, lambda spot: tmp_path) == plain


def test_home_and_a_spot_without_a_folder():
    assert absolute_options(Every, {"plain": "~/x", "maybe": "y"}, lambda spot: None) == {
        "plain": str(Path.home() / "x"),
        "maybe": "y",
    }


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """A benchmark file in one folder, the shell in another."""
    for name in ("file", "here"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "here")
    (tmp_path / "file/b.yaml").write_text(BODY)
    return tmp_path


def load(file, *overrides):
    return load_benchmark(file, load_registry(), overrides)


def roots(bench):
    return bench.dataset.plugin.root, bench.evaluators[0].plugin.extractor.weights


def test_paths_are_seen_from_the_file_those_of_set_from_here(folders):
    bench = load(Path("../file/b.yaml"))
    assert [path.resolve() for path in roots(bench)] == [folders / "file/images", folders / "file/w.pt"]
    assert all(path.is_absolute() for path in roots(bench))
    changed = load(Path("../file/b.yaml"), "dataset.root=images", "evaluators.0.extractor.weights=v.pt")
    assert [path.resolve() for path in roots(changed)] == [folders / "here/images", folders / "here/v.pt"]


def test_a_file_that_is_extended_keeps_its_own(folders):
    (folders / "here/own.yaml").write_text("extends: ../file/b.yaml\ndataset: {image_size: 32}\n")
    assert [path.resolve() for path in roots(load(Path("own.yaml")))] == [
        folders / "file/images",
        folders / "file/w.pt",
    ]


def test_what_lies_only_in_the_current_folder_gets_the_path_to_write(folders):
    (folders / "here/images").mkdir()
    with pytest.raises(ConfigError, match=r"b\.yaml: dataset\.root: images is .* write \.\./here/images$"):
        load(Path("../file/b.yaml"))
    (folders / "file/images").mkdir()
    (folders / "here/w.pt").write_text("")
    with pytest.raises(ConfigError, match=r"evaluators\.0\.extractor: extractor\.weights: w\.pt is seen from"):
        load(Path("../file/b.yaml"))


def test_the_classifiers_weights_are_a_path_too(folders):
    (folders / "file/w.pt").write_text("")
    text = BODY.replace('"kid.kid[timm:resnet18]"', "tstr.auroc").partition("evaluators")[0]
    (folders / "file/b.yaml").write_text(f"{text}evaluators: [{{use: tstr, weights: w.pt}}]\n")
    plugin = load(Path("../file/b.yaml")).evaluators[0].plugin
    assert Path(plugin.recipe.weights).resolve() == folders / "file/w.pt"
    assert load(Path("../file/b.yaml"), "evaluators.0.weights=none").evaluators[0].plugin.weights == "none"


class Pictures(Dataset):
    name: ClassVar[str] = "pictures"
    root: Path

    def load(self, ctx):
        raise NotImplementedError


def test_an_option_of_check_is_seen_from_here(folders):
    assert build_plugin(Pictures, ["root=images"]).root == folders / "here/images"
