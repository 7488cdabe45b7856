"""Version counters: each is part of a key of the store, and counts up when the core changes what it names.

What a plugin computes needs none: the digest of its code is in the key.
"""

__all__ = ["AUDIT", "BOOTSTRAP", "ENTRIES", "EVALUATIONS", "FEATURES", "LABEL_CHECKS", "RUN", "RUN_CHANGES"]

ENTRIES = 1
"""What the entry of any plugin's work (a data set, synthetic images, scores) holds or means."""

EVALUATIONS = 3
"""What the entry of an evaluation holds or means: scores, predictions, evidence."""

FEATURES = 1
"""What the feature service hands an extractor and keeps of it."""

AUDIT = 2
"""What the leak audit finds on the same images."""

BOOTSTRAP = 2
"""How test images are resampled, and how the replicates are kept."""

LABEL_CHECKS = 1
"""What a linear probe of the real images is, and what it is asked."""

RUN = 2
"""What the files of a run's folder hold or mean: `format` in run.json; one without it is of format 1."""

RUN_CHANGES = {
    2: "run.json says what plugins declare and which of two classes is the positive one (it was the last, so that "
    "recall and F1 may speak of the other), equal patient numbers of two data sets are no longer one patient, and "
    "leaderboard.csv is a table of few columns beside intervals.csv and costs.csv",
}
"""What each format changed, in words that follow "since then"."""
