"""Which of two classes metrics speak of: the one with the disease, told by the other's name."""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["positive_of"]

NEGATIVE = frozenset(
    {"normal", "normals", "healthy", "negative", "neg", "control", "controls", "benign"}
) | frozenset({"uninfected", "unaffected", "no finding", "no findings", "nofinding", "no disease"})
"""What a class without the disease is called, in lower case, words apart by one space."""


def positive_of(classes: Sequence[str]) -> str | None:
    """Of two classes the one whose name does not say that nothing is wrong, where the other's does."""
    words = {name: " ".join(re.findall(r"[^\W_]+", name.casefold())) for name in classes}
    unwell = [name for name in classes if words[name] not in NEGATIVE]
    return unwell[0] if len(classes) == 2 and len(unwell) == 1 else None
