"""What the command line takes: each command with its arguments."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from synthbench.cli.options import add_file, add_isolation, add_offline, add_plugins, add_require
from synthbench.version import __version__

__all__ = ["make_parser"]

if TYPE_CHECKING:
    Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def make_parser() -> argparse.ArgumentParser:
    """The parser of the whole command line; `command` names what was asked for."""
    parser = argparse.ArgumentParser(
        prog="synthbench", description="Benchmark generators of synthetic medical images against real ones."
    )
    parser.add_argument("--version", action="version", version=f"synthbench {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_benchmark_commands(commands)
    _add_stress(commands)
    _add_result_commands(commands)
    _add_plugin_commands(commands)
    _add_store(commands)
    return parser


def _add_benchmark_commands(commands: Commands) -> None:
    """Those that take a benchmark file."""
    _add_run(commands)
    _add_score(commands)
    _add_shared_work(commands)

    validate = commands.add_parser("validate", help="check a benchmark file without running it")
    validate.set_defaults(command="validate")
    add_file(validate)
    add_offline(validate)

    fetch = commands.add_parser("fetch", help="get the weights and data sets that a benchmark file needs")
    fetch.set_defaults(command="fetch")
    add_file(fetch)
    add_offline(fetch)

    _add_export_train(commands)

    init = commands.add_parser("init", help="copy a benchmark file that comes with synthbench, to edit it")
    init.set_defaults(command="init")
    init.add_argument("name", metavar="NAME", help="which, e.g. quickstart; it is written to NAME.yaml")

    audit = commands.add_parser(
        "audit", help="look for test images that the training set knows (exit 1 where they are more than max_leak)"
    )
    audit.set_defaults(command="audit")
    add_file(audit)
    audit.add_argument(
        "--out", type=Path, metavar="DIR", help="where audit.csv goes (default: runs/<benchmark name>-audit)"
    )


def _add_run(commands: Commands) -> None:
    run = commands.add_parser("run", help="run a benchmark file and write its leaderboard")
    run.set_defaults(command="run")
    add_file(run)
    run.add_argument("--out", type=Path, metavar="DIR", help="where results go (default: runs/<benchmark name>)")
    run.add_argument(
        "--only", action="append", default=[], metavar="NAME", help="run this generator only (repeatable)"
    )
    run.add_argument(
        "--device", default="auto", metavar="DEVICE", help="auto, cpu, cuda or cuda:N (default: auto)"
    )
    run.add_argument(
        "--jobs", type=int, default=1, metavar="N", help="processes that work off trials at a time (default: 1)"
    )
    run.add_argument(
        "--executor", choices=("local", "ray"), default="local", help="who works off the trials (default: local)"
    )
    run.add_argument(
        "--address",
        default="",
        metavar="ADDRESS",
        help="of the Ray cluster: auto, host:port (default: one here)",
    )
    run.add_argument(
        "--collect", action="store_true", help="work nothing off: board and report of what `work` has stored"
    )
    run.add_argument(
        "--unpack", type=Path, metavar="DIR", help="first take what `work --pack DIR` wrote into the store"
    )
    run.add_argument("--fresh", action="store_true", help="compute everything again, whatever the store holds")
    add_require(run)
    run.add_argument("--dry-run", action="store_true", help="print the plan and stop")
    add_isolation(run)
    add_offline(run)


def _add_shared_work(commands: Commands) -> None:
    """For many processes and machines."""
    plan = commands.add_parser("plan", help="list a benchmark file's trials")
    plan.set_defaults(command="plan")
    add_file(plan)
    plan.add_argument("--json", action="store_true", help="as JSON, with stages, for a scheduler")

    work = commands.add_parser("work", help="work off trials into the store, beside other processes that do")
    work.set_defaults(command="work")
    add_file(work)
    work.add_argument(
        "--trial", action="append", default=[], metavar="NAME/SEED", help="this trial only (repeatable)"
    )
    work.add_argument("--shard", metavar="K/N", help="part K of N of the trials, K from 1")
    work.add_argument("--pack", type=Path, metavar="DIR", help="write what was made to one file in DIR, too")
    work.add_argument(
        "--out", type=Path, metavar="DIR", help="where failed trials' folders go (default: runs/<benchmark name>)"
    )
    work.add_argument(
        "--device", default="auto", metavar="DEVICE", help="auto, cpu, cuda or cuda:N (default: auto)"
    )
    add_isolation(work)
    add_offline(work)


def _add_export_train(commands: Commands) -> None:
    exporting = commands.add_parser(
        "export-train",
        help="write the images that a benchmark trains on, and no others, for tools outside",
    )
    exporting.set_defaults(command="export-train")
    add_file(exporting)
    exporting.add_argument("folder", type=Path, metavar="DIR", help="an empty folder, or none yet")


def _add_score(commands: Commands) -> None:
    scoring = commands.add_parser(
        "score", help="score folders of synthetic images against real ones, without a benchmark file"
    )
    scoring.set_defaults(command="score")
    scoring.add_argument(
        "real",
        type=Path,
        metavar="REAL",
        help="class folders, in train and test or not; a CSV of path, label; an .npz of images, labels; or a flat "
        "folder, .npz or .npy without labels: likeness and copies alone",
    )
    scoring.add_argument(
        "synthetic",
        nargs="+",
        type=Path,
        metavar="SYNTH",
        help="class folders of the same names, an .npz; or without labels",
    )
    scoring.add_argument(
        "--test", type=Path, metavar="DIR", help="class folders of real images that no generator saw: the test set"
    )
    scoring.add_argument(
        "--trained-on",
        choices=["train", "all", "unknown"],
        default="unknown",
        help="what the generators saw of REAL; else than `train`, without --test, no rank (default: unknown)",
    )
    scoring.add_argument("--groups", metavar="PATTERN", help="regular expression for the patient in a path")
    scoring.add_argument("--positive", metavar="CLASS", help="which of two classes AUROC and recall speak of")
    scoring.add_argument(
        "--judge", default="cnn", metavar="MODEL", help="cnn, vgg16 or timm:<model> (default: cnn)"
    )
    scoring.add_argument("--size", type=int, default=64, metavar="PIXELS", help="of a side (default: 64)")
    scoring.add_argument("--channels", type=int, default=1, choices=[1, 3], help="1: grey, 3: colour (default: 1)")
    scoring.add_argument(
        "--samples", type=int, default=1000, metavar="N", help="images of each set at most (default: 1000)"
    )
    scoring.add_argument("--out", type=Path, default=Path("score"), metavar="DIR", help="default: score")
    scoring.add_argument(
        "--device", default="auto", metavar="DEVICE", help="auto, cpu, cuda or cuda:N (default: auto)"
    )
    add_require(scoring)
    add_offline(scoring)


def _add_stress(commands: Commands) -> None:
    stress = commands.add_parser("stress", help="make real images worse step by step and see which metric notices")
    stress.set_defaults(command="stress")
    add_file(stress)
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
    stress.add_argument(
        "--device", default="auto", metavar="DEVICE", help="auto, cpu, cuda or cuda:N (default: auto)"
    )
    add_isolation(stress)
    add_offline(stress)


def _add_result_commands(commands: Commands) -> None:
    """Those that take the folder of a run, or a bundle of one."""
    report = commands.add_parser("report", help="write report.html from the folder of a run")
    report.set_defaults(command="report")
    report.add_argument("folder", type=Path, metavar="DIR", help="a run's folder, also one copied from elsewhere")

    leaderboard = commands.add_parser("leaderboard", help="merge the boards of several runs")
    leaderboard.set_defaults(command="leaderboard")
    leaderboard.add_argument("runs", nargs="+", type=Path, metavar="DIR", help="folders of runs; the first leads")
    leaderboard.add_argument("--out", type=Path, metavar="DIR", help="write the merged tables there")
    leaderboard.add_argument("--strict", action="store_true", help="refuse runs that cannot be compared (exit 2)")
    add_plugins(leaderboard)

    diff = commands.add_parser("diff", help="what changed between two runs (exit 0: no number beyond chance)")
    diff.set_defaults(command="diff")
    diff.add_argument("a", type=Path, metavar="A", help="a run's folder")
    diff.add_argument("b", type=Path, metavar="B", help="the run to hold against it: differences are B - A")
    add_plugins(diff)

    export = commands.add_parser("export", help="pack a run's folder into a bundle that others can check")
    export.set_defaults(command="export")
    export.add_argument("run", type=Path, metavar="DIR", help="a run's folder")
    export.add_argument("file", type=Path, metavar="FILE.zip", help="the bundle to write")
    export.add_argument("--weights", action="store_true", help="pack the generators' weights as well")
    export.add_argument(
        "--no-evidence", action="store_true", help="leave out the features: smaller, but less can be recomputed"
    )

    verify = commands.add_parser("verify", help="recompute a bundle's numbers (exit 1 where one does not match)")
    verify.set_defaults(command="verify")
    verify.add_argument("file", type=Path, metavar="FILE.zip", help="the bundle to check")
    add_plugins(verify)


def _add_plugin_commands(commands: Commands) -> None:
    plugins = commands.add_parser("plugins", help="list the installed plugins, or what one of them takes")
    plugins.set_defaults(command="plugins")
    plugins.add_argument(
        "plugin", nargs="?", metavar="PLUGIN", help="a name, or path/to/file.py:Class: print its options"
    )

    new = commands.add_parser("new", help="write the start of a plugin of your own, which passes `check`")
    new.set_defaults(command="new")
    new.add_argument(
        "kind",
        metavar="KIND",
        choices=("generator", "evaluator", "dataset"),
        help="generator, evaluator or dataset",
    )
    new.add_argument("name", metavar="NAME", help="what it is called, e.g. my-gan")
    new.add_argument(
        "--package", action="store_true", help="not a file but a package, with entry point, test and README"
    )

    check = commands.add_parser("check", help="run the conformance suite on a plugin")
    check.set_defaults(command="check")
    check.add_argument("plugin", metavar="PLUGIN", help="its name, or path/to/file.py:Class")
    check.add_argument(
        "--set", action="append", default=[], metavar="K=V", help="set an option of the plugin (repeatable)"
    )
    check.add_argument(
        "--dataset",
        metavar="FILE",
        help="try it on a few images of your own: a benchmark file, or the name of a shipped one or of a data set",
    )
    check.add_argument(
        "--device", default="cpu", metavar="DEVICE", help="auto, cpu, cuda or cuda:N (default: cpu)"
    )


def _add_store(commands: Commands) -> None:
    store = commands.add_parser("store", help="what lies in the store, whether it is sound, and room in it")
    store.set_defaults(command="store")
    store.add_argument(
        "action",
        metavar="ACTION",
        choices=("ls", "verify", "gc"),
        help="ls: size, number and age by kind; verify: read everything and hold it to its digests (exit 1 where "
        "something is damaged); gc: remove what killed runs left, and entries as the options say, the least "
        "recently used first, but nothing that a run that goes on makes or has read",
    )
    store.add_argument("--older-than", type=_amount, metavar="DAYS", help="gc: entries without use for so long")
    store.add_argument("--max-size", type=_amount, metavar="GB", help="gc: entries until the rest is no larger")


def _amount(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of 0 or more")
    return number
