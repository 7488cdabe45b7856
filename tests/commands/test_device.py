"""Which device a process gets, on machines with so many GPUs."""

import pytest
import torch

from synthbench.benchmark.plan import make_plan
from synthbench.commands.device import resolve_device, share_devices
from synthbench.commands.elsewhere.on_ray import Cluster, _needs
from synthbench.commands.elsewhere.remote import Remote
from synthbench.commands.elsewhere.spread import Spread
from synthbench.commands.validate import validate
from synthbench.errors import ConfigError
from synthbench.progress import Progress
from synthbench.storage.store import Store


@pytest.fixture
def gpus(monkeypatch):
    """A function: torch sees so many, as after CUDA_VISIBLE_DEVICES."""

    def gpus(count):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: count)

    return gpus


@pytest.mark.parametrize(
    ("count", "wish", "shared"),
    [
        (0, "auto", ["cpu", "cpu", "cpu"]),
        (1, "auto", ["cuda:0", "cuda:0", "cuda:0"]),
        (2, "auto", ["cuda:0", "cuda:1", "cuda:0"]),
        (4, "cuda", ["cuda:0", "cuda:1", "cuda:2"]),
        (4, "cuda:3", ["cuda:3", "cuda:3", "cuda:3"]),
        (4, "cpu", ["cpu", "cpu", "cpu"]),
    ],
)
def test_devices_are_given_out_in_turn(gpus, count, wish, shared):
    gpus(count)
    assert share_devices(wish, 3) == shared


@pytest.mark.parametrize(("count", "wish"), [(0, "cuda"), (2, "cuda:2"), (2, "gpu"), (2, "cuda:-1")])
def test_a_device_that_is_not_there(gpus, count, wish):
    gpus(count)
    with pytest.raises(ConfigError, match=f"--device {wish}: "):
        resolve_device(wish)


@pytest.mark.parametrize(("wish", "device"), [("cuda", "cuda"), ("cuda:1", "cuda"), ("cpu", "cpu")])
def test_who_collects_need_not_have_the_device(gpus, tmp_path, wish, device):
    gpus(0)
    remote = Remote("bench.yaml", tmp_path, (), wish, False)
    with Spread(collect=True).over(remote, Store(tmp_path), Progress(False)) as (kind, _):
        assert kind == device


class FakeRay:
    def __init__(self, *nodes):
        self._nodes = nodes

    def cluster_resources(self):
        return {what: sum(node.get(what, 0) for node in self._nodes) for node in self._nodes for what in node}

    def nodes(self):
        return [{"Alive": True, "Resources": node} for node in self._nodes]


def test_a_cluster_says_on_what_all_trials_are_worked_off():
    assert Cluster(FakeRay({"CPU": 8.0})).device("auto") == "cpu"
    mixed = Cluster(FakeRay({"CPU": 8.0}, {"CPU": 8.0, "GPU": 2.0}))
    assert mixed.device("auto") == "cuda"
    assert mixed.device("cpu") == "cpu"
    with pytest.raises(ConfigError, match="write cuda"):
        mixed.device("cuda:1")
    assert mixed.room_for({"CPU": 8.0, "GPU": 2.0})
    assert not mixed.room_for({"GPU": 4.0})


def test_what_a_task_asks_of_the_cluster(mini):
    mini.plugin.write_text(
        mini.plugin.read_text()
        + "\n\nclass Large(MeanNoise):\n    name: ClassVar[str] = 'large'\n"
        + "    needs: ClassVar = {'cpus': 4, 'gpus': 2, 'memory_gb': 16}\n"
    )
    mini.write("MeanNoise", "Large")
    small, large = make_plan(validate(mini.file)[0])
    assert _needs([small], "cpu") == {"CPU": 1.0}
    assert _needs([small], "cuda") == {"CPU": 1.0, "GPU": 1.0}
    assert _needs([large], "cpu") == {"CPU": 4.0, "memory": 16e9}
    assert _needs([small, large], "cuda") == {"CPU": 4.0, "memory": 16e9, "GPU": 2.0}
