"""Trials on a Ray cluster: two nodes, each with a store of its own, started on this machine."""

import os
import signal
import subprocess
import sys
import threading
import time

import psutil
import pytest

os.environ["RAY_ENABLE_UV_RUN_RUNTIME_ENV"] = "0"  # read when Ray is imported
os.environ["RAY_worker_niceness"] = "0"  # noqa: SIM112 - Ray's spelling; at its 15 they stand still beside others
ray = pytest.importorskip("ray", reason="the extra `ray` is not installed")
pytestmark = pytest.mark.full  # starting a cluster takes seconds

PLUGINS = """

class Slow(MeanNoise):
    name: ClassVar[str] = "slow"

    def fit(self, train, ctx):
        time.sleep(2)
        return super().fit(train, ctx)


class Ending(MeanNoise):
    name: ClassVar[str] = "ending"

    def fit(self, train, ctx):
        import os
        called("fit ending")
        os._exit(7)


class Hanging(MeanNoise):
    name: ClassVar[str] = "hanging"

    def fit(self, train, ctx):
        called("fit hanging")
        time.sleep(600)
"""


@pytest.fixture(autouse=True)
def plugins(mini):
    mini.plugin.write_text(mini.plugin.read_text() + PLUGINS)


@pytest.fixture
def cluster(tmp_path, request):
    """A head without CPUs and two nodes of one CPU each; a parameter is what SYNTHBENCH_IN_PROCESS is there."""
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    for k in (1, 2):
        surroundings = {"SYNTHBENCH_CACHE": str(tmp_path / f"node {k}"), "SYNTHBENCH_IN_PROCESS": request.param}
        cluster.add_node(num_cpus=1, env_vars=surroundings)
    yield cluster
    ray.shutdown()
    cluster.shutdown()


isolated = pytest.mark.parametrize("cluster", ["0"], indirect=True, ids=["isolated"])
in_process = pytest.mark.parametrize("cluster", ["1"], indirect=True, ids=["in-process"])


def run(mini, cluster, *arguments):
    return mini.run("--executor", "ray", "--address", cluster.address, *arguments)


def alone(mini):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SYNTHBENCH_CACHE", str(mini.folder / "other"))
        mini.run(out=mini.folder / "alone")
    return (mini.folder / "alone" / "scores.csv").read_bytes()


@isolated
def test_the_board_is_that_of_one_process_and_failures_come_along(mini, cluster, capsys):
    rows = ["MeanNoise", {"use": "Growing", "checkpoints": [1, 2]}]
    mini.write(*rows, "Failing", "Ending", "Hanging", seeds=2)
    assert run(mini, cluster, "--timeout", "20") == 1
    calls = mini.calls()
    assert {call: n for call, n in calls.items() if call.startswith("fit ")} == {
        **{"fit 10 0": 2, "fit failing": 2, "fit ending": 2, "fit hanging": 2},
    }, "a plugin that raises, ends its stage or takes too long is not tried again"
    said = capsys.readouterr().out
    assert said.count("failing/0: begun on ") == 1
    assert "/10] growing@2, seed 1: done" in said
    assert f"failing: RuntimeError: loss is NaN (traceback in {mini.out / 'trials'}" in said
    assert str(mini.folder / "node") not in said
    notes = mini.board["note"]
    assert "the plugin ended its process: exit code 7" in notes["ending"]
    assert "stopped after 20 s: the limit is `timeout`" in notes["hanging"]
    for k in (1, 2):  # both worked, and left nothing lying about
        assert list((mini.folder / f"node {k}" / "synthetic").iterdir())
        assert not (mini.folder / f"node {k}" / "shared").exists()
    shown = (mini.out / "scores.csv").read_bytes()
    mini.write(*rows, seeds=2)
    assert shown == alone(mini)


@in_process
def test_a_node_that_dies_costs_what_ran_on_it_and_nothing_else(mini, cluster):
    mini.write("Slow", seeds=4)
    node = next(iter(cluster.worker_nodes))

    def kill():
        for _ in range(600):
            if sum(1 for k in (1, 2) for _ in (mini.folder / f"node {k}").glob("synthetic/*")) >= 2:
                break
            time.sleep(0.2)
        cluster.remove_node(node, allow_graceful=False)

    killer = threading.Thread(target=kill)
    killer.start()
    assert run(mini, cluster) == 0
    killer.join()
    assert mini.calls()["fit 10 0"] in (4, 5)  # one was running there, or none
    assert list(mini.board["status"]) == ["done"]
    assert (mini.out / "scores.csv").read_bytes() == alone(mini)


def test_a_process_that_dies_is_tried_again_and_then_a_failed_row(mini):
    mini.write("Ending", "MeanNoise")
    assert mini.run("--executor", "ray") == 1  # a cluster of this machine
    assert mini.calls()["fit ending"] == 4
    assert mini.board["status"].to_dict() == {"ending": "failed", "meannoise": "done"}
    assert "its process or node died 4 times (WorkerCrashedError)" in mini.board.loc["ending", "note"]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_who_ends_the_driver_ends_the_cluster_that_it_started(mini, number, code):
    mini.write("Hanging")
    command = [sys.executable, "-m", "synthbench.cli", "run", str(mini.file), "--out", str(mini.out)]
    driver = subprocess.Popen(
        [*command, "--device", "cpu", "--executor", "ray"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    try:
        for _ in iter(lambda: (mini.folder / "calls.txt").exists() and "hanging" in calls(mini), True):
            time.sleep(0.2)
            assert driver.poll() is None, driver.stderr.read()
        started = psutil.Process(driver.pid).children(recursive=True)
        driver.send_signal(number)
        _, complaint = driver.communicate(timeout=120)
    finally:
        driver.kill()
    assert driver.returncode == code
    assert complaint.splitlines()[-1].endswith("what was finished is kept, the same command goes on from there")
    assert "Traceback" not in complaint
    _, living = psutil.wait_procs(started, timeout=30)
    assert [process.name() for process in living if process.status() != psutil.STATUS_ZOMBIE] == []


def calls(mini):
    return (mini.folder / "calls.txt").read_text()


def test_no_cluster_is_one_message(mini, capsys):
    mini.write("MeanNoise")
    assert mini.run("--executor", "ray", "--address", "127.0.0.1:1") == 2
    assert "--executor ray: no cluster at 127.0.0.1:1" in capsys.readouterr().err
