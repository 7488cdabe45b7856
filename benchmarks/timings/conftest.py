"""How the suite measures: a few rounds after a warm-up, and a note of what else the machine was doing.

Run by `pytest benchmarks/timings --benchmark-json=timings.json`; see docs/performance.md.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import pytest

from benchmarks.timings.machine import Neighbours, environment
from synthbench.api.interfaces import Context
from synthbench.commands.device import let_idle_threads_sleep
from synthbench.runner.isolation.child import keep_freed_memory
from synthbench.testing import context_in

# As the command line does, before anything imports torch: what is timed is what a run gets.
let_idle_threads_sleep()

neighbours = pytest.StashKey[Neighbours]()


class Peer(NamedTuple):
    """What a user would run instead, and its name."""

    name: str
    work: Callable[[], object]


class Timed(Protocol):
    """What the fixture `timed` is."""

    def __call__(
        self,
        function: Callable[..., object],
        what: str,
        *,
        setup: Callable[[], object] | None = None,
        peer: Peer | None = None,
        images: int = 0,
        flop: float = 0,
    ) -> None:
        """Time `function` on what `setup` returns (not timed); each call handles `images` and computes `flop`.

        The peer is timed in turn with it, so that both meet the machine in the same state.
        """


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--rounds", type=int, default=4, help="timed rounds of each benchmark, after one warm-up")


def pytest_configure(config: pytest.Config) -> None:
    keep_freed_memory()  # as a stage's process does
    config.stash[neighbours] = Neighbours()


def pytest_benchmark_update_json(config: pytest.Config, output_json: dict[str, Any]) -> None:
    """Add to pytest-benchmark's own account of the machine what torch runs on, and the machine's other work."""
    output_json["environment"] = {**environment(), "other_work_cores": config.stash[neighbours].cores_used()}


@pytest.fixture
def timed(benchmark: Any, request: pytest.FixtureRequest) -> Timed:
    rounds = request.config.getoption("rounds")

    def run(
        function: Callable[..., object],
        what: str,
        *,
        setup: Callable[[], object] | None = None,
        peer: Peer | None = None,
        images: int = 0,
        flop: float = 0,
    ) -> None:
        peer_seconds: list[float] = []

        def before_each() -> tuple[tuple[object, ...], dict[str, object]]:
            if peer:
                start = time.perf_counter()
                peer.work()
                peer_seconds.append(time.perf_counter() - start)
            return ((setup(),) if setup else ()), {}

        benchmark.pedantic(function, setup=before_each, rounds=rounds, warmup_rounds=1)
        benchmark.extra_info["what"] = what
        if peer and peer_seconds[1:]:  # the first was its warm-up
            benchmark.extra_info.update(peer=peer.name, peer_seconds=statistics.median(peer_seconds[1:]))
        if benchmark.stats is None:  # --benchmark-disable: run once, for its errors
            return
        seconds = benchmark.stats["median"]
        if images:
            benchmark.extra_info.update(images=images, images_per_s=images / seconds)
        if flop:
            benchmark.extra_info.update(gflop=flop / 1e9, gflop_per_s=flop / seconds / 1e9)

    return run


@pytest.fixture
def make_context(tmp_path: Path) -> Callable[[], Context]:
    """Contexts with an empty store each."""

    def make() -> Context:
        return context_in(tmp_path / f"store-{len(list(tmp_path.iterdir()))}")

    return make
