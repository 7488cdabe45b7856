"""The benchmark files that come with synthbench go by their names, from a clone and from a wheel."""

import shutil
import tomllib

import pytest

from synthbench import cli
from synthbench.api.registry import load_registry
from synthbench.benchmark import shipped as module
from synthbench.benchmark.config import load_benchmark
from synthbench.benchmark.shipped import benchmark_path, shipped
from synthbench.errors import ConfigError
from tests.helpers.places import ROOT

FILES = sorted((ROOT / "benchmarks").glob("*.yaml"))


def test_a_clone_ships_its_benchmarks():
    assert shipped() == {file.stem: file for file in FILES}
    assert "quickstart" in shipped()


def test_the_wheel_packs_every_benchmark_where_it_is_looked_for():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packed = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    place = module.FOLDERS[0].relative_to(ROOT)
    assert packed == {f"benchmarks/{file.name}": f"{place}/{file.name}" for file in FILES}


def test_an_installed_package_reads_what_was_packed(tmp_path, monkeypatch):
    packed = tmp_path / "shipped"
    packed.mkdir()
    shutil.copy(ROOT / "benchmarks/quickstart.yaml", packed)
    monkeypatch.setattr(module, "FOLDERS", (packed, tmp_path / "no clone"))
    assert shipped() == {"quickstart": packed / "quickstart.yaml"}


def test_what_has_a_suffix_or_is_there_is_a_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert str(benchmark_path("quickstart.yaml")) == "quickstart.yaml"
    assert benchmark_path("quickstart") == shipped()["quickstart"]
    (tmp_path / "quickstart").write_text("")
    assert str(benchmark_path("quickstart")) == "quickstart"


def test_a_name_is_loaded_from_anywhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert load_benchmark("quickstart", load_registry()).name == "quickstart"


def test_an_unknown_name_gets_those_that_there_are(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        ConfigError, match=r"^quikstart: no such file, .* Did you mean 'quickstart'\? There is: cxr"
    ):
        benchmark_path("quikstart")


def test_init_copies_one_and_overwrites_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["init", "quickstart"]) == 0
    copy = tmp_path / "quickstart.yaml"
    assert copy.read_bytes() == shipped()["quickstart"].read_bytes()
    copy.write_text("mine")
    assert cli.main(["init", "quickstart"]) == 2
    assert copy.read_text() == "mine"
    assert "quickstart.yaml is there already and was not overwritten" in capsys.readouterr().err
    assert cli.main(["init", "quick"]) == 2
    assert "There is: cxr, cxr-board, cxr-cpu, cxr-full, quickstart." in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [copy]
