"""What run.json records of plugins: what they say of themselves, their code, the files they work with."""

import json
from dataclasses import asdict

import pytest

from synthbench.api.origin import Origin
from synthbench.runner.provenance import _inputs
from tests.helpers.judged_runs import Runs


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    return Runs(tmp_path_factory.mktemp("runs"))


def record(run):
    return json.loads((run / "run.json").read_text())


def test_what_plugins_say_of_themselves(runs):
    found = record(runs("a", {"label": "x"}, {"label": "c", "use": "Copier"}))["declared"]
    assert found["generators"] == {
        "x": {"role": "candidate", "prior": "balanced", "quick": False, "origin": asdict(Origin())},
        "c": {"role": "ceiling", "prior": "balanced", "quick": False, "origin": asdict(Origin())},
    }
    judge = found["evaluators"]["judge"]
    assert judge["metrics"] == {"accuracy": "higher", "gap": "lower", "doubt": "lower"}
    assert judge["bounds"] == {"accuracy": [0.0, 1.0]}


def test_a_plugins_code_counts_without_its_comments(runs, tmp_path_factory):
    before = record(runs("a", {"label": "x"}))["code"]
    assert set(before) == {"judged.py:Dots", "judged.py:Levels", "judged.py:Judge"}
    for line, same in (("# a remark", True), ("FURTHER = 1", False)):
        other = Runs(tmp_path_factory.mktemp("other"))
        with (other.folder / "judged.py").open("a") as file:
            file.write(f"\n{line}\n")
        assert (record(other("a", {"label": "x"}))["code"] == before) is same


class Reading:
    name = "reading"

    def __init__(self, inputs):
        self.inputs = inputs


def test_digests_of_files_are_kept_and_a_missing_one_ends_no_run():
    def missing():
        raise FileNotFoundError("no net.pt")

    assert _inputs(Reading(lambda: {"net.pt": "abc"})) == {"net.pt": "abc"}
    assert _inputs(Reading(missing)) == {"unreadable": "`inputs` of reading fails: FileNotFoundError: no net.pt"}
