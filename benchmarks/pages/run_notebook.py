"""Run docs/notebook.ipynb from its first cell to its last, in a folder of its own; fail where a cell raises.

    uv run --group docs python benchmarks/pages/run_notebook.py [--write]

`--write` keeps the outputs in the notebook, without what differs from run to run.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parents[2] / "docs/notebook.ipynb"
LIMIT_S = 600


def main(arguments: list[str]) -> None:
    """Run it, and with `--write` keep what it shows."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    with tempfile.TemporaryDirectory(prefix="synthbench-notebook-") as folder:
        os.environ["SYNTHBENCH_CACHE"] = str(Path(folder) / "cache")
        NotebookClient(notebook, timeout=LIMIT_S, resources={"metadata": {"path": folder}}).execute()
    if "--write" in arguments:
        for cell in notebook.cells:
            cell.metadata.clear()
        notebook.metadata = {"kernelspec": notebook.metadata["kernelspec"]}
        nbformat.write(notebook, NOTEBOOK)


if __name__ == "__main__":
    main(sys.argv[1:])
