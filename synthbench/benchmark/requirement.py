"""What a board must show to pass: `tstr.auroc>=.8`, `copying=no`; for those who run benchmarks in CI."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Collection
from typing import NamedTuple

from synthbench.api.registry import did_you_mean
from synthbench.errors import ConfigError

__all__ = ["COPYING", "Requirement", "parse_requirement"]

COPYING = "copying"
UTILITY = "utility"
FORM = re.compile(r"\s*(.+?)\s*(>=|<=|>|<|=)\s*([^\s<>=]+)\s*")
"""The comparison is the last one: labels that `matrix` makes hold a "="."""

COMPARED: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}


class Requirement(NamedTuple):
    """`what`, "<evaluator>.<metric>" on test or "utility", held against a number, or `copying` against a word."""

    what: str
    comparison: str
    limit: str

    @classmethod
    def of(cls, text: str) -> Requirement:
        """From its text, whatever it asks for. Raises ConfigError where that is no condition."""
        match = FORM.fullmatch(text)
        if match is None:
            raise ConfigError(f"require: {text!r} is no condition; write tstr.auroc>=.8 or copying=no, say")
        return cls(*match.groups())

    def __str__(self) -> str:
        return f"{self.what} {self.comparison} {self.limit}"

    def holds(self, value: float) -> bool:
        """Whether a number is as required. What is not known (NaN) is not."""
        return COMPARED[self.comparison](value, float(self.limit))


def parse_requirement(text: str, metrics: Collection[str]) -> Requirement:
    """From its text. `metrics`: "<evaluator>.<metric>" of all there are. Raises ConfigError for nonsense."""
    requirement = Requirement.of(text)
    if requirement.what == COPYING:
        if requirement.comparison != "=" or requirement.limit != "no":
            raise ConfigError(f"require: {text!r}: of copying only copying=no can be required")
        return requirement
    if requirement.what not in (*metrics, UTILITY):
        hint = did_you_mean(requirement.what, [*metrics, UTILITY, COPYING])
        raise ConfigError(f"require: {text!r}: no metric {requirement.what!r}.{hint}")
    if not _is_finite(requirement.limit):
        raise ConfigError(f"require: {text!r}: {requirement.limit!r} is no number")
    if requirement.comparison == "=":
        raise ConfigError(f"require: {text!r}: a number is never met exactly; write >= or <=")
    return requirement


def _is_finite(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
