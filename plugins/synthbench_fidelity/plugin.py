"""What this package registers. Each evaluator has its own module: a change recomputes its scores alone."""

from __future__ import annotations

from collections.abc import Iterable

from synthbench import Evaluator, hookimpl
from synthbench_fidelity.evaluators.authentic import Authenticity
from synthbench_fidelity.evaluators.density import DensityCoverage
from synthbench_fidelity.evaluators.distance import Fd, Fid
from synthbench_fidelity.evaluators.kid import Kid
from synthbench_fidelity.evaluators.memory import Memorisation
from synthbench_fidelity.evaluators.precision import PrecisionRecall
from synthbench_fidelity.evaluators.similarity import MsSsim
from synthbench_fidelity.evaluators.variety import Vendi

__all__ = ["register_evaluators"]


@hookimpl
def register_evaluators() -> Iterable[type[Evaluator]]:
    return [Authenticity, DensityCoverage, Fd, Fid, Kid, Memorisation, MsSsim, PrecisionRecall, Vendi]
