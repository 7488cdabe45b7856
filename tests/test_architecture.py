"""The house rules of the code: who may import whom, how large things get, what the command line may load."""

import ast
import json
import os
import re
import statistics
import subprocess
import sys
from collections import Counter
from functools import cache
from importlib import import_module

import pytest

import synthbench
from tests.helpers.places import ROOT

CORE = ROOT / "synthbench"
PLUGINS = ROOT / "plugins"
TORCHKIT = "synthbench_torchkit"
HEAVY = {"torch", "torchvision", "timm", "sklearn", "pandas", "scipy", "matplotlib", "kagglehub"}

FLOORS = (
    {"arrays", "grey_levels", "positive", "scale"},
    {"influence"},
    {"fields", "files"},
    {"types", "errors", "seeds", "progress", "version", "stats"},
    {"storage"},
    {"api"},
    {"intake"},
    {"benchmark", "testing", "__init__"},
    {"data"},
    {"leaderboard"},
    {"results"},
    {"runner", "report"},
    {"stress"},
    {"commands"},
    {"cli", "python"},
)
"""The rooms of the core from the ground up: imports go to a lower floor or stay in their room."""

MODULE_LINES, FOLDER_MODULES = 300, 16
FUNCTION_LINES, LONG_LINES, TYPICAL_LINES = 45, 20, 8
"""The longest function, the ninth decile, the median."""


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
        if at_import and isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        yield child
        yield from statements(child, at_import=at_import)


@cache
def parsed(file):
    return ast.parse(file.read_text(encoding="utf-8"))


@cache
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


def ours(file, *, at_import=False):
    """The modules of ours that a file imports, by the most exact name; by default all imports, also for types."""
    return {name for name in imports(file, at_import=at_import) if name in ALL_MODULES}


def room(module):
    """The first name below `synthbench`; the package's own module counts as `__init__`."""
    return module.partition(".")[2].partition(".")[0] or "__init__"


def floor(module):
    return next(n for n, rooms in enumerate(FLOORS) if room(module) in rooms)


@cache
def reaches(module, *, at_import=True):
    """All modules of ours that importing `module` brings in, itself among them."""
    seen, waiting = set(), [module]
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += sorted(ours(ALL_MODULES[name], at_import=at_import))
    return seen


def faults(check, files=ALL_MODULES):
    """{module: what `check` has to say of its file} where it says something."""
    return {name: fault for name, file in files.items() if (fault := check(name, file))}


def test_the_scan_sees_the_code():
    """The tests below would pass on nothing."""
    assert {"synthbench.types", "synthbench.cli", "synthbench.testing.findings"} <= CORE_MODULES.keys()
    assert {f"{TORCHKIT}.backbones", "synthbench_acgan.plugin"} <= PLUGIN_MODULES.keys()
    assert "torch" in tops(imports(PLUGIN_MODULES[f"{TORCHKIT}.backbones"], at_import=True))
    device = CORE_MODULES["synthbench.commands.device"]
    assert "torch" in tops(imports(device))
    assert "torch" not in tops(imports(device, at_import=True))
    assert "synthbench.storage.store" in reaches("synthbench.api.interfaces")
    hookspecs = CORE_MODULES["synthbench.api.hookspecs"]
    assert "synthbench.api.interfaces" in ours(hookspecs), "imports for types count"
    assert "synthbench.api.interfaces" not in ours(hookspecs, at_import=True)
    parse = faults(lambda name, file: name == "synthbench.types" and file.name)
    assert parse == {"synthbench.types": "types.py"}


def test_every_room_has_its_floor():
    rooms = {room(module) for module in CORE_MODULES}
    assert rooms == set.union(*FLOORS)


def test_imports_go_one_way():
    """At the top, inside functions and for types alike: to a lower floor, or within the room.

    The package's table of public names is exempt: its block for type checkers says what it gives out.
    """

    def upward(name, file):
        names = {other for other in ours(file) if other in CORE_MODULES and room(other) != room(name)}
        return sorted(other for other in names if floor(other) >= floor(name))

    assert faults(upward, {n: f for n, f in CORE_MODULES.items() if n != "synthbench"}) == {}


def test_no_two_modules_import_each_other():
    """No circle of any length, whatever the imports are for."""

    def circle(name, file):
        return sorted(
            other
            for other in ours(file)
            if other not in (name, "synthbench") and name in reaches(other, at_import=False)
        )

    assert faults(circle, {n: f for n, f in ALL_MODULES.items() if n != "synthbench"}) == {}


def test_the_core_imports_no_plugin():
    plugins = {package.name for package in PACKAGES}
    assert faults(lambda _, file: tops(imports(file)) & plugins, CORE_MODULES) == {}


def test_the_core_does_not_import_torch_with_itself():
    heavy = {"torch", "torchvision", "timm"}
    assert faults(lambda _, file: tops(imports(file, at_import=True)) & heavy, CORE_MODULES) == {}


def test_errors_and_types_stand_on_nothing():
    errors, types = CORE_MODULES["synthbench.errors"], CORE_MODULES["synthbench.types"]
    assert ours(errors) == ours(CORE_MODULES["synthbench.arrays"]) == set()
    below = ("arrays", "fields", "files", "influence", "positive", "scale")
    assert ours(types) == {f"synthbench.{name}" for name in below}
    assert tops(imports(types)) - set(sys.stdlib_module_names) == {"numpy", "synthbench"}
    assert tops(imports(errors)) <= {"__future__"}


def test_hookspecs_import_pluggy_only():
    names = imports(CORE_MODULES["synthbench.api.hookspecs"], at_import=True)
    assert tops(names) - set(sys.stdlib_module_names) == {"pluggy"}


def test_a_plugin_imports_the_public_core_torchkit_and_itself():
    """As anyone's does: the public names, the conformance suite, the readers, the torchkit; no other plugin."""
    allowed = {"synthbench", "synthbench.testing", "synthbench.intake"}

    def foreign(name, file):
        others = {package.name for package in PACKAGES} - {name.partition(".")[0], TORCHKIT}
        return sorted((tops(imports(file)) & others) | (ours(file) & CORE_MODULES.keys()) - allowed)

    assert faults(foreign, PLUGIN_MODULES) == {}


def test_private_names_stay_in_their_package():
    def private(name, file):
        foreign = {other for other in imports(file) if other.startswith("synthbench")}
        return sorted(
            other
            for other in foreign
            if other.rpartition(".")[2].startswith("_") and other.partition(".")[0] != name.partition(".")[0]
        )

    assert faults(private, PLUGIN_MODULES) == {}


def test_torchkit_has_no_hooks():
    torchkit = modules(PLUGINS / TORCHKIT)
    assert faults(lambda _, file: "hookimpl" in file.read_text(encoding="utf-8"), torchkit) == {}
    assert not (PLUGINS / TORCHKIT / "plugin.py").exists()


def test_every_other_package_is_a_plugin_with_an_entry_point():
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for package in PACKAGES:
        named = f'"{package.name}.plugin"' in project
        assert named == (package.name != TORCHKIT), package.name
        assert f'"plugins/{package.name}"' in project, "left out of the wheel"


def test_plugin_modules_load_nothing_heavy():
    def heavy(name, _):
        return {
            module: found
            for module in reaches(name)
            if (found := tops(imports(ALL_MODULES[module], at_import=True)) & HEAVY)
        }

    assert faults(heavy, {n: f for n, f in PLUGIN_MODULES.items() if n.endswith(".plugin")}) == {}


def test_public_names_are_given_out():
    """What `__all__` promises is there, in the module that the table names, as type checkers are told."""
    told = {
        alias.name: node.module
        for node in ast.walk(parsed(CORE_MODULES["synthbench"]))
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("synthbench.")
        for alias in node.names
    }
    del told["__version__"]
    assert told == synthbench._HOME_OF
    assert sorted(synthbench.__all__) == sorted(told)
    assert all(getattr(synthbench, name).__module__ for name in synthbench.__all__ if name[0].islower())


def functions(file):
    return [node for node in ast.walk(parsed(file)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def length(node):
    return node.end_lineno - node.lineno + 1


def test_modules_stay_small():
    assert faults(lambda _, file: max(0, len(file.read_text("utf-8").splitlines()) - MODULE_LINES)) == {}


def test_folders_stay_small():
    folders = Counter(file.parent for file in ALL_MODULES.values() if file.name != "__init__.py")
    assert {folder.name: count for folder, count in folders.items() if count > FOLDER_MODULES} == {}


def test_functions_stay_short():
    lengths = [length(node) for file in ALL_MODULES.values() for node in functions(file)]
    assert statistics.median(lengths) <= TYPICAL_LINES
    assert statistics.quantiles(lengths, n=10)[-1] <= LONG_LINES
    long = faults(lambda _, file: {n.name: length(n) for n in functions(file) if length(n) > FUNCTION_LINES})
    assert long == {}


def test_every_module_says_what_it_is_for():
    assert faults(lambda _, file: ast.get_docstring(parsed(file)) is None) == {}


def test_functions_say_what_they_return():
    assert faults(lambda _, file: [node.name for node in functions(file) if node.returns is None]) == {}


def test_nothing_is_swallowed():
    """No `except: pass`, no bare `except`, no BaseException caught and dropped."""

    def swallows(_, file):
        handlers = [node for node in ast.walk(parsed(file)) if isinstance(node, ast.ExceptHandler)]
        return [f"line {node.lineno}" for node in handlers if node.type is None or _is_dropped(node)]

    assert faults(swallows) == {}


def _is_dropped(handler):
    idle = all(isinstance(statement, ast.Pass | ast.Continue) for statement in handler.body)
    return idle and ast.unparse(handler.type) in ("Exception", "BaseException")


def test_one_place_opens_pictures():
    """Pillow, left to itself, starts Ghostscript on a file that says it is PostScript."""
    opens = re.compile(r"\bImage\.open\(|\bimread\(")
    scripts = {f"benchmarks.{file.stem}": file for file in (ROOT / "benchmarks").rglob("*.py")}
    found = faults(lambda _, file: opens.search(file.read_text("utf-8")) is not None, ALL_MODULES | scripts)
    found.pop("benchmarks.pictures")  # the peer of a timing, on pictures of our own
    assert found == {"synthbench.api.pictures": True}


def test_what_all_lists_is_there():
    def wrong(name, _):
        module = import_module(name)
        names = getattr(module, "__all__", [])
        return [item for item in names if not hasattr(module, item) or names.count(item) > 1]

    assert faults(wrong, {n: f for n, f in CORE_MODULES.items() if not n.endswith("__main__")}) == {}


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
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # who has it compiles every module at every start
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

    CPU seconds, the best of up to three: on a machine whose other cores are busy even these double.
    """
    limit = 0.5 if command == "help" else 1.0
    bare = min(ask(BARE, [], tmp_path)["cpu"] for _ in range(3))
    assert any(ask(REPORT, COMMANDS[command], tmp_path)["cpu"] - bare < limit for _ in range(3))


def test_help_does_not_wait_for_numpy(tmp_path):
    assert not {"numpy", "pydantic"} & set(ask(REPORT, ["--help"], tmp_path)["loaded"])


# Put together from pieces, so that this file does not hold what it looks for.
REAL_FOLDER = "../" + "shared"
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
    named = [name for name, text in tracked().items() if REAL_FOLDER in text]
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
