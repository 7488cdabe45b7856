"""What differs between the records (run.json) of two runs, as dotted paths."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Change", "changes", "incomparable"]

Record = Mapping[str, Any]

ABSENT = "absent"
LOCATION = frozenset({"label", "root", "generators", "optional", "positive"})
"""Options that say where files lie, what a row is called, who is scored, what may be left out: no number changes.

`positive` does, and `data.positive` says what came of it, set or unset.
"""


@dataclass(frozen=True)
class Change:
    """An input that differs: its part of the record, its dotted path there, and both values."""

    part: str
    path: str
    a: Any
    b: Any

    def __str__(self) -> str:
        return f"{self.path}: {shown(self.a)} -> {shown(self.b)}"


def shown(value: Any) -> str:
    """A value for people: digests by their first digits."""
    text = str(value)
    return text[:12] if len(text) in (40, 64) and not set(text) - set("0123456789abcdef") else text


def changes(a: Record, b: Record) -> list[Change]:
    """Every input that differs, by part: data, preprocessing, configuration, code, weights, versions, hardware."""
    parts_a, parts_b = _parts(a), _parts(b)
    return [change for part in parts_a for change in _differences(part, parts_a[part], parts_b[part])]


def incomparable(first: Record, other: Record) -> list[str]:
    """Why rows of the second run cannot be ranked among the first's; nothing where they can.

    The images must be the same (sets that both have), prepared in the same way, and so must the protocol: samples,
    seeds, headline, and the options of every evaluator that both have. The benchmark's `seed` may differ: another
    draw of the same experiment.
    """
    data = [_sets(record) for record in (first, other)]
    reasons = [f"other {name} images" for name in data[0] if name in data[1] and data[0][name] != data[1][name]]
    reasons += [f"no {name} images" for name in ("train", "test") if name in data[0] and name not in data[1]]
    both = _labels(first) & _labels(other)
    differences = _differences("protocol", *(_protocol(record, both) for record in (first, other)))
    return reasons + [f"{c.path} {shown(c.b)}, not {shown(c.a)}" for c in differences]


def _sets(record: Record) -> dict[str, str]:
    return {name: about["digest"] for name, about in record["data"]["sets"].items()}


def _bare(entry: Record) -> dict[str, Any]:
    """A plugin's options without those that change no number."""
    return {key: value for key, value in entry.items() if key not in LOCATION}


def _labels(record: Record) -> set[str]:
    return {entry["label"] for entry in record["benchmark"]["evaluators"]}


def _protocol(record: Record, evaluators: Collection[str]) -> dict[str, Any]:
    """How data were prepared and generators judged, by these evaluators."""
    bench = record["benchmark"]
    return {
        "positive": record["data"].get("positive"),
        "dataset": _bare(bench["dataset"]),
        **{key: bench[key] for key in ("samples", "seeds", "headline")},
        "judges": bench.get("judges", []) if str(bench["headline"]).startswith("judges.") else [],
        "evaluators": {e["label"]: _bare(e) for e in bench["evaluators"] if e["label"] in evaluators},
    }


def _parts(record: Record) -> dict[str, Any]:
    bench = dict(record["benchmark"])
    preprocessing = {key: bench.pop(key) for key in ("dataset", "external")}
    return {
        "data": record["data"],
        "preprocessing": preprocessing,
        "configuration": bench,
        "code": {**record["git"], **record["code"]},
        "weights": record["weights"],
        "versions": record["versions"],
        "hardware": record["hardware"],
    }


def _differences(part: str, a: Any, b: Any) -> list[Change]:
    return list(_walk(part, "", a, b))


def _walk(part: str, path: str, a: Any, b: Any) -> Iterator[Change]:
    """Depth first; lists of labelled entries by label, so that a further generator moves no other one's path."""
    a, b = _by_label(a), _by_label(b)
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        for key in dict.fromkeys([*a, *b]):
            yield from _walk(part, f"{path}.{key}".lstrip("."), a.get(key, ABSENT), b.get(key, ABSENT))
    elif a != b:
        yield Change(part, path, *("present" if isinstance(x, Mapping) else x for x in (a, b)))


def _by_label(value: Any) -> Any:
    if isinstance(value, list) and all(isinstance(item, Mapping) and "label" in item for item in value):
        return {item["label"]: item for item in value}
    return value
