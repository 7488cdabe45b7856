"""What no single entry of a benchmark can know: unique labels, names that refer to others, the headline."""

from __future__ import annotations

from synthbench.api.declarations import declaration_faults
from synthbench.api.interfaces import Generator
from synthbench.api.registry import Registry, did_you_mean
from synthbench.benchmark.definition import JUDGES, Benchmark
from synthbench.benchmark.judges import check_judges
from synthbench.errors import ConfigError
from synthbench.storage.layout import is_clean, subgroup_parts

__all__ = ["check_whole", "floors_and_ceilings"]


def check_whole(bench: Benchmark, where: str, registry: Registry) -> None:
    """Raise ConfigError with the YAML path of what does not fit together."""
    if not bench.generators:
        raise ConfigError(f"{where}: generators: empty, and `baselines` is false: nothing to run")
    _check_labels(bench, where, registry)
    _check_evaluators(bench, where)
    check_judges(bench, where)
    for label in bench.judges or bench.ranked_by:
        if any(entry.label == label and entry.optional for entry in bench.evaluators):
            raise ConfigError(f"{where}: evaluators, {label}: it ranks the board, so it cannot be optional")
    metrics = [*bench.metrics]
    judged = [bench.evaluator(judge).declared.metrics for judge in bench.judges[:1]]
    metrics += [f"{JUDGES}.{metric}" for declared in judged for metric in declared]
    if (headline := str(bench.headline)) not in metrics:
        raise ConfigError(f"{where}: headline: no metric {headline!r}.{did_you_mean(headline, metrics)}")
    _check_ranking(bench, where)


def _check_labels(bench: Benchmark, where: str, registry: Registry) -> None:
    """Each once in its kind, and none that means something else."""
    for kind in ("generators", "evaluators", "external"):
        labels = [entry.label for entry in getattr(bench, kind)]
        for label in labels:
            if labels.count(label) > 1:
                raise ConfigError(f"{where}: {kind}: two entries have the label {label!r}; add `label:` to one")
    baselines = floors_and_ceilings(registry)
    for generator in bench.generators:
        cls = baselines.get(generator.label)
        if cls and not isinstance(generator.plugin, cls):
            raise ConfigError(
                f"{where}: generators: {generator.label!r} is the name of a {cls.role}, which {generator.use} is "
                "not; give it another `label:`"
            )
    reserved = {"train", "val", "test", "holdout", "synthetic"}
    for entry in bench.external:
        if entry.label in reserved:
            raise ConfigError(
                f"{where}: external: {entry.label!r} is the name of a test set already; add `label:`"
            )
        if subgroup_parts(entry.label) or is_clean(entry.label):
            raise ConfigError(
                f"{where}: external: {entry.label!r} reads as a part of a test set: x/sex=F is a subgroup of x, "
                "x[clean] what training does not know of it; give it another `label:`"
            )


def _check_evaluators(bench: Benchmark, where: str) -> None:
    known = bench.generator_names
    for evaluator in bench.evaluators:
        if evaluator.label in ("generator", "fit", "sample"):
            raise ConfigError(f"{where}: evaluators: {evaluator.label!r} is a stage of every trial; add `label:`")
        if faults := declaration_faults(evaluator.plugin):
            raise ConfigError(f"{where}: evaluators, {evaluator.label}: {'; '.join(faults)}")
        if evaluator.label == JUDGES:
            raise ConfigError(f"{where}: evaluators: {JUDGES!r} means all judges in a headline; add `label:`")
        for label in evaluator.generators or ():
            if label not in known:
                hint = did_you_mean(label, known)
                raise ConfigError(f"{where}: evaluators, {evaluator.label}: no generator {label!r}.{hint}")


def floors_and_ceilings(registry: Registry) -> dict[str, type[Generator]]:
    """By name, those that are installed. Nothing else may be called so: a board tells them by it."""
    return {
        name: cls
        for name, cls in registry.names("generator").items()
        if issubclass(cls, Generator) and cls.role != "candidate"
    }


def _check_ranking(bench: Benchmark, where: str) -> None:
    """The named tests know one metric and one pair of classifiers each."""
    metric = {"mcnemar": "accuracy", "delong": "auroc"}.get(bench.ranking.test)
    if metric is None:
        return
    named = f"{where}: ranking.test: {bench.ranking.test}"
    if bench.headline.evaluator == JUDGES:
        raise ConfigError(f"{named} knows one judge; take bootstrap for their mean")
    evaluator = bench.evaluator(bench.headline.evaluator).plugin
    if bench.headline.metric != metric:
        raise ConfigError(f"{named} compares {metric}, the headline is {bench.headline.metric}")
    if bench.seeds > 1 or getattr(evaluator, "seeds", 1) > 1:
        raise ConfigError(f"{named} knows one generator seed and one classifier seed; take bootstrap for more")
