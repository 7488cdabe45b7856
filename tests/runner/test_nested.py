"""A generator within another: named in a file, kept under the code of both, trained once for all who share it."""

import csv
import json

import pytest

from synthbench import ConfigError, GeneratorField, cli
from synthbench.api.interfaces import Generator
from synthbench.api.registry import load_registry
from synthbench.benchmark.config import load_benchmark
from synthbench_select.plugin import Select

BASE = {"use": "mini.py:Noted", "label": "noted"}


class Wrapper(Generator):
    """Around one that may wrap another."""

    name = "wrapper"
    base: GeneratorField

    def fit(self, train, ctx):
        raise NotImplementedError


@pytest.fixture
def rows(mini, monkeypatch):
    """Writes a benchmark whose generators are as given, `select` among them."""

    def write(*generators, **changes):
        with monkeypatch.context() as patched:
            patched.setattr(
                mini, "entry", lambda given: given if isinstance(given, dict) else type(mini).entry(given)
            )
            mini.write(*generators, **changes)

    return write


def select(policy="random", label="", **base):
    return {"use": "select", "policy": policy, "label": label or policy, "base": {**BASE, **base}}


def costs(mini, stage):
    rows = csv.DictReader((mini.out / "costs.csv").open())
    return {row["generator"]: float(row["wall_s"]) for row in rows if row["stage"] == stage}


def test_one_training_and_one_pool_for_all_who_share_a_base(mini, rows):
    own = {"use": "mini.py:Noted", "label": "noted"}
    rows(select("coverage"), own, select("random"), select("margin"), seeds=2)
    assert mini.run() == 0
    calls = mini.calls()
    assert [calls[work] for work in ("train 0", "train 1", "draw 40", "draw 10")] == [1, 1, 2, 2]
    fits = costs(mini, "fit")
    assert set(fits) == {"noted", "coverage", "random", "margin"}
    assert min(fits.values()) > 0.1  # who finds it trained counts it in
    assert mini.record["declared"]["generators"]["margin"]["base"] == "noted"


def test_another_label_options_or_seed_is_another_training(mini, rows):
    rows(select(), select(label="higher", level=91), {**select(), "label": "own", "base": BASE["use"]})
    assert mini.run() == 0
    assert mini.calls()["train 0"] == 3


def test_only_the_name_of_the_base_is_the_base_alone(mini, rows):
    rows({"use": "mini.py:Noted", "label": "noted"}, select())
    assert mini.run("--only", "noted") == 0
    assert [row["generator"] for row in csv.DictReader((mini.out / "leaderboard.csv").open())] == ["noted"]


@pytest.mark.full
def test_the_bases_code_and_files_count(mini, rows):
    (mini.folder / "weights.bin").write_text("a")
    rows(select(file="weights.bin"))
    mini.run()
    mini.calls()
    mini.run()
    assert not mini.calls()["train 0"]
    text = mini.plugin.read_text()
    mini.plugin.write_text(text.replace("self.level + 60 * labels", "self.level + 61 * labels"))
    mini.run()
    assert mini.calls()["train 0"] == 1
    option = "    file: Path | None = None\n"
    hook = '    def inputs(self):\n        return {"file": self.file.read_text()}\n'
    mini.plugin.write_text(text.replace(option, f"{option}\n{hook}"))
    mini.run()
    mini.calls()
    (mini.folder / "weights.bin").write_text("b")  # seen from the benchmark file
    mini.run()
    assert mini.calls()["train 0"] == 1
    assert mini.record["weights"]["random"] == {"mini.py:Noted, file": "b"}


def test_options_within_may_be_overridden(mini, rows):
    rows(select())
    mini.run("--set", "generators.0.base.level=120")
    (generator,) = mini.record["benchmark"]["generators"]
    assert generator["base"] == {"use": "mini.py:Noted", "label": "noted", "level": 120, "file": None}


@pytest.mark.parametrize(
    ("base", "message"),
    [
        ("acgam", "generators.0.base: no generator is called 'acgam'. Did you mean 'acgan'?"),
        ("tstr", "generators.0.base: 'tstr' is of the kind evaluator, not generator"),
        ("mini.py:Nope", "generators.0.base: "),
        (3, "generators.0.base: expected the name of a generator, or a mapping with `use:` and its options"),
        ({"steps": 3}, "generators.0.base: expected the name of a generator, or a mapping"),
        ({"use": "acgan", "stps": 3}, "generators.0.base: acgan has no option 'stps'. Did you mean 'steps'?"),
        ({"use": "acgan", "steps": 0}, "generators.0.base.steps: expected greater than or equal to 1, found 0"),
        ({"use": "command"}, "generators.0.base.command: this key is required"),
        ({"use": "acgan", "label": 3}, "generators.0.base: label: expected a text, found 3"),
        (
            {"use": "select", "base": {"use": "acgan", "steps": "a"}},
            "generators.0.base.base.steps: expected a valid",
        ),
    ],
)
def test_mistakes_are_told_with_their_path(mini, rows, capsys, base, message):
    rows({"use": "select", "base": base})
    assert cli.main(["validate", str(mini.file)]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert message in line


def test_without_a_base_it_says_that_it_is_required(mini, rows):
    rows({"use": "select"})
    with pytest.raises(ConfigError, match=r"generators.0.base: this key is required"):
        load_benchmark(mini.file, load_registry())


def test_from_python_it_is_a_name_a_mapping_or_an_instance():
    assert Select(base="acgan").base.label == "acgan"
    assert Select(base={"use": "acgan", "steps": 7}).base.plugin.steps == 7
    outer = Wrapper(base=Select(base={"use": "acgan", "label": "gan", "steps": 7}))
    judged = {"evaluators": ["tstr"], "dataset": {"use": "phantom"}, "baselines": False, "name": "x"}
    judged["evaluators"] = [{"use": "tstr"}]
    (entry,) = load_benchmark({**judged, "generators": [outer]}, load_registry()).generators
    assert entry.training == "gan"  # the innermost's: its training is what they all share
    assert entry.plugin == outer
    assert json.loads(outer.model_dump_json())["base"]["base"]["steps"] == 7
