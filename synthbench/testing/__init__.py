"""A conformance suite for plugins, anyone's: `synthbench check` on the command line, these functions in pytest.

    from synthbench.testing import check_generator

    def test_my_generator_keeps_the_contract():
        check_generator(MyGenerator(steps=2))

It needs no data: the pictures are embedded (`tiny_splits`). Give settings that train in seconds: a generator
is fitted four times.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from synthbench.api.interfaces import Dataset, Evaluator, Extractor, Generator, Plugin
from synthbench.api.process_state import restored
from synthbench.errors import PluginError
from synthbench.testing import datasets, evaluators, extractors, generators
from synthbench.testing.cases import context_in, tiny_splits
from synthbench.testing.common import AFTERWARDS, FIRST
from synthbench.testing.datasets import DatasetCase
from synthbench.testing.evaluators import EvaluatorCase
from synthbench.testing.extractors import ExtractorCase
from synthbench.testing.findings import Finding, examine
from synthbench.testing.generators import GeneratorCase
from synthbench.types import Splits

__all__ = [
    "Finding",
    "check_dataset",
    "check_evaluator",
    "check_extractor",
    "check_generator",
    "context_in",
    "run_checks",
    "tiny_splits",
]


def run_checks(plugin: Plugin, real: Splits | None = None, device: str = "cpu") -> list[Finding]:
    """Run every check for the plugin's kind, on `real` or on the embedded pictures.

    Files go to a temporary folder that is removed. Raises PluginError where `plugin` is not a plugin's instance.
    """
    folders = tempfile.TemporaryDirectory(prefix="synthbench-check-", ignore_cleanup_errors=True)
    with folders as folder, restored():
        return list(_findings(plugin, real or tiny_splits(), device, Path(folder)))


def _findings(plugin: Plugin, real: Splits, device: str, root: Path) -> Iterator[Finding]:
    match plugin:
        case Dataset():
            of_set = DatasetCase(plugin, real, device, root)
            return examine(of_set, {**FIRST, **datasets.CHECKS, **AFTERWARDS})
        case Generator():
            of_generator = GeneratorCase(plugin, real, device, root)
            return examine(of_generator, {**FIRST, **generators.CHECKS, **AFTERWARDS})
        case Evaluator():
            of_evaluator = EvaluatorCase(plugin, real, device, root)
            return examine(of_evaluator, {**FIRST, **evaluators.CHECKS, **AFTERWARDS})
        case Extractor():
            of_extractor = ExtractorCase(plugin, real, device, root)
            return examine(of_extractor, {**FIRST, **extractors.CHECKS, **AFTERWARDS})
    known = "Dataset, Generator, Evaluator or Extractor"
    raise PluginError(f"{plugin!r} is not an instance of a {known}; pass MyPlugin(...)")


def check_dataset(plugin: Dataset, device: str = "cpu") -> list[Finding]:
    """Raise AssertionError with all that failed; else return the findings, warnings among them."""
    return _assert_passed(plugin, Dataset, None, device)


def check_generator(plugin: Generator, real: Splits | None = None, device: str = "cpu") -> list[Finding]:
    """Raise AssertionError with all that failed; else return the findings, warnings among them."""
    return _assert_passed(plugin, Generator, real, device)


def check_evaluator(plugin: Evaluator, real: Splits | None = None, device: str = "cpu") -> list[Finding]:
    """Raise AssertionError with all that failed; else return the findings, warnings among them."""
    return _assert_passed(plugin, Evaluator, real, device)


def check_extractor(plugin: Extractor, real: Splits | None = None, device: str = "cpu") -> list[Finding]:
    """Raise AssertionError with all that failed; else return the findings, warnings among them."""
    return _assert_passed(plugin, Extractor, real, device)


def _assert_passed(plugin: Plugin, kind: type[Plugin], real: Splits | None, device: str) -> list[Finding]:
    if not isinstance(plugin, kind):
        raise AssertionError(f"{plugin!r} is not an instance of a {kind.__name__}")
    findings = run_checks(plugin, real, device)
    failed = [str(finding) for finding in findings if not finding.ok]
    if failed:
        raise AssertionError("\n".join([f"{type(plugin).__name__} broke {len(failed)} checks:", *failed]))
    return findings
