"""`matrix:` makes a row of each combination, under a label that says which."""

import pytest

from synthbench.api.registry import load_registry
from synthbench.benchmark.config import load_benchmark
from synthbench.benchmark.matrix import expand
from synthbench.errors import ConfigError

FILE = """
name: m
dataset: {use: phantom}
baselines: false
generators:
  - {use: pca-gaussian}
  - {use: acgan, latent: 16, matrix: {steps: [500, 2000], learning_rate: [0.001, 0.0002]}}
evaluators:
  - {use: tstr, backbone: cnn}
"""


@pytest.fixture
def load(tmp_path):
    def load(text, *overrides):
        file = tmp_path / "m.yaml"
        file.write_text(text)
        return load_benchmark(file, load_registry(), overrides)

    return load


def test_a_row_each_with_its_label_and_options(load):
    rows = load(FILE).generators
    assert [row.label for row in rows] == [
        "pca-gaussian",
        "acgan-steps=500,learning_rate=0.001",
        "acgan-steps=500,learning_rate=0.0002",
        "acgan-steps=2000,learning_rate=0.001",
        "acgan-steps=2000,learning_rate=0.0002",
    ]
    assert [(row.plugin.steps, row.plugin.learning_rate, row.plugin.latent) for row in rows[1::3]] == [
        (500, 0.001, 16),
        (2000, 0.0002, 16),
    ]


def test_one_option_under_a_label_of_ones_own():
    (first, second) = expand([{"use": "acgan", "label": "gan", "matrix": {"steps": [500, 2000]}}], "g", "f")
    assert first.content == {"use": "acgan", "label": "gan-steps=500", "steps": 500}
    assert (second.path, second.content["label"]) == ("g.0 (steps=2000)", "gan-steps=2000")


def test_values_of_any_kind_stand_in_the_label():
    rows = expand([{"use": "x", "matrix": {"v": [[8, 4], True, "cnn", None, {"a": 1}]}}], "g", "f")
    labels = [row.content["label"] for row in rows]
    assert labels == [
        "x-v=[8,4]",
        "x-v=true",
        "x-v=cnn",
        "x-v=null",
        'x-v={"a":1}',
    ]


def test_an_evaluator_has_a_matrix_too_and_the_headline_names_a_row(load):
    judged = FILE.replace("backbone: cnn}", "matrix: {backbone: [cnn, vgg16]}}")
    bench = load(judged.replace("name: m", "name: m\nheadline: tstr-backbone=cnn.auroc"))
    assert [e.plugin.backbone for e in bench.evaluators] == ["cnn", "vgg16"]
    with pytest.raises(ConfigError, match=r"Did you mean 'tstr-backbone=cnn\.auroc'"):
        load(judged)


def test_a_value_can_be_set_from_the_command_line(load):
    rows = load(FILE, "generators.1.matrix={steps: [7]}").generators
    assert [row.label for row in rows] == ["pca-gaussian", "acgan-steps=7"]


def test_a_mistake_names_the_row_and_the_combination(load):
    with pytest.raises(ConfigError, match=r"generators\.1 \(steps=0\)\.steps: expected .* found 0"):
        load(FILE, "generators.1.matrix={steps: [7, 0]}")


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        ([1], r"g\.0\.matrix: expected options with lists of values"),
        ({}, r"g\.0\.matrix: expected options with lists of values"),
        ({"steps": 5}, r"g\.0\.matrix\.steps: expected a list of values, found 5"),
        ({"steps": []}, r"g\.0\.matrix\.steps: expected a list of values, found \[\]"),
        ({"latent": [1]}, r"g\.0\.matrix\.latent: latent belongs to the row itself"),
        ({"use": ["a"]}, r"g\.0\.matrix\.use: use belongs to the row itself"),
        ({"a": list(range(40)), "b": list(range(40))}, "1600 combinations; at most 1000"),
    ],
)
def test_a_matrix_that_cannot_be(matrix, message):
    with pytest.raises(ConfigError, match=message):
        expand([{"use": "x", "latent": 1, "matrix": matrix}], "g", "f")
