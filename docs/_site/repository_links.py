"""MkDocs hook: what a page links to outside of docs/ is part of the site, as text that any browser shows.

On GitHub `[config](../benchmarks/cxr.yaml)` leads to the file in the repository. Here the file is copied to
`repository/benchmarks/cxr.yaml.txt`, so that MkDocs checks the link and the site needs no network.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

LINK = re.compile(r"\]\((?:\.\./)+([\w./-]+)(#[\w-]+)?\)|\]\((results/[\w./-]+)\)")


def on_files(files: Files, config: Any) -> Files:
    """Add the linked files. A link to none is left as it is, and MkDocs complains."""
    root = Path(config.docs_dir).parent
    texts = [Path(str(file.abs_src_path)).read_text("utf-8") for file in files.documentation_pages()]
    for path in sorted({path for text in texts for path in _linked(text) if (root / path).is_file()}):
        files.append(File.generated(config, _uri(path), abs_src_path=str(root / path)))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:  # noqa: ARG001 - MkDocs' hook
    """Point the links at the copies."""
    up = "../" * page.file.src_uri.count("/")

    def moved(match: re.Match[str]) -> str:
        uri = _uri(_target(match))
        return f"]({up}{uri})" if files.get_file_from_path(uri) else match[0]

    return LINK.sub(moved, markdown)


def _linked(text: str) -> Iterator[str]:
    return (_target(match) for match in LINK.finditer(text))


def _target(match: re.Match[str]) -> str:
    return match[1] or f"docs/{match[3]}"


def _uri(path: str) -> str:
    return f"repository/{path}.txt"
