"""What can go wrong, as messages for people.

SynthbenchError          anything the user can mend: printed without a traceback, exit code 2
├── ConfigError          the benchmark file or the command line
├── PluginError          a plugin that cannot be found, imported or registered
│   └── HookError        one whose code fails where the harness only asks it something (`inputs`, `files`)
├── DataError            a data set that is missing, malformed or too broken to use
└── StoreError           the cache folder: full, read-only, damaged
Skipped                  raised by a plugin to say "not applicable here, because ..."
"""

from __future__ import annotations

__all__ = [
    "ConfigError",
    "DataError",
    "HookError",
    "PluginError",
    "Skipped",
    "StoreError",
    "SynthbenchError",
    "text_of",
]


class SynthbenchError(Exception):
    """Base of every error whose message alone tells a user what to do."""


class ConfigError(SynthbenchError):
    """The benchmark file or a command-line option is wrong; names the YAML path."""


class PluginError(SynthbenchError):
    """A plugin cannot be found, imported or registered."""


class HookError(PluginError):
    """A plugin's own code fails where the harness asks it something quick, its `inputs` say."""


class DataError(SynthbenchError):
    """A data set is missing, malformed or has too many unreadable images."""


class StoreError(SynthbenchError):
    """The cache cannot be read or written.

    folder, why  where it is an entry that is damaged: which, and how
    """

    folder: object = None
    why: object = ""

    @classmethod
    def damaged(cls, folder: object, why: object) -> StoreError:
        """The error for an entry that cannot be read."""
        error = cls(f"{folder} is damaged ({why}); delete that folder or run with --fresh")
        error.folder, error.why = folder, why
        return error


class Skipped(Exception):  # noqa: N818 - an outcome, not an error
    """Raised by a generator or evaluator that does not apply; the reason stands on the board."""


def text_of(error: BaseException) -> str:
    """What an exception says; a foreign `__str__` may itself raise."""
    try:
        return str(error)
    except Exception as second:
        return f"(its text cannot be made: {type(second).__name__})"
