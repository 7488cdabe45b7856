"""The command line: each command parses and calls; no logic lives here."""

from __future__ import annotations

import argparse
import errno
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from synthbench import __version__
from synthbench.errors import SynthbenchError

__all__ = ["main"]

OK, SOMETHING_FAILED, USER_ERROR, INTERRUPTED = 0, 1, 2, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point. Exit code 0: all done; 1: a trial or a check failed; 2: a mistake to mend; 130: interrupted."""
    # Idle OpenMP threads that spin steal the core of whoever shares the machine: up to 5x slower training.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    arguments = _parser().parse_args(argv)
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

    validate = commands.add_parser("validate", help="check a benchmark file without running it")
    validate.set_defaults(command=_validate)
    _add_file(validate)

    plugins = commands.add_parser("plugins", help="list the installed plugins")
    plugins.set_defaults(command=_plugins)

    check = commands.add_parser("check", help="run the conformance suite on a plugin")
    check.set_defaults(command=_check)
    check.add_argument("plugin", metavar="NAME|path.py:Class")
    check.add_argument("--set", action="append", default=[], metavar="K=V", help="set an option of the plugin")
    check.add_argument("--device", default="cpu", metavar="auto|cpu|cuda[:N]", help="default: cpu")
    return parser


def _add_file(command: argparse.ArgumentParser) -> None:
    command.add_argument("file", type=Path, metavar="FILE", help="benchmark YAML file")
    command.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="K=V",
        help="override a value, e.g. generators.0.steps=50",
    )


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
    from synthbench.progress import Progress
    from synthbench.run import run
    from synthbench.stages import Workshop
    from synthbench.store import Store, default_root
    from synthbench.terminal import print_board

    out = arguments.out or Path("runs") / bench.name
    store = Store(default_root(), fresh=arguments.fresh)
    shop = Workshop(store, resolve_device(arguments.device), Progress(), out / "data")
    result = run(bench, shop, out, arguments.only)
    print_board(bench, result)
    return SOMETHING_FAILED if result.failed else OK


def _validate(arguments: argparse.Namespace) -> int:
    from synthbench.config import load_benchmark
    from synthbench.plan import make_plan
    from synthbench.registry import load_registry

    bench = load_benchmark(arguments.file, load_registry(), arguments.set)
    print(
        f"{arguments.file}: fine; {len(bench.generators)} generators, {len(bench.evaluators)} evaluators, "
        f"{len(make_plan(bench))} trials"
    )
    return OK


def _plugins(arguments: argparse.Namespace) -> int:  # noqa: ARG001 - every command takes the arguments
    from synthbench.registry import load_registry
    from synthbench.terminal import print_plugins

    print_plugins(load_registry())
    return OK


def _check(arguments: argparse.Namespace) -> int:
    from synthbench.checking import check_named

    return OK if check_named(arguments.plugin, arguments.set, arguments.device) else SOMETHING_FAILED


if __name__ == "__main__":
    sys.exit(main())
