"""What the paper prints: Singh, Lala, Macwan, Chaurasia, "Evaluating Auxiliary GANs for Realistic Chest X-ray
Synthesis: A VGG-16 Analysis in Healthcare" (IJCA, 2023)."""

from __future__ import annotations

__all__ = ["CLASSES", "CONFUSION", "LOSSES", "LOSS_COLUMNS", "PRINTED", "report", "righted", "swapped"]

Report = dict[str, float | int | None]

CLASSES = ("NORMAL", "PNEUMONIA")

CONFUSION = ((1326, 15), (743, 3132))
"""Rows true, columns predicted: the only counts of 1341 + 3875 images that give every figure of Table 1."""

PRINTED: Report = {
    "NORMAL precision": 0.99,
    "NORMAL recall": 0.64,
    "NORMAL f1": 0.78,
    "NORMAL support": 2069,
    "PNEUMONIA precision": 0.81,
    "PNEUMONIA recall": 1.00,
    "PNEUMONIA f1": 0.89,
    "PNEUMONIA support": 3147,
    "accuracy": 0.85,
    "balanced accuracy": None,
}
"""Table 1, as it stands."""

LOSS_COLUMNS = ("d_tag", "d_label", "g_tag", "g_label")
LOSSES = {
    0: (0.494, 0.700, 0.163, 0.664),
    1000: (0.272, 0.022, 0.186, 0.008),
    1900: (0.225, 0.017, 0.354, 0.003),
}
"""By step: D tag, D labels, G tag, G labels."""


def righted() -> Report:
    """Table 1 with the true labels given first."""
    return report(CONFUSION)


def swapped() -> Report:
    """Table 1 with the predictions in the place of the true labels: the paper's call."""
    return report(tuple(zip(*CONFUSION, strict=True)))


def report(confusion: tuple[tuple[int, ...], ...]) -> Report:
    """Precision, recall, F1 and support of each class, accuracy and balanced accuracy; rows are the truth."""
    rows: Report = {}
    recalls = []
    for k, name in enumerate(CLASSES):
        hits, said, there = confusion[k][k], sum(row[k] for row in confusion), sum(confusion[k])
        rows |= {f"{name} precision": hits / said, f"{name} recall": hits / there}
        rows |= {f"{name} f1": 2 * hits / (said + there), f"{name} support": there}
        recalls.append(hits / there)
    rows["accuracy"] = sum(confusion[k][k] for k in range(len(CLASSES))) / sum(map(sum, confusion))
    rows["balanced accuracy"] = sum(recalls) / len(recalls)
    return rows
