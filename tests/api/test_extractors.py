"""An evaluator names its extractor: in a benchmark file, with options, from a file; mistakes have a YAML path."""

import shutil
from typing import ClassVar

import numpy as np
import pytest
from pydantic import ValidationError

from synthbench.api.extractors import ExtractorField, extractor_field, extractors_of
from synthbench.api.interfaces import Evaluator, Extractor
from synthbench.api.registry import load_registry
from synthbench.benchmark.config import load_benchmark
from synthbench.errors import ConfigError
from synthbench.types import Evaluation
from tests.helpers.places import HELPERS

FEATURED = HELPERS / "featured.py"


class Fd(Evaluator):
    name: ClassVar[str] = "fd"
    metrics: ClassVar = {"fd": "lower"}
    extractor: ExtractorField = extractor_field("efficientnet-lite0")
    k: int = 3

    def evaluate(self, real, synthetic, ctx):
        return Evaluation([])


@pytest.fixture
def chosen(mini):
    """A function: the extractor of an evaluator in a benchmark file that says `extractor: <given>`."""
    shutil.copy(FEATURED, mini.folder)

    def choose(given):
        mini.write("MeanNoise", headline="gap.gap")
        text = mini.file.read_text()
        start = text.index("evaluators:")
        mini.file.write_text(
            f"{text[:start]}evaluators:\n- {{use: 'featured.py:Gap', label: gap, extractor: {given}}}\n"
        )
        return load_benchmark(mini.file, load_registry()).evaluators[0].plugin.extractor

    return choose


def test_by_name_in_python_and_by_default():
    assert Fd().extractor.name == "efficientnet-lite0"
    evaluator = Fd(extractor="timm:resnet18")
    assert (evaluator.extractor.name, evaluator.extractor.model) == ("timm", "resnet18")
    assert Fd(extractor=evaluator.extractor) == evaluator
    assert extractors_of(evaluator) == {"extractor": evaluator.extractor}


def test_in_a_file_by_name_mapping_and_what_stands_after_the_colon(chosen):
    assert chosen("inception").label == "inception"
    assert chosen("{use: inception, batch_size: 3}").batch_size == 3
    assert chosen("timm:resnet18").label == "timm:resnet18"
    assert chosen("{use: 'timm:resnet18', image_size: 96}").image_size == 96
    assert chosen("{use: timm, model: resnet18}") == chosen("timm:resnet18")


def test_from_a_file_as_seen_from_the_benchmark_file(chosen, monkeypatch, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    extractor = chosen("{use: 'featured.py:Levels', scale: '2'}")
    assert isinstance(extractor, Extractor)
    assert (extractor.name, extractor.use, extractor.scale) == ("levels", "featured.py:Levels", "2")
    assert chosen("'featured.py:Levels'").scale == "1"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            "inceptoin",
            "evaluators.0.extractor: no extractor is called 'inceptoin'. Did you mean 'inception'? There is",
        ),
        ("tstr", "evaluators.0.extractor: 'tstr' is of the kind evaluator, not extractor"),
        (
            "3",
            "evaluators.0.extractor: expected the name of an extractor, or a mapping with `use:` and its options",
        ),
        ("{batch_size: 3}", "evaluators.0.extractor: expected the name of an extractor"),
        (
            "{use: inception, batchsize: 3}",
            "extractor: inception has no option 'batchsize'. Did you mean 'batch_size'?",
        ),
        ("{use: inception, batch_size: '3'}", "evaluators.0.extractor.batch_size: expected a valid integer"),
        ("timm", "evaluators.0.extractor.model: this key is required"),
        (
            "inception:x",
            "extractor: inception takes no 'x' after its name here; write `use: inception` and options",
        ),
        ("{use: 'timm:resnet18', model: resnet50}", "timm takes no 'resnet18' after its name here"),
        ("'featured.py:Levles'", "has no class 'Levles'. Did you mean 'Levels'?"),
        ("'featured.py:Gap'", "is not a subclass of synthbench.Extractor"),
    ],
)
def test_mistakes_are_told_with_their_path(chosen, given, message):
    with pytest.raises(ConfigError) as error:
        chosen(given)
    assert message in str(error.value)
    assert str(error.value).count("\n") == 0


def test_in_python_a_mistake_is_pydantics():
    with pytest.raises(ValidationError, match="no extractor is called 'nope'"):
        Fd(extractor="nope")


def test_it_is_written_out_with_all_options_and_read_back():
    evaluator = Fd(extractor={"use": "timm:resnet18", "image_size": 96})
    written = evaluator.model_dump(mode="json")["extractor"]
    assert written == {
        "use": "timm",
        "batch_size": 16,
        "model": "resnet18",
        "weights": None,
        "sha256": "",
        "image_size": 96,
    }
    assert Fd.model_validate_json(evaluator.model_dump_json(), strict=True) == evaluator


def test_a_plugin_without_extractors_has_none():
    assert extractors_of(load_registry().find("evaluator", "tstr")()) == {}
    assert np.all([isinstance(e, Extractor) for e in extractors_of(Fd()).values()])


def test_a_preprocessing_that_is_a_method_is_refused_before_any_work(chosen, tmp_path):
    (tmp_path / "mine.py").write_text(
        "from synthbench import Extractor\n"
        "class Mine(Extractor):\n"
        "    name = 'mine'\n"
        "    def preprocessing(self): return 'none'\n"
        "    def load(self, train, ctx): return None\n"
    )
    with pytest.raises(ConfigError, match=r"mine\.py:Mine: `preprocessing` is a method; write it as a property"):
        chosen("mine.py:Mine")
