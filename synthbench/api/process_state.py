"""What foreign code may leave behind in its process: the working folder, torch's switches. Noted and put back.

`ask` calls what is too quick, and called too often, for a process of its own.

Random states are not among them: nobody else's numbers rest on those.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from synthbench.errors import HookError, SynthbenchError, text_of

__all__ = ["ask", "changes", "process_state", "restored", "thread_count"]

State = Mapping[str, Any]

FRESH = {
    "default dtype": "torch.float32",
    "grad mode": True,
    "deterministic algorithms": (False, False),
    "default device": "cpu",
    "cuDNN": (False, False),
}
"""Of a torch that was just imported."""


def process_state() -> dict[str, Any]:
    """By name; of torch only what is known where it is loaded."""
    state: dict[str, Any] = {"working folder": _working_folder(), "flush-denormal": sys.float_info.min / 2 == 0}
    if torch := _torch():
        deterministic = torch.are_deterministic_algorithms_enabled()
        state |= {
            "default dtype": str(torch.get_default_dtype()),
            "grad mode": torch.is_grad_enabled(),
            "deterministic algorithms": (deterministic, torch.is_deterministic_algorithms_warn_only_enabled()),
            "threads": torch.get_num_threads(),
            "default device": str(torch.get_default_device()),
            "cuDNN": (torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark),
        }
    return state


def _torch() -> Any:
    """torch where it is loaded, as a whole: an import of it may be under way, or have failed."""
    torch = sys.modules.get("torch")
    return torch if hasattr(torch, "are_deterministic_algorithms_enabled") else None


def changes(before: State) -> list[str]:
    """ "grad mode: True, now False" of what is not as it was; a torch loaded since is held to its defaults."""
    before = {**FRESH, **before}
    return [
        f"{name}: {before[name]}, now {value}"
        for name, value in process_state().items()
        if _differs(before, name, value)
    ]


def _differs(before: State, name: str, value: Any) -> bool:
    return name in before and before[name] != value


@contextmanager
def restored() -> Iterator[None]:
    """What the block changes is put back when it ends, however it ends."""
    before = process_state()
    try:
        yield
    finally:
        wanted = {**FRESH, **before}
        for name, value in process_state().items():
            if _differs(wanted, name, value):
                _put_back(name, wanted[name])


def ask(plugin: Any, hook: str, *about: Any, to: Callable[[Any], Any] = lambda answer: answer) -> Any:
    """What `plugin.hook(*about)` returns, made `to` a dictionary, say; then the process's state is put back.

    Raises SynthbenchError as the hook does, HookError, which names plugin and hook, for whatever else it raises.
    """
    try:
        with restored():
            return to(getattr(plugin, hook)(*about))
    except SynthbenchError:
        raise
    except (Exception, SystemExit) as error:
        raise HookError(f"`{hook}` of {plugin.name} fails: {type(error).__name__}: {text_of(error)}") from error


def _put_back(name: str, value: Any) -> None:
    if name == "working folder":
        os.chdir(value)
        return
    torch = sys.modules["torch"]
    put: dict[str, Callable[[], object]] = {
        "flush-denormal": lambda: torch.set_flush_denormal(value),
        "default dtype": lambda: torch.set_default_dtype(getattr(torch, value.partition(".")[2])),
        "grad mode": lambda: torch.set_grad_enabled(value),
        "deterministic algorithms": lambda: torch.use_deterministic_algorithms(value[0], warn_only=value[1]),
        "threads": lambda: torch.set_num_threads(value),
        "default device": lambda: torch.set_default_device(None if value == "cpu" else value),
        "cuDNN": lambda: _set_cudnn(torch, *value),
    }
    put[name]()


def _set_cudnn(torch: Any, deterministic: bool, benchmark: bool) -> None:
    torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = deterministic, benchmark


def _working_folder() -> str:
    try:
        return str(Path.cwd())
    except FileNotFoundError:  # it was removed
        return ""


def thread_count() -> int:
    """Threads of a sum on the CPU: torch's where it is loaded, else as many as `OMP_NUM_THREADS` or cores."""
    if torch := _torch():
        return int(torch.get_num_threads())
    wish = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0]
    if wish.isdecimal() and int(wish):
        return int(wish)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
