"""The code version: what can change a number counts, what cannot does not."""

import importlib
import sys
from pathlib import Path

import pytest

import synthbench
from synthbench.storage import code_version as code_version_module
from synthbench.storage.code_version import Reading, code_version, read_elsewhere, readings

PLUGIN = '''
"""A plugin."""
import numpy as np
from house.model import layers
from . import helpers

RATE = 2  # per step

def fit(x):
    """Doubles."""
    return x * RATE + layers(x)
'''

HOUSE = {
    "house/__init__.py": "",
    "house/plugin.py": PLUGIN,
    "house/model.py": "from house.blocks import block\n\ndef layers(x):\n    return block(x)\n",
    "house/blocks.py": "def block(x):\n    return x\n",
    "house/helpers.py": "WIDTH = 3\n",
    "house/unused.py": "A = 1\n",
    "neighbour/__init__.py": "",
    "neighbour/plugin.py": "from house.model import layers\n\nB = 1\n",
}


@pytest.fixture
def version(tmp_path, monkeypatch):
    """The code version of house.plugin, with some files written otherwise; as a new process would see it."""
    monkeypatch.syspath_prepend(tmp_path)

    def version(module="house.plugin", **changes):
        files = HOUSE | {f"house/{name}.py": text for name, text in changes.items()}
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        code_version.cache_clear()
        importlib.invalidate_caches()
        forget()
        return code_version(module)

    yield version
    forget()
    code_version.cache_clear()


def forget():
    for name in [n for n in sys.modules if n.partition(".")[0] in ("house", "neighbour", "lodge", "own_file")]:
        del sys.modules[name]


def test_the_same_code_has_the_same_version(version):
    assert version() == version()
    assert len(version()["source"]) == 64


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("  # per step", "  # per epoch"),
        ('"""Doubles."""', '"""Doubles,\n    and adds."""'),
        ('"""A plugin."""\n', ""),
        ('    """Doubles."""\n', ""),
        ("RATE = 2  # per step", 'RATE = 2\n"""A note below the field."""'),
        ("x * RATE + layers(x)", "(\n        x * RATE\n        + layers(x)\n    )"),
        ("\n\n", "\n\n\n\n"),
    ],
)
def test_comments_docstrings_and_layout_do_not_count(version, old, new):
    assert old in PLUGIN
    assert version(plugin=PLUGIN.replace(old, new)) == version()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("RATE = 2", "RATE = 3"),
        ("x * RATE + layers(x)", "x * (RATE + layers(x))"),
        ("def fit(x)", "def fit(x, y=0)"),
        ("import numpy as np\n", ""),
    ],
)
def test_a_line_of_code_counts(version, old, new):
    assert old in PLUGIN
    assert version(plugin=PLUGIN.replace(old, new))["source"] != version()["source"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("model", "from house.blocks import block\n\ndef layers(x):\n    return -block(x)\n"),
        ("blocks", "def block(x):\n    return 2 * x\n"),
        ("helpers", "WIDTH = 4\n"),
    ],
    ids=["imported", "imported by what is imported", "imported relatively"],
)
def test_siblings_that_are_imported_count(version, name, text):
    assert version(**{name: text})["source"] != version()["source"]


def test_siblings_that_nobody_imports_do_not_count(version):
    assert version(unused="A = 2\n") == version()


def test_imports_inside_functions_count(version):
    lazy = PLUGIN.replace("def fit(x):", "def fit(x):\n    from house import unused")
    assert version(plugin=lazy, unused="A = 2\n")["source"] != version(plugin=lazy)["source"]


def test_third_party_packages_count_by_version(version):
    numpy = sys.modules["numpy"].__version__
    assert version()["numpy"] == numpy
    lazy = PLUGIN.replace("def fit(x):", "def fit(x):\n    import yaml, PIL.Image, json")
    found = version(plugin=lazy)
    assert found.keys() == {"source", "numpy", "yaml", "PIL"}
    assert all(found.values())


def test_nothing_is_imported_that_the_module_itself_does_not_import(version):
    lazy = PLUGIN.replace("def fit(x):", "def fit(x):\n    from house import unused")
    version(plugin=lazy)
    assert "house.plugin" in sys.modules
    assert "house.unused" not in sys.modules


def test_the_standard_library_and_the_core_do_not_count(version):
    plain = version(plugin="A = 1\n")
    assert plain.keys() == {"source"}
    assert version(plugin="import json, os.path\nfrom synthbench import save_images\nA = 1\n").keys() == {"source"}


@pytest.mark.parametrize(
    ("line", "packages"),
    [
        ("from synthbench import resize_square\n", {"PIL", "numpy"}),
        ("from synthbench import grouped_split\n", {"numpy"}),
    ],
)
def test_what_decides_numbers_in_the_core_counts(version, line, packages):
    """Pixels, and who is held out: their packages come along, so does their code."""
    assert {"source", *packages} <= version(plugin=line).keys()


def test_where_a_name_of_the_core_lives_does_not_count(version):
    """A module of the core that moves makes nobody compute again."""
    plain = "def fit(x):\n    return resize_square(x, 8, 'pad', antialias=True)\n"
    homes = ("synthbench", "synthbench.api.imaging")
    digests = {home: version(plugin=f"from {home} import resize_square\n{plain}") for home in homes}
    assert digests["synthbench"] == digests["synthbench.api.imaging"]
    assert digests["synthbench"] != version(plugin=f"resize_square = print\n{plain}")


def test_the_library_counts_by_content_and_not_by_its_place(version, monkeypatch, tmp_path):
    line = "from synthbench import grouped_split\nA = 1\n"
    before = version(plugin=line)
    source = Path(synthbench.__file__).with_name("data") / "split.py"
    moved = tmp_path / "elsewhere.py"
    monkeypatch.setitem(code_version_module.CORE_LIBRARY, "split", str(moved))
    moved.write_text(source.read_text())
    assert version(plugin=line) == before
    moved.write_text(source.read_text().replace("rng.permutation(len(sizes))", "range(len(sizes))"))
    assert version(plugin=line)["source"] != before["source"]


@pytest.mark.parametrize(
    ("line", "module"),
    [
        ("from synthbench import find_copies\nA = 1\n", "registration.py"),
        ("from synthbench.intake import Walk\nA = 1\n", "walk.py"),
    ],
)
def test_what_decides_who_copies_and_what_is_read_counts(version, monkeypatch, line, module):
    """Who copies hangs on the audit's modules, those that a plugin does not name as well."""
    before, other = version(plugin=line), version(plugin="A = 1\n")
    read = Path.read_bytes

    def changed(file):
        return read(file) + b"B = 2\n" * (file.name == module)

    monkeypatch.setattr(Path, "read_bytes", changed)
    assert version(plugin=line)["source"] != before["source"]
    assert version(plugin="A = 1\n") == other


def test_another_plugin_that_is_installed_counts_by_version_alone(version, tmp_path):
    (tmp_path / "lodge").mkdir()
    (tmp_path / "lodge" / "__init__.py").write_text("A = 1\n")
    distribution(tmp_path, "lodge-house", "2.5", "lodge")
    with_lodge = PLUGIN + "\nimport lodge\n"
    before = version(plugin=with_lodge)
    assert before["lodge"] == "2.5"
    (tmp_path / "lodge" / "__init__.py").write_text("A = 2\n")
    assert version(plugin=with_lodge) == before


def test_packages_of_one_distribution_are_siblings(version, tmp_path):
    """As our plugins and the torchkit are: what a plugin imports counts, the plugin beside it does not."""
    distribution(tmp_path, "estate", "1.0", "house", "neighbour", "lodge")
    (tmp_path / "lodge").mkdir()
    (tmp_path / "lodge" / "__init__.py").write_text("A = 1\n")
    with_lodge = PLUGIN + "\nimport lodge\n"
    before = version(plugin=with_lodge)
    assert before.keys() == {"source", "numpy"}
    (tmp_path / "lodge" / "__init__.py").write_text("A = 2\n")
    assert version(plugin=with_lodge)["source"] != before["source"]
    assert version("neighbour.plugin", plugin=with_lodge) == version("neighbour.plugin")


def distribution(folder, name, version, *packages):
    """What pip leaves behind beside the packages."""
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    (info / "top_level.txt").write_text("\n".join(packages))


def test_a_changed_plugin_leaves_its_neighbour_alone(version):
    before = version("neighbour.plugin")
    assert version("neighbour.plugin", plugin=PLUGIN.replace("RATE = 2", "RATE = 3")) == before
    assert version("neighbour.plugin", blocks="def block(x):\n    return 2 * x\n") != before


def test_our_plugins_count_their_own_files_and_torch():
    acgan = code_version("synthbench_acgan.plugin")
    assert {"source", "torch"} <= acgan.keys()
    baselines = code_version("synthbench_baselines.plugin")
    assert "sklearn" in baselines
    assert "torch" not in baselines
    assert acgan["source"] != baselines["source"]


def test_a_module_on_the_path_that_no_distribution_brought_counts(version, tmp_path, monkeypatch):
    """PYTHONPATH=src, as research code is laid out: a package and a module of another folder."""
    src = tmp_path / "src"
    (src / "lablib").mkdir(parents=True)
    monkeypatch.syspath_prepend(src)
    plugin = PLUGIN + "\nfrom lablib.nets import DEPTH\nimport labtool\n"

    def with_files(depth, tool):
        (src / "lablib/__init__.py").touch()
        (src / "lablib/nets.py").write_text(f"DEPTH = {depth}\n")
        (src / "labtool.py").write_text(f"TOOL = {tool}\n")
        return version(plugin=plugin)

    first = with_files(1, 1)
    assert first == with_files(1, 1)
    assert first != with_files(2, 1)
    assert first != with_files(1, 2)


def test_what_another_process_has_read_stands_until_a_file_changes(version, monkeypatch):
    own = version()
    files = readings()["house.plugin"].files
    assert {Path(file).stem for file in files} == {"__init__", "plugin", "model", "blocks", "helpers"}
    for known in ("_read_here", "_read_elsewhere"):
        monkeypatch.setattr(code_version_module, known, {})
    read_elsewhere({"house.plugin": Reading({"source": "told"}, files)})
    assert version() == {"source": "told"}
    assert version(helpers="WIDTH = 4\n") not in ({"source": "told"}, own)
    Path(next(file for file in files if file.endswith("blocks.py"))).unlink()
    assert not Reading(own, files).stands()


def test_the_processes_of_a_run_tell_each_other_what_they_have_read(mini, monkeypatch):
    for known in ("_read_here", "_read_elsewhere"):
        monkeypatch.setattr(code_version_module, known, {})
    monkeypatch.setenv("SYNTHBENCH_IN_PROCESS", "0")
    asking = mini.plugin.read_text().replace('called("load")', 'called(code_version("synthbench_select.pool"))')
    mini.plugin.write_text(f"from synthbench import code_version\n{asking}")
    mini.write("MeanNoise")
    assert mini.run() == 0
    told = code_version_module._read_elsewhere["synthbench_select.pool"]
    assert mini.calls()[str(told.version)] == 1
    assert told.stands()
