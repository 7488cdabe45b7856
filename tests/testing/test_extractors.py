"""The conformance suite on extractors: a good one passes; each way of being bad is named, with what to change."""

import shutil

import pytest

from synthbench import cli
from synthbench.api.registry import load_registry
from synthbench.testing import check_extractor, run_checks, tiny_splits
from tests.helpers.places import HELPERS

FEATURED = HELPERS / "featured.py"


@pytest.fixture
def made(mini):
    """A function: an extractor of featured.py, by class and options."""
    shutil.copy(FEATURED, mini.folder)
    registry = load_registry()
    return lambda cls, **options: registry.find("extractor", f"featured.py:{cls}", mini.folder)(**options)


def test_a_good_one_passes(made):
    findings = check_extractor(made("Levels"))
    assert [finding.check for finding in findings if finding.advice] == []
    assert "levels:1 | any size, times 1" in "\n".join(map(str, findings))
    check_extractor(made("Levels"), tiny_splits(size=16, channels=3))
    check_extractor(made("Centred"))


@pytest.mark.parametrize(
    ("how", "check", "found"),
    [
        ("doubles", "type and shape", "found float64"),
        ("nan", "type and shape", "not finite"),
        ("rows", "type and shape", "found float32 (5, 2)"),
        ("list", "type and shape", "found list"),
        ("batch", "batches", "when each image is alone in its batch"),
        ("writes", "inputs unchanged", "the pixels changed"),
        ("constant", "pixels matter", "1 different rows for 6 images"),
        ("random", "same again", "when it is loaded again"),
        ("grey", "channels", "3 channels give (2, 2)"),
        ("none", "load", "KeyError"),
    ],
)
def test_each_way_of_being_bad_is_named(made, how, check, found):
    failed = {finding.check: finding for finding in run_checks(made("Broken", how=how)) if not finding.ok}
    assert found in failed[check].found
    assert failed[check].advice


def test_missing_weights_are_a_finding(made, mini, monkeypatch):
    monkeypatch.setenv("SYNTHBENCH_WEIGHTS", str(mini.folder / "weights"))
    about = '{"name": "w.txt", "url": "file:///nowhere/w.txt", "sha256": ""}'
    (mini.folder / "featured.json").write_text(about)
    (failed,) = [finding for finding in run_checks(made("Published")) if not finding.ok]
    assert "cannot be downloaded" in failed.found


def test_on_the_command_line(mini, capsys):
    shutil.copy(FEATURED, mini.folder)
    assert cli.main(["check", f"{mini.folder / 'featured.py'}:Levels", "--set", "batch_size=2"]) == 0
    assert "ok    batches: 0.0e+00 of the largest at most" in capsys.readouterr().out
    assert cli.main(["check", f"{mini.folder / 'featured.py'}:Broken", "--set", "how=nan"]) == 1
