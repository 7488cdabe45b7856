"""The reference pages anew: `python benchmarks/pages/make_reference_docs.py`.

Rewrites the generated blocks of docs/command-line.md, docs/benchmark-file.md and docs/plugin-options.md from the
parser and from the models of the benchmark file and of the plugins. Run it when an option is new or has changed.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from blocks import rewrite
from reference_tables import PAGES

DOCS = Path(__file__).parents[2] / "docs"


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    for name, blocks in PAGES.items():
        page = DOCS / name
        page.write_text(rewrite(page.read_text(encoding="utf-8"), None, blocks), encoding="utf-8")
        print(f"{page.name}: written")


if __name__ == "__main__":
    main()
