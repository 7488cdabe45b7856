"""The command line: each command parses and calls; no logic lives here."""

from __future__ import annotations

import argparse
import errno
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from synthbench import __version__
from synthbench.errors import SynthbenchError

__all__ = ["main"]

if TYPE_CHECKING:
    Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"

OK, SOMETHING_FAILED, USER_ERROR, INTERRUPTED = 0, 1, 2, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point. Exit code 0: all done; 1: something failed or differs; 2: a mistake; 130: interrupted."""
    # Idle OpenMP threads that spin steal the core of whoever shares the machine: up to 5x slower training.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    arguments = _parser().parse_args(argv)
    if getattr(arguments, "offline", False):
        os.environ |= {"SYNTHBENCH_OFFLINE": "1", "HF_HUB_OFFLINE": "1"}
    try:
        code: int = arguments.command(arguments)
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
    return code


def _complain(message: str, code: int = USER_ERROR) -> int:
    print(f"synthbench: {message}", file=sys.stderr)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="synthbench", description="Benchmark generators of synthetic medical images against real ones."
    )
    parser.add_argument("--version", action="version", version=f"synthbench {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_benchmark_commands(commands)
    _add_result_commands(commands)
    _add_plugin_commands(commands)
    return parser


def _add_benchmark_commands(commands: Commands) -> None:
    """Those that take a benchmark file."""
    run = commands.add_parser("run", help="run a benchmark file and write its leaderboard")
    run.set_defaults(command=_run)
    _add_file(run)
    run.add_argument("--out", type=Path, metavar="DIR", help="where results go (default: runs/<benchmark name>)")
    run.add_argument(
        "--only", action="append", default=[], metavar="NAME", help="run this generator only (repeatable)"
    )
    run.add_argument("--device", default="auto", metavar="auto|cpu|cuda[:N]", help="default: auto")
    run.add_argument("--fresh", action="store_true", help="compute everything again, whatever the store holds")
    run.add_argument("--dry-run", action="store_true", help="print the plan and stop")
    _add_offline(run)

    validate = commands.add_parser("validate", help="check a benchmark file without running it")
    validate.set_defaults(command=_validate)
    _add_file(validate)
    _add_offline(validate)

    fetch = commands.add_parser("fetch", help="get the weights and data sets that a benchmark file needs")
    fetch.set_defaults(command=_fetch)
    _add_file(fetch)
    _add_offline(fetch)

    audit = commands.add_parser("audit", help="look for test images that the training set knows")
    audit.set_defaults(command=_audit)
    _add_file(audit)
    audit.add_argument(
        "--out", type=Path, metavar="DIR", help="where audit.csv goes (default: runs/<benchmark name>)"
    )


def _add_result_commands(commands: Commands) -> None:
    """Those that take the folder of a run, or a bundle of one."""
    stress = commands.add_parser("stress", help="make real images worse step by step and see which metric notices")
    stress.set_defaults(command=_stress)
    _add_file(stress)
    stress.add_argument(
        "--out", type=Path, metavar="DIR", help="where results go (default: runs/<benchmark name>-stress)"
    )
    stress.add_argument("--levels", type=int, default=5, metavar="N", help="strengths above 0 (default: 5)")
    stress.add_argument(
        "--images",
        type=int,
        default=1000,
        metavar="N",
        help="most images in each half of the reals (default: 1000)",
    )
    stress.add_argument(
        "--only", action="append", default=[], metavar="NAME", help="this evaluator only (repeatable)"
    )
    stress.add_argument("--device", default="auto", metavar="auto|cpu|cuda[:N]", help="default: auto")
    _add_offline(stress)

    report = commands.add_parser("report", help="write report.html from the folder of a run")
    report.set_defaults(command=_report)
    report.add_argument("folder", type=Path, metavar="DIR", help="a run's folder, also one copied from elsewhere")

    leaderboard = commands.add_parser("leaderboard", help="merge the boards of several runs")
    leaderboard.set_defaults(command=_leaderboard)
    leaderboard.add_argument("runs", nargs="+", type=Path, metavar="DIR", help="folders of runs; the first leads")
    leaderboard.add_argument("--out", type=Path, metavar="DIR", help="write the merged tables there")
    leaderboard.add_argument("--strict", action="store_true", help="refuse runs that cannot be compared (exit 2)")
    _add_plugins(leaderboard)

    diff = commands.add_parser("diff", help="what changed between two runs (exit 0: no number beyond chance)")
    diff.set_defaults(command=_diff)
    diff.add_argument("a", type=Path, metavar="A")
    diff.add_argument("b", type=Path, metavar="B")
    _add_plugins(diff)

    export = commands.add_parser("export", help="pack a run's folder into a bundle that others can check")
    export.set_defaults(command=_export)
    export.add_argument("run", type=Path, metavar="DIR")
    export.add_argument("file", type=Path, metavar="FILE.zip")
    export.add_argument("--weights", action="store_true", help="pack the generators' weights as well")

    verify = commands.add_parser("verify", help="recompute a bundle's numbers (exit 1 where one does not match)")
    verify.set_defaults(command=_verify)
    verify.add_argument("file", type=Path, metavar="FILE.zip")
    _add_plugins(verify)


def _add_plugin_commands(commands: Commands) -> None:
    plugins = commands.add_parser("plugins", help="list the installed plugins")
    plugins.set_defaults(command=_plugins)

    check = commands.add_parser("check", help="run the conformance suite on a plugin")
    check.set_defaults(command=_check)
    check.add_argument("plugin", metavar="NAME|path.py:Class")
    check.add_argument("--set", action="append", default=[], metavar="K=V", help="set an option of the plugin")
    check.add_argument("--device", default="cpu", metavar="auto|cpu|cuda[:N]", help="default: cpu")


def _add_file(command: argparse.ArgumentParser) -> None:
    command.add_argument("file", type=Path, metavar="FILE", help="benchmark YAML file")
    command.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="K=V",
        help="override a value, e.g. generators.0.steps=50",
    )


def _add_offline(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--offline", action="store_true", help="download nothing; say which file is missing and where it goes"
    )


def _add_plugins(command: argparse.ArgumentParser) -> None:
    command.add_argument("--plugins", type=Path, metavar="DIR", help="where evaluators named as file.py:Class lie")


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

    print_packed(export(arguments.run, arguments.file, weights=arguments.weights), str(arguments.file))
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


if __name__ == "__main__":
    sys.exit(main())
