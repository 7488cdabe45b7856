"""MkDocs hook: the notebook as a page of the site, with the outputs that it was committed with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files
from nbconvert import MarkdownExporter

NOTEBOOK, PAGE = "notebook.ipynb", "notebook.md"


def on_files(files: Files, config: Any) -> Files:
    """Add the page; the notebook itself stays beside it, to be taken from there."""
    text, _ = MarkdownExporter().from_filename(str(Path(config.docs_dir) / NOTEBOOK))
    files.append(File.generated(config, PAGE, content=text))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Lead links to the page."""
    return markdown if page.file.src_uri == PAGE else markdown.replace(f"]({NOTEBOOK})", f"]({PAGE})")
