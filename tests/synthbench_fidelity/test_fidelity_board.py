"""A whole run with fidelity evaluators: the gate, the notes and the references reach the board."""

import shutil

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image

from synthbench import cli
from synthbench.report.board import board_tables
from synthbench.results.folder import NO_LABELS, read_folder

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


def noise_pictures(folder, mean, n=40):
    rng = np.random.default_rng(int(mean))
    folder.mkdir()
    for i in range(n):
        Image.fromarray(rng.normal(mean, 20, (16, 16)).clip(0, 255).astype(np.uint8)).save(folder / f"{i:02d}.png")


def test_a_board_without_labels_says_so_and_is_ordered_by_likeness(mini, capsys):
    shutil.copy(HELPERS / "pooled.py", mini.folder)
    for name, mean in (("real", 120), ("near", 118), ("far", 60), ("other", 121)):
        noise_pictures(mini.folder / name, mean)
    row = {"use": "images", "labelled": False, "trained_on": "train"}
    content = {
        "name": "flat",
        "samples": 40,
        "headline": "kid.kid[pooled]",
        "baselines": False,
        "dataset": {"use": "image-folder", "root": "real", "labelled": False, "image_size": 16},
        "generators": [
            {**row, "label": "far", "root": "far"},
            {**row, "label": "near", "root": "near"},
            {**row, "label": "other", "root": "other", "trained_on": "unknown"},
        ],
        "evaluators": [{"use": use, "extractor": EXTRACTOR} for use in ("kid", "memorisation")],
    }
    mini.file.write_text(yaml.safe_dump(content))
    assert mini.run() == 0
    said = capsys.readouterr().out
    assert "flat: ranked by kid.kid[pooled]; 95 % intervals" in said
    assert f"\n{NO_LABELS}\n" in said
    board = mini.board
    assert board["rank"].dropna().to_dict() == {"near": 1, "far": 2}
    (pair,) = pd.read_csv(mini.out / "comparisons.csv").to_dict("records")
    assert (pair["better"], pair["p"] < 0.001, pair["low"] < pair["difference"] < pair["high"]) == (
        "near",
        True,
        True,
    )
    assert list(board.index) == ["other", "near", "far"]
    assert board.loc["other", "note"] == "may have seen every real image (trained_on: unknown): no rank"
    assert board["utility"].isna().all()
    assert not any("unlabelled" in name for name in mini.numbers.columns), "the one class says all again"
    assert NO_LABELS in board_tables(read_folder(mini.out))[0][0].notes
    bundle = mini.folder / "flat.zip"
    assert cli.main(["export", str(mini.out), str(bundle)]) == 0
    assert cli.main(["verify", str(bundle), "--plugins", str(mini.folder)]) == 0
    merged = ["leaderboard", str(mini.out), "--plugins", str(mini.folder), "--out", str(mini.folder / "merged")]
    assert cli.main(merged) == 0
    ranks = pd.read_csv(mini.folder / "merged" / "leaderboard.csv").set_index("generator")["rank"]
    assert ranks.dropna().to_dict() == {"near": 1, "far": 2}, "the same from what the run's folder keeps"
