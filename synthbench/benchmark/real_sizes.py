"""What `real_sizes` adds to a benchmark: the headline's evaluator once more, on ever fewer real images."""

from __future__ import annotations

from dataclasses import replace

from synthbench.benchmark.definition import JUDGES, Benchmark, Entry
from synthbench.errors import ConfigError

__all__ = ["with_size_curve"]


def with_size_curve(bench: Benchmark, where: str) -> Benchmark:
    """The benchmark with an evaluator of the balanced ceiling, at all `real_sizes`; itself where there are none.

    Raises ConfigError where no such curve can be had, or means nothing.
    """
    sizes = bench.real_sizes
    if not sizes or any(entry.label == bench.size_curve for entry in bench.evaluators):  # the latter: read back
        return bench
    key = f"{where}: real_sizes:"
    if len(sizes) < 2 or sizes[0] < 1 or list(sizes) != sorted(set(sizes)):
        raise ConfigError(f"{key} two numbers or more, ascending, each once; found {list(sizes)}")
    if sizes[-1] > bench.samples:
        raise ConfigError(f"{key} at most `samples: {bench.samples}` real images are drawn; found {sizes[-1]}")
    if bench.headline.evaluator == JUDGES:
        raise ConfigError(f"{key} the headline must be one judge's, not their mean {bench.headline}")
    scorer = bench.evaluator(bench.headline.evaluator)
    if "sizes" not in type(scorer.plugin).model_fields or bench.direction == "lower":
        raise ConfigError(f"{key} needs a headline of a `tstr` evaluator; found {bench.headline}")
    ceiling = bench.ceiling("balanced")
    if ceiling is None:
        raise ConfigError(f"{key} needs real images to compare with: `baselines: true`, or a `balanced-resample`")
    only_new = {"sizes": sizes, "images": None, "score_train": False}
    plugin = scorer.plugin.model_copy(
        update={k: v for k, v in only_new.items() if k in type(scorer.plugin).model_fields}
    )
    curve = Entry.of(bench.size_curve, scorer.use, plugin, (ceiling.label,))
    return replace(bench, evaluators=(*bench.evaluators, curve))
