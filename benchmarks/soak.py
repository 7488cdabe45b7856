"""Kill runs, start several at once, damage the store, bring foreign plugins: `python benchmarks/soak.py`.

Each try ends with a run on the same store; it survived where that run ends as it should and its scores.csv has the
bytes of an undisturbed run. Prints the table of docs/reliability.md, and each try that did not survive.
"""

from __future__ import annotations

import argparse
import csv
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

BENCHMARK = """
name: soak
samples: 60
baselines: false
headline: judge.auroc
dataset: {{use: phantom, image_size: 32, train_images: 60, test_images: 40}}
generators: [{first}{{use: pca-gaussian, components: 5}}, {{use: noise}}]
evaluators: [{{{judge}, label: judge}}]
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

FOREIGN = '''
import os, sys
import numpy as np
from synthbench import Generator

class Foreign(Generator):
    """{what}"""
    name = "foreign"

    def fit(self, train, ctx):
        {fit}
        def sampler(labels, rng):
            {sample}
            return np.repeat(train.pixels[:1], len(labels), axis=0)
        return sampler
'''

PLUGINS = {
    "raises in fit": ('raise RuntimeError("no")', "pass"),
    "raises in its sampler": ("pass", 'raise RuntimeError("no")'),
    "an exception without a text": ("class E(Exception):\n            __str__ = None\n        raise E()", "pass"),
    "sys.exit(0)": ("sys.exit(0)", "pass"),
    "os._exit": ("os._exit(0)", "pass"),
    "kills itself": ("os.kill(os.getpid(), 11)", "pass"),
    "os.chdir": ('os.chdir("/")', "pass"),
    "an other type": ("pass", "return None"),
    "floats": ("pass", "return np.zeros((len(labels), *train.shape))"),
    "too few images": ("pass", "return train.pixels[:1]"),
    "changes labels": ("train.labels.flags.writeable = True; train.labels[:] = 0", "pass"),
    "changes torch's default": ("import torch; torch.set_default_dtype(torch.float64)", "pass"),
    "no gradients": ("import torch; torch.set_grad_enabled(False)", "pass"),
    "seeds NumPy": ("np.random.seed(0)", "pass"),
    "fills the log": ('[ctx.log.info("x" * 1000) for _ in range(1000)]', "pass"),
    "deletes its folder": ("import shutil; shutil.rmtree(ctx.workdir)", "pass"),
}


@dataclass
class Soak:
    """A folder for it all, and an undisturbed run to hold the others to."""

    folder: Path
    rng: random.Random
    tries: dict[str, list[str]] = field(default_factory=dict)
    judge: str = "centroid"
    seconds: float = 0.0
    scores: bytes = b""

    def write(self, first: str = "") -> None:
        """The benchmark file, `first` before the other generators."""
        text = BENCHMARK.format(first=first, judge=JUDGES[self.judge])
        (self.folder / "soak.yaml").write_text(text, encoding="utf-8")
        (self.folder / "centroid.py").write_text(CENTROID, encoding="utf-8")

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
    """A plugin that does what it should not; the other rows are those of a run without it."""
    others = rows(soak.scores)
    for what, (fit, sample) in list(PLUGINS.items())[:count]:
        plugin = soak.folder / "foreign.py"
        plugin.write_text(FOREIGN.format(what=what, fit=fit, sample=sample), encoding="utf-8")
        # First on the board and on an empty store: the other rows are made after it, beside what it did.
        soak.write("{use: 'foreign.py:Foreign', label: foreign}, ")
        for name in ("foreign", "foreign-out"):
            shutil.rmtree(soak.folder / name, ignore_errors=True)
        code, said = soak.run("foreign", "foreign-out")
        same = rows(soak.scores_of("foreign-out")) == others
        fault = "" if code in (0, 1) and same else f"{what}: exit code {code}, {'same' if same else 'other'} rows"
        soak.note("a foreign plugin", fault or ("Traceback" if "Traceback" in said else ""))


def rows(scores: bytes) -> list[list[str]]:
    """The rows of a scores.csv that are not the foreign generator's."""
    return [row for row in csv.reader(scores.decode().splitlines()) if "foreign" not in row]


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
        "foreign": (foreign, len(PLUGINS)),
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
