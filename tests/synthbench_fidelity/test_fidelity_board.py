"""A whole run with fidelity evaluators: the gate, the notes and the references reach the board."""

import shutil

import pandas as pd
import pytest
import yaml

from .conftest import HELPERS

EXTRACTOR = {"use": "pooled.py:Pooled", "cells": 8}


@pytest.fixture
def ran(mini):
    shutil.copy(HELPERS / "pooled.py", mini.folder)
    mini.write("MeanNoise", dataset={"use": "Squares", "n": 240}, samples=60, holdout=0.5, max_leak=1)
    content = yaml.safe_load(mini.file.read_text())
    content["generators"].append({"use": "resample"})
    content["evaluators"] += [
        {"use": "fd", "extractor": EXTRACTOR},
        {"use": "memorisation", "extractor": EXTRACTOR, "near": 0.05},
    ]
    mini.file.write_text(yaml.safe_dump(content))
    assert mini.run() == 0
    return mini


def test_the_copier_is_marked_and_the_notes_are_kept(ran):
    board = ran.board
    assert board["copying"].to_dict() == {"meannoise": "no", "resample": "yes"}
    assert board.loc["resample", "memorisation_verified_copies"] == 1, "its main metric: the gate is in `copying`"
    assert ran.numbers.loc["resample", "memorisation.copying"] == 1
    said = "flagged as copying by memorisation: copies the training images ("
    assert said in board.loc["resample", "note"]
    assert ran.numbers.loc["meannoise", "fd.fd_place[pooled][DARK]"] == pytest.approx(1, abs=0.3)
    cells = pd.read_csv(ran.out / "intervals.csv", keep_default_na=False)
    cells = cells[cells.generator == "meannoise"].set_index(["evaluator", "metric", "variant"])
    note = "60 against 120 train images; N = 60 <= d = 64: the covariance is singular; read kid beside it"
    assert cells.loc[("fd", "fd[pooled]", ""), "note"] == note
    assert float(cells.loc[("fd", "fd[pooled]", ""), "value"]) > 0
    assert (ran.out / "trials" / "resample" / "seed-0" / "memorisation" / "closest-pairs.png").is_file()
