"""How grey values of many bits become 8: one rule for a whole data set, stated with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["GreyScale"]


@dataclass(frozen=True)
class GreyScale:
    """How the values of files of more than 8 bits became 0-255: one rule for a whole data set.

    bits    what a file declares counts, but no more than these: 12 where no training image exceeds 4095, else 16
            where none exceeds 65535, else 32
    window  (low, high): these values became 0 and 255, whatever the files declare. One that ends above 255 is
            meant for files of more than 8 bits: others beside them keep their own 0-255
    """

    bits: int = 16
    window: tuple[float, float] | None = None

    @classmethod
    def of_record(cls, record: Mapping[str, Any]) -> GreyScale:
        """From JSON, which knows no tuples."""
        window = record.get("window")
        return cls(int(record["bits"]), None if window is None else (window[0], window[1]))

    def ends(self, declared: int | None) -> tuple[float, float]:
        """The values that become 0 and 255 in a file that declares so many bits; None: floating point."""
        deep = declared is None or declared > 8
        if self.window is not None and (deep or self.window[1] <= 255):
            return self.window
        return 0, 2 ** min(declared or self.bits, self.bits) - 1
