"""The code version of a plugin: a digest of its module and of all it imports from its own distribution.

Layout, comments and docstrings do not count. Found by reading the import statements, without importing
anything (torch stays out). Third-party packages that the code imports count by version. So a changed line in
a plugin, or a new torch, recomputes what it made, and a changed line in another plugin does not.
"""

from __future__ import annotations

import ast
import hashlib
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module, metadata, util
from pathlib import Path

from synthbench.storage.notebook import notebook_source

__all__ = [
    "FILE_MODULE",
    "SOURCE",
    "Reading",
    "code_of",
    "code_version",
    "core_digest",
    "read_elsewhere",
    "readings",
]


CORE_LIBRARY = {
    "depth": "api/depth.py",
    "imaging": "api/imaging.py",
    "pictures": "api/pictures.py",
    "split": "data/split.py",
}
"""The modules of the core that decide numbers inside plugins (pixels, who is held out), so their code counts.
By a name of their own, so that a module that moves makes nobody compute again."""

CORE_FOLDERS = ("data/audit", "intake")
"""Behind `find_copies`, which decides who copies, and behind what reads folders, tables and arrays: whichever of
these modules a plugin rests on count likewise."""


FILE_MODULE = "synthbench_file_"
"""How the names of modules begin that are read from `path/to/file.py:Class`."""

SOURCE = "__synthbench_source__"
"""Of such a module: the file with the text that it runs, which the user may have edited since."""


@dataclass(frozen=True)
class Reading:
    """What was read of a module: its `code_version`, and the SHA-256 of each file that it rests on.

    A third of a second of work, that each of a run's processes would do again.
    """

    version: dict[str, str]
    files: dict[str, str]

    def stands(self) -> bool:
        """Whether the files are as they were read."""
        try:
            return all(_sha256(Path(file).read_bytes()) == digest for file, digest in self.files.items())
        except OSError:
            return False


_read_here: dict[str, Reading] = {}
_read_elsewhere: dict[str, Reading] = {}


def readings() -> dict[str, Reading]:
    """By module, all that are known: read here, or told by `read_elsewhere`."""
    return {**_read_elsewhere, **_read_here}


def read_elsewhere(known: Mapping[str, Reading]) -> None:
    """Spare this process what another has read on this machine; files that changed since are read again."""
    _read_elsewhere.update(known)


@cache
def core_digest() -> str:
    """SHA-256 of the core's files, templates and all: results that another core put together do not stand."""
    core = Path(__file__).parents[1]
    sha = hashlib.sha256()
    for file in sorted(path for path in core.rglob("*") if path.is_file() and path.suffix != ".pyc"):
        content = file.read_bytes()
        sha.update(f"{file.relative_to(core).as_posix()}\0{len(content)}\0".encode() + content)
    return sha.hexdigest()


@cache
def code_version(module: str) -> dict[str, str]:
    """{"source": sha256, "<package>": version, ...} of everything that `module` runs on.

    The core is left out, `CORE_LIBRARY` apart, and so is where its names are imported from: it moves data, and its
    keys carry version numbers.
    """
    main = sys.modules.get(module) or import_module(module)
    file = Path(str(main.__file__)).resolve()
    if source := getattr(main, SOURCE, None):
        return _read(module, file, Path(source).read_bytes()).version
    known = _read_elsewhere.get(module)
    if not known or not known.stands():
        known = _read_here[module] = _read(module, file, file.read_bytes())
    return known.version


def code_of(cls: type) -> dict[str, str]:
    """The `code_version` of a class's module; of a class defined in a notebook, that of what it rests on there.

    Raises PluginError where its source is not to be had.
    """
    if getattr(sys.modules.get(cls.__module__), "__file__", None):
        return code_version(cls.__module__)
    return _read(cls.__module__, Path.cwd() / "notebook.py", notebook_source(cls.__name__).encode()).version


def _read(module: str, file: Path, source: bytes) -> Reading:
    """A module by its source; `file` says where its siblings lie."""
    files, packages, paths = _closure(module, file, source)
    sha = hashlib.sha256()
    # A plugin file's module is named after its folder (registry), which is no part of its code.
    named = {file.name if name == module and name.startswith(FILE_MODULE) else name: files[name] for name in files}
    for name in sorted(named):
        sha.update(f"{name}\0{_meaning(named[name])}\0".encode())
    versions = {package: _version(package) for package in sorted(packages)}
    version = {"source": sha.hexdigest(), **{name: number for name, number in versions.items() if number}}
    return Reading(version, {str(paths[name]): _sha256(content) for name, content in files.items()})


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _closure(module: str, file: Path, source: bytes) -> tuple[dict[str, bytes], set[str], dict[str, Path]]:
    """Sources of the module and of its siblings it reaches; top-level names of the other packages; the files."""
    root = file.parents[module.count(".") + (file.name == "__init__.py")]
    is_own = _ownership(module.partition(".")[0])
    files: dict[str, bytes] = {}
    paths: dict[str, Path] = {}
    packages: set[str] = set()
    waiting = [(module, file)]
    while waiting:
        name, path = waiting.pop()
        if name in files:
            continue
        paths[name] = path
        files[name] = source if name == module else path.read_bytes()
        for imported in _imports(files[name], name, is_package=path.name == "__init__.py"):
            top = imported.partition(".")[0]
            if top == "synthbench":
                waiting += _core_library(imported)
            elif top in sys.stdlib_module_names:
                continue
            elif not is_own(top) and _version(top):
                packages.add(top)
            elif file_of := _find(imported, root) or _find(imported, _place_on_path(top)):
                waiting.append((imported, file_of))
    return files, packages, paths


def _core_library(imported: str) -> list[tuple[str, Path]]:
    """The module of `CORE_LIBRARY` that an imported name of the core comes from, if any."""
    name = imported.rpartition(".")[2]
    return [(short, file) for short, file in _library_files().items() if name in _exports(file)]


def _library_files() -> dict[str, Path]:
    core = Path(__file__).parents[1]
    files = [file for folder in CORE_FOLDERS for file in sorted((core / folder).glob("[!_]*.py"))]
    of_folders = {f"{file.parent.name} {file.stem}": file for file in files}
    return {short: core / place for short, place in CORE_LIBRARY.items()} | of_folders


@cache
def _exports(file: Path) -> frozenset[str]:
    """What a module lists in `__all__`, and its own name."""
    for statement in ast.parse(file.read_bytes()).body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "__all__":
            return frozenset([*ast.literal_eval(statement.value), file.stem])
    return frozenset([file.stem])


@cache  # plugins share modules
def _meaning(source: bytes) -> str:
    """The source without what cannot change a number: layout, comments, docstrings, imports of the core."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [s for s in body if not (_is_text(s) or _is_core_import(s))]  # type: ignore[attr-defined]
    return ast.dump(tree)


def _is_text(statement: ast.stmt) -> bool:
    """A bare string: a docstring or a note below a field."""
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def _is_core_import(statement: ast.stmt) -> bool:
    """Where a name of the core lives is no part of what a plugin computes."""
    return isinstance(statement, ast.ImportFrom) and str(statement.module).partition(".")[0] == "synthbench"


def _ownership(top: str) -> Callable[[str], bool]:
    """Which top-level packages ship with `top`: its distribution's, or (not installed) its folder's."""
    by_package = _distributions()
    owners = set(by_package.get(top, ()))
    if owners:
        return lambda other: bool(owners & set(by_package.get(other, ())))
    return lambda other: other not in by_package


@cache
def _imports(source: bytes, module: str, *, is_package: bool) -> frozenset[str]:
    """Absolute names of everything that the source imports, submodules tried as well as attributes."""
    package = module if is_package else module.rpartition(".")[0]
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                base = util.resolve_name("." * node.level + base, package)
            names.update({base, *(f"{base}.{alias.name}" for alias in node.names)})
    return frozenset(names - {""})


@cache
def _place_on_path(top: str) -> Path | None:
    """The folder of a top-level module that no distribution brought (PYTHONPATH=src), if there is one."""
    try:
        spec = util.find_spec(top)  # of a top-level name: nothing is imported
    except (ImportError, ValueError):
        return None
    origin = spec.origin if spec and spec.has_location else None
    return Path(origin).parents[int(bool(spec and spec.submodule_search_locations))] if origin else None


def _find(name: str, root: Path | None) -> Path | None:
    """The file of module `name` below `root`, if there is one."""
    if root is None:
        return None
    base = root.joinpath(*name.split("."))
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if path.is_file():
            return path
    return None


def _distributions() -> Mapping[str, list[str]]:
    """Names of the distributions that ship each top-level package."""
    return _distributions_on(tuple(sys.path))


@cache
def _distributions_on(path: tuple[str, ...]) -> Mapping[str, list[str]]:  # noqa: ARG001 - what the cache goes by
    """Reads the file list of everything installed: a tenth of a second each time."""
    return metadata.packages_distributions()


def _version(package: str) -> str:
    names = _distributions().get(package, ())
    return metadata.version(names[0]) if names else ""
