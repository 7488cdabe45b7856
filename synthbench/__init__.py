"""synthbench: which generator makes medical images worth training on, how sure are we, and what did it cost?

For notebooks and scripts: `run`, `score`, `check`, `audit`, `export_train` and what they return. A plugin author
needs the other names below and nothing else. All are imported when first asked for, so that `synthbench --help`
need not wait for NumPy, nor `import synthbench` for pandas.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from synthbench.version import __version__ as __version__

if TYPE_CHECKING:  # the table below once more, for those who read types and run nothing
    from synthbench.api.depth import DeepPicture, read_deep, to_eight_bit
    from synthbench.api.dicom import dicom_patient, is_dicom
    from synthbench.api.extractors import ExtractorField, extractor_field
    from synthbench.api.hookspecs import hookimpl
    from synthbench.api.image_dataset import ImageDataset
    from synthbench.api.imaging import PictureRule, resize_square
    from synthbench.api.interfaces import (
        Context,
        Dataset,
        Embed,
        Evaluator,
        Extractor,
        Features,
        Generator,
        Plugin,
        Sampler,
    )
    from synthbench.api.nested.fitting import fit_nested
    from synthbench.api.nested.generators import GeneratorField, NestedGenerator
    from synthbench.api.origin import Origin, TrainedOn
    from synthbench.api.pictures import PICTURE_SUFFIXES, read_picture
    from synthbench.data.audit.copies import Copies, find_copies
    from synthbench.data.class_folders import write_class_folders
    from synthbench.data.split import grouped_split
    from synthbench.errors import ConfigError, DataError, PluginError, Skipped, StoreError, SynthbenchError
    from synthbench.influence import Influence
    from synthbench.progress import Bar
    from synthbench.python.findings import Checked, Leaks
    from synthbench.python.functions import audit, check, export_train, run, score
    from synthbench.python.run import Run
    from synthbench.scale import GreyScale
    from synthbench.seeds import derive_seed
    from synthbench.storage.cells import write_csv
    from synthbench.storage.code_version import code_version
    from synthbench.storage.layout import holds_results
    from synthbench.storage.places import started_in
    from synthbench.storage.store import load_images, save_images, write_atomic
    from synthbench.storage.weights import WeightFile, offline, sha256_of
    from synthbench.types import (
        Direction,
        Evaluation,
        Geometry,
        Images,
        Labels,
        Pixels,
        Predictions,
        Quarantined,
        Score,
        Splits,
    )

__all__ = [
    "PICTURE_SUFFIXES",
    "Bar",
    "Checked",
    "ConfigError",
    "Context",
    "Copies",
    "DataError",
    "Dataset",
    "DeepPicture",
    "Direction",
    "Embed",
    "Evaluation",
    "Evaluator",
    "Extractor",
    "ExtractorField",
    "Features",
    "Generator",
    "GeneratorField",
    "Geometry",
    "GreyScale",
    "ImageDataset",
    "Images",
    "Influence",
    "Labels",
    "Leaks",
    "NestedGenerator",
    "Origin",
    "PictureRule",
    "Pixels",
    "Plugin",
    "PluginError",
    "Predictions",
    "Quarantined",
    "Run",
    "Sampler",
    "Score",
    "Skipped",
    "Splits",
    "StoreError",
    "SynthbenchError",
    "TrainedOn",
    "WeightFile",
    "audit",
    "check",
    "code_version",
    "derive_seed",
    "dicom_patient",
    "export_train",
    "extractor_field",
    "find_copies",
    "fit_nested",
    "grouped_split",
    "holds_results",
    "hookimpl",
    "is_dicom",
    "load_images",
    "offline",
    "read_deep",
    "read_picture",
    "resize_square",
    "run",
    "save_images",
    "score",
    "sha256_of",
    "started_in",
    "to_eight_bit",
    "write_atomic",
    "write_class_folders",
    "write_csv",
]

_HOMES = {
    "api.depth": ("DeepPicture", "read_deep", "to_eight_bit"),
    "api.dicom": ("dicom_patient", "is_dicom"),
    "api.extractors": ("ExtractorField", "extractor_field"),
    "api.hookspecs": ("hookimpl",),
    "api.image_dataset": ("ImageDataset",),
    "api.imaging": ("PictureRule", "resize_square"),
    "api.interfaces": (
        *("Context", "Dataset", "Embed", "Evaluator", "Extractor", "Features"),
        *("Generator", "Plugin", "Sampler"),
    ),
    "api.nested.fitting": ("fit_nested",),
    "api.nested.generators": ("GeneratorField", "NestedGenerator"),
    "api.origin": ("Origin", "TrainedOn"),
    "api.pictures": ("PICTURE_SUFFIXES", "read_picture"),
    "storage.layout": ("holds_results",),
    "data.audit.copies": ("Copies", "find_copies"),
    "data.class_folders": ("write_class_folders",),
    "data.split": ("grouped_split",),
    "errors": ("ConfigError", "DataError", "PluginError", "Skipped", "StoreError", "SynthbenchError"),
    "influence": ("Influence",),
    "progress": ("Bar",),
    "python.findings": ("Checked", "Leaks"),
    "python.functions": ("audit", "check", "export_train", "run", "score"),
    "python.run": ("Run",),
    "scale": ("GreyScale",),
    "seeds": ("derive_seed",),
    "storage.cells": ("write_csv",),
    "storage.code_version": ("code_version",),
    "storage.places": ("started_in",),
    "storage.store": ("load_images", "save_images", "write_atomic"),
    "storage.weights": ("WeightFile", "offline", "sha256_of"),
    "types": (
        *("Direction", "Evaluation", "Geometry", "Images", "Labels", "Pixels"),
        *("Predictions", "Quarantined", "Score", "Splits"),
    ),
}
_HOME_OF = {name: f"synthbench.{home}" for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Find a public name in the module that defines it (PEP 562)."""
    if name in _HOME_OF:
        return getattr(import_module(_HOME_OF[name]), name)
    raise AttributeError(f"module 'synthbench' has no attribute {name!r}")
