"""What a plugin's work is kept under: the code and files of plugins within its options count with its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from synthbench.api.extractors import extractors_of, identity, values_of
from synthbench.api.imaging import PictureRule
from synthbench.api.interfaces import Generator, Plugin
from synthbench.api.nested.generators import NestedGenerator
from synthbench.api.process_state import ask
from synthbench.storage.code_version import code_of
from synthbench.storage.versions import ENTRIES
from synthbench.types import Images

__all__ = ["begun_key", "fit_key", "generators_of", "within", "work_key"]


def generators_of(plugin: Plugin) -> dict[str, NestedGenerator]:
    """The generators that a plugin's options name, by option; of a list's by place: "bases.0"."""
    return {name: value for name, value in values_of(plugin) if isinstance(value, NestedGenerator)}


def within(plugin: Plugin) -> Iterator[tuple[str, Plugin]]:
    """All plugins within the options of one, at any depth, each with what stands after its `use:`."""
    for extractor in extractors_of(plugin).values():
        yield extractor.use, extractor
    for nested in generators_of(plugin).values():
        yield nested.use, nested.plugin
        yield from within(nested.plugin)


def work_key(plugin: Plugin, use: str, device: str, **inputs: Any) -> dict[str, Any]:
    """Everything that goes into a plugin's work: options, files, code, device type, plugins within it, inputs."""
    extractors = {name: identity(extractor) for name, extractor in extractors_of(plugin).items()}
    return {
        "schema": ENTRIES,
        **_plugin_key(plugin, use),
        # The kind alone: cuda:0 and cuda:1 are alike, a CPU and a GPU add in another order.
        "device": device.partition(":")[0],
        **({"extractors": extractors} if extractors else {}),
        **inputs,
    }


def fit_key(
    plugin: Generator, use: str, device: str, train: Images, seed: int, pictures: PictureRule
) -> dict[str, Any]:
    """What decides a fit: the same for a row of its own and for a generator within another."""
    return work_key(plugin, use, device, train=train.digest, seed=seed, pictures=asdict(pictures))


def begun_key(plugin: Generator, key: Mapping[str, Any]) -> dict[str, Any]:
    """What its checkpoints lie under: a longer training that begins as a shorter one shares its place."""
    return {**key, "config": {name: v for name, v in key["config"].items() if name != plugin.duration}}


def _plugin_key(plugin: Plugin, use: str) -> dict[str, Any]:
    further = {name: _plugin_key(nested.plugin, nested.use) for name, nested in generators_of(plugin).items()}
    return {
        # A registered name is unique; classes named by their file may share one, by inheritance say.
        "use": plugin.name if use == plugin.name else f"{plugin.name}:{type(plugin).__qualname__}",
        "config": plugin.model_dump(mode="json"),
        "inputs": ask(plugin, "inputs", to=dict),
        "code": code_of(type(plugin)),
        **({"generators": further} if further else {}),
    }
