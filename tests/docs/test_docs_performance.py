"""docs/performance.md: its table is made by the script, and holds every benchmark of the suite."""

import re
import subprocess
import sys
from itertools import pairwise
from typing import Any

import pytest

from benchmarks.timings import flops
from benchmarks.timings.table import END, START, insert, render
from synthbench_acgan.model import Generator
from synthbench_torchkit.recipe import Recipe, defaults
from tests.helpers.places import ROOT

PAGE = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")
VGG16 = Recipe("vgg16", weights="none", patience=2, validation=0.2, dropout=0.4, **defaults("vgg16"))


def report(**changes: Any) -> dict[str, Any]:
    """What pytest-benchmark and the suite's conftest write, as far as the table reads it."""
    bench = {
        "name": "test_acgan_step[16]",
        "stats": {"median": 1.5, "min": 0.01234, "max": 2.0, "rounds": 4},
        "extra_info": {
            "what": "a step",
            "images_per_s": 12345.6,
            "gflop": 119.05,
            "gflop_per_s": 79.4,
            "peer": "Keras",
            "peer_seconds": 1.8,
        },
    }
    plain = {
        "name": "test_help",
        "stats": {"median": 0.2, "min": 0.2, "max": 0.2, "rounds": 4},
        "extra_info": {"what": "help"},
    }
    product = {**plain, "name": "test_matrix_product", "extra_info": {"what": "product", "gflop_per_s": 158.8}}
    environment = {
        "versions": {"torch": "2.9"},
        "cores": 2,
        "memory_gb": 25.3,
        "omp_wait_policy": "PASSIVE",
        "torch_threads": 2,
        "vector_instructions": "AVX512",
        "other_work_cores": 0.0,
    }
    machine = {"cpu": {"brand_raw": "A Processor"}, "system": "Linux"}
    return {
        "datetime": "2026-11-23T11:25:47+00:00",
        "commit_info": {"id": "0123456789abcdef", "dirty": False},
        "machine_info": {**machine, "python_implementation": "CPython", "python_version": "3.11.7"},
        "environment": {**environment, **changes},
        "benchmarks": [bench, plain, product],
    }


def test_a_row_for_each_benchmark() -> None:
    rows = [line for line in render(report()).splitlines() if line.startswith("| `")]
    assert rows == [
        "| `acgan_step[16]` | a step | 1.50 s | 12.3 ms - 2.00 s | 12,346 | 79.4 | 50% | Keras | 1.80 s | 1.20 |",
        "| `help` | help | 200 ms | 200 ms - 200 ms |  |  |  |  |  |  |",
        "| `matrix_product` | product | 200 ms | 200 ms - 200 ms |  | 159 | 100% |  |  |  |",
    ]


def test_the_machine_is_named() -> None:
    text = render(report())
    for word in (
        "2026-11-23",
        "A Processor, 2 cores, AVX512",
        "3.11.7",
        "torch 2.9",
        "2 torch threads",
        "0123456;",
    ):
        assert word.rstrip(";") in text
    assert "with changes" not in text


@pytest.mark.parametrize(("used", "loaded"), [(0.02, False), (1.37, True)])
def test_other_work_is_admitted(used: float, loaded: bool) -> None:
    assert ("Measured under load: other work took" in render(report(other_work_cores=used))) is loaded


def test_the_table_replaces_what_stood_between_the_markers() -> None:
    page = f"above\n{START}\nold\n{END}\nbelow {END}\n"
    assert insert(page, "new\n") == f"above\n{START}\nnew\n{END}\nbelow {END}\n"


@pytest.mark.parametrize("page", ["", START, END, f"{END}{START}"])
def test_a_page_without_markers_is_refused(page: str) -> None:
    with pytest.raises(ValueError, match="needs a line"):
        insert(page, "new")


def test_the_page_holds_every_benchmark_of_the_suite() -> None:
    table = PAGE.partition(START)[2].partition(END)[0]
    documented = re.findall(r"^\| `([^`]+)` \|", table, re.MULTILINE)
    assert sorted(documented) == sorted(suite())


def suite() -> list[str]:
    """Names of all benchmarks, as pytest collects them in a process of its own."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "benchmarks/timings",
        "--collect-only",
        "-o",
        "addopts=--import-mode=importlib",
        "-q",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return re.findall(r"::test_(\S+)$", done.stdout, re.MULTILINE)


def vgg16_by_hand() -> float:
    """Of one 64x64 image: 2 k^2 C_in C_out H W over the convolutions, 2 C_in C_out over the head's layers."""
    sides = (64, 32, 16, 8, 4)
    blocks = ((3, 64, 64), (64, 128, 128), (128, 256, 256, 256), (256, 512, 512, 512), (512, 512, 512, 512))
    convolutions = sum(
        2 * 9 * inside * outside * side**2
        for side, block in zip(sides, blocks, strict=True)
        for inside, outside in pairwise(block)
    )
    return convolutions + 2 * (512 * 128 + 128 * 32 + 32)


def test_counted_flops_agree_with_a_count_by_hand() -> None:
    forward = flops.classifier_forward(VGG16, (64, 64, 3), 1)
    assert forward == vgg16_by_hand()
    first_layer = 2 * 9 * 3 * 64 * 64**2  # no gradient goes to the pixels
    assert flops.classifier_step(VGG16, (64, 64, 3), 10) == 10 * (3 * forward - first_layer)


def test_the_floor_stands_in_the_page() -> None:
    figures = {
        "generator, forward": flops.generator_forward(Generator(), 1),
        "generator forward twice and backward once": flops.acgan_step(1),
        "`acgan-tuned` training step": flops.tuned_step(1),
        "VGG16 with head, forward": flops.classifier_forward(VGG16, (64, 64, 3), 1),
        "VGG16 with head, training step": flops.classifier_step(VGG16, (64, 64, 3), 1),
    }
    rows = [line.split("|") for line in PAGE.splitlines() if line.startswith("|")]
    for name, flop in figures.items():
        (row,) = [cells for cells in rows if name in cells[1]]
        assert row[2].strip() == f"{flop / 1e9:.2f}"
        if batch := re.fullmatch(r"(\d+) at (\d+)", row[3].strip()):
            assert round(flop / 1e9 * int(batch[2])) == int(batch[1])
