"""What a stage costs: time and memory, with children, on CPU and GPU."""

import os
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest

from synthbench.runner.cost import Cost, measure
from synthbench.runner.family import family_of


def test_wall_time_is_measured_and_sleeping_costs_no_cpu():
    with measure() as cost:
        time.sleep(0.2)
    assert 0.2 <= cost.wall_s < 5
    assert cost.cpu_s < 0.15
    assert cost.peak_gpu_mb is None


def test_cpu_time_of_this_process_counts():
    with measure() as cost:
        until = time.process_time() + 0.2
        while time.process_time() < until:
            pass
    assert 0.15 <= cost.cpu_s <= cost.wall_s + 0.2


def test_cpu_time_of_a_child_that_ended_counts():
    busy = "import time\nwhile time.process_time() < 0.4: pass"
    with measure() as cost:
        subprocess.run([sys.executable, "-c", busy], check=True)
    assert cost.cpu_s >= 0.35


def test_the_peak_is_seen_after_the_memory_was_given_back():
    with measure() as small:
        pass
    with measure() as large:
        held = bytearray(b"x") * 200_000_000
        time.sleep(0.4)
        del held
    assert large.peak_memory_mb >= small.peak_memory_mb + 150
    with measure() as after:
        pass
    assert after.peak_memory_mb <= large.peak_memory_mb - 150


def test_memory_of_children_counts():
    holder = "held = bytearray(b'x') * 200_000_000\nimport time; print('held', flush=True); time.sleep(30)"
    with measure() as small:
        pass
    with measure() as large:
        child = subprocess.Popen([sys.executable, "-c", holder], stdout=subprocess.PIPE)
        assert child.stdout.readline() == b"held\n"
        time.sleep(0.3)
        child.kill()
        child.communicate()
    assert large.peak_memory_mb >= small.peak_memory_mb + 150


@pytest.mark.parametrize("listed", [True, False])
def test_a_family_is_a_process_and_all_that_it_started(monkeypatch, listed):
    monkeypatch.setattr("synthbench.runner.family._are_listed", lambda: listed)
    nested = "import subprocess, sys; print(subprocess.Popen(['sleep', '30']).pid, flush=True); sys.stdin.read()"
    child = subprocess.Popen([sys.executable, "-c", nested], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    grandchild = int(child.stdout.readline())
    try:
        assert [process.pid for process in family_of(child.pid)] == [child.pid, grandchild]
        assert {child.pid, grandchild} <= {process.pid for process in family_of()}
    finally:
        os.kill(grandchild, signal.SIGKILL)
        child.communicate()
    assert family_of(child.pid) == []


def fail_after(seconds):
    time.sleep(seconds)
    raise RuntimeError("loss is NaN")


def test_a_stage_that_raises_is_measured_and_its_error_passes():
    with pytest.raises(RuntimeError, match="loss is NaN"), measure() as cost:
        fail_after(0.05)
    assert cost.wall_s >= 0.05
    assert cost.peak_memory_mb > 1


def test_on_a_gpu_the_clock_stops_when_the_device_has_finished(monkeypatch):
    asked = []
    cuda = SimpleNamespace(
        is_initialized=lambda: True,
        reset_peak_memory_stats=lambda device: asked.append(("reset", device)),
        synchronize=lambda device: (asked.append(("wait", device)), time.sleep(0.1)),
        max_memory_allocated=lambda device: 3_500_000,
    )
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=cuda))
    with measure("cuda:1") as cost:
        pass
    assert asked == [("reset", "cuda:1"), ("wait", "cuda:1")]
    assert cost.wall_s >= 0.1
    assert cost.peak_gpu_mb == 3.5


def test_as_json_numbers_are_rounded_and_no_gpu_is_none():
    assert Cost(1.23456, 2.0004, 100.12345).as_dict() == {
        "wall_s": 1.235,
        "cpu_s": 2.0,
        "peak_memory_mb": 100.123,
        "peak_gpu_mb": None,
    }
