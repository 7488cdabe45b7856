"""Texts that a spreadsheet would run, and all others."""

import csv

import numpy as np
import pandas as pd
import pytest

from synthbench import Predictions
from synthbench.results.tables import read_csv
from synthbench.storage.cells import as_text, csv_text, guarded, write_csv
from synthbench.storage.predictions import load_predictions, save_predictions

FORMULAS = ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "'=1", "''-x", "-", "-0.1, 0.2"]
OTHERS = ["", "acgan", "'quoted'", "-0.5", "+1e-3", "0", "-inf", "a=b", "1-2 days", "é", "'"]


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_is_a_text_in_the_file_and_comes_back(text):
    assert guarded(text) == f"'{text}"
    assert as_text(guarded(text)) == text


@pytest.mark.parametrize("text", OTHERS)
def test_all_else_stands_as_it_is(text):
    assert guarded(text) == text
    assert as_text(text) == text


def test_a_table_keeps_its_numbers():
    table = pd.DataFrame({"label": ["=1", "a"], "value": [-0.5, 1.0], "n": pd.array([-1, None], "Int64")})
    assert csv_text(table) == "label,value,n\n'=1,-0.5,-1\na,1.0,\n"


def test_rows_come_back_with_their_heading(tmp_path):
    """A class may be called so, and heads a column of confusion.csv."""
    write_csv(tmp_path / "t.csv", [["true", "=X", "Y"], ["=X", -3, np.str_("@y")], ["Y", 0.5, None]])
    assert (tmp_path / "t.csv").read_text() == "true,'=X,Y\n'=X,-3,'@y\nY,0.5,\n"
    assert read_csv(tmp_path / "t.csv") == [
        {"true": "=X", "=X": "-3", "Y": "@y"},
        {"true": "Y", "=X": "0.5", "Y": ""},
    ]


def test_predictions_come_back_whatever_images_and_classes_are_called(tmp_path):
    names = np.array(["=a", "+b", "c"])
    answers = Predictions("@far", names, np.array(["-p", "'=q", "r"]), np.array([0, 1, 0]), np.full((3, 2), 0.5))
    save_predictions(tmp_path / "p.csv", [answers], ("=X", "-Y"))
    with (tmp_path / "p.csv").open(newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert not [cell for cell in cells if cell[:1] in ("=", "+", "-", "@")]
    (again,) = load_predictions(tmp_path / "p.csv")
    assert (again.test_set, list(again.ids), list(again.groups)) == ("@far", list(names), ["-p", "'=q", "r"])
    assert list(again.labels) == [0, 1, 0]


def test_a_carriage_return_ends_no_row(tmp_path):
    names = np.array(["a\rb", "c\r\nd", "e"])
    answers = Predictions("far", names, names, np.array([0, 1, 0]), np.full((3, 2), 0.5))
    save_predictions(tmp_path / "p.csv", [answers], ("X", "Y"))
    (again,) = load_predictions(tmp_path / "p.csv")
    assert (list(again.ids), list(again.groups)) == (list(names), list(names))
    write_csv(tmp_path / "r.csv", [["id", "n"], ["a\rb", 1]])
    assert read_csv(tmp_path / "r.csv") == [{"id": "a\rb", "n": "1"}]
