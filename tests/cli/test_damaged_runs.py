"""Damaged files of a run and of its bundle: each command that reads one has one message, or a result."""

import random

import pytest

from synthbench.cli import main


def damages(content, rng, *, is_json):
    """By name: cut, flipped, of another kind, of the right kind with another structure."""
    flipped = bytearray(content)
    for _ in range(3):
        flipped[rng.randrange(len(content))] = rng.randrange(256)
    any_kind = {
        "empty": b"",
        "cut": content[: rng.randrange(len(content))],
        "flipped": bytes(flipped),
        "binary": rng.randbytes(200),
    }
    if is_json:
        return any_kind | {
            "deep": b"[" * 100_000,
            "list": b"[1]",
            "none": b"{}",
            "null": content.replace(b": {", b': null, "x": {', 2),
            "digits": content.replace(b"2", b"9" * 5000, 1),
            "seven": content.replace(b": [", b': 7, "x": [', 2),
        }
    return any_kind | {
        "nul": content.replace(b",", b"\0", 3),
        "header": content.split(b"\n")[0] + b"\n",
        "cell": content[:30] + b'"' + b"x" * 200_000,
        "letters": content.replace(b"0", b"x"),
    }


@pytest.fixture
def run(mini, bare_plots):
    mini.write("MeanNoise", "Failing", evaluators=["Distance", "Twice"])
    mini.run()
    return mini.out


@pytest.fixture
def commands(run, mini):
    plugins = ["--plugins", str(mini.folder)]
    return {
        "report": ["report", str(run)],
        "leaderboard": ["leaderboard", str(run), *plugins],
        "diff": ["diff", str(run), f"{run}/trials/..", *plugins],
        "export": ["export", str(run), str(mini.folder / "x.zip")],
    }


TRACEBACKS = [  # of 508 tries before they were messages
    ("run.json", "deep", "export"),
    ("intervals.csv", "nul", "report"),
    ("intervals.csv", "nul", "diff"),
    ("test_sets.csv", "nul", "report"),
    ("scores.csv", "nul", "report"),
    ("leaderboard.csv", "letters", "leaderboard"),
]


def test_damaged_files_of_a_run_are_one_message(run, commands, capsys):
    rng, turn = random.Random(0), 0
    files = [file for suffix in ("csv", "json") for file in sorted(run.rglob(f"*.{suffix}"))]
    others = [(str(file.relative_to(run)), None, None) for file in files]
    for name, how, command in TRACEBACKS + others:
        file, turn = run / name, turn + 1
        whole = file.read_bytes()
        changed = damages(whole, rng, is_json=file.suffix == ".json")
        how = how or sorted(changed)[turn % len(changed)]
        command = command or sorted(commands)[turn % len(commands)]
        file.write_bytes(changed[how])
        capsys.readouterr()
        code = main(commands[command])  # any other error than a SynthbenchError passes through it
        assert (code == 2) == capsys.readouterr().err.startswith("synthbench: "), (name, how, command)
        file.write_bytes(whole)


def test_damaged_bundles_are_one_message(run, mini, capsys):
    rng, bundle = random.Random(1), mini.folder / "b.zip"
    assert main(["export", str(run), str(bundle)]) == 0
    whole = bundle.read_bytes()
    for turn in range(12):
        content = bytearray(whole)
        for _ in range(rng.choice([1, 3, 20])):
            content[rng.randrange(len(content))] = rng.randrange(256)
        bundle.write_bytes(content[: len(content) // 2] if turn % 4 == 0 else content)
        assert main(["verify", str(bundle), "--plugins", str(mini.folder)]) in (0, 1, 2)
    bundle.write_bytes(whole[:-22] + whole[-22:].replace(whole[-6:-2], b"\xff\xff\xff\x7f"))  # where its list lies
    assert main(["verify", str(bundle)]) == 2
    assert "cannot be read as a zip file" in capsys.readouterr().err
