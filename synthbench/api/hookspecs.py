"""The whole extension surface. A plugin module implements the hooks it needs:

    from synthbench import hookimpl

    @hookimpl
    def register_generators():
        return [MyGenerator]

and its distribution names that module under the entry-point group "synthbench".
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pluggy

__all__ = ["hookimpl", "hookspec"]

if TYPE_CHECKING:
    from synthbench.api.interfaces import Dataset, Evaluator, Extractor, Generator

hookspec = pluggy.HookspecMarker("synthbench")
hookimpl = pluggy.HookimplMarker("synthbench")


@hookspec
def register_datasets() -> Iterable[type[Dataset]]:  # type: ignore[empty-body]
    """Data set classes that a benchmark may name under `dataset` and `external`."""


@hookspec
def register_generators() -> Iterable[type[Generator]]:  # type: ignore[empty-body]
    """Generator classes that a benchmark may name under `generators`."""


@hookspec
def register_evaluators() -> Iterable[type[Evaluator]]:  # type: ignore[empty-body]
    """Evaluator classes that a benchmark may name under `evaluators`."""


@hookspec
def register_extractors() -> Iterable[type[Extractor]]:  # type: ignore[empty-body]
    """Feature extractor classes that an evaluator may be given by name."""
