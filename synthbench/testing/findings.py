"""What the conformance suite says: one `Finding` a check, with what to change where it failed."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from synthbench.errors import Skipped, SynthbenchError

__all__ = ["Finding", "Violation", "examine", "require"]

Case = TypeVar("Case")
REST = "the checks after this one were left out"


@dataclass(frozen=True)
class Finding:
    """The result of one check. `ok` with an `advice` is a warning: allowed, but look at it."""

    check: str
    ok: bool
    found: str
    advice: str = ""

    @property
    def warning(self) -> bool:
        """Passed, with something to look at."""
        return self.ok and bool(self.advice)

    def __str__(self) -> str:
        word = "note" if self.warning else "ok" if self.ok else "FAILED"
        change = f"; to change: {self.advice}" if self.advice else ""
        return f"{word}: {self.check}: {self.found}{change}"


class Violation(Exception):  # noqa: N818 - the finding of a check, not a fault of the suite
    """Raised by a check: what was found and what to change; `last` where the checks after it build on this one."""

    def __init__(self, found: str, advice: str, *, warning: bool = False, last: bool = False) -> None:
        super().__init__(found)
        self.found, self.warning, self.last = found, warning, last
        self.advice = f"{advice}; {REST}" if last else advice


def require(fine: bool, found: str, advice: str, *, warning: bool = False, last: bool = False) -> None:
    """Raise a Violation unless `fine`."""
    if not fine:
        raise Violation(found, advice, warning=warning, last=last)


def examine(case: Case, checks: Mapping[str, Callable[[Case], str]]) -> Iterator[Finding]:
    """Run the checks in order. A check returns what it saw, or raises Violation and the next one follows.

    Where the plugin itself raises there is nothing left to look at: that is the last finding.
    """
    for name, check in checks.items():
        finding, go_on = _run(name, check, case)
        yield finding
        if not go_on:
            return


def _run(name: str, check: Callable[[Case], str], case: Case) -> tuple[Finding, bool]:
    try:
        return Finding(name, True, check(case)), True
    except Violation as violation:
        return Finding(name, violation.warning, violation.found, violation.advice), not violation.last
    except Skipped as reason:
        advice = f"run the suite on images it applies to; {REST}"
        return Finding(name, True, f"it says that it does not apply: {reason}", advice), False
    except SynthbenchError as error:
        return Finding(name, False, f"{type(error).__name__}: {error}", f"do what it says; {REST}"), False
    except SystemExit as error:
        advice = f"let it return or raise an error: sys.exit ends a process; {REST}"
        return Finding(name, False, _describe(error), advice), False
    except Exception as error:  # whatever a stranger's plugin raises is the finding
        return Finding(name, False, _describe(error), f"mend what raised; {REST}"), False


def _describe(error: BaseException) -> str:
    """The error and the line that raised it."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno} in {frames[-1].name})" if frames else ""
    return f"{type(error).__name__}: {error}{where}"
