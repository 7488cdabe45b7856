"""`synthbench new`: what it writes passes the conformance suite as it stands; nothing is overwritten or hidden."""

import importlib
import runpy
import sys
import tomllib

import pytest

from synthbench import cli
from synthbench.api.registry import BASES, Registry
from synthbench.cli.arguments import make_parser
from synthbench.commands.check import check
from synthbench.commands.new import IMPORTS, new
from synthbench.errors import ConfigError


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_file_of_each_kind_passes_check(here, capsys):
    for kind in IMPORTS:
        assert cli.main(["new", kind, f"own-{kind}"]) == 0
        use = f"own_{kind}.py:Own{kind.capitalize()}"
        assert f"synthbench check {use}\n" in capsys.readouterr().out
        assert [str(f) for f in check(use) if not f.ok or f.warning] == []
    assert {file.name for file in here.iterdir()} >= {"own_generator.py", "own_evaluator.py", "own_dataset.py"}


@pytest.mark.parametrize("kind", IMPORTS)
def test_a_package_is_found_by_its_entry_point_and_passes_its_own_test(here, monkeypatch, kind):
    plugin = new(kind, f"pack-{kind}", package=True)
    package = here / f"pack-{kind}"
    assert all(file.is_file() for file in plugin.written)
    project = tomllib.loads((package / "pyproject.toml").read_text())
    [(name, module)] = project["project"]["entry-points"]["synthbench"].items()
    monkeypatch.syspath_prepend(package / "src")
    registry = Registry()
    registry.register(importlib.import_module(module), name)
    assert {k: list(registry.names(k)) for k in BASES} == {**{k: [] for k in BASES}, kind: [f"pack-{kind}"]}
    (own_test,) = (package / "tests").iterdir()
    keeps_the_contract = runpy.run_path(str(own_test))["test_it_keeps_the_contract"]
    if kind == "generator":  # the others hold the same code as the files of the test above
        keeps_the_contract()
    for loaded in [m for m in sys.modules if m.startswith(f"pack_{kind}")]:
        del sys.modules[loaded]
    assert plugin.line in (package / "README.md").read_text()


@pytest.mark.parametrize("written", ["my-gan", "my_gan", "MyGan", "My-Gan"])
def test_a_name_may_be_written_as_people_write_it(here, written):
    plugin = new("generator", written)
    assert (plugin.use, plugin.line) == (
        "my_gan.py:MyGan",
        '- {use: "my_gan.py:MyGan", label: my-gan}',
    )


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a b", "cannot be a plugin's name"),
        ("../gan", "cannot be a plugin's name"),
        ("", "cannot be a plugin's name"),
        ("x" * 300, "cannot be a plugin's name"),
        ("acgan", "a generator called 'acgan' is installed already"),
        ("random", "Python has a 'random' of its own; take another name, my-random say"),
        ("class", "Python has a 'class' of its own"),
        ("context", "synthbench has a class 'Context'"),
    ],
)
def test_a_name_that_would_hide_something_is_refused(here, name, message):
    with pytest.raises(ConfigError, match=message):
        new("generator", name)
    assert list(here.iterdir()) == []


@pytest.mark.parametrize("package", [False, True])
def test_nothing_is_overwritten(here, package):
    first = new("dataset", "mine", package=package)
    before = [file.read_bytes() for file in first.written]
    with pytest.raises(ConfigError, match="is there already; nothing was written"):
        new("dataset", "mine", package=package)
    assert [file.read_bytes() for file in first.written] == before


def test_the_parser_knows_the_kinds():
    for kind in IMPORTS:
        assert make_parser().parse_args(["new", kind, "x"]).kind == kind
