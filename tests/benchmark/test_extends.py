"""A benchmark file over another one: mappings are merged, lists replaced; circles and gaps name both files."""

import pytest

from synthbench.benchmark.extends import DEEPEST, merged, read_extended
from synthbench.benchmark.shipped import shipped
from synthbench.commands.validate import validate
from synthbench.errors import ConfigError


@pytest.fixture
def write(tmp_path):
    def write(name, text):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    return write


def test_mappings_are_merged_and_lists_replaced(write):
    write("base.yaml", "name: base\nranking: {test: mcnemar, alpha: 0.1}\ngenerators: [{use: a}, {use: b}]\n")
    own = write("own.yaml", "extends: base.yaml\nranking: {alpha: 0.2}\ngenerators: [{use: c}]\n")
    extended = read_extended(own)
    assert extended.content == {
        "name": "own",
        "ranking": {"test": "mcnemar", "alpha": 0.2},
        "generators": [{"use": "c"}],
    }
    assert extended.name == f"{own} (extends {own.parent / 'base.yaml'})"


def test_without_a_name_it_is_called_as_its_file_and_leaves_the_others_results_alone(write):
    write("base.yaml", "name: base\n")
    assert read_extended(write("my own (2).yaml", "extends: base.yaml\n")).content["name"] == "my-own-2"
    assert read_extended(write("own.yaml", "extends: base.yaml\nname: other\n")).content["name"] == "other"
    assert read_extended(write("top.yaml", "extends: own.yaml\n")).content["name"] == "top"


def test_another_plugin_takes_no_options_of_the_one_it_replaces():
    below = {"dataset": {"use": "phantom", "train_images": 9, "image_size": 32}}
    assert merged(below, {"dataset": {"image_size": 64}})["dataset"] == {**below["dataset"], "image_size": 64}
    assert merged(below, {"dataset": {"use": "phantom", "image_size": 64}})["dataset"]["train_images"] == 9
    assert merged(below, {"dataset": {"use": "mine", "image_size": 64}})["dataset"] == {
        "use": "mine",
        "image_size": 64,
    }


def test_each_path_keeps_the_folder_of_its_file(write, tmp_path):
    write("base/base.yaml", "dataset: {root: images}\nname: x\n")
    content = read_extended(write("own/own.yaml", "extends: ../base/base.yaml\nname: y\n")).content
    assert content["dataset"]["root"].folder.resolve() == tmp_path / "base"
    assert content["name"].folder == tmp_path / "own"


def test_a_shipped_file_goes_by_its_name(write):
    own = write("own.yaml", "extends: quickstart\nsamples: 5\n")
    extended = read_extended(own)
    assert extended.files == (own, shipped()["quickstart"])
    assert (extended.content["samples"], extended.content["dataset"]["use"]) == (5, "phantom")


@pytest.mark.parametrize("circle", [["a"], ["a", "b"], ["a", "b", "c"]])
def test_a_circle_names_its_files(write, circle):
    for name, following in zip(circle, [*circle[1:], circle[0]], strict=True):
        write(f"{name}.yaml", f"extends: {following}.yaml\n")
    first = write("first.yaml", "extends: a.yaml\n")
    with pytest.raises(ConfigError, match=r"leads back in a circle: .*first\.yaml -> .*a\.yaml") as caught:
        read_extended(first)
    assert all(f"{name}.yaml" in str(caught.value) for name in circle)


def test_a_chain_ends_somewhere(write):
    for number in range(DEEPEST + 2):
        write(f"{number}.yaml", f"extends: {number + 1}.yaml\n")
    write(f"{DEEPEST}.yaml", "name: end\n")
    assert read_extended(write("0.yaml", "extends: 1.yaml\n")).content == {"name": "0"}
    write(f"{DEEPEST}.yaml", f"extends: {DEEPEST + 1}.yaml\n")
    with pytest.raises(ConfigError, match=rf"{DEEPEST}.yaml: extends: .*a chain that begins with .*0.yaml"):
        read_extended(write("0.yaml", "extends: 1.yaml\n"))


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("gone.yaml", r"own.yaml: extends: gone.yaml: no such file; looked for .*gone.yaml"),
        ("quikstart", r"own.yaml: extends: quikstart: no such file, .* Did you mean 'quickstart'"),
        ("[a.yaml, b.yaml]", r"own.yaml: extends: expected the path of one benchmark file, found \['a.yaml'"),
        ("", r"own.yaml: extends: expected the path of one benchmark file, found None"),
        (".", r"own.yaml: extends: \.: no such file"),
    ],
)
def test_what_cannot_be_extended(write, written, message):
    with pytest.raises(ConfigError, match=message):
        read_extended(write("own.yaml", f"extends: {written}\n"))


def test_a_file_whose_name_makes_no_benchmarks_name_needs_one(tmp_path):
    (tmp_path / "胸片.yaml").write_text("extends: quickstart\n")
    with pytest.raises(ConfigError, match="give it a `name:`"):
        validate(tmp_path / "胸片.yaml")
