"""Kill runs, start several at once, damage the store, bring foreign plugins: `python benchmarks/studies/soak.py`.

Each try ends with a run on the same store; it survived where that run ends as it should and its scores.csv has the
bytes of an undisturbed run. Prints the table of docs/reliability.md, and each try that did not survive.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from soak_plugins import ACTS, FOREIGN, RETURNS, SCORES

BENCHMARK = """
name: soak
samples: 60
baselines: false
headline: judge.auroc
timeout: 60
memory_limit: 2
dataset: {{{dataset}, label: phantom, image_size: 32, train_images: 60, test_images: 40}}
generators: [{generators}{{use: pca-gaussian, components: 5}}, {{use: noise}}]
evaluators: [{evaluators}{{{judge}, label: judge}}]
"""

JUDGES = {"centroid": "use: 'centroid.py:Centroid'", "tstr": "use: tstr, backbone: cnn, epochs: 1"}
"""The first needs no torch, so a run takes seconds."""

CENTROID = '''
import numpy as np
from synthbench import Evaluation, Evaluator, Predictions, Score

def auroc(p, weights):
    order = p.probabilities[:, 1].argsort(kind="stable")
    w, positive = weights[:, order].astype(float), p.labels[order] == 1
    below = (w * ~positive).cumsum(1)
    pairs = (w * positive).sum(1) * (w * ~positive).sum(1)
    return (w * positive * below).sum(1) / np.maximum(pairs, 1)

class Centroid(Evaluator):
    """Which class mean of the synthetic images is nearer."""
    name = "centroid"
    metrics = {"auroc": "higher"}

    def evaluate(self, real, synthetic, ctx):
        test = real.tests["test"]
        means = [synthetic.pixels[synthetic.labels == k].mean(0) for k in (0, 1)]
        far = [((test.pixels - mean) ** 2).mean((1, 2, 3)) for mean in means]
        p = 1 / (1 + np.exp((far[1] - far[0]) / 100))
        answers = Predictions("test", test.ids, test.groups, test.labels, np.stack([1 - p, p], 1))
        value = float(auroc(answers, np.ones((1, len(test))))[0])
        return Evaluation([Score("auroc", value, "test", len(test))], [answers])

    def resample(self, variants, weights):
        (answers,) = variants.values()
        return {("auroc", ""): auroc(answers, weights)}
'''


@dataclass
class Soak:
    """A folder for it all, and an undisturbed run to hold the others to."""

    folder: Path
    rng: random.Random
    tries: dict[str, list[str]] = field(default_factory=dict)
    judge: str = "centroid"
    seconds: float = 0.0
    scores: bytes = b""

    def write(self, generators: str = "", evaluators: str = "", dataset: str = "use: phantom") -> None:
        """The benchmark file; what is given stands before the other generators and evaluators."""
        of_it = {"generators": generators, "evaluators": evaluators, "dataset": dataset}
        text = BENCHMARK.format(**of_it, judge=JUDGES[self.judge])
        (self.folder / "soak.yaml").write_text(text, encoding="utf-8")
        (self.folder / "centroid.py").write_text(CENTROID, encoding="utf-8")
        foreign = f"ACTS = {ACTS!r}\n{FOREIGN}"
        (self.folder / "foreign.py").write_text(foreign, encoding="utf-8", errors="backslashreplace")

    def start(self, store: str, out: str) -> subprocess.Popen[str]:
        """A run in a session of its own, so that all its processes can be killed."""
        environment = {**os.environ, "SYNTHBENCH_CACHE": str(self.folder / store), "OMP_NUM_THREADS": "1"}
        command = [sys.executable, "-m", "synthbench.cli", "run", str(self.folder / "soak.yaml"), "--out"]
        return subprocess.Popen(
            [*command, str(self.folder / out), "--device", "cpu"],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, store: str, out: str) -> tuple[int, str]:
        """A run to its end: exit code and what it said."""
        process = self.start(store, out)
        said, _ = process.communicate(timeout=600)
        return process.returncode, said

    def reference(self) -> None:
        """The undisturbed run, and how long one takes on an empty store."""
        self.write()
        started = time.monotonic()
        code, said = self.run("reference", "reference-out")
        if code:
            raise SystemExit(f"the undisturbed run failed:\n{said}")
        self.seconds = time.monotonic() - started
        self.scores = self.scores_of("reference-out")

    def scores_of(self, out: str) -> bytes:
        """Its scores.csv, b"" where there is none."""
        path = self.folder / out / "scores.csv"
        return path.read_bytes() if path.exists() else b""

    def note(self, kind: str, fault: str) -> None:
        """Count a try; "" where it survived."""
        self.tries.setdefault(kind, []).append(fault)
        print(f"{kind}: {fault or 'survived'}", flush=True)

    def fault(self, code: int, said: str, out: str) -> str:
        """What is wrong with a run that was to end well."""
        if code or "Traceback" in said:
            return f"exit code {code}: {said[-300:]}"
        return "" if self.scores_of(out) == self.scores else "other numbers"


def kills(soak: Soak, count: int) -> None:
    """SIGKILL for the whole process group at a random moment; the next run goes on, until one is done."""
    soak.write()
    waiting = 0
    while count or waiting:
        process = soak.start("killed", "killed-out")
        if count:
            try:
                process.wait(soak.rng.uniform(0, soak.seconds))
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                count, waiting = count - 1, waiting + 1
        said, _ = process.communicate(timeout=600)
        if process.returncode == -signal.SIGKILL:
            continue
        fault = soak.fault(process.returncode, said, "killed-out")
        left = list((soak.folder / "killed").glob("*/.*"))
        for _ in range(waiting):
            soak.note("killed at a random moment", fault or (f"left {left[0].name}" if left else ""))
        waiting = 0
        for name in ("killed", "killed-out"):
            shutil.rmtree(soak.folder / name, ignore_errors=True)


def together(soak: Soak, count: int) -> None:
    """Two and three runs at once on one empty store; every third time into one folder."""
    soak.write()
    for turn in range(count):
        runs, one = 2 + turn % 2, turn % 3 == 2
        outs = ["one-out" if one else f"{k}-out" for k in range(runs)]
        processes = [soak.start("shared", out) for out in outs]
        ends = [(process, process.communicate(timeout=1200)[0]) for process in processes]
        codes = sorted(process.returncode for process, _ in ends)
        faults = [soak.fault(p.returncode, said, out) for (p, said), out in zip(ends, outs, strict=True)]
        if one:
            faults = [soak.fault(codes[0], "", outs[0])] + [f"exit codes {codes}"] * (set(codes[1:]) != {2})
        kind = f"{runs} runs at once, one folder" if one else f"{runs} runs at once on one store"
        soak.note(kind, "; ".join(filter(None, faults)))
        for name in {"shared", *outs}:
            shutil.rmtree(soak.folder / name, ignore_errors=True)


def damage(soak: Soak, count: int) -> None:
    """A random file of a random entry cut, changed, emptied or removed; then a run."""
    soak.write()
    shutil.copytree(soak.folder / "reference", soak.folder / "damaged")
    for _ in range(count):
        files = sorted(p for p in (soak.folder / "damaged").glob("*/*/**/*") if p.is_file())
        file = soak.rng.choice(files)
        content = bytearray(file.read_bytes())
        how = soak.rng.choice(["cut", "changed", "emptied", "removed"])
        if how == "changed" and content:
            content[soak.rng.randrange(len(content))] ^= 1 << soak.rng.randrange(8)
        cut = {"cut": soak.rng.randrange(len(content) + 1), "emptied": 0}.get(how, len(content))
        file.write_bytes(content[:cut])
        if how == "removed":
            file.unlink()
        shutil.rmtree(soak.folder / "damaged-out", ignore_errors=True)  # what lies there whole needs no store
        code, said = soak.run("damaged", "damaged-out")
        fault = soak.fault(code, said, "damaged-out")
        soak.note("a file of the store damaged", f"{file.name} {how}: {fault}" if fault else "")


def foreign(soak: Soak, count: int) -> None:
    """Plugins that do what they should not; the other rows are those of a run without them.

    All makers stand in one run and all judges in one, before what is compared; a data set has a run of its own.
    """
    makers = [("fits", act, fails) for act, (_, fails) in ACTS.items()]
    makers += [("draws", act, fails) for act, (_, fails) in ACTS.items()]
    makers += [("returns", value, True) for value in RETURNS]
    judges = [("judges", act, fails) for act, (_, fails) in ACTS.items()]
    judges += [("scores", value, True) for value in SCORES]
    data = [(act, fails) for act, (_, fails) in ACTS.items() if act != "flips labels"]
    makers, judges = makers[:count], judges[: max(0, count - len(makers))]
    data = data[: max(0, count - len(makers) - len(judges))]
    if makers:
        soak.write(generators=_entries("Maker", makers))
        _beside_others(soak, "a foreign generator", makers)
    if judges:
        soak.write(evaluators=_entries("Judge", judges, ", generators: [pca-gaussian]"))
        _beside_others(soak, "a foreign evaluator", judges)
    for act, fails in data:
        soak.write(dataset=f"use: 'foreign.py:Data', loads: {json.dumps(act)}")
        code, said = _on_an_empty_store(soak)
        told = said.count("synthbench: dataset phantom: ") == 1 and "Traceback" not in said
        ended = (code == 2 and told) if code or fails else not soak.fault(code, said, "foreign-out")
        fault = "" if ended and not (fails is False and code) else f"{act}: exit code {code}: {said[-300:]}"
        soak.note("a foreign data set", fault)


def _entries(cls: str, acts: list[tuple[str, str, bool | None]], more: str = "") -> str:
    of_each = enumerate(f"{option}: {json.dumps(act)}" for option, act, _ in acts)
    return "".join(f"{{use: 'foreign.py:{cls}', label: foreign-{n}, {what}{more}}}, " for n, what in of_each)


def _on_an_empty_store(soak: Soak) -> tuple[int, str]:
    for name in ("foreign", "foreign-out"):
        shutil.rmtree(soak.folder / name, ignore_errors=True)
    return soak.run("foreign", "foreign-out")


def _beside_others(soak: Soak, kind: str, acts: list[tuple[str, str, bool | None]]) -> None:
    code, said = _on_an_empty_store(soak)
    same = rows(soak.scores_of("foreign-out")) == rows(soak.scores)
    of_all = "" if code in (0, 1) and same and "Traceback (most" not in said else f"exit code {code}, same: {same}"
    file = soak.folder / "foreign-out" / "run.json"
    trials = json.loads(file.read_text(encoding="utf-8"))["trials"] if file.exists() else []
    reasons = [reason for trial in trials for reason in trial["reasons"] if trial["status"] == "failed"]
    for n, (option, act, fails) in enumerate(acts):
        failed = any(reason.startswith(f"foreign-{n}: ") for reason in reasons)
        wrong = "" if fails in (failed, None) else f"its row {'failed' if failed else 'is done'}"
        fault = of_all or wrong
        soak.note(kind, f"{option} {act}: {fault}" if fault else "")


def rows(scores: bytes) -> list[list[str]]:
    """The rows of a scores.csv that are no foreign plugin's."""
    lines = csv.reader(scores.decode().splitlines())
    return [row for row in lines if not any(cell.startswith("foreign-") for cell in row)]


def table(soak: Soak) -> Iterator[str]:
    """Survived of tried, as Markdown."""
    yield "| what | survived | of |"
    yield "| --- | ---: | ---: |"
    for kind, faults in soak.tries.items():
        yield f"| {kind} | {faults.count('')} | {len(faults)} |"


def main() -> int:
    """Exit code 1 where a try did not survive."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parts: dict[str, tuple[Callable[[Soak, int], None], int]] = {
        "kills": (kills, 50),
        "together": (together, 20),
        "damage": (damage, 100),
        "foreign": (foreign, 4 * len(ACTS) - 1 + len(RETURNS) + len(SCORES)),
    }
    for name, (_, count) in parts.items():
        parser.add_argument(f"--{name}", type=int, default=count, metavar="N", help=f"tries (default: {count})")
    parser.add_argument("--seed", type=int, default=0, help="of the moments, files and damage (default: 0)")
    parser.add_argument("--judge", choices=JUDGES, default="centroid", help="who scores (default: centroid)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="synthbench-soak-", ignore_cleanup_errors=True) as folder:
        soak = Soak(Path(folder), random.Random(arguments.seed), judge=arguments.judge)
        soak.reference()
        print(f"an undisturbed run takes {soak.seconds:.0f} s", flush=True)
        for name, (part, _) in parts.items():
            if count := getattr(arguments, name):
                part(soak, count)
    faults = [fault for tries in soak.tries.values() for fault in tries if fault]
    print("\n".join([*(f"did not survive: {fault}" for fault in faults), "", *table(soak)]))
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())
