"""What two workers gain over one on this machine, a thread each: `python benchmarks/studies/two_workers.py`

A run of 24 trials (`noise` on phantoms at 32 px, the small CNN), its data already in the store, by one process
and by `--jobs 2`, in turns. Efficiency is the time of one over twice the time of two. Two cores of a virtual
machine may be two threads of one: so the same is measured of two bare processes that train such a CNN and share
nothing, the most that this machine has to give.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from timed_run import timed_run

BENCHMARK = """
name: workers
seeds: 24
samples: 400
baselines: false
headline: tstr.auroc
dataset: {use: phantom, image_size: 32, train_images: 100, test_images: 100}
generators: [{use: noise}]
evaluators: [{use: tstr, backbone: cnn, epochs: 45, patience: 45}]
"""

BARE = """
import torch
from synthbench_torchkit.backbones import small_cnn
torch.set_num_threads(1)
model, images = small_cnn(), torch.rand(32, 3, 32, 32)
for _ in range(600):
    model(images).sum().backward()
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=2, help="of each, in turns (default: 2)")
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "workers.yaml").write_text(BENCHMARK)
        run(folder, "data", "--set", "seeds=1")
        times: dict[str, list[float]] = {}
        for _ in range(rounds):
            times.setdefault("one worker", []).append(run(folder, "one"))
            times.setdefault("two workers", []).append(run(folder, "two", "--jobs", "2"))
            times.setdefault("one bare process", []).append(bare(1))
            times.setdefault("two bare processes, the work of each", []).append(bare(2))
    for what, seconds in times.items():
        print(f"{what}: {', '.join(f'{one:.1f}' for one in seconds)} s")
    one, two, bare_one, bare_two = map(statistics.median, times.values())
    print(f"efficiency {one / (2 * two):.2f}; of bare processes {bare_one / bare_two:.2f}")


def run(folder: Path, name: str, *options: str) -> float:
    """Seconds of a run on the store that `data` has left, or on an empty one."""
    store = folder / f"store-{name}"
    if name != "data":
        shutil.rmtree(store, ignore_errors=True)
        shutil.copytree(folder / "store-data", store)
    out = folder / f"out-{name}"
    shutil.rmtree(out, ignore_errors=True)
    return timed_run(folder / "workers.yaml", out, store, *options, OMP_NUM_THREADS="1")


def bare(processes: int) -> float:
    """Seconds until so many processes have each done their work."""
    begun = time.perf_counter()
    started = [subprocess.Popen([sys.executable, "-c", BARE]) for _ in range(processes)]
    for process in started:
        process.wait()
    return time.perf_counter() - begun


if __name__ == "__main__":
    main()
