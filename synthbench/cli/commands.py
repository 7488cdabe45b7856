"""The command line: each command parses and calls; no logic lives here."""

from __future__ import annotations

import argparse
import errno
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec

from synthbench.cli.arguments import make_parser
from synthbench.cli.exit_codes import INTERRUPTED, OK, SOMETHING_FAILED, TERMINATED, USER_ERROR
from synthbench.cli.running import run, score
from synthbench.cli.shared_work import limits_of, plan, work
from synthbench.cli.surroundings import Terminated, drop_output, say, show_what_can_be_shown, terminable
from synthbench.commands.device import let_idle_threads_sleep
from synthbench.errors import SynthbenchError
from synthbench.progress import plain

__all__ = ["main"]

DISKS_FAULT = (
    *(errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS),
    *(errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENAMETOOLONG),
)
KEPT = "what was finished is kept, the same command goes on from there"


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; the exit code.

    0: all done; 1: something failed or differs; 2: a mistake; 3: a requirement missed; 130: Ctrl-C; 143: SIGTERM.
    """
    let_idle_threads_sleep()
    arguments = make_parser().parse_args(argv)
    if getattr(arguments, "offline", False):
        os.environ |= {"SYNTHBENCH_OFFLINE": "1", "HF_HUB_OFFLINE": "1"}
    show_what_can_be_shown()
    try:
        with terminable():
            code = COMMANDS[arguments.command](arguments)
            sys.stdout.flush()  # while what hinders it can still be told
            return code
    except SynthbenchError as error:
        return _complain(str(error))
    except Terminated:
        return _complain(f"ended from outside (SIGTERM); {KEPT}", TERMINATED)
    except KeyboardInterrupt:
        return _complain(f"interrupted; {KEPT}", INTERRUPTED)
    except BrokenPipeError:  # whoever reads our output (`| head`) has seen enough; the results lie in their files
        drop_output()
        return SOMETHING_FAILED
    except OSError as error:
        if error.errno not in DISKS_FAULT:
            raise
        where = f"{error.filename}: " if error.filename else "standard output: " * _output_is_stuck()
        return _complain(f"{where}{error.strerror}; nothing finished is lost, run again when that is mended")


def _output_is_stuck() -> bool:
    """Whether standard output takes not even an empty line more; what else was to go there is then dropped."""
    try:
        print(flush=True)
    except OSError:
        drop_output()
        return True
    return False


def _complain(message: str, code: int = USER_ERROR) -> int:
    print(plain(f"synthbench: {message}"), file=sys.stderr)
    return code


def _validate(arguments: argparse.Namespace) -> int:
    from synthbench.benchmark.declared import counted_roles
    from synthbench.commands.validate import validate

    bench, plan = validate(arguments.file, overrides=arguments.set, offline=arguments.offline)
    roles = counted_roles([generator.declared.role for generator in bench.generators])
    evaluators = f"{len(bench.evaluators)} evaluator{'s' * (len(bench.evaluators) > 1)}"
    say(f"{arguments.file}: fine; {roles}; {evaluators}; {len(plan)} trials")
    return OK


def _fetch(arguments: argparse.Namespace) -> int:
    from synthbench.cli.print_run import print_fetched
    from synthbench.commands.fetch import fetch

    print_fetched(fetch(arguments.file, overrides=arguments.set))
    return OK


def _export_train(arguments: argparse.Namespace) -> int:
    from synthbench.cli.print_run import print_exported
    from synthbench.commands.export_train import export_train

    print_exported(export_train(arguments.file, arguments.folder, overrides=arguments.set))
    return OK


def _init(arguments: argparse.Namespace) -> int:
    from synthbench.commands.init import init

    copy = init(arguments.name)
    say(f"{copy}: written; edit it, then: synthbench run {copy}")
    return OK


def _audit(arguments: argparse.Namespace) -> int:
    from synthbench.cli.print_audit import print_audit
    from synthbench.commands.audit import audit

    audited = audit(arguments.file, out=arguments.out, overrides=arguments.set)
    print_audit(audited)
    return SOMETHING_FAILED if audited.leaking else OK


def _stress(arguments: argparse.Namespace) -> int:
    from synthbench.cli.print_stress import print_stress
    from synthbench.commands.stress import stress

    name, stressed = stress(
        arguments.file,
        levels=arguments.levels,
        images=arguments.images,
        out=arguments.out,
        only=arguments.only,
        overrides=[*arguments.set, *limits_of(arguments)],
        device=arguments.device,
        in_process=arguments.in_process,
    )
    print_stress(name, stressed)
    return SOMETHING_FAILED if stressed.failures else OK


def _report(arguments: argparse.Namespace) -> int:
    from synthbench.report import write_report
    from synthbench.results.damage import readable

    with readable(arguments.folder):
        say(str(write_report(arguments.folder)))
    return OK


def _plugins(arguments: argparse.Namespace) -> int:
    from synthbench.api.registry import load_registry
    from synthbench.cli.print_plugins import print_plugin, print_plugins
    from synthbench.commands.check import find_any

    registry = load_registry()
    if arguments.plugin:
        cls = find_any(registry, arguments.plugin)
        print_plugin(cls, registry.package(cls))
    else:
        print_plugins(registry)
    return OK


def _leaderboard(arguments: argparse.Namespace) -> int:
    from synthbench.cli.print_results import print_merged
    from synthbench.progress import Progress
    from synthbench.results.damage import readable
    from synthbench.results.folder import read_folder
    from synthbench.results.merge import merge, write_merged

    with readable(*arguments.runs):
        merged = merge(arguments.runs, Progress(), arguments.plugins)
        if arguments.strict and merged.refused:
            return _complain("; ".join(f"{run} is not comparable: {why}" for run, why in merged.refused.items()))
        if arguments.out:
            write_merged(merged, arguments.out)
        print_merged(merged, read_folder(arguments.runs[0]).ranked_by)
    return OK


def _diff(arguments: argparse.Namespace) -> int:
    from synthbench.cli.print_results import print_diff
    from synthbench.progress import Progress
    from synthbench.results.damage import readable
    from synthbench.results.diff import compare_runs

    with readable(arguments.a, arguments.b):
        diff = compare_runs(arguments.a, arguments.b, Progress(), arguments.plugins)
    print_diff(diff, str(arguments.a), str(arguments.b))
    return SOMETHING_FAILED if diff.differs else OK


def _export(arguments: argparse.Namespace) -> int:
    from synthbench.cli.print_results import print_packed
    from synthbench.results.bundle import export
    from synthbench.results.damage import readable

    with readable(arguments.run):
        packed = export(
            arguments.run, arguments.file, weights=arguments.weights, evidence=not arguments.no_evidence
        )
    print_packed(packed, str(arguments.file))
    return OK


def _verify(arguments: argparse.Namespace) -> int:
    from synthbench.cli.print_results import print_verified
    from synthbench.progress import Progress
    from synthbench.results.verify import verify

    verified = verify(arguments.file, Progress(), arguments.plugins)
    print_verified(verified, str(arguments.file))
    return OK if verified.holds else SOMETHING_FAILED


def _store(arguments: argparse.Namespace) -> int:
    from synthbench.cli.print_store import print_checked, print_freed, print_store
    from synthbench.commands.store import check_store, free_store, list_store

    for option, value in {"--older-than": arguments.older_than, "--max-size": arguments.max_size}.items():
        if value is not None and arguments.action != "gc":
            return _complain(f"{option}: only with `store gc`, `store {arguments.action}` removes nothing")
    if arguments.action == "ls":
        print_store(*list_store())
    elif arguments.action == "gc":
        print_freed(free_store(arguments.older_than, arguments.max_size))
    else:
        checked = check_store()
        print_checked(checked)
        return SOMETHING_FAILED if checked.damaged else OK
    return OK


def _new(arguments: argparse.Namespace) -> int:
    from synthbench.commands.new import new

    plugin = new(arguments.kind, arguments.name, package=arguments.package)
    for file in plugin.written:
        say(f"{file}: written")
    # An environment of uv's has no pip, and need not be the active one.
    pip, run = ("pip", "") if find_spec("pip") else ("uv pip", "uv run --no-sync ")
    install = f"{pip} install -e ./{plugin.use} && " if arguments.package else ""
    say(f"next: {install}{run}synthbench check {plugin.use}")
    say(f"in a benchmark file, {plugin.place}: {plugin.line}")
    return OK


def _check(arguments: argparse.Namespace) -> int:
    from synthbench.cli.print_check import print_findings
    from synthbench.commands.check import check

    findings = check(arguments.plugin, overrides=arguments.set, dataset=arguments.dataset, device=arguments.device)
    print_findings(arguments.plugin, findings)
    return OK if all(finding.ok for finding in findings) else SOMETHING_FAILED


COMMANDS: Mapping[str, Callable[[argparse.Namespace], int]] = {
    "run": run,
    "score": score,
    "plan": plan,
    "work": work,
    "validate": _validate,
    "fetch": _fetch,
    "export-train": _export_train,
    "init": _init,
    "audit": _audit,
    "stress": _stress,
    "report": _report,
    "leaderboard": _leaderboard,
    "diff": _diff,
    "export": _export,
    "verify": _verify,
    "plugins": _plugins,
    "store": _store,
    "new": _new,
    "check": _check,
}
