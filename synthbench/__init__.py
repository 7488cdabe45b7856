"""synthbench: which generator makes medical images worth training on, how sure are we, and what did it cost?

A plugin author needs the names below and nothing else.
"""

from synthbench.context import Context
from synthbench.errors import ConfigError, DataError, PluginError, Skipped, StoreError, SynthbenchError
from synthbench.hookspecs import hookimpl
from synthbench.imaging import ImageDataset
from synthbench.interfaces import Dataset, Evaluator, Generator, Plugin, Sampler
from synthbench.types import Direction, Evaluation, Images, Predictions, Quarantined, Score, Splits

__all__ = [
    "ConfigError",
    "Context",
    "DataError",
    "Dataset",
    "Direction",
    "Evaluation",
    "Evaluator",
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
    "hookimpl",
]

__version__ = "0.1.0"
