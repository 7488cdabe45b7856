"""Trials on a Ray cluster: two nodes, each with a store of its own, started on this machine."""

import csv
import os
import threading
import time

import pytest

os.environ["RAY_ENABLE_UV_RUN_RUNTIME_ENV"] = "0"  # read when Ray is imported
ray = pytest.importorskip("ray", reason="the extra `ray` is not installed")
pytestmark = pytest.mark.full  # starting a cluster takes seconds


@pytest.fixture
def cluster(tmp_path):
    """A head without CPUs and two nodes of one CPU each."""
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    for k in (1, 2):
        cluster.add_node(num_cpus=1, env_vars={"SYNTHBENCH_CACHE": str(tmp_path / f"node {k}")})
    yield cluster
    ray.shutdown()
    cluster.shutdown()


def run(mini, cluster, *arguments):
    return mini.run("--executor", "ray", "--address", cluster.address, *arguments)


def alone(mini):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SYNTHBENCH_CACHE", str(mini.folder / "other"))
        mini.run(out=mini.folder / "alone")
    return (mini.folder / "alone" / "scores.csv").read_bytes()


def test_the_board_is_that_of_one_process_and_a_failure_comes_along(mini, cluster, capsys):
    mini.write("MeanNoise", {"use": "Growing", "checkpoints": [1, 2]}, "Failing", seeds=2)
    assert run(mini, cluster) == 1
    assert "failing: RuntimeError: loss is NaN" in capsys.readouterr().out
    assert (mini.out / "scores.csv").read_bytes() == alone(mini)
    for k in (1, 2):  # both worked
        assert list((mini.folder / f"node {k}" / "synthetic").iterdir())


def test_a_node_that_dies_costs_what_ran_on_it_and_nothing_else(mini, cluster):
    mini.plugin.write_text(
        mini.plugin.read_text()
        + "\n\nclass Slow(MeanNoise):\n    name: ClassVar[str] = 'slow'\n\n    def fit(self, train, ctx):\n"
        "        time.sleep(1.5)\n        return super().fit(train, ctx)\n"
    )
    mini.write("Slow", seeds=6)
    node = next(iter(cluster.worker_nodes))

    def kill():
        time.sleep(8)
        cluster.remove_node(node, allow_graceful=False)

    killer = threading.Thread(target=kill)
    killer.start()
    assert run(mini, cluster) == 0
    killer.join()
    with (mini.out / "leaderboard.csv").open() as file:
        assert [row["status"] for row in csv.DictReader(file)] == ["done"]
    assert (mini.out / "scores.csv").read_bytes() == alone(mini)


def test_no_cluster_is_one_message(mini, capsys):
    mini.write("MeanNoise")
    assert mini.run("--executor", "ray", "--address", "127.0.0.1:1") == 2
    assert "--executor ray: no cluster at 127.0.0.1:1" in capsys.readouterr().err
