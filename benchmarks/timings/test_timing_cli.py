"""How long the command line takes to answer, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.timings.conftest import Timed

FILE = Path(__file__).parents[1] / "cxr-cpu.yaml"
SYNTHBENCH = ["-m", "synthbench.cli"]
COMMANDS = {
    "bare": (["-c", "pass"], "bare Python, for comparison"),
    "help": ([*SYNTHBENCH, "--help"], "`synthbench --help`"),
    "plugins": ([*SYNTHBENCH, "plugins"], "`synthbench plugins`"),
    "validate": ([*SYNTHBENCH, "validate", str(FILE)], "`synthbench validate benchmarks/cxr-cpu.yaml`"),
}


@pytest.mark.benchmark(group="command line")
@pytest.mark.parametrize("command", COMMANDS)
def test_command(timed: Timed, command: str) -> None:
    words, what = COMMANDS[command]
    timed(lambda: subprocess.run([sys.executable, *words], check=True, capture_output=True), what)
