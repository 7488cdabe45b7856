"""A benchmark file is checked whole before any work starts; each mistake gets its YAML path."""

from pathlib import Path
from types import ModuleType
from typing import ClassVar, Literal

import pytest
import yaml
from pydantic import Field, field_validator

from synthbench import hookimpl
from synthbench.api.interfaces import Dataset, Evaluator, Generator
from synthbench.api.registry import Registry, load_registry
from synthbench.benchmark.config import build_plugin, load_benchmark
from synthbench.errors import ConfigError
from tests.helpers.places import ROOT

BENCHMARKS = ROOT / "benchmarks"


class Data(Dataset):
    name: ClassVar[str] = "data"
    image_size: int = Field(64, ge=8)
    resize: Literal["squash", "pad"] = "squash"
    root: Path | None = None

    def load(self, ctx):
        raise NotImplementedError


class Model(Generator):
    name: ClassVar[str] = "model"
    steps: int = Field(10, ge=1)
    learning_rate: float = 1.0e-4
    filters: tuple[int, ...] = (8, 4)
    fast: bool = False

    @field_validator("filters")
    @classmethod
    def _some(cls, value):
        if not value:
            raise ValueError("needs at least one filter")
        return value

    def fit(self, train, ctx):
        raise NotImplementedError


class Floor(Model):
    name: ClassVar[str] = "floor"
    role: ClassVar = "floor"


class Ceiling(Model):
    name: ClassVar[str] = "ceiling"
    role: ClassVar = "ceiling"


class Judge(Evaluator):
    name: ClassVar[str] = "judge"
    metrics: ClassVar = {"taste": "higher", "distaste": "lower"}
    rounds: int = 1

    def evaluate(self, real, synthetic, ctx):
        raise NotImplementedError


def registry_of(*generators):
    module = ModuleType("made_up")
    module.register_datasets = hookimpl(lambda: [Data])
    module.register_generators = hookimpl(lambda: list(generators))
    module.register_evaluators = hookimpl(lambda: [Judge])
    registry = Registry()
    registry.register(module, "made-up")
    return registry


@pytest.fixture
def load(tmp_path):
    """Load a benchmark: a whole small file with `changes` to its keys; None deletes one."""

    def load(*overrides, registry=None, **changes):
        content = {
            "name": "b",
            "headline": "judge.taste",
            "baselines": False,
            "dataset": {"use": "data"},
            "generators": [{"use": "model"}],
            "evaluators": [{"use": "judge"}],
            **changes,
        }
        content = {key: value for key, value in content.items() if value is not None}
        file = tmp_path / "bench.yaml"
        file.write_text(yaml.safe_dump(content))
        return load_benchmark(file, registry or registry_of(Model, Floor, Ceiling), overrides)

    return load


@pytest.fixture
def complaint(load):
    def complaint(*overrides, **changes):
        with pytest.raises(ConfigError) as caught:
            load(*overrides, **changes)
        return str(caught.value)

    return complaint


def labels(entries):
    return [entry.label for entry in entries]


def test_plugins_are_built_with_their_options(load, tmp_path):
    bench = load(
        dataset={"use": "data", "image_size": 32, "root": "some/where"},
        generators=[{"use": "model", "label": "small", "steps": 3, "filters": [2, 1]}],
        evaluators=[{"use": "judge", "generators": ["small"]}],
        external=[{"use": "data", "label": "elsewhere"}],
    )
    assert bench.dataset.plugin == Data(image_size=32, root=tmp_path / "some/where")
    [small] = bench.generators
    assert (small.label, small.use, small.plugin) == ("small", "model", Model(steps=3, filters=(2, 1)))
    assert bench.evaluators[0].generators == ("small",)
    texts = [small.label, small.use, *bench.evaluators[0].generators]
    assert [type(text) for text in texts] == [str] * 3, "no board carries the folder of the file"
    assert labels(bench.external) == ["elsewhere"]
    assert (bench.seed, bench.seeds, bench.samples) == (0, 1, 3000)


def test_a_whole_number_serves_as_a_float(load):
    assert load(generators=[{"use": "model", "learning_rate": 1}]).generators[0].plugin.learning_rate == 1.0


def test_resolved_writes_every_default_out(load):
    resolved = load("generators.0.steps=3").resolved()
    assert resolved["generators"] == [
        {"use": "model", "label": "model", "steps": 3, "learning_rate": 0.0001, "filters": [8, 4], "fast": False}
    ]
    assert resolved["dataset"]["root"] is None
    assert resolved["seeds"] == 1
    assert "generators" not in resolved["evaluators"][0]


def test_set_reaches_into_lists(load):
    bench = load("generators.0.steps=50", "seeds=3", "evaluators.0.rounds=2", "dataset.resize=pad")
    assert bench.generators[0].plugin.steps == 50
    assert bench.seeds == 3
    assert bench.evaluators[0].plugin.rounds == 2
    assert bench.dataset.plugin.resize == "pad"


def test_a_mistake_made_by_set_names_its_path(complaint):
    assert "generators.0.steps: expected a valid integer, found 'many'" in complaint("generators.0.steps=many")
    assert "generators.0.stepz: unknown key. Did you mean 'steps'?" in complaint("generators.0.stepz=1")


def test_numbers_that_should_be_texts_are_told_of_once():
    wrong = ["root=x", "classes=[0, 1]"]
    with pytest.raises(ConfigError) as caught:
        build_plugin(load_registry().find("dataset", "image-folder"), wrong)
    message = "image-folder: classes.0: expected a text, found 0; put it in quotes"
    assert str(caught.value) == message


@pytest.mark.parametrize("value", [".inf", "-.inf", ".nan", "1.0e+400"])
def test_a_number_without_end_is_refused(complaint, value):
    message = complaint(f"generators.0.learning_rate={value}")
    assert "generators.0.learning_rate: expected a finite number, found " in message


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"smaples": 5}, "bench.yaml: smaples: unknown key. Did you mean 'samples'?"),
        ({"generators": [{"use": "model"}, {"use": "model", "label": "x", "setps": 5}]},
         "bench.yaml: generators.1.setps: unknown key. Did you mean 'steps'?"),
        ({"dataset": {"use": "data", "imagesize": 5}},
         "dataset.imagesize: unknown key. Did you mean 'image_size'?"),
        ({"evaluators": [{"use": "judge", "turns": 5}]}, "evaluators.0.turns: unknown key. There is: rounds."),
        ({"dataset": {"use": "data", "generators": ["x"]}}, "dataset.generators: unknown key."),
    ],
)  # fmt: skip
def test_unknown_keys(complaint, changes, message):
    assert message in complaint(**changes)


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("steps", "50", "steps: expected a valid integer, found '50'"),
        ("steps", 50.0, "steps: expected a valid integer, found 50.0"),
        ("steps", 2.5, "steps: expected a valid integer, found 2.5"),
        ("steps", True, "steps: expected a valid integer, found True"),
        ("steps", 0, "steps: expected greater than or equal to 1, found 0"),
        ("steps", None, "steps: expected a valid integer, found None"),
        ("steps", [1], "steps: expected a valid integer"),
        ("learning_rate", "fast", "learning_rate: expected a valid number, found 'fast'"),
        ("fast", 1, "fast: expected a valid boolean, found 1"),
        ("fast", "true", "fast: expected a valid boolean, found 'true'"),
        ("filters", 8, "filters: expected a valid array, found 8"),
        ("filters", [8, "four"], "filters.1: expected a valid integer, found 'four'"),
        ("filters", [], "filters: needs at least one filter"),
    ],
)
def test_wrong_types_are_refused_and_never_converted(complaint, option, value, message):
    found = complaint(generators=[{"use": "model", option: value}])
    assert f"bench.yaml: generators.0.{message}" in found


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": None}, "bench.yaml: name: this key is required"),
        ({"name": 5}, 'name: expected a text, found 5; put it in quotes'),
        ({"name": "../up"}, "name: String should match pattern"),
        ({"dataset": None}, "dataset: this key is required"),
        ({"dataset": "data"}, "dataset: expected an object, found 'data'"),
        ({"dataset": {}}, "dataset: `use:` is missing; it names the dataset plugin"),
        ({"generators": ["model"]}, "generators.0: expected an object, found 'model'"),
        ({"generators": {"use": "model"}}, "generators: expected a valid array"),
        ({"evaluators": None}, "evaluators: this key is required"),
        ({"evaluators": []}, "evaluators: List should have at least 1 item"),
        ({"seeds": 0}, "seeds: expected greater than or equal to 1, found 0"),
        ({"samples": "3000"}, "samples: expected a valid integer, found '3000'"),
        ({"baselines": 1}, "baselines: expected a valid boolean, found 1"),
        ({"dataset": {"use": "data", "resize": "stretch"}},
         "dataset.resize: expected 'squash' or 'pad', found 'stretch'"),
        ({"generators": [{"use": 5}]}, "generators.0.use: expected a text, found 5; put it in quotes"),
        ({"generators": [{"use": "model", "label": 7}]}, "generators.0.label: expected a text, found 7"),
        ({"generators": [{"use": "model", "label": ""}]}, "generators.0.label: expected a text, found ''"),
        ({"evaluators": [{"use": "judge", "generators": "model"}]},
         "evaluators.0.generators: expected a list of generator labels, found 'model'"),
        ({"evaluators": [{"use": "judge", "generators": [1]}]}, "evaluators.0.generators: expected a list"),
    ],
)  # fmt: skip
def test_a_malformed_file(complaint, changes, message):
    assert message in complaint(**changes)


def test_all_mistakes_of_one_plugin_are_told_at_once(complaint):
    message = complaint(generators=[{"use": "model", "steps": 0, "fast": 1, "depth": 2}])
    assert [line.split(": ")[1] for line in message.splitlines()] == [
        "generators.0.steps",
        "generators.0.fast",
        "generators.0.depth",
    ]


def test_an_unknown_plugin_names_path_and_neighbours(complaint):
    message = complaint(generators=[{"use": "model"}, {"use": "modle"}])
    assert "generators.1.use: no generator is called 'modle'. Did you mean 'model'?" in message
    assert "dataset.use: 'model' is of the kind generator" in complaint(dataset={"use": "model"})


def test_a_plugin_in_a_file_beside_the_yaml(load, complaint, tmp_path, monkeypatch):
    monkeypatch.chdir("/")
    (tmp_path / "own.py").write_text(
        "from typing import ClassVar\n"
        "from synthbench import Generator\n"
        "class Mine(Generator):\n"
        "    name: ClassVar[str] = 'mine'\n"
        "    steps: int = 1\n"
        "    def fit(self, train, ctx): ...\n"
    )
    [entry] = load(generators=[{"use": "own.py:Mine", "steps": 4}]).generators
    assert (entry.label, entry.plugin.steps) == ("own.py:Mine", 4)
    assert "generators.0.depth: unknown key." in complaint(generators=[{"use": "own.py:Mine", "depth": 4}])
    message = complaint(generators=[{"use": "own.py:Mien"}])
    assert "generators.0.use: " in message
    assert "has no class 'Mien'. Did you mean 'Mine'?" in message


@pytest.mark.parametrize("kind", ["generators", "evaluators", "external"])
def test_labels_are_unique(complaint, kind):
    use = {"generators": "model", "evaluators": "judge", "external": "data"}[kind]
    message = complaint(**{kind: [{"use": use}, {"use": use}]})
    assert f"{kind}: two entries have the label '{use}'; add `label:` to one" in message
    message = complaint(**{kind: [{"use": use, "label": "x"}, {"use": use, "label": "x"}]})
    assert f"{kind}: two entries have the label 'x'" in message


def test_a_label_makes_two_of_one_plugin(load):
    bench = load(generators=[{"use": "model"}, {"use": "model", "label": "model-2", "steps": 2}])
    assert labels(bench.generators) == ["model", "model-2"]


def test_an_evaluator_restricted_to_an_unknown_label(complaint):
    message = complaint(
        generators=[{"use": "model", "label": "small"}], evaluators=[{"use": "judge", "generators": ["smal"]}]
    )
    assert "evaluators, judge: no generator 'smal'. Did you mean 'small'? There is: small." in message


def test_an_evaluator_may_be_restricted_to_a_baseline(load):
    bench = load(baselines=True, evaluators=[{"use": "judge", "generators": ["model", "floor"]}])
    assert bench.evaluators[0].generators == ("model", "floor")


@pytest.mark.parametrize("headline", ["judge.tast", "judge", "jury.taste", "taste", ""])
def test_the_headline_must_be_a_metric_of_an_evaluator(complaint, headline):
    message = complaint(headline=headline)
    assert f"headline: no metric {headline!r}." in message
    assert "There is: judge.distaste, judge.taste." in message


def test_the_headline_goes_by_label(load, complaint):
    labelled = [{"use": "judge", "label": "jury"}]
    assert str(load(headline="jury.distaste", evaluators=labelled).headline) == "jury.distaste"
    assert "Did you mean 'jury.taste'?" in complaint(headline="judge.taste", evaluators=labelled)


def test_baselines_run_beside_the_generators(load):
    assert labels(load(baselines=True).generators) == ["model", "ceiling", "floor"]
    assert labels(load(baselines=False).generators) == ["model"]
    assert labels(load(baselines=True, generators=None).generators) == ["ceiling", "floor"]


def test_a_baseline_in_the_file_is_not_added_again(load):
    bench = load(baselines=True, generators=[{"use": "floor", "steps": 5}, {"use": "model"}])
    assert labels(bench.generators) == ["floor", "model", "ceiling"]
    assert bench.generators[0].plugin.steps == 5


def test_a_baseline_that_needs_an_option_says_so(complaint):
    class Demanding(Model):
        name: ClassVar[str] = "demanding"
        role: ClassVar = "floor"
        folder: Path

    message = complaint(baselines=True, registry=registry_of(Model, Demanding))
    assert message == "baselines: true: demanding.folder: this key is required"


def test_nothing_to_run(complaint):
    assert "generators: empty, and `baselines` is false" in complaint(generators=[])


@pytest.mark.parametrize("label", ["train", "val", "test", "synthetic"])
def test_an_external_set_cannot_take_a_name_of_the_benchmarks_own(complaint, label):
    message = complaint(external=[{"use": "data", "label": label}])
    assert f"external: '{label}' is the name of a test set already" in message


def test_build_plugin_from_options_alone():
    assert build_plugin(Model, ["steps=3", "filters=[1]"]) == Model(steps=3, filters=(1,))
    with pytest.raises(ConfigError, match=r"model: stepz: unknown key\. Did you mean 'steps'"):
        build_plugin(Model, ["stepz=3"])
    with pytest.raises(ConfigError, match="model: steps: expected a valid integer, found 'x'"):
        build_plugin(Model, ["steps=x"])


@pytest.mark.parametrize("file", sorted(BENCHMARKS.glob("*.yaml")), ids=lambda file: file.name)
def test_the_benchmarks_that_we_ship_are_valid(file):
    bench = load_benchmark(file, load_registry())
    assert bench.name == file.stem
    assert {"noise", "shuffled-labels", "resample", "balanced-resample"} <= set(labels(bench.generators))
    judge = bench.evaluator(bench.headline.evaluator)
    assert (bench.headline.metric, judge.use) == ("auroc", "tstr")
    assert judge.generators is None, "the headline's judge scores every row"
    assert judge == bench.evaluators[0]
    paper = file.stem.startswith("cxr")
    assert judge.plugin.backbone == ("vgg16" if paper else "cnn")


def test_a_file_that_names_no_headline_ranks_by_auroc(tmp_path):
    file = tmp_path / "plain.yaml"
    file.write_text("name: plain\ndataset: {use: phantom}\nevaluators: [{use: tstr}]\n")
    assert str(load_benchmark(file, load_registry()).headline) == "tstr.auroc"


class Exam(Evaluator):
    name: ClassVar[str] = "exam"
    metrics: ClassVar = {"accuracy": "higher", "auroc": "higher"}
    seeds: int = 1

    def evaluate(self, real, synthetic, ctx):
        raise NotImplementedError


@pytest.fixture
def ranked(load):
    """Load a benchmark whose evaluator knows accuracy and auroc."""
    registry = registry_of(Model)
    exams = ModuleType("exams")
    exams.register_evaluators = hookimpl(lambda: [Exam])
    registry.register(exams, "exams")

    def ranked(headline, test, evaluator=(), **changes):
        exam = {"use": "exam", **dict(evaluator)}
        return load(headline=headline, ranking={"test": test}, evaluators=[exam], registry=registry, **changes)

    return ranked


@pytest.mark.parametrize(("headline", "test"), [("exam.accuracy", "mcnemar"), ("exam.auroc", "delong")])
def test_the_named_tests_know_one_metric_and_one_seed(ranked, headline, test):
    assert ranked(headline, test).ranking.test == test
    other = {"exam.accuracy": "exam.auroc", "exam.auroc": "exam.accuracy"}[headline]
    with pytest.raises(ConfigError, match=f"{test} compares"):
        ranked(other, test)
    with pytest.raises(ConfigError, match="one generator seed and one classifier seed"):
        ranked(headline, test, seeds=2)
    with pytest.raises(ConfigError, match="one generator seed and one classifier seed"):
        ranked(headline, test, evaluator={"seeds": 3})


def test_an_unknown_ranking_test_is_refused(ranked):
    with pytest.raises(ConfigError, match=r"ranking\.test"):
        ranked("exam.accuracy", "guess")


def test_a_candidate_cannot_be_called_as_a_floor(complaint, load):
    message = complaint(baselines=True, generators=[{"use": "model", "label": "floor"}])
    assert "generators: 'floor' is the name of a floor, which model is not; give it another `label:`" in message
    bench = load(baselines=True, generators=[{"use": "floor", "label": "guess"}])
    assert labels(bench.generators) == ["guess", "ceiling", "floor"]


@pytest.mark.parametrize("label", ["x/y=z", "x/a b=", "far[clean]"])
def test_an_external_set_cannot_be_called_as_a_part_of_one(complaint, label):
    assert "reads as a part of a test set" in complaint(external=[{"use": "data", "label": label}])
