"""docs/paper.md from a run: `python benchmarks/pages/make_paper_doc.py RUN_DIR`.

Copies the run's small result files to docs/results/cxr-cpu, its pictures to docs/images, draws the two networks,
and rewrites the generated blocks of docs/paper.md and README.md from the copies. Without RUN_DIR it makes
pictures of the networks and blocks anew from what is committed.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from blocks import rewrite
from paper.answer import paper_answer
from paper.figures import draw_grids, plot_losses
from paper.networks import draw_networks
from paper.results import FILES, GAN, VGG, load_results
from paper.tables import BLOCKS, README_BLOCKS
from results import copy_results

DOCS = Path(__file__).parents[2] / "docs"
PAGE, RESULTS, IMAGES = DOCS / "paper.md", DOCS / "results" / "cxr-cpu", DOCS / "images"
README = DOCS.parent / "README.md"
PAGE_BLOCKS = {"answer": paper_answer, **BLOCKS}
MAX_BYTES = 300_000
"""Of one picture."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, nargs="?", help="a finished run of benchmarks/cxr-cpu.yaml")
    run = parser.parse_args().run
    IMAGES.mkdir(parents=True, exist_ok=True)
    draw_networks(IMAGES)
    if run:
        copy_results(run, RESULTS, FILES)
        copy_pictures(run, IMAGES)
    results = load_results(RESULTS)
    PAGE.write_text(rewrite(PAGE.read_text(encoding="utf-8"), results, PAGE_BLOCKS), encoding="utf-8")
    README.write_text(rewrite(README.read_text(encoding="utf-8"), results, README_BLOCKS), encoding="utf-8")
    print(f"{PAGE.name}: written; look at {RESULTS} and {IMAGES} before you commit them")


def copy_pictures(run: Path, target: Path) -> None:
    """Samples, grids by step, losses by step, the VGG16's curves and confusion matrices."""
    trial = run / "trials" / GAN / "seed-0"
    draw_grids([trial / "generator" / "samples.png"], target / "acgan-samples.png")
    draw_grids(sorted((trial / "generator").glob("grid-*.png")), target / "acgan-steps.png")
    plot_losses(trial / "generator" / "losses.csv", target / "acgan-losses.png")
    for plot in ("curves", "confusion"):
        shutil.copyfile(run / "figures" / f"{plot}-{GAN}-{VGG}.png", target / f"acgan-vgg16-{plot}.png")
    for picture in target.iterdir():
        if picture.stat().st_size > MAX_BYTES:
            raise ValueError(f"{picture} has {picture.stat().st_size} bytes, at most {MAX_BYTES} are allowed")


if __name__ == "__main__":
    main()
