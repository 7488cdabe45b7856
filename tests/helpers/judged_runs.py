"""SavedRun runs of the plugins in judged.py, for tests of what is done with runs."""

import hashlib
import json
import shutil
from pathlib import Path

import pytest
import yaml

from synthbench import cli
from tests.helpers.reports import no_report

JUDGED = Path(__file__).with_name("judged.py")


class Runs:
    """Runs of benchmarks of these plugins below one folder, with one store; each made once, without its page."""

    def __init__(self, folder):
        self.folder = folder
        shutil.copy(JUDGED, folder / "judged.py")

    def __call__(self, name, *generators, evaluator=None, dataset=None, **changes):
        """The folder, called `name`, of a run of these generators: {"use": "Levels", "label": ..., <options>}."""
        content = {
            "name": "judged",
            "samples": 20,
            "headline": "judge.accuracy",
            "baselines": False,
            "dataset": {"use": "judged.py:Dots", "label": "dots", **(dataset or {})},
            "generators": [{**g, "use": f"judged.py:{g.get('use', 'Levels')}"} for g in generators],
            "evaluators": [{"use": "judged.py:Judge", "label": "judge", **(evaluator or {})}],
            **changes,
        }
        text = yaml.safe_dump(content, sort_keys=False)
        out = self.folder / hashlib.sha256(text.encode()).hexdigest()[:8] / name
        if not out.exists():
            file = self.folder / "bench.yaml"
            file.write_text(text)
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("SYNTHBENCH_CACHE", str(self.folder / "cache"))
                no_report(patch)
                assert cli.main(["run", str(file), "--out", str(out), "--device", "cpu"]) in (0, 1)
        return out


def edited(run, tmp_path, change):
    """A copy of a run under the same name whose run.json `change` has worked on."""
    copy = Path(shutil.copytree(run, tmp_path / "edited" / run.name))
    record = json.loads((copy / "run.json").read_text())
    change(record)
    (copy / "run.json").write_text(json.dumps(record, indent=1) + "\n")
    return copy
