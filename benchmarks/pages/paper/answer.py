"""What docs/paper.md opens with: the answer, in numbers from the committed files alone."""

from __future__ import annotations

from blocks import bullets, short
from paper import printed as paper
from paper.results import GAN, VGG
from results import Results, by_seed

__all__ = ["paper_answer"]

MEASURES = ("accuracy", "balanced_accuracy")


def paper_answer(results: Results) -> str:
    """What the reproduction says, one line each."""
    right = paper.righted()
    seen, test = ([_of(results, VGG, metric, where) for metric in MEASURES] for where in ("train", "test"))
    leaked = results.test_sets.set_index("test_set").loc["pneumonia-xray-images"]
    cnn = results.judge("cnn")
    re_split = [_of(results, cnn, "auroc", f"pneumonia-xray-images{part}") for part in ("", "[clean]")]
    lungs = [_of(results, evaluator, "auroc", "test") for evaluator in (cnn, "lungs-masked", "file-geometry")]
    linear = [_with_interval(results, "pca-gaussian", evaluator) for evaluator in (cnn, VGG)]
    gan = [_with_interval(results, GAN, evaluator) for evaluator in (cnn, VGG)]
    again = [_each(results, *what) for what in ((VGG, "auroc"), (cnn, "auroc"), (VGG, MEASURES[1]))]
    luck = by_seed(results, "shuffled-labels", VGG, "auroc")
    return bullets(
        "**The paper's result holds on its own terms.** VGG16 trained on ACGAN images alone, asked about the "
        f"images that the GAN saw: accuracy {seen[0]}, balanced accuracy {seen[1]}. The paper, its table read "
        f"rightly: {short(right['accuracy'])} and {short(right['balanced accuracy'])}.",
        f"**On held-out patients it is worse**: accuracy {test[0]}, balanced accuracy {test[1]} (624 images).",
        "**Nobody can tell the GAN from a linear model.** AUROC, linear against GAN: "
        f"{linear[1]} against {gan[1]} with VGG16, {linear[0]} against {gan[0]} with a small CNN.",
        "**Most of the score needs no lungs.** AUROC of the small CNN on ACGAN images: "
        f"{lungs[0]}; with the lung fields blacked out {lungs[1]}; from the files' geometry alone {lungs[2]}.",
        f"**The re-split that looks like a second test set is none.** The GAN saw {leaked.leaked} of its "
        f"{leaked.images} images; without them the AUROC falls from {re_split[0]} to {re_split[1]}.",
        f"**One training of the GAN says little about the next**: AUROC {again[0]} with VGG16, {again[1]} with "
        f"the small CNN; balanced accuracy {again[2]} with VGG16.",
        f"**One training of a classifier says less than it seems**: {len(luck)} VGG16 trained on real images with "
        f"shuffled labels have an AUROC of {short(min(luck))} to {short(max(luck))}.",
    )


def _of(results: Results, evaluator: str, metric: str, test_set: str) -> str:
    """A number of the ACGAN's."""
    cell = results.cell(GAN, evaluator, metric, test_set)
    assert cell is not None
    return short(cell.value)


def _with_interval(results: Results, generator: str, evaluator: str) -> str:
    cell = results.cell(generator, evaluator, "auroc", "test")
    assert cell is not None
    if str(cell.wide) == "True":
        return f"{short(cell.value)} (seeds {', '.join(short(float(one)) for one in cell.by_seed.split(', '))})"
    return f"{short(cell.value)} ({short(cell.low)}-{short(cell.high)})"


def _each(results: Results, evaluator: str, metric: str) -> str:
    """The values of the trainings of the ACGAN: ".919 and .854"."""
    *first, last = map(short, by_seed(results, GAN, evaluator, metric))
    return " and ".join(filter(None, [", ".join(first), last]))
