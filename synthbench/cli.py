"""The command line: each command parses and calls; no logic lives here."""

from __future__ import annotations

import argparse
import errno
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from synthbench.arguments import make_parser
from synthbench.errors import SynthbenchError

__all__ = ["main"]

OK, SOMETHING_FAILED, USER_ERROR, INTERRUPTED = 0, 1, 2, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point. Exit code 0: all done; 1: something failed or differs; 2: a mistake; 130: interrupted."""
    # Idle OpenMP threads that spin steal the core of whoever shares the machine: up to 5x slower training.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    arguments = make_parser().parse_args(argv)
    if getattr(arguments, "offline", False):
        os.environ |= {"SYNTHBENCH_OFFLINE": "1", "HF_HUB_OFFLINE": "1"}
    try:
        return COMMANDS[arguments.command](arguments)
    except SynthbenchError as error:
        return _complain(str(error))
    except KeyboardInterrupt:
        return _complain(
            "interrupted; what was finished is kept, the same command goes on from there", INTERRUPTED
        )
    except BrokenPipeError:  # whoever reads our output (`| head`) has seen enough; the results lie in their files
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return SOMETHING_FAILED
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS, errno.ENOTDIR, errno.EEXIST):
            raise
        return _complain(
            f"{error.filename}: {error.strerror}; nothing finished is lost, run again when that is mended"
        )


def _complain(message: str, code: int = USER_ERROR) -> int:
    print(f"synthbench: {message}", file=sys.stderr)
    return code


def _run(arguments: argparse.Namespace) -> int:
    from synthbench.config import load_benchmark
    from synthbench.plan import make_plan
    from synthbench.registry import load_registry

    bench = load_benchmark(arguments.file, load_registry(), arguments.set)
    plan = make_plan(bench, arguments.only)
    if arguments.dry_run:
        from synthbench.terminal import print_plan

        print_plan(bench, plan)
        return OK
    from synthbench.device import resolve_device
    from synthbench.fetching import prepare
    from synthbench.progress import Progress
    from synthbench.run import run
    from synthbench.store import Store, default_root
    from synthbench.terminal import print_board
    from synthbench.workshop import Workshop

    progress = Progress()
    prepare(bench, progress)
    out = arguments.out or Path("runs") / bench.name
    store = Store(default_root(), fresh=arguments.fresh)
    shop = Workshop(store, resolve_device(arguments.device), progress, out / "data")
    result = run(bench, shop, out, arguments.only)
    print_board(bench, result)
    return SOMETHING_FAILED if result.failed else OK


def _validate(arguments: argparse.Namespace) -> int:
    from synthbench.config import load_benchmark
    from synthbench.plan import make_plan
    from synthbench.registry import load_registry

    bench = load_benchmark(arguments.file, load_registry(), arguments.set)
    if arguments.offline:
        from synthbench.fetching import prepare
        from synthbench.progress import Progress

        prepare(bench, Progress())
    print(
        f"{arguments.file}: fine; {len(bench.generators)} generators, {len(bench.evaluators)} evaluators, "
        f"{len(make_plan(bench))} trials"
    )
    return OK


def _fetch(arguments: argparse.Namespace) -> int:
    import tempfile

    from synthbench.config import load_benchmark
    from synthbench.fetching import fetch
    from synthbench.progress import Progress
    from synthbench.registry import load_registry
    from synthbench.store import Store, default_root
    from synthbench.workshop import Workshop

    bench = load_benchmark(arguments.file, load_registry(), arguments.set)
    with tempfile.TemporaryDirectory(prefix="synthbench-fetch-") as folder:
        fetch(bench, Workshop(Store(default_root()), "cpu", Progress(), Path(folder)))
    return OK


def _audit(arguments: argparse.Namespace) -> int:
    from synthbench.audit import cached_audit, print_audit, write_audit
    from synthbench.config import load_benchmark
    from synthbench.loading import load_splits
    from synthbench.progress import Progress
    from synthbench.registry import load_registry
    from synthbench.store import Store, default_root
    from synthbench.workshop import Workshop

    bench = load_benchmark(arguments.file, load_registry(), arguments.set)
    out = arguments.out or Path("runs") / bench.name
    shop = Workshop(Store(default_root()), "cpu", Progress(), out / "data")
    found = cached_audit(load_splits(bench, shop), shop)
    print_audit(bench.name, found, write_audit(found, out))
    return OK


def _stress(arguments: argparse.Namespace) -> int:
    from synthbench.config import load_benchmark
    from synthbench.device import resolve_device
    from synthbench.fetching import prepare
    from synthbench.progress import Progress
    from synthbench.registry import load_registry
    from synthbench.store import Store, default_root
    from synthbench.stress import Sweep, print_stress, stress
    from synthbench.workshop import Workshop

    how = Sweep(arguments.levels, arguments.images)
    bench = load_benchmark(arguments.file, load_registry(), arguments.set)
    progress = Progress()
    prepare(bench, progress)
    out = arguments.out or Path("runs") / f"{bench.name}-stress"
    shop = Workshop(Store(default_root()), resolve_device(arguments.device), progress, out / "data")
    done = stress(bench, shop, out, how, arguments.only)
    print_stress(bench, done)
    return SOMETHING_FAILED if done.failures else OK


def _report(arguments: argparse.Namespace) -> int:
    from synthbench.report import write_report

    print(write_report(arguments.folder))
    return OK


def _plugins(arguments: argparse.Namespace) -> int:  # noqa: ARG001 - every command takes the arguments
    from synthbench.registry import load_registry
    from synthbench.terminal import print_plugins

    print_plugins(load_registry())
    return OK


def _leaderboard(arguments: argparse.Namespace) -> int:
    from synthbench.merging import merge, write_merged
    from synthbench.progress import Progress
    from synthbench.statements import print_merged

    merged = merge(arguments.runs, Progress(), arguments.plugins)
    if arguments.strict and merged.refused:
        return _complain("; ".join(f"{run} is not comparable: {why}" for run, why in merged.refused.items()))
    if arguments.out:
        write_merged(merged, arguments.out)
    print_merged(merged)
    return OK


def _diff(arguments: argparse.Namespace) -> int:
    from synthbench.diffing import compare_runs
    from synthbench.progress import Progress
    from synthbench.statements import print_diff

    found = compare_runs(arguments.a, arguments.b, Progress(), arguments.plugins)
    print_diff(found, str(arguments.a), str(arguments.b))
    return SOMETHING_FAILED if found.differs else OK


def _export(arguments: argparse.Namespace) -> int:
    from synthbench.bundle import export
    from synthbench.statements import print_packed

    packed = export(arguments.run, arguments.file, weights=arguments.weights, evidence=not arguments.no_evidence)
    print_packed(packed, str(arguments.file))
    return OK


def _verify(arguments: argparse.Namespace) -> int:
    from synthbench.progress import Progress
    from synthbench.statements import print_verified
    from synthbench.verifying import verify

    found = verify(arguments.file, Progress(), arguments.plugins)
    print_verified(found, str(arguments.file))
    return OK if found.holds else SOMETHING_FAILED


def _check(arguments: argparse.Namespace) -> int:
    from synthbench.checking import check_named

    return OK if check_named(arguments.plugin, arguments.set, arguments.device) else SOMETHING_FAILED


COMMANDS: Mapping[str, Callable[[argparse.Namespace], int]] = {
    "run": _run,
    "validate": _validate,
    "fetch": _fetch,
    "audit": _audit,
    "stress": _stress,
    "report": _report,
    "leaderboard": _leaderboard,
    "diff": _diff,
    "export": _export,
    "verify": _verify,
    "plugins": _plugins,
    "check": _check,
}


if __name__ == "__main__":
    sys.exit(main())
