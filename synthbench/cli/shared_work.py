"""For many processes and machines: `plan` and `work`; `run --collect` puts together what they made."""

from __future__ import annotations

import argparse
import json

__all__ = ["limits_of", "plan", "work"]


def plan(arguments: argparse.Namespace) -> int:
    """`synthbench plan`; the exit code."""
    from synthbench.commands.validate import validate

    bench, trials = validate(arguments.file, overrides=arguments.set)
    if arguments.json:
        from synthbench.commands.elsewhere.plan import as_json

        print(json.dumps(as_json(bench, trials), indent=1))
    else:
        from synthbench.cli.print_run import print_plan

        print_plan(bench, trials)
    return 0


def work(arguments: argparse.Namespace) -> int:
    """`synthbench work`: 1 where a trial failed."""
    from synthbench.commands.elsewhere.work import work as work_off

    results = work_off(
        arguments.file,
        trials=arguments.trial,
        part=arguments.shard,
        pack_into=arguments.pack,
        out=arguments.out,
        overrides=[*arguments.set, *limits_of(arguments)],
        device=arguments.device,
        in_process=arguments.in_process,
    )
    return int(any(result.status == "failed" for result in results))


def limits_of(arguments: argparse.Namespace) -> list[str]:
    """Of a stage, as overrides of the benchmark file's keys."""
    limits = {"timeout": arguments.timeout, "memory_limit": arguments.memory_limit}
    return [f"{key}={value!r}" for key, value in limits.items() if value is not None]
