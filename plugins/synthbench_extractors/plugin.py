"""What this package registers. Each extractor has its own module: a change recomputes its features alone."""

from __future__ import annotations

from collections.abc import Iterable

from synthbench import Extractor, hookimpl
from synthbench_extractors.chest import RadDino, TorchXRayVision
from synthbench_extractors.classifier import TrainedClassifier
from synthbench_extractors.efficientnet import EfficientNetLite0
from synthbench_extractors.inception import Inception
from synthbench_extractors.timm_models import Timm

__all__ = ["register_extractors"]


@hookimpl
def register_extractors() -> Iterable[type[Extractor]]:
    return [EfficientNetLite0, Inception, RadDino, Timm, TorchXRayVision, TrainedClassifier]
