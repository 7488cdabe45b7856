"""A run of the command line, timed, for the scripts beside this one."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

__all__ = ["timed_run"]


def timed_run(file: Path, out: Path, cache: Path, *options: str, **surroundings: str) -> float:
    """Seconds of `synthbench run` on the store at `cache`, its lines unread; raises where it does not end well."""
    command = [sys.executable, "-m", "synthbench.cli", "run", str(file), "--out", str(out), *options]
    environment = {**os.environ, "SYNTHBENCH_CACHE": str(cache), **surroundings}
    begun = time.perf_counter()
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - begun
