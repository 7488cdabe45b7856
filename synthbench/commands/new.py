"""`synthbench new`: the start of a plugin of one's own, as a file or a package, that passes `synthbench check`."""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from string import Template
from typing import Literal, NamedTuple

from synthbench.api.registry import load_registry
from synthbench.errors import ConfigError

__all__ = ["IMPORTS", "NewPlugin", "StartKind", "new"]

StartKind = Literal["generator", "evaluator", "dataset"]

IMPORTS: Mapping[StartKind, tuple[str, ...]] = {
    "generator": ("Context", "Generator", "Images", "Sampler"),
    "evaluator": (
        *("Context", "Evaluation", "Evaluator", "Images"),
        *("Predictions", "Score", "Skipped", "Splits"),
    ),
    "dataset": ("Context", "Dataset", "Images", "Splits"),
}
"""The public names that each template takes from `synthbench`."""

NAME = re.compile(r"(?=.{1,80}$)[A-Za-z][A-Za-z0-9]*(?:[-_][A-Za-z0-9]+)*")


class NewPlugin(NamedTuple):
    """The files that were written, how `synthbench check` names the plugin, and its line in a benchmark file."""

    written: list[Path]
    use: str
    place: str
    line: str


def new(kind: StartKind, name: str, *, package: bool = False, folder: Path | None = None) -> NewPlugin:
    """Write `<name>.py`, or the package folder `<name>/`, into `folder`, by default the current one.

    The name may be written my-gan, my_gan or MyGan. Raises ConfigError where it cannot be a module's name, where
    a plugin or an installed module has it already, or where there is a file of that name: nothing is overwritten.
    """
    folder, plugin = folder or Path(), _Names.of(kind, name)
    target = folder / (plugin.name if package else f"{plugin.module}.py")
    if target.exists() or target.is_symlink():
        raise ConfigError(f"{target} is there already; nothing was written: take another name")
    plugin.refuse_taken()
    contents = plugin.package_files() if package else {"": plugin.plugin_file()}
    for path, text in contents.items():
        file = target / path if path else target
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    use = plugin.name if package else f"{target}:{plugin.cls}"
    return NewPlugin([target / path if path else target for path in contents], use, *plugin.entry(package))


@dataclass(frozen=True)
class _Names:
    """What the new plugin is called: `my-gan` in a benchmark file, `my_gan` as a module, `MyGan` as a class."""

    kind: StartKind
    words: tuple[str, ...]

    @classmethod
    def of(cls, kind: StartKind, name: str) -> _Names:
        if not NAME.fullmatch(name):
            raise ConfigError(f"{name!r} cannot be a plugin's name: write letters, digits and hyphens, my-gan say")
        apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name)
        return cls(kind, tuple(re.split("[-_]", apart.lower())))

    @property
    def name(self) -> str:
        return "-".join(self.words)

    @property
    def module(self) -> str:
        return "_".join(self.words)

    @property
    def cls(self) -> str:
        return "".join(word.capitalize() for word in self.words)

    def refuse_taken(self) -> None:
        """A second plugin of the name is refused when it is installed; a second module hides the first."""
        if self.name in load_registry().names(self.kind):
            raise ConfigError(f"a {self.kind} called {self.name!r} is installed already; take another name")
        if any(map(keyword.iskeyword, (self.module, self.cls))) or find_spec(self.module):
            raise ConfigError(f"Python has a {self.module!r} of its own; take another name, my-{self.name} say")
        if self.cls in (*IMPORTS[self.kind], f"{self.kind.capitalize()}Sampler"):
            raise ConfigError(f"synthbench has a class {self.cls!r}; take another name, my-{self.name} say")

    def plugin_file(self, *, package: bool = False) -> str:
        hook = self._filled("hook.py") if package else ""
        return self._filled(f"{self.kind}.py", "hookimpl" if package else "") + hook

    def package_files(self) -> dict[str, str]:
        """By their path in the package's folder."""
        return {
            "pyproject.toml": self._filled("pyproject.toml"),
            "README.md": self._filled("README.md"),
            f"src/{self.module}/__init__.py": f'"""The {self.kind} `{self.name}` for synthbench."""\n',
            f"src/{self.module}/plugin.py": self.plugin_file(package=True),
            f"tests/test_{self.module}.py": self._filled("test.py"),
        }

    def entry(self, package: bool) -> tuple[str, str]:
        """Where it stands in a benchmark file, and how."""
        use = self.name if package else f'"{self.module}.py:{self.cls}", label: {self.name}'
        if self.kind == "dataset":
            return "as its data set", f"dataset: {{use: {use}}}"
        return f"under `{self.kind}s`", f"- {{use: {use}}}"

    def _filled(self, template: str, *further: str) -> str:
        text = (files("synthbench.commands") / "templates" / f"{template}.tmpl").read_text(encoding="utf-8")
        place, line = self.entry(package=True)
        imports = [name for name in (*IMPORTS[self.kind], *further) if name]
        names = {"kind": self.kind, "name": self.name, "module": self.module, "cls": self.cls}
        base = {"base": self.kind.capitalize(), "imports": ", ".join(imports)}
        return Template(text).substitute(names, place=place, line=line, **base)
