"""The house rules of the code: who may import whom, how large things get, what the command line may load."""

import ast
import json
import os
import re
import statistics
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CORE = ROOT / "synthbench"
PLUGINS = ROOT / "plugins"
TORCHKIT = "synthbench_torchkit"
HEAVY = {"torch", "torchvision", "timm", "sklearn", "pandas", "scipy", "matplotlib", "kagglehub"}

CHAIN = ("types", "interfaces", "registry", "config", "plan", "run", "cli")
"""Imports go from right to left only. `errors` stands beside `types`."""

PUBLIC = {
    "context",
    "cutting",
    "errors",
    "extractors",
    "hookspecs",
    "imaging",
    "interfaces",
    "progress",
    "seeds",
    "source",
    "store",
    "testing",
    "types",
    "weights",
}
"""The modules of the core that a plugin may import: the rest is the harness's own affair."""

MODULE_LINES, FUNCTION_LINES, TYPICAL_LINES = 350, 60, 12


def modules(package):
    """{"package.module": its file} of a package folder."""
    return {
        ".".join(file.relative_to(package.parent).with_suffix("").parts).removesuffix(".__init__"): file
        for file in sorted(package.rglob("*.py"))
    }


PACKAGES = sorted(folder for folder in PLUGINS.iterdir() if (folder / "__init__.py").is_file())
CORE_MODULES = modules(CORE)
PLUGIN_MODULES = {name: file for package in PACKAGES for name, file in modules(package).items()}
ALL_MODULES = CORE_MODULES | PLUGIN_MODULES


def statements(tree, *, at_import):
    """Nodes of a module; `at_import`: only those that run when it is imported."""
    for child in ast.iter_child_nodes(tree):
        if at_import and isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            if not at_import:
                yield from statements(child, at_import=False)
            continue
        yield child
        yield from statements(child, at_import=at_import)


@cache
def parsed(file):
    return ast.parse(file.read_text(encoding="utf-8"))


def imports(file, *, at_import=False):
    """Absolute names that a file imports: modules, and the names taken from them as if they were modules."""
    names = set()
    for node in statements(parsed(file), at_import=at_import):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative import"
            names |= {str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def tops(names):
    return {name.partition(".")[0] for name in names}


def inside(names):
    """Of imported names those that are modules of ours: the most exact match."""
    return {name for name in names if name in ALL_MODULES}


@cache
def reaches(module, *, at_import=True):
    """All modules of the core that importing `module` brings in, itself among them."""
    found, waiting = set(), [module]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += sorted(inside(imports(CORE_MODULES[name], at_import=at_import)) & CORE_MODULES.keys())
    return found


def test_the_scan_sees_the_code():
    """The tests below would pass on nothing."""
    assert {"synthbench.types", "synthbench.cli", "synthbench.testing.findings"} <= CORE_MODULES.keys()
    assert {f"{TORCHKIT}.backbones", "synthbench_acgan.plugin"} <= PLUGIN_MODULES.keys()
    assert "torch" in tops(imports(PLUGIN_MODULES[f"{TORCHKIT}.backbones"], at_import=True))
    assert "torch" in tops(imports(CORE_MODULES["synthbench.device"]))
    assert "torch" not in tops(imports(CORE_MODULES["synthbench.device"], at_import=True))
    assert "synthbench.store" in reaches("synthbench.interfaces")


@pytest.mark.parametrize("name", CORE_MODULES)
def test_the_core_imports_no_plugin(name):
    assert not tops(imports(CORE_MODULES[name])) & {package.name for package in PACKAGES}


@pytest.mark.parametrize("name", CORE_MODULES)
def test_the_core_does_not_import_torch_with_itself(name):
    assert not tops(imports(CORE_MODULES[name], at_import=True)) & {"torch", "torchvision", "timm"}


@pytest.mark.parametrize("name", CHAIN)
def test_imports_go_one_way(name):
    """types, errors <- interfaces <- registry <- config <- plan <- run <- cli; through whatever stands between."""
    later = {f"synthbench.{other}" for other in CHAIN[CHAIN.index(name) + 1 :]}
    assert not reaches(f"synthbench.{name}") & later
    assert not inside(imports(CORE_MODULES[f"synthbench.{name}"])) & later, "nor inside a function"


def test_errors_and_types_stand_on_nothing():
    assert inside(imports(CORE_MODULES["synthbench.errors"])) == set()
    assert inside(imports(CORE_MODULES["synthbench.types"])) == set()
    assert tops(imports(CORE_MODULES["synthbench.types"])) - set(sys.stdlib_module_names) == {"numpy"}
    assert tops(imports(CORE_MODULES["synthbench.errors"])) <= {"__future__"}


def test_the_core_has_no_import_cycles():
    for name in CORE_MODULES:
        for other in inside(imports(CORE_MODULES[name], at_import=True)) & CORE_MODULES.keys():
            if "synthbench" in (name, other):  # the package itself gives names out only when asked
                continue
            assert name not in reaches(other) - {other}, f"{name} and {other} import each other"


def test_hookspecs_import_pluggy_only():
    names = imports(CORE_MODULES["synthbench.hookspecs"], at_import=True)
    assert tops(names) - set(sys.stdlib_module_names) == {"pluggy"}


@pytest.mark.parametrize("name", PLUGIN_MODULES)
def test_a_plugin_imports_the_public_core_torchkit_and_itself(name):
    own = name.partition(".")[0]
    found = imports(PLUGIN_MODULES[name])
    assert not tops(found) & {package.name for package in PACKAGES} - {own, TORCHKIT}, "another plugin"
    core = {module.partition(".")[2].partition(".")[0] for module in inside(found) & CORE_MODULES.keys()}
    assert core <= PUBLIC | {""}


@pytest.mark.parametrize("name", PLUGIN_MODULES)
def test_private_names_stay_in_their_package(name):
    own = name.partition(".")[0]
    foreign = {found for found in imports(PLUGIN_MODULES[name]) if found.startswith("synthbench")}
    private = {found for found in foreign if found.rpartition(".")[2].startswith("_")}
    assert {found for found in private if found.partition(".")[0] != own} == set()


def test_torchkit_has_no_hooks():
    for name, file in modules(PLUGINS / TORCHKIT).items():
        assert "synthbench.hookspecs" not in imports(file), name
        assert "synthbench.hookimpl" not in imports(file), name
        assert "hookimpl" not in file.read_text(encoding="utf-8"), name
    assert not (PLUGINS / TORCHKIT / "plugin.py").exists()


def test_every_other_package_is_a_plugin_with_an_entry_point():
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for package in PACKAGES:
        named = f'"{package.name}.plugin"' in project
        assert named == (package.name != TORCHKIT), package.name
        assert f'"plugins/{package.name}"' in project, "left out of the wheel"


PLUGIN_FILES = [name for name in PLUGIN_MODULES if name.endswith(".plugin")]


def import_graph(name):
    """Everything of ours that importing `name` brings in."""
    found, waiting = set(), [name]
    while waiting:
        module = waiting.pop()
        if module not in found:
            found.add(module)
            waiting += sorted(inside(imports(ALL_MODULES[module], at_import=True)))
    return found


@pytest.mark.parametrize("name", PLUGIN_FILES)
def test_plugin_modules_load_nothing_heavy(name):
    for module in import_graph(name):
        heavy = tops(imports(ALL_MODULES[module], at_import=True)) & HEAVY
        assert not heavy, f"{name} loads {module}, which loads {heavy}"


def functions(file):
    return [node for node in ast.walk(parsed(file)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def length(node):
    return node.end_lineno - node.lineno + 1


@pytest.mark.parametrize("name", ALL_MODULES)
def test_modules_and_functions_stay_small(name):
    file = ALL_MODULES[name]
    assert len(file.read_text(encoding="utf-8").splitlines()) <= MODULE_LINES
    assert {node.name: length(node) for node in functions(file) if length(node) > FUNCTION_LINES} == {}


def test_most_functions_are_short():
    lengths = [length(node) for file in ALL_MODULES.values() for node in functions(file)]
    assert statistics.median(lengths) <= TYPICAL_LINES
    assert sum(n > 30 for n in lengths) <= len(lengths) * 0.03


@pytest.mark.parametrize("name", ALL_MODULES)
def test_every_module_says_what_it_is_for(name):
    assert ast.get_docstring(parsed(ALL_MODULES[name]))


@pytest.mark.parametrize("name", ALL_MODULES)
def test_functions_say_what_they_return(name):
    assert [node.name for node in functions(ALL_MODULES[name]) if node.returns is None] == []


@pytest.mark.parametrize("name", ALL_MODULES)
def test_nothing_is_swallowed(name):
    """No `except: pass`, no bare `except`, no BaseException caught and dropped."""
    for node in ast.walk(parsed(ALL_MODULES[name])):
        if isinstance(node, ast.ExceptHandler):
            assert node.type is not None, f"line {node.lineno}: bare except"
            caught = ast.unparse(node.type)
            idle = all(isinstance(statement, ast.Pass | ast.Continue) for statement in node.body)
            assert not (idle and caught in ("Exception", "BaseException")), (
                f"line {node.lineno}: swallows {caught}"
            )


PUBLIC_NAMES = [name for name, file in ALL_MODULES.items() if "__all__" in file.read_text(encoding="utf-8")]


@pytest.mark.parametrize("name", [name for name in PUBLIC_NAMES if name in CORE_MODULES])
def test_what_all_lists_is_there(name):
    module = __import__(name, fromlist=["*"])
    assert [item for item in module.__all__ if not hasattr(module, item)] == []
    assert sorted(set(module.__all__)) == list(module.__all__), "sorted, each once"


COMMANDS = {
    "help": ["--help"],
    "version": ["--version"],
    "plugins": ["plugins"],
    "validate": ["validate", str(ROOT / "benchmarks" / "cxr-cpu.yaml")],
    "dry run": ["run", str(ROOT / "benchmarks" / "quickstart.yaml"), "--dry-run"],
}

REPORT = """
import json, resource, sys
from synthbench.cli import main
try:
    code = main(json.loads(sys.argv[1]))
except SystemExit as end:
    code = end.code
used = resource.getrusage(resource.RUSAGE_SELF)
loaded = sorted({name.partition(".")[0] for name in sys.modules})
print(json.dumps({"code": code, "cpu": used.ru_utime, "loaded": loaded}), file=sys.stderr)
"""
BARE = """
import json, resource, sys
print(json.dumps({"cpu": resource.getrusage(resource.RUSAGE_SELF).ru_utime}), file=sys.stderr)
"""


def ask(script, arguments, folder):
    """Run a script in a new process; what it reports on its last line of stderr."""
    environment = {
        **os.environ,
        "SYNTHBENCH_CACHE": str(folder),
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }
    done = subprocess.run(
        [sys.executable, "-c", script, json.dumps(arguments)],
        capture_output=True,
        text=True,
        check=True,
        cwd=folder,
        env=environment,
    )
    return json.loads(done.stderr.splitlines()[-1])


@pytest.mark.parametrize("command", COMMANDS)
def test_quick_commands_load_no_torch_and_write_nothing(command, tmp_path):
    report = ask(REPORT, COMMANDS[command], tmp_path)
    assert report["code"] == 0
    assert not set(report["loaded"]) & HEAVY
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["help", "plugins", "validate"])
def test_quick_commands_answer_at_once(command, tmp_path):
    """Half a second beyond bare Python on a quiet machine; `--help` keeps that even under load.

    CPU seconds, the best of three: on a machine whose other cores are busy even these double.
    """
    limit = 0.5 if command == "help" else 1.0
    mine = min(ask(REPORT, COMMANDS[command], tmp_path)["cpu"] for _ in range(3))
    bare = min(ask(BARE, [], tmp_path)["cpu"] for _ in range(3))
    assert mine - bare < limit


def test_help_does_not_wait_for_numpy(tmp_path):
    assert not {"numpy", "pydantic"} & set(ask(REPORT, ["--help"], tmp_path)["loaded"])


# Put together from pieces, so that this file does not hold what it looks for.
REAL_DATA = "../" + "shared"
FORBIDDEN = {
    "a path of one machine": re.compile("/" + r"(?:work|home|root|Users|mnt|scratch)/(?!\*)[A-Za-z0-9._-]+/"),
    "the host of a package registry": re.compile(
        "|".join(["py" + r"pi\.org", "python" + "hosted", "regis" + r"try\.npmjs", "anaconda" + r"\.org"])
    ),
}


def tracked():
    """Text files that git knows or would add; the lock file apart, which is no one's writing."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    texts = {}
    for name in listed.stdout.splitlines():
        file = ROOT / name
        if file.is_file() and b"\0" not in (content := file.read_bytes()):
            texts[name] = content.decode("utf-8", errors="replace")
    return texts


def test_only_tests_and_ci_know_where_the_real_images_lie():
    named = [name for name, text in tracked().items() if REAL_DATA in text]
    assert [name for name in named if not name.startswith(("tests/", ".ci/"))] == []


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_names(what):
    found = {name: match[0] for name, text in tracked().items() if (match := FORBIDDEN[what].search(text))}
    assert found == {}


def test_the_forbidden_patterns_match():
    """A pattern that matches nothing holds nothing."""
    assert FORBIDDEN["a path of one machine"].search("see /" + "home/me/data")
    assert not FORBIDDEN["a path of one machine"].search("https://example.com/" + "homework/x/y")
    assert FORBIDDEN["the host of a package registry"].search("https://" + "py" + "pi.org/simple")
