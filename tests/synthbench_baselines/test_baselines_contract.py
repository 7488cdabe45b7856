"""All six through the conformance suite, as they are registered."""

import subprocess
import sys

import pytest

from synthbench.testing import check_generator, tiny_splits
from synthbench_baselines.plugin import register_generators

GENERATORS = {cls.name: cls for cls in register_generators()}


def test_the_six_names():
    ours = {"noise", "shuffled-labels", "resample", "balanced-resample", "pca-gaussian", "smote"}
    assert set(GENERATORS) == ours


@pytest.mark.parametrize("name", GENERATORS)
def test_contract(name):
    findings = check_generator(GENERATORS[name](), tiny_splits(size=16, channels=3))
    assert [str(finding) for finding in findings if finding.warning] == []


def test_importing_the_plugins_imports_no_slow_library():
    code = "import sys, synthbench_baselines.plugin; print({'sklearn', 'scipy', 'torch'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
