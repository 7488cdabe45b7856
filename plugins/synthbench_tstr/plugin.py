"""The evaluators that train the image classifier, and the controls beside them."""

from __future__ import annotations

from collections.abc import Iterable

from synthbench import Evaluator, hookimpl
from synthbench_tstr.augment import Augment
from synthbench_tstr.file_geometry import FileGeometry
from synthbench_tstr.lungs_masked import LungsMasked
from synthbench_tstr.trts import Trts
from synthbench_tstr.tstr import Tstr

__all__ = ["Augment", "FileGeometry", "LungsMasked", "Trts", "Tstr"]


@hookimpl
def register_evaluators() -> Iterable[type[Evaluator]]:
    return [Augment, FileGeometry, LungsMasked, Trts, Tstr]
