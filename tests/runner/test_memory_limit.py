"""How much memory a stage may use: the machine's, or what its container or batch job is given."""

from pathlib import Path

import psutil
import pytest

from synthbench.runner.isolation.watching import memory_gb

MACHINE = psutil.virtual_memory().total / 1e9


@pytest.mark.parametrize(
    ("groups", "files", "expected"),
    [
        ("0::/job/step\n", {"sys/fs/cgroup/job/step/memory.max": "500000000\n"}, 0.5),
        (  # the step has none of its own, the job has
            "0::/job/step\n",
            {"sys/fs/cgroup/job/step/memory.max": "max\n", "sys/fs/cgroup/job/memory.max": "250000000\n"},
            0.25,
        ),
        ("0::/\n", {"sys/fs/cgroup/memory.max": "750000000\n"}, 0.75),  # in a container
        (
            "5:cpu,memory:/batch\n0::/\n",
            {"sys/fs/cgroup/memory/batch/memory.limit_in_bytes": "125000000\n"},
            0.125,
        ),
        ("4:memory:/\n", {"sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n"}, MACHINE),
        ("3:cpu:/batch\n", {"sys/fs/cgroup/memory/batch/memory.limit_in_bytes": "1000\n"}, MACHINE),
        (None, {}, MACHINE),
    ],
)
def test_limits_of_control_groups(tmp_path: Path, groups, files, expected):
    if groups is not None:
        files = {**files, "proc/self/cgroup": groups}
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert memory_gb(tmp_path) == pytest.approx(expected)
