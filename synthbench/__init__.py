"""synthbench: which generator makes medical images worth training on, how sure are we, and what did it cost?

A plugin author needs the names below and nothing else. They are imported when first asked for, so that
`synthbench --help` need not wait for NumPy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from synthbench.context import Context
    from synthbench.errors import ConfigError, DataError, PluginError, Skipped, StoreError, SynthbenchError
    from synthbench.extractors import ExtractorField, extractor_field
    from synthbench.hookspecs import hookimpl
    from synthbench.imaging import ImageDataset
    from synthbench.interfaces import Dataset, Embed, Evaluator, Extractor, Generator, Plugin, Sampler
    from synthbench.types import Direction, Evaluation, Images, Predictions, Quarantined, Score, Splits
    from synthbench.weights import WeightFile

__all__ = [
    "ConfigError",
    "Context",
    "DataError",
    "Dataset",
    "Direction",
    "Embed",
    "Evaluation",
    "Evaluator",
    "Extractor",
    "ExtractorField",
    "Generator",
    "ImageDataset",
    "Images",
    "Plugin",
    "PluginError",
    "Predictions",
    "Quarantined",
    "Sampler",
    "Score",
    "Skipped",
    "Splits",
    "StoreError",
    "SynthbenchError",
    "WeightFile",
    "extractor_field",
    "hookimpl",
]

__version__ = "0.1.0"

_HOMES = ("errors", "hookspecs", "types", "interfaces", "context", "imaging", "weights", "extractors")


def __getattr__(name: str) -> Any:
    """Find a public name in the module that defines it (PEP 562)."""
    if name in __all__:
        for home in _HOMES:
            module = import_module(f"synthbench.{home}")
            if name in getattr(module, "__all__", ()):
                return getattr(module, name)
    raise AttributeError(f"module 'synthbench' has no attribute {name!r}")
