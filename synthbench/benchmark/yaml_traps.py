"""What YAML 1.1 reads otherwise than people mean it, refused with what to write instead."""

from __future__ import annotations

import re
from typing import Any

import yaml

from synthbench.errors import ConfigError

__all__ = ["as_yaml", "refuse_traps", "syntax_hint"]

FLOAT_WITHOUT_POINT = re.compile(
    r"[-+]?[0-9]+[eE][-+]?[0-9]+|[-+]?[0-9]*\.[0-9]+[eE][0-9]+|[-+]?[0-9]+\.[0-9]*[eE][0-9]+"
)
AMBIGUOUS_BOOL = re.compile(r"(?:yes|no|on|off)", re.IGNORECASE)
OCTAL = re.compile(r"[-+]?0[0-7_]*[0-7]")
LONGEST = 1e9
"""Whole numbers below it are written out."""
BASE_SIXTY = re.compile(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?")


def refuse_traps(node: Any, where: str, path: str) -> None:
    """Raise ConfigError for a plain scalar whose value would surprise whoever wrote it."""
    if node.style is not None:
        return
    kind = node.tag.rpartition(":")[2]
    if kind == "str" and FLOAT_WITHOUT_POINT.fullmatch(node.value):
        raise ConfigError(
            f"{where}: {path}: YAML reads {node.value} as a string, not a number; "
            f"write {_as_number(node.value)} (or quote it)"
        )
    if kind == "bool" and AMBIGUOUS_BOOL.fullmatch(node.value):
        boolean = "true" if node.value.lower() in ("yes", "on") else "false"
        raise ConfigError(
            f"{where}: {path}: YAML reads a bare {node.value} as the boolean {boolean}; write {boolean}, "
            f'or "{node.value}" in quotes for the text'
        )
    if kind == "int" and OCTAL.fullmatch(node.value):
        sign, digits = re.fullmatch(r"([-+]?)0[0_]*(.+)", node.value).groups()  # type: ignore[union-attr]
        octal = int(node.value.replace("_", ""), 8)
        raise ConfigError(
            f"{where}: {path}: YAML reads {node.value} as the octal number {octal}; write {sign}{digits}, or "
            f'"{node.value}" in quotes for the text'
        )
    if kind in ("int", "float") and BASE_SIXTY.fullmatch(node.value):
        raise ConfigError(
            f"{where}: {path}: YAML reads {node.value} as a number in base sixty, as minutes and seconds; write "
            f'the number itself, or "{node.value}" in quotes for the text'
        )


class _Quoting(yaml.SafeDumper):
    """Texts that would surprise (1e4, on, 1:30) in quotes."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    traps = (FLOAT_WITHOUT_POINT, AMBIGUOUS_BOOL, OCTAL, BASE_SIXTY)
    style = '"' if any(trap.fullmatch(text) for trap in traps) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Quoting.add_representer(str, _text)


def as_yaml(content: Any) -> str:
    """The text of a benchmark file, which `refuse_traps` takes, whatever its labels are."""
    return yaml.dump(content, Dumper=_Quoting, sort_keys=False, allow_unicode=True)


def syntax_hint(error: str) -> str:
    """Advice on what the parser cannot read: the backslashes of a Windows path, a tab."""
    if "double-quoted scalar" in error and ("escape" in error or "unknown" in error):
        return "; for a path with backslashes write / instead, or put it in single quotes"
    return "; indent with blanks, not with tabs" if r"'\t'" in error else ""


def _as_number(number: str) -> str:
    """1e4 as 10000, which is an integer, too; 1e-4 as YAML 1.1 wants it: 1.0e-4, with a point and a sign."""
    value = float(number)
    if value.is_integer() and abs(value) < LONGEST:
        return str(int(value))
    mantissa, _, exponent = number.lower().partition("e")
    whole, _, fraction = mantissa.partition(".")
    sign = "" if exponent[0] in "+-" else "+"
    return f"{whole if whole.strip('+-') else whole + '0'}.{fraction or '0'}e{sign}{exponent}"
