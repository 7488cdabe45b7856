"""What this package registers. Each evaluator has its own module: a change recomputes its scores alone."""

from __future__ import annotations

from collections.abc import Iterable

from synthbench import Evaluator, hookimpl
from synthbench_fidelity.evaluators.authenticity import Authenticity
from synthbench_fidelity.evaluators.c2st import C2st
from synthbench_fidelity.evaluators.density_coverage import DensityCoverage
from synthbench_fidelity.evaluators.frechet import Fd, Fid
from synthbench_fidelity.evaluators.kid import Kid
from synthbench_fidelity.evaluators.membership import Membership
from synthbench_fidelity.evaluators.memorisation import Memorisation
from synthbench_fidelity.evaluators.ms_ssim import MsSsim
from synthbench_fidelity.evaluators.precision_recall import PrecisionRecall
from synthbench_fidelity.evaluators.vendi import Vendi

__all__ = ["register_evaluators"]


@hookimpl
def register_evaluators() -> Iterable[type[Evaluator]]:
    return [
        *(Authenticity, C2st, DensityCoverage, Fd, Fid, Kid),
        *(Membership, Memorisation, MsSsim, PrecisionRecall, Vendi),
    ]
