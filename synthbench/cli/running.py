"""The commands that work a benchmark off and print its board: `run` and `score`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from synthbench.cli.exit_codes import MISSED, OK, SOMETHING_FAILED
from synthbench.cli.shared_work import limits_of
from synthbench.cli.surroundings import say
from synthbench.errors import ConfigError

if TYPE_CHECKING:
    from synthbench.commands.elsewhere.spread import Spread
    from synthbench.runner.loop import RunResult

__all__ = ["run", "score"]


def run(arguments: argparse.Namespace) -> int:
    """`synthbench run`; the exit code."""
    if arguments.dry_run:
        return _dry_run(arguments)
    from synthbench.cli.print_run import print_board
    from synthbench.commands.run import run as run_benchmark

    result = run_benchmark(
        arguments.file,
        out=arguments.out,
        only=arguments.only,
        overrides=[*arguments.set, *limits_of(arguments)],
        require=arguments.require,
        device=arguments.device,
        fresh=arguments.fresh,
        spread=_spread(arguments),
        in_process=arguments.in_process,
    )
    print_board(result)
    return _outcome(result)


def _spread(arguments: argparse.Namespace) -> Spread:
    from synthbench.commands.elsewhere.spread import Spread

    on_ray = arguments.executor == "ray"
    if arguments.address and not on_ray:
        raise ConfigError(f"--address {arguments.address}: only with --executor ray")
    ray = arguments.address if on_ray else None
    return Spread(jobs=arguments.jobs, ray=ray, collect=arguments.collect, unpacked=arguments.unpack)


def _outcome(result: RunResult) -> int:
    from synthbench.results.folder import read_folder
    from synthbench.results.requirements import missed

    lines = missed(result.bench.require, read_folder(result.out)) if result.bench.require else []
    for line in lines:
        print(line)
    if result.failed:
        return SOMETHING_FAILED
    return MISSED if lines else OK


def score(arguments: argparse.Namespace) -> int:
    """`synthbench score`; the exit code."""
    from synthbench.cli.print_run import print_board
    from synthbench.commands.score import FILE
    from synthbench.commands.score import score as score_images

    names = (
        "test",
        "groups",
        "judge",
        "trained_on",
        "size",
        "channels",
        "samples",
        "positive",
        "device",
        "out",
        "require",
    )
    options = {name: getattr(arguments, name) for name in names}
    result = score_images(arguments.real, arguments.synthetic, **options)
    print_board(result)
    say(f"the same again, to edit: synthbench run {arguments.out / FILE} --out {arguments.out}")
    return _outcome(result)


def _dry_run(arguments: argparse.Namespace) -> int:
    from synthbench.cli.print_run import print_plan
    from synthbench.commands.validate import validate

    _spread(arguments).check(arguments.device, fresh=arguments.fresh)
    overrides = [*arguments.set, *limits_of(arguments)]
    print_plan(*validate(arguments.file, only=arguments.only, overrides=overrides, require=arguments.require))
    return OK
