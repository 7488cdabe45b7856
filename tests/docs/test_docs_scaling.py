"""The lines of docs/scaling.md that a scheduler would run, run: in bash, with the variables that it sets."""

from __future__ import annotations

import csv
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

PAGE = (Path(__file__).parents[2] / "docs" / "scaling.md").read_text(encoding="utf-8")
pytestmark = pytest.mark.full  # a process for each line

BASH = re.findall(r"^```bash\n(.*?)^```", PAGE, re.M | re.S)
JOB = yaml.safe_load(re.search(r"^```yaml\n(.*?)^```", PAGE, re.M | re.S)[1])
ARRAY, COLLECT, PACK, UNPACK = BASH


@pytest.fixture
def bash(mini):
    """A function: run lines as they stand, on the benchmark of tiny plugins as cxr.yaml."""
    mini.write("MeanNoise", {"use": "Growing", "checkpoints": [1, 2]})
    mini.file.rename(mini.folder / "cxr.yaml")
    command = f'synthbench() {{ "{sys.executable}" -m synthbench.cli "$@"; }}\n'

    def bash(lines, **surroundings):
        done = subprocess.run(
            ["bash", "-ec", command + lines],
            cwd=mini.folder,
            env={**os.environ, "HOME": str(mini.folder), **surroundings},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return bash


def board(mini):
    rows = csv.DictReader((mini.folder / "runs" / "mini" / "leaderboard.csv").open())
    return {row["generator"]: row["status"] for row in rows}


COMPLETE = {"meannoise": "done", "growing@1": "done", "growing@2": "done"}


def test_the_array_and_what_collects_it(mini, bash):
    for part in (1, 2):
        bash(ARRAY, SLURM_CPUS_PER_TASK="1", SLURM_ARRAY_TASK_ID=str(part), SLURM_ARRAY_TASK_COUNT="2")
    mini.calls()
    bash(COLLECT)
    assert board(mini) == COMPLETE
    assert set(mini.calls()) <= {"load"}


def test_the_indexed_job(mini, bash):
    count = JOB["spec"]["completions"]
    container = JOB["spec"]["template"]["spec"]["containers"][0]
    assert container["command"] == ["bash", "-c"]
    lines = container["args"][0]
    assert lines.endswith(f"/{count}")
    for index in (0, 1):
        store = str(mini.folder / "synthbench-store")  # where COLLECT looks
        bash(lines.replace(f"/{count}", "/2"), JOB_COMPLETION_INDEX=str(index), SYNTHBENCH_CACHE=store)
    bash(COLLECT)
    assert board(mini) == COMPLETE


def test_parts_that_share_nothing(mini, bash):
    for part in ("1/2", "2/2"):
        bash(PACK.replace("1/2", part), SYNTHBENCH_CACHE=str(mini.folder / part.replace("/", " of ")))
    bash(UNPACK, SYNTHBENCH_CACHE=str(mini.folder / "collected"))
    assert board(mini) == COMPLETE
