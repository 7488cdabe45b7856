"""Finds plugins: by name through the entry-point group "synthbench", or as `path/to/file.py:Class`."""

from __future__ import annotations

import atexit
import difflib
import hashlib
import inspect
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module, invalidate_caches, metadata
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

import pluggy

from synthbench.api import hookspecs
from synthbench.api.declarations import name_faults
from synthbench.api.interfaces import Dataset, Evaluator, Extractor, Generator, Plugin
from synthbench.api.paths import seen_from_here
from synthbench.api.process_state import restored
from synthbench.errors import PluginError, text_of
from synthbench.storage.code_version import FILE_MODULE, SOURCE

__all__ = ["Kind", "Registry", "did_you_mean", "load_registry"]

Kind = Literal["dataset", "generator", "evaluator", "extractor"]
BASES: dict[Kind, type[Plugin]] = {
    "dataset": Dataset,
    "generator": Generator,
    "evaluator": Evaluator,
    "extractor": Extractor,
}


def did_you_mean(wrong: str, known: list[str]) -> str:
    """' Did you mean 'x'?' or '', then what there is."""
    close = difflib.get_close_matches(wrong, known, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    return f"{hint} There is: {', '.join(sorted(known)) or 'nothing'}."


class _NameClashError(PluginError):
    """Two plugins of one name: what a file means by it cannot be told."""


class Registry:
    """All registered plugin classes by kind and name.

    strict  read `file.py:Class` from the folder that is given to `find` and from nowhere else, whatever folders
            the name itself holds: for names that a stranger wrote
    """

    def __init__(self, *, strict: bool = False) -> None:
        self._strict = strict
        self._manager = pluggy.PluginManager("synthbench")
        self._manager.add_hookspecs(hookspecs)
        self._classes: dict[Kind, dict[str, type[Plugin]]] = {kind: {} for kind in BASES}
        self._lent: dict[str, type[Plugin]] = {}
        self._broken: dict[str, str] = {}
        self._packages: dict[type[Plugin], str] = {}

    def register(self, module: Any, name: str, package: str = "") -> None:
        """Take in a module (or object) with hook implementations; `package`: where it comes from, with version.

        Raises PluginError for a misspelled hook, a class of the wrong kind or a name that is taken.
        """
        self._refuse_misspelled(module, name)
        try:
            self._manager.register(module, name=name)
            self._manager.check_pending()
        except (ValueError, pluggy.PluginValidationError) as error:
            raise PluginError(f"plugin {name!r}: {error}") from error
        offered = {kind: self._offered(kind, module, name) for kind in BASES}  # all or nothing of a package
        for kind, classes in offered.items():
            for cls in classes:
                self._add(kind, cls, name)
                self._packages[cls] = package

    def leave_out(self, point: str, reason: str) -> None:
        """Note an entry point that cannot be used: whoever asks for a plugin that is not there is told."""
        self._broken[point] = reason

    @property
    def broken(self) -> list[str]:
        """Why installed plugins cannot be used, a line each."""
        return list(self._broken.values())

    def names(self, kind: Kind) -> dict[str, type[Plugin]]:
        """Registered classes of one kind, by name."""
        return dict(sorted(self._classes[kind].items()))

    def lend(self, cls: type[Plugin]) -> str:
        """Take in a class that is at hand, a notebook's say, and return what `use` then says of it.

        That is its name where it is registered, else `module.Class`. It becomes no baseline.
        """
        if any(self._classes[kind].get(getattr(cls, "name", "")) is cls for kind in BASES):
            return cls.name
        self._lent[_where(cls)] = cls
        return _where(cls)

    def package(self, cls: type[Plugin]) -> str:
        """The package that a registered class comes with, and its version: "synthbench-medical 0.1.0"; else ""."""
        return self._packages.get(cls, "")

    def find(self, kind: Kind, use: str, folder: Path | None = None) -> type[Plugin]:
        """The class behind `use`: a registered name, or `file.py:Class` seen from `folder`, else from here."""
        if ".py:" in use:
            file = _strictly(use, folder) if self._strict else _file(use, folder or Path.cwd())
            return _check_class(kind, _from_file(use, file), use)
        if use in self._lent:
            return _check_class(kind, self._lent[use], use)
        if use in self._classes[kind]:
            return self._classes[kind][use]
        other = [k for k in BASES if use in self._classes[k]]
        if other:
            raise PluginError(f"{use!r} is of the kind {other[0]}, not {kind}")
        if use.endswith(".py"):
            raise PluginError(f"{use} is a file; which of its classes? Write {use}:Class")
        missing = f"no {kind} is called {use!r}.{did_you_mean(use, list(self._classes[kind]))}"
        raise PluginError(" ".join([missing, *(f"And {reason}." for reason in self.broken)]))

    def find_file(self, use: str, folder: Path) -> type[Plugin]:
        """The plugin class of any kind behind `file.py:Class`."""
        cls = _from_file(use, _file(use, folder))
        for kind, base in BASES.items():
            if inspect.isclass(cls) and issubclass(cls, base):
                return _check_class(kind, cls, use)
        raise PluginError(
            f"{use}: {cls!r} is no subclass of synthbench.Dataset, Generator, Evaluator or Extractor"
        )

    def _offered(self, kind: Kind, module: Any, name: str) -> list[Any]:
        """What the module's hook returns. Raises PluginError for whatever else it does."""
        hook = f"register_{kind}s"
        others = [plugin for plugin in self._manager.get_plugins() if plugin is not module]
        with _guarded(f"plugin {name!r}: {hook} fails"):
            answers = self._manager.subset_hook_caller(hook, others)()
            if not all(isinstance(classes, Iterable) for classes in answers):
                raise PluginError(f"plugin {name!r}: {hook} must return a list, found {answers[0]!r}")
            return [cls for classes in answers for cls in classes]

    def _add(self, kind: Kind, cls: Any, origin: str) -> None:
        _check_class(kind, cls, f"plugin {origin!r}")
        taken = self._classes[kind].get(cls.name)
        if taken is not None and taken is not cls:
            raise _NameClashError(
                f"two {kind}s are called {cls.name!r}: {_where(taken)} and {_where(cls)}; "
                "rename one or uninstall its package"
            )
        self._classes[kind][cls.name] = cls

    def _refuse_misspelled(self, module: Any, name: str) -> None:
        known = [f"register_{kind}s" for kind in BASES]
        for attribute, value in vars(module).items():
            if not attribute.startswith("register_") or not callable(value):
                continue
            if attribute not in known:
                raise PluginError(f"plugin {name!r}: unknown hook {attribute!r}.{did_you_mean(attribute, known)}")
            if not hasattr(value, "synthbench_impl"):
                raise PluginError(f"plugin {name!r}: {attribute} lacks the decorator @hookimpl of synthbench")


def load_registry(*, strict: bool = False) -> Registry:
    """A registry of everything installed.

    Somebody's entry point that cannot be used is left out, with a warning on standard error: nothing may need it.
    Raises PluginError where two have one name.
    """
    registry = Registry(strict=strict)
    origins: dict[str, str] = {}
    for point in sorted(set(metadata.entry_points(group="synthbench")), key=lambda p: (p.name, p.value)):
        origin = f"{point.value} ({point.dist.name if point.dist else 'unknown distribution'})"
        if point.name in origins:
            raise PluginError(f"two entry points are called {point.name!r}: {origins[point.name]} and {origin}")
        origins[point.name] = origin
        try:
            package = f"{point.dist.name} {point.dist.version}" if point.dist else ""
            registry.register(_loaded(point, origin), point.name, package)
        except _NameClashError:
            raise
        except PluginError as error:
            registry.leave_out(point.name, str(error))
            _warn(f"{error}; it is left out: mend or uninstall its package")
    return registry


def _loaded(point: metadata.EntryPoint, origin: str) -> Any:
    with _guarded(f"plugin {point.name!r} from {origin} cannot be imported"):
        return point.load()


@contextmanager
def _guarded(what: str) -> Iterator[None]:
    """Foreign code, whose working folder and the like are put back. Raises PluginError for whatever it raises, an
    end of the process among it; not for Ctrl-C."""
    try:
        with restored():
            yield
    except (PluginError, KeyboardInterrupt):
        raise
    except BaseException as error:
        raise PluginError(f"{what}: {type(error).__name__}: {text_of(error)}") from error


@cache
def _warn(message: str) -> None:
    """Once in a process."""
    print(f"synthbench: warning: {message}", file=sys.stderr)


def _file(use: str, folder: Path) -> Path:
    """Where the file lies, seen from `folder`. Raises PluginError where it lies in the current one instead."""
    written = use.rpartition(":")[0]
    if elsewhere := seen_from_here(written, folder):
        raise PluginError(elsewhere)
    return folder / Path(written).expanduser()


def _strictly(use: str, folder: Path | None) -> Path:
    """The one place where a file may lie that a stranger names. Raises PluginError where there is none."""
    if folder is None:
        raise PluginError(f"{use} is a file; --plugins FOLDER says where it lies")
    return folder / Path(use).name.rpartition(":")[0]


def _from_file(use: str, path: Path) -> Any:
    name = use.rpartition(":")[2]
    if not path.is_file():
        raise PluginError(f"{use}: no such file; looked for {path}")
    path = path.resolve()
    module = _import_file(path)
    if not hasattr(module, name):
        classes = [n for n, c in vars(module).items() if inspect.isclass(c) and c.__module__ == module.__name__]
        raise PluginError(f"{path} has no class {name!r}.{did_you_mean(name, classes)}")
    return getattr(module, name)


def _import_file(path: Path) -> ModuleType:
    with _guarded(f"{path} cannot be imported"):
        source = path.read_bytes()
        # With its content in the name an edited file is another module, in a notebook that goes on as well.
        name = f"{FILE_MODULE}{hashlib.sha256(str(path).encode() + bytes(1) + source).hexdigest()[:12]}"
        if name in sys.modules:
            return sys.modules[name]
        _make_importable(name, path, source)
        return import_module(name)


def _make_importable(name: str, path: Path, source: bytes) -> None:
    """So that the module can be imported by its name, in processes too that this one or a plugin starts.

    They take over `sys.path`; there they find a module that runs `source` in the file's place: what the file says
    by then, should somebody save it while a run goes on, is not what the store's keys name.
    """
    folder = _modules_folder()
    if folder not in sys.path:
        sys.path.append(folder)
    kept = Path(folder, f"{name}.txt")
    kept.write_bytes(source)
    text = f"__file__, {SOURCE} = {str(path)!r}, {str(kept)!r}\n"
    text += f"exec(compile(open({SOURCE}, 'rb').read(), __file__, 'exec'))\n"
    Path(folder, f"{name}.py").write_text(text, encoding="utf-8")
    invalidate_caches()


@cache
def _modules_folder() -> str:
    folder = tempfile.mkdtemp(prefix="synthbench-plugins-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _check_class(kind: Kind, cls: Any, origin: str) -> type[Plugin]:
    base = BASES[kind]
    if not (inspect.isclass(cls) and issubclass(cls, base)):
        raise PluginError(f"{origin}: {cls!r} is not a subclass of synthbench.{base.__name__}")
    if not isinstance(getattr(cls, "name", None), str):
        raise PluginError(f'{origin}: {_where(cls)} needs a class variable `name: ClassVar[str] = "..."`')
    if missing := sorted(getattr(cls, "__abstractmethods__", ())):
        raise PluginError(f"{origin}: {_where(cls)} does not implement {', '.join(missing)}")
    if faults := name_faults(cls):
        raise PluginError(f"{origin}: {_where(cls)}: {'; '.join(faults)}")
    if kind == "evaluator" and not getattr(cls, "metrics", None):
        raise PluginError(f'{origin}: {_where(cls)} needs `metrics = {{"<metric>": "higher"}}`')
    return cls


def _where(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"
