"""The conformance suite on data sets: a good one passes; each way of being bad is named, with what to change."""

from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest

from synthbench.api.interfaces import Dataset
from synthbench.testing import Finding, check_dataset, run_checks, tiny_splits
from synthbench.types import Images, Splits


class GoodDataset(Dataset):
    name: ClassVar[str] = "good-dataset"

    def load(self, ctx):
        return tiny_splits()


def failed(findings: list[Finding]) -> dict[str, Finding]:
    return {finding.check: finding for finding in findings if not finding.ok}


def warned(findings: list[Finding]) -> dict[str, Finding]:
    return {finding.check: finding for finding in findings if finding.warning}


def test_a_good_data_set_passes_without_a_warning():
    findings = check_dataset(GoodDataset())
    assert len(findings) == 14
    assert all(finding.ok and finding.found for finding in findings)
    assert warned(findings) == {}


def with_train(**arrays) -> Callable[[], Splits]:
    return lambda: replace(tiny_splits(), train=replace(tiny_splits().train, **arrays))


def with_test(images: Callable[[Splits], Images], name: str = "test") -> Callable[[], Splits]:
    def make() -> Splits:
        splits = tiny_splits()
        return replace(splits, tests={name: images(splits)})

    return make


def nameless() -> Splits:
    return replace(tiny_splits(), positive=None)


def half_blank() -> np.ndarray:
    pixels = tiny_splits().train.pixels.copy()
    pixels[:7] = 0
    return pixels


def unseeded() -> Splits:
    splits = tiny_splits()
    return replace(splits, train=splits.train.subset(np.random.default_rng().permutation(48)))


def stale_digest() -> Splits:
    splits = tiny_splits()
    splits.train.__dict__["digest"] = "0" * 64
    return splits


@pytest.mark.parametrize(
    ("make", "check", "found", "advice"),
    [
        (lambda: tiny_splits().train, "load", "returned a Images", "Splits"),
        (lambda: replace(tiny_splits(), tests={}), "load", "no test set", "tests="),
        (with_test(lambda s: s.tests["test"].subset(np.arange(5))), "classes", "test has no BLOB", "each class"),
        (nameless, "classes", "which of PLAIN and BLOB is the positive class", 'positive="BLOB"'),
        (unseeded, "same again", "train differ between two readings", "sort what you list"),
        (stale_digest, "same again", "not that of the content", "leave `digest`"),
        (with_train(ids=np.array(["x"] * 48)), "ids", "train (47)", "name of its own"),
        (
            with_test(lambda s: s.train.subset(np.arange(40))),
            "groups",
            "test shares 14 groups",
            "patient's images",
        ),
        (with_train(pixels=half_blank()), "blank images", "train: 7", "quarantine"),
    ],
)
def test_a_broken_data_set_is_told_what_to_change(monkeypatch, make, check, found, advice):
    monkeypatch.setattr(GoodDataset, "load", lambda self, ctx: make())
    findings = failed(run_checks(GoodDataset()))
    assert check in findings
    assert found in findings[check].found
    assert advice in findings[check].advice


def test_a_data_set_is_warned_of_copies_between_splits_and_of_a_missing_test_set(monkeypatch):
    def renamed(splits: Splits) -> Images:
        groups = np.array([f"other-{i}" for i in range(48)])
        return replace(splits.train, ids=groups, groups=groups)

    monkeypatch.setattr(GoodDataset, "load", lambda self, ctx: with_test(renamed, name="elsewhere")())
    findings = warned(check_dataset(GoodDataset()))
    assert set(findings) == {"load", "copies"}
    assert "elsewhere: 48" in findings["copies"].found
    assert '"test"' in findings["load"].advice
