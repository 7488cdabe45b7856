"""YAML's traps get a message with the YAML path; what people mean is read as they mean it."""

import os
import pickle
from pathlib import Path

import pytest

from synthbench.benchmark.strict_yaml import apply_override, read_yaml
from synthbench.errors import ConfigError


@pytest.fixture
def read(tmp_path):
    def read(text):
        file = tmp_path / "bench.yaml"
        file.write_text(text, encoding="utf-8")
        return read_yaml(file)

    return read


def complaint(read, text):
    """The message that a file gets; it names the file."""
    with pytest.raises(ConfigError) as caught:
        read(text)
    message = str(caught.value)
    assert "bench.yaml: " in message
    return message.partition("bench.yaml: ")[2]


def test_reads_what_is_written(read):
    text = "name: a\nlist: [1, 2.5, {deep: true}]\nnothing: ~\nrate: 1.0e-4\nquoted: '1e-4'\nanswer: 'no'\n"
    assert read(text) == {
        "name": "a",
        "list": [1, 2.5, {"deep": True}],
        "nothing": None,
        "rate": 0.0001,
        "quoted": "1e-4",
        "answer": "no",
    }


def test_dates_stay_text(read):
    assert read("name: 2024-05-01\nat: 2024-05-01 10:00:00\n") == {
        "name": "2024-05-01",
        "at": "2024-05-01 10:00:00",
    }


def test_keys_are_text_whatever_they_look_like(read):
    assert read("on: 1\n2: x\nnull: y\n") == {"on": 1, "2": "x", "null": "y"}


def test_anchors_and_merges(read):
    assert read("base: &b {x: 1, y: 2}\nown: {<<: *b, y: 3}\n") == {
        "base": {"x": 1, "y": 2},
        "own": {"x": 1, "y": 3},
    }


@pytest.mark.parametrize(
    ("number", "better"),
    [
        ("1e-4", "1.0e-4"),
        ("-1e-4", "-1.0e-4"),
        (".5e0", "0.5e+0"),
        ("1E5", "100000"),
        ("-1.5e3", "-1500"),
        ("2.e3", "2000"),
        ("1e30", "1.0e+30"),
    ],
)
def test_a_number_that_yaml_reads_as_text(read, number, better):
    message = complaint(read, f"generators:\n  - {{use: acgan, learning_rate: {number}}}\n")
    assert message.startswith(f"generators.0.learning_rate: YAML reads {number} as a string")
    assert f"write {better} " in message
    assert read(f"a: {better}") == {"a": float(number)}
    assert isinstance(read(f"a: {better}")["a"], int) == better.lstrip("-").isdecimal(), "where one is expected"


@pytest.mark.parametrize(("word", "boolean"), [("no", "false"), ("Yes", "true"), ("on", "true"), ("OFF", "false")])
def test_a_word_that_yaml_reads_as_a_boolean(read, word, boolean):
    message = complaint(read, f"dataset: {{use: x, label: {word}}}\n")
    assert message.startswith(f"dataset.label: YAML reads a bare {word} as the boolean {boolean}")
    assert f'"{word}" in quotes' in message


@pytest.mark.parametrize(
    ("number", "octal", "better"), [("060", 48, "60"), ("-0010", -8, "-10"), ("+07", 7, "+7"), ("00_10", 8, "10")]
)
def test_a_number_that_yaml_reads_in_base_eight(read, number, octal, better):
    message = complaint(read, f"seed: {number}\n")
    assert message.startswith(f"seed: YAML reads {number} as the octal number {octal}; write {better}, or")
    assert read(f"seed: '{number}'")["seed"] == number


@pytest.mark.parametrize("number", ["1:00", "-1:30", "1:30:00", "1:30.5"])
def test_a_number_that_yaml_reads_in_base_sixty(read, number):
    assert complaint(read, f"samples: {number}\n").startswith(f"samples: YAML reads {number} as a number in base")
    assert read(f"a: '{number}'")["a"] == number


@pytest.mark.parametrize(("text", "value"), [("0", 0), ("-0", 0), ("0.5", 0.5), ("0x1F", 31), ("1_000", 1000)])
def test_numbers_that_mean_what_they_say(read, text, value):
    assert read(f"a: {text}")["a"] == value


@pytest.mark.parametrize(("text", "value"), [("true", True), ("False", False)])
def test_true_and_false_are_booleans(read, text, value):
    assert read(f"a: {text}")["a"] is value


def test_duplicate_keys_name_path_and_lines(read):
    message = complaint(read, "generators:\n  - use: acgan\n    steps: 1\n    steps: 2\n")
    assert message == "generators.0.steps stands twice, on lines 3 and 4; delete one"
    assert complaint(read, "name: a\nseeds: 1\nname: b\n").startswith("name stands twice, on lines 1 and 3")


def test_merged_keys_are_no_twins(read):
    """Whatever was merged into a mapping once stands in it when an alias names it again."""
    content = read(
        "base: &base {use: acgan, steps: 1}\n"
        "longer: &longer {<<: *base, steps: 2}\n"
        "rows: [*longer, {<<: *longer, label: b}, *longer]\n"
    )
    longer = {"use": "acgan", "steps": 2}
    assert content["longer"] == longer
    assert content["rows"] == [longer, {**longer, "label": "b"}, longer]
    message = complaint(read, "base: &base {use: a}\nrow:\n  <<: *base\n  steps: 1\n  steps: 2\n")
    assert message == "row.steps stands twice, on lines 4 and 5; delete one"


@pytest.mark.parametrize(
    ("text", "found"),
    [("", "nothing"), ("- 1\n", "a list"), ("hello", "a text"), ("5", "5"), ("# only a comment\n", "nothing")],
)
def test_not_a_mapping(read, text, found):
    assert complaint(read, text) == f"expected a mapping with `name:`, `dataset:`, ..., found {found}"


@pytest.mark.parametrize(
    "text", ["a: [1", "a: b: c", "a: \t1", "a: 1\n---\nb: 2", "a: *nobody", "a: !!python/name:os.system"]
)
def test_bad_syntax(read, text):
    assert complaint(read, text).startswith("not valid YAML: ")


def test_bad_syntax_says_where(read):
    assert "line 3" in complaint(read, "name: a\nseeds: 1\nlist: [1, 2\n")


@pytest.mark.parametrize(
    "text", ["? [a, b]\n: 1", "a: !!binary aGVsbG8=", "a: !!timestamp 2020-01-01", "a: !!int abc", "a: &x [*x]"]
)
def test_exotic_yaml_is_refused_with_a_message(read, text):
    assert "\n" not in complaint(read, text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (r'row: {name: "a\ud800"}', r"row.name: \ud800 is half a character"),
        (r'row: {"\udfff": 1}', r"row: line 1: a key: \udfff is half a character"),
    ],
)
def test_half_a_character_is_no_text(read, text, message):
    assert complaint(read, text).startswith(message)
    assert read(r'a: "\U0001F600"') == {"a": "\U0001f600"}


def test_missing_file(tmp_path):
    with pytest.raises(ConfigError, match=r"gone\.yaml: no such file"):
        read_yaml(tmp_path / "gone.yaml")


def test_a_folder_or_a_binary_file_cannot_be_read(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        read_yaml(tmp_path)
    (tmp_path / "image.yaml").write_bytes(b"\xff\xd8\xff\xe0")
    with pytest.raises(ConfigError, match=r"image\.yaml cannot be read"):
        read_yaml(tmp_path / "image.yaml")


def test_a_windows_path_in_double_quotes_gets_advice(read):
    message = complaint(read, 'root: "C:\\Users\\me"\n')
    assert message.endswith("for a path with backslashes write / instead, or put it in single quotes")


def test_a_pipe_or_a_device_is_not_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe.yaml")
    for path in (tmp_path / "pipe.yaml", Path("/dev/zero")):
        with pytest.raises(ConfigError, match="it is a pipe or a device, not a file"):
            read_yaml(path)


def test_a_huge_file_is_not_read(tmp_path):
    with (tmp_path / "huge.yaml").open("wb") as file:
        file.truncate(100_000_000)
    with pytest.raises(ConfigError, match="it has 100,000,000 bytes, a benchmark file has at most 1,000,000"):
        read_yaml(tmp_path / "huge.yaml")


LISTS = "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 10))
MERGES = "".join(f"a{i}: &a{i} {{<<: [{', '.join([f'*a{i - 1}'] * 10)}], k{i}: 1}}\n" for i in range(1, 10))


@pytest.mark.parametrize("text", [f"a0: &a0 [x]\n{LISTS}", f"a0: &a0 {{x: 1}}\n{MERGES}"], ids=["lists", "merges"])
def test_aliases_that_stand_for_millions_are_counted_first(read, text):
    with pytest.raises(ConfigError, match="more than 100,000 keys and values"):
        read(text)


def test_an_alias_may_be_used_often(read):
    assert read("a: &a {x: 1}\nb: [*a, *a, *a]\n")["b"] == [{"x": 1}] * 3


def test_a_value_nested_without_end(read):
    with pytest.raises(ConfigError, match="nested too deep"):
        read(f"a: {'[' * 1500}{']' * 1500}")


def test_an_alias_inside_its_value(read):
    assert complaint(read, "a: &x [*x]") == "an alias (`*name`) stands inside the value that it names"


def test_a_text_knows_its_folder(read, tmp_path, monkeypatch):
    content = read("root: images\nlist: [{x: y}]\n")
    copy = pickle.loads(pickle.dumps(content["root"]))
    assert (copy, copy.folder) == (content["root"], tmp_path)
    assert content["root"].folder == content["list"][0]["x"].folder == tmp_path
    monkeypatch.chdir("/")
    apply_override(content, "root=pictures")
    assert (content["root"], content["root"].folder) == ("pictures", Path("/"))


@pytest.fixture
def config():
    return {"name": "a", "generators": [{"use": "acgan", "steps": 2}, {"use": "noise"}], "external": []}


@pytest.mark.parametrize(
    ("override", "where", "value"),
    [
        ("generators.0.steps=50", ("generators", 0, "steps"), 50),
        ("generators.1.label=x=y", ("generators", 1, "label"), "x=y"),
        ("generators.0.sizes=[1, 2]", ("generators", 0, "sizes"), [1, 2]),
        ("generators.1={use: resample}", ("generators", 1), {"use": "resample"}),
        ("seeds=3", ("seeds",), 3),
        ("name=2024-05-01", ("name",), "2024-05-01"),
        ("baselines=false", ("baselines",), False),
        ("external=", ("external",), None),
        ("ranking.alpha=.1", ("ranking", "alpha"), 0.1),
        ("dataset.window.low=1", ("dataset", "window", "low"), 1),
    ],
)
def test_override_changes_one_value(config, override, where, value):
    apply_override(config, override)
    node = config
    for step in where:
        node = node[step]
    assert node == value
    assert config["generators"][0]["use"] == "acgan"


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("seeds", "--set seeds: write it as path.to.key=value"),
        ("=1", "--set =1: write it as path.to.key=value"),
        ("generators..steps=1", "--set generators..steps=1: write it as"),
        ("generators.2.steps=1", "--set generators.2: the list has the indices 0 to 1, found '2'"),
        ("generators.-1.steps=1", "--set generators.-1: the list has the indices 0 to 1, found '-1'"),
        ("generators.acgan.steps=1", "--set generators.acgan: the list has the indices 0 to 1, found 'acgan'"),
        ("external.0=1", "--set external.0: the list is empty, found '0'"),
        ("name.x=1", "--set name.x: a text has no keys"),
        ("generators.0.steps.x=1", "--set generators.0.steps.x: 2 has no keys"),
        ("generators.0.rate=1e-4", "--set: generators.0.rate: YAML reads 1e-4 as a string"),
        ("generators.0.label=no", "--set: generators.0.label: YAML reads a bare no as the boolean false"),
        ("dataset={use: a, use: b}", "--set: dataset.use stands twice"),
        ("dataset={use: a", "--set: not valid YAML"),
    ],
)
def test_override_that_cannot_be(config, override, message):
    with pytest.raises(ConfigError) as caught:
        apply_override(config, override)
    assert str(caught.value).startswith(message)
