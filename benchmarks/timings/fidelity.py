"""The costly metrics beside the usual ways to compute them: `python -m benchmarks.timings.fidelity [JOB ...]`.

Each job runs in a process of its own, so that its peak of memory is its own, too. Not part of the pytest suite:
pytest-benchmark knows no memory, and a round takes minutes. Without names all jobs but `prdc-large` run.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import psutil

__all__ = ["JOBS", "measure"]

Work = Callable[[], object]
Array = npt.NDArray[Any]
TRAIN_SIZE, INCEPTION = 5216, 2048


def frechet_ours() -> Work:
    from synthbench_fidelity.functional import frechet_distance_from_statistics

    given = _statistics(INCEPTION)
    return lambda: frechet_distance_from_statistics(**given)


def frechet_sqrtm() -> Work:
    from scipy.linalg import sqrtm

    mean_real, cov_real, mean_synthetic, cov_synthetic = _statistics(INCEPTION).values()

    def distance() -> float:
        root = sqrtm(cov_real @ cov_synthetic).real
        shift = mean_real - mean_synthetic
        return float(shift @ shift + np.trace(cov_real + cov_synthetic - 2 * root))

    return distance


def prdc_ours() -> Work:
    from synthbench_fidelity.functional import prdc

    real, synthetic = _normal(TRAIN_SIZE, INCEPTION, np.float64)
    return lambda: prdc(real=real, synthetic=synthetic, k=5)


def prdc_package() -> Work:
    from prdc import compute_prdc

    real, synthetic = _normal(TRAIN_SIZE, INCEPTION, np.float64)

    def quietly() -> object:
        with contextlib.redirect_stdout(io.StringIO()):
            return {name: float(value) for name, value in compute_prdc(real, synthetic, 5).items()}

    return quietly


def prdc_readme() -> Work:
    """The package's README: precision .4772, recall .4705, density 1.0555, coverage .9735 for one draw."""
    from synthbench_fidelity.functional import prdc

    real, synthetic = _normal(10_000, 1000, np.float64)
    return lambda: prdc(real=real, synthetic=synthetic, k=5)


def prdc_large() -> Work:
    from synthbench_fidelity.functional import prdc

    real, synthetic = _normal(50_000, 1280, np.float32)
    return lambda: prdc(real=real, synthetic=synthetic, k=5)


JOBS: dict[str, tuple[str, Callable[[], Work]]] = {
    "frechet-ours": ("Fréchet distance from covariances, d = 2048", frechet_ours),
    "frechet-sqrtm": ("the same by `scipy.linalg.sqrtm`", frechet_sqrtm),
    "prdc-ours": ("`prdc`, 5,216 x 2 x 2,048, float64", prdc_ours),
    "prdc-package": ("the same by the package `prdc`", prdc_package),
    "prdc-readme": ("`prdc`, 10,000 x 2 x 1,000, float64", prdc_readme),
    "prdc-large": ("`prdc`, 50,000 x 2 x 1,280, float32", prdc_large),
}


def measure(job: str) -> dict[str, Any]:
    """Wall and CPU seconds of a job, the process's memory before it and its peak in MB, and what it returned."""
    work = JOBS[job][1]()
    before = psutil.Process().memory_info().rss
    wall, cpu = time.perf_counter(), time.process_time()
    value = work()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return {"wall": wall, "cpu": cpu, "before": before / 1e6, "peak": peak / 1e6, "value": value}


def _normal(n: int, d: int, kind: type[np.floating]) -> list[Array]:
    rng = np.random.default_rng(0)
    return [rng.standard_normal((n, d), dtype=kind) for _ in range(2)]


def _statistics(d: int) -> dict[str, Array]:
    """Means and full covariances whose eigenvalues fall by four orders of magnitude."""
    rng, found = np.random.default_rng(0), {}
    for name in ("real", "synthetic"):
        features = rng.standard_normal((3 * d, d)) @ (rng.standard_normal((d, d)) * np.geomspace(1, 1e-2, d))
        found |= {f"mean_{name}": features.mean(axis=0), f"cov_{name}": np.cov(features, rowvar=False)}
    return found


def _in_new_process(job: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.timings.fidelity", "--one", job]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def main() -> None:
    """Print a Markdown table of the jobs named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("jobs", nargs="*", metavar="JOB", help=f"of {', '.join(JOBS)}")
    parser.add_argument("--one", choices=JOBS, help="measure one job in this process, print JSON")
    asked = parser.parse_args()
    if asked.one:
        print(json.dumps(measure(asked.one)))
        return
    print("| what | wall | CPU | peak MB | of it before | result |\n|---|--:|--:|--:|--:|---|")
    for job in asked.jobs or [name for name in JOBS if name != "prdc-large"]:
        got = _in_new_process(job)
        cost = f"{got['wall']:.1f} s | {got['cpu']:.1f} s | {got['peak']:.0f} | {got['before']:.0f}"
        print(f"| {JOBS[job][0]} | {cost} | {got['value']} |", flush=True)


if __name__ == "__main__":
    main()
