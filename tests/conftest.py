"""Fixtures for all tests: a plugin's surroundings, and a benchmark of tiny plugins in a temporary folder."""

import json
import os
import shutil
import sys
from collections import Counter
from pathlib import Path

# As many workers as cores leave each of them one thread. Read when numpy and torch are loaded, hence above their
# imports; processes that tests start inherit it.
os.environ["OMP_NUM_THREADS"] = "1"
# A process for each stage of hundreds of tiny benchmarks would take minutes: tests of isolation ask for it.
os.environ["SYNTHBENCH_IN_PROCESS"] = "1"
# Where the surroundings forbid bytecode, each of hundreds of processes would compile torch anew: 1.5 s of 3.3.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

import pandas as pd
import pytest
import yaml

from synthbench import cli
from synthbench.leaderboard.score_key import ScoreKey
from synthbench.storage.code_version import code_version
from synthbench.testing import context_in
from tests.helpers.places import HELPERS, REAL_DATA
from tests.helpers.reports import no_report

MINI = HELPERS / "mini.py"


class Mini:
    """A folder with mini.py and bench.yaml, an empty store of its own, and `synthbench run` on it."""

    def __init__(self, folder, monkeypatch):
        self.folder = folder
        self.plugin = folder / "mini.py"
        self.cache = folder / "cache"
        self.out = folder / "out"
        shutil.copy(MINI, self.plugin)
        monkeypatch.setenv("SYNTHBENCH_CACHE", str(self.cache))
        no_report(monkeypatch)

    @property
    def file(self):
        return self.folder / "bench.yaml"

    def write(self, *generators, **changes):
        """A benchmark file; a generator is `Class` or a mapping whose `use` is `Class`; so are the evaluators."""
        content = {
            "name": "mini",
            "samples": 10,
            "headline": "distance.gap",
            "baselines": False,
            "dataset": "Squares",
            "generators": list(generators),
            "evaluators": ["Distance"],
            **changes,
        }
        for key in ("generators", "evaluators", "external"):
            content[key] = [self.entry(e) for e in content.get(key, [])]
        content["dataset"] = self.entry(content["dataset"])
        self.file.write_text(yaml.safe_dump(content, sort_keys=False))

    @staticmethod
    def entry(given):
        options = {"use": given} if isinstance(given, str) else dict(given)
        cls = options["use"]
        return {**options, "use": f"mini.py:{cls}", "label": options.get("label", cls.lower())}

    def run(self, *arguments, out=None):
        """The exit code of `synthbench run`, as a new process would see the plugin file."""
        self.forget()
        return cli.main(["run", str(self.file), "--out", str(out or self.out), "--device", "cpu", *arguments])

    @staticmethod
    def forget():
        """Plugin files are read anew by the next process: have this one do so too."""
        for name in [name for name in sys.modules if name.startswith("synthbench_file_")]:
            del sys.modules[name]
        code_version.cache_clear()

    def calls(self):
        """What the plugins did since the last time this was asked, counted."""
        file = self.folder / "calls.txt"
        lines = file.read_text().splitlines() if file.exists() else []
        file.unlink(missing_ok=True)
        return Counter(lines)

    @property
    def board(self):
        """leaderboard.csv by generator."""
        return pd.read_csv(self.out / "leaderboard.csv").set_index("generator")

    @property
    def numbers(self):
        """The values of intervals.csv: a column a metric ("distance.gap@far"), a row a generator."""
        rows = pd.read_csv(self.out / "intervals.csv", keep_default_na=False, dtype=str)
        rows["name"] = [ScoreKey.of_row(row).name for row in rows.to_dict("records")]
        return rows.assign(value=pd.to_numeric(rows["value"])).pivot_table(
            "value", "generator", "name", dropna=False
        )

    @property
    def scores(self):
        return pd.read_csv(self.out / "scores.csv")

    @property
    def record(self):
        return json.loads((self.out / "run.json").read_text())


@pytest.fixture
def ctx(tmp_path):
    """Surroundings below the test's own folder."""
    return context_in(tmp_path)


@pytest.fixture
def rendered():
    """Asked for by tests that look at plots where others have them bare."""


@pytest.fixture
def bare_plots(request, monkeypatch):
    """Plots are drawn but not rendered, which is what takes time: their files are empty."""
    if "rendered" in request.fixturenames:
        return

    def save(figure, file, **options):
        if isinstance(file, Path):
            file.touch()
        else:
            file.write("<svg></svg>")

    monkeypatch.setattr("matplotlib.figure.Figure.savefig", save)
    monkeypatch.setattr("matplotlib.figure.Figure.draw_without_rendering", lambda figure: None)


@pytest.fixture(scope="session")
def xray_folder(tmp_path_factory):
    """Where the real X-rays stay prepared once a test has loaded them: one folder for all workers."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "xrays"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture
def xray_ctx(xray_folder, monkeypatch):
    """Surroundings for tests that load the real X-rays."""
    monkeypatch.setenv("SYNTHBENCH_DATA", str(REAL_DATA))
    return context_in(xray_folder)


@pytest.fixture
def mini(tmp_path, monkeypatch):
    """A benchmark of tiny plugins, with a store of its own."""
    yield Mini(tmp_path, monkeypatch)
    Mini.forget()
