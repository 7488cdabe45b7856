"""What a plugin says of itself, as data: all that a board needs of it, also where the plugin is not at hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from synthbench.api.interfaces import Evaluator, Generator, Plugin, Prior, Role
from synthbench.api.nested.keys import generators_of
from synthbench.api.origin import Origin
from synthbench.types import Direction

__all__ = ["Declared", "counted_roles"]


ROLES: tuple[Role, ...] = ("candidate", "ceiling", "floor")


def counted_roles(roles: Sequence[str]) -> str:
    """ "2 candidates, 1 floor", of the roles of all generators."""
    counts = {role: roles.count(role) for role in ROLES if role in roles}
    return ", ".join(f"{count} {role}{'s' * (count > 1)}" for role, count in counts.items())


@dataclass(frozen=True)
class Declared:
    """Generator: `role`, `prior`, `quick`, `base`, `origin`. Evaluator: `metrics`, `bounds`, `gates`, `trainings`.

    `base` is the label of the generator within one that wraps it, "" of others.

    A run's run.json keeps it, so that a board that is read back says what it said when it was made.
    """

    role: Role = "candidate"
    prior: Prior = "balanced"
    quick: bool = False
    base: str = ""
    origin: Origin = field(default_factory=Origin)
    metrics: Mapping[str, Direction] = field(default_factory=dict)
    bounds: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    gates: frozenset[str] = frozenset()
    trainings: int = 1

    @classmethod
    def of(cls, plugin: Plugin) -> Declared:
        """What the plugin at hand says; nothing of those that no board asks."""
        match plugin:
            case Generator():
                return cls(plugin.role, plugin.prior, plugin.quick, _base(plugin), plugin.origin())
            case Evaluator():
                metrics, bounds = dict(plugin.metrics), dict(plugin.bounds)
                return cls(metrics=metrics, bounds=bounds, gates=plugin.gates, trainings=plugin.trainings)
        return cls()

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Declared:
        """What `generator_record` or `evaluator_record` wrote."""
        bounds = {metric: (low, high) for metric, (low, high) in record.get("bounds", {}).items()}
        gates = frozenset(record.get("gates", ()))
        plain = {
            key: record[key] for key in ("role", "prior", "quick", "base", "metrics", "trainings") if key in record
        }
        return cls(**plain, origin=Origin(**record.get("origin", {})), bounds=bounds, gates=gates)

    def main_metric(self, headline: str) -> str:
        """The metric that stands for an evaluator on the board, "" of no evaluator.

        The headline's, where the evaluator has it too; else the first that it declares and that is no gate, which
        the board shows as `copying`; else the first.
        """
        plain = [metric for metric in self.metrics if metric not in self.gates]
        return headline if headline in self.metrics else next(iter([*plain, *self.metrics]), "")

    def generator_record(self) -> dict[str, Any]:
        """For run.json."""
        base = {"base": self.base} if self.base else {}
        return {"role": self.role, "prior": self.prior, "quick": self.quick, **base, "origin": asdict(self.origin)}

    def evaluator_record(self) -> dict[str, Any]:
        """For run.json."""
        bounds = {metric: list(ends) for metric, ends in self.bounds.items()}
        gates = sorted(self.gates)
        return {"metrics": dict(self.metrics), "bounds": bounds, "gates": gates, "trainings": self.trainings}


def _base(plugin: Generator) -> str:
    """The innermost, where one that is wrapped wraps another."""
    for nested in generators_of(plugin).values():
        return _base(nested.plugin) or nested.label
    return ""
