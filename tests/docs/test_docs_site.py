"""The documentation site: built strictly, complete, readable, and asking for nothing from elsewhere."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import synthbench
import synthbench.testing
from synthbench import stats
from synthbench_fidelity import functional
from tests.helpers.places import ROOT

pytest.importorskip("mkdocstrings", reason="the group `docs` is not installed: uv sync --group docs")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As `mkdocs build --strict` makes it: a dead link, a missing anchor or an unlisted page fails here."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def columns() -> ModuleType:
    """docs/_site holds what MkDocs reads by path, not a package."""
    spec = importlib.util.spec_from_file_location("columns", ROOT / "docs/_site/column_docstrings.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_pages_ask_for_nothing_from_elsewhere(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) > 20
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert not re.findall(r"<(?:script|img|iframe)[^>]+src=\"(?:https?:)?//[^\"]*", text), page.name
        assert not re.findall(r"<link[^>]+href=\"(?:https?:)?//[^\"]*", text), page.name


@pytest.mark.parametrize(
    ("page", "module"),
    [("synthbench", synthbench), ("testing", synthbench.testing), ("metrics", functional), ("stats", stats)],
)
def test_every_public_name_is_on_its_api_page(site: Path, page: str, module: ModuleType) -> None:
    text = (site / "api" / f"{page}.html").read_text(encoding="utf-8")
    identifiers = set(re.findall(r" id=\"([\w.]+)\"", text))
    # A function in a module of its own name, as `stats.utility`, has an identifier with both.
    known = [i.removeprefix(f"{module.__name__}.").split(".") for i in identifiers]
    names = {parts[0] for parts in known if len(set(parts)) == 1}
    assert set(module.__all__) <= names


def test_columns_of_a_docstring_are_items_of_a_list(site: Path, columns: ModuleType) -> None:
    text = (site / "api" / "synthbench.html").read_text(encoding="utf-8")
    assert "<li><code>pixels</code>: uint8 (N, H, W, C)" in text
    docstring = "One image.\n\npixels   uint8\n         (H, W)\nlow, high  0-255\nRaises ValueError. Prose:  so."
    assert columns.as_markdown(docstring).splitlines() == [
        *("One image.", "", "- `pixels`: uint8", "    (H, W)", "- `low, high`: 0-255", ""),
        "Raises ValueError. Prose:  so.",
    ]


def test_code_in_a_docstring_stays_code(columns: ModuleType) -> None:
    text = "In pytest:\n\n    def test_it():\n        check(MyGenerator(steps=2))\n\nNo columns: a b.  c d."
    assert columns.as_markdown(text) == text


def test_links_to_the_repository_lead_to_copies(site: Path) -> None:
    text = (site / "benchmark-file.html").read_text(encoding="utf-8")
    assert 'href="repository/benchmarks/quickstart.yaml.txt"' in text
    copy = site / "repository/benchmarks/quickstart.yaml.txt"
    assert copy.read_bytes() == (ROOT / "benchmarks/quickstart.yaml").read_bytes()


def test_the_notebook_is_a_page_with_its_outputs(site: Path) -> None:
    text = (site / "notebook.html").read_text(encoding="utf-8")
    assert text.count('class="dataframe"') >= 3
    assert 'href="notebook.html"' in (site / "python.html").read_text(encoding="utf-8")
