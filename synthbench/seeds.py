"""Seeds as a hash of who asks, so that adding a generator changes nobody else's numbers."""

from __future__ import annotations

import hashlib

__all__ = ["derive_seed"]


def derive_seed(*who: object) -> int:
    """A seed in 0..2**32-1 (the range scikit-learn accepts) from e.g. (benchmark seed, "generator", label)."""
    text = "\0".join(str(part) for part in who)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")
