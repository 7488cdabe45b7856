"""Fixtures for the report: a run's folder as `synthbench run` leaves it, made up in milliseconds; a browser."""

import csv
import json
import shutil
from types import SimpleNamespace

import numpy as np
import pytest

from synthbench.report import write_report
from synthbench.runner.pictures import save_nearest, save_real
from synthbench.storage.layout import safe_name
from synthbench.storage.predictions import save_predictions
from synthbench.storage.versions import RUN
from synthbench.types import Images, Predictions

CLASSES = ("NORMAL", "PNEUMONIA")
ROLES = {"good": "candidate", "poor": "candidate", "real": "ceiling", "noise": "floor", "broken": "candidate"}
LEVEL = {"good": 1.5, "poor": 0.5, "real": 2.5, "noise": 0.0}


def write_rows(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def some_images(n=24, size=16, seed=0):
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (n, size, size, 1), dtype=np.uint8)
    return Images(pixels, np.arange(n, dtype=np.int64) % 2, CLASSES, np.array([f"{seed}-{i}" for i in range(n)]))


def answers(level, seed, test_set="test", n=60, k=2):
    """A classifier's answers: the larger `level`, the better."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n, dtype=np.int64) % k
    logits = rng.normal(0, 1, (n, k)) + level * np.eye(k)[labels]
    odds = np.exp(logits)
    ids = np.array([f"{i}" for i in range(n)])
    return Predictions(test_set, ids, ids, labels, odds / odds.sum(1, keepdims=True), seed)


def board_row(label, role, place, **changes):
    value, broken = headline(label), label == "broken"
    candidate = role == "candidate" and not broken
    return {
        "rank": place if candidate else "",
        "rank_high": "2" if candidate else "",
        "generator": label,
        "role": role,
        "status": "failed" if broken else "done",
        "tstr_auroc": "" if broken else f"{value:.4f}",
        "tstr_auroc_low": "" if broken else f"{value - 0.05:.4f}",
        "tstr_auroc_high": "" if broken else f"{value + 0.04:.4f}",
        "tstr_auroc_n": "" if broken else "60",
        "utility": "0.6" if candidate else "",
        "utility_low": "0.4" if candidate else "",
        "utility_high": "0.9" if candidate else "",
        "copying": "",
        "leaked": "3",
        "seeds": "0" if broken else "1",
        "evaluator_seeds": "" if broken else "2",
        "judges": "",
        "fit_s": "" if broken else "12.5",
        "sample_s": "" if broken else "0.5",
        "score_s": "" if broken else "30.0",
        "peak_memory_mb": "" if broken else "900",
        "note": "broken: loss is NaN" if broken else "",
        **changes,
    }


def headline(label):
    return 0.5 + LEVEL.get(label, 1.0) / 6


def score_row(label, test_set="test", variant="", value=0.8, **changes):
    return {
        "dataset": "toy",
        "test_set": test_set,
        "seen": "",
        "generator": label,
        "role": ROLES.get(label, "candidate"),
        "seed": 0,
        "evaluator": "tstr",
        "metric": "auroc",
        "variant": variant,
        "classifier_seed": 0,
        "value": value,
        "direction": "higher",
        "n": 60,
        "leaked": 3,
        "note": "",
        **changes,
    }


INTERVALS = [
    *(
        "generator",
        "evaluator",
        "metric",
        "variant",
        "test_set",
        "seen",
        "value",
        "low",
        "high",
        "generator_seeds",
    ),
    *("classifier_seeds", "by_seed", "n", "weak", "wide", "basis", "check", "note"),
]


def interval_row(label, variant="", value=None, **changes):
    """A row of intervals.csv, of `tstr.auroc` on `test` unless `changes` say otherwise."""
    value = headline(label) if value is None else value
    where = {"generator": label, "evaluator": "tstr", "metric": "auroc", "variant": variant, "test_set": "test"}
    numbers = {"value": f"{value:.4f}", "low": f"{value - 0.05:.4f}", "high": f"{value + 0.04:.4f}", "n": 60}
    basis = {"basis": "images of 60 patients; 2 seeds (weak)", "weak": True, "wide": False}
    return {**dict.fromkeys(INTERVALS, ""), **where, **numbers, **basis, **changes}


def utility_row(label):
    note = "ceiling real of 20 images; floor 0.5 (chance)"
    numbers = {"evaluator": "", "metric": "utility", "test_set": "", "value": "0.6", "low": "0.4", "high": "0.9"}
    return {**interval_row(label), **numbers, "basis": "", "weak": "", "note": note}


def interval_rows(roles):
    """Of each generator that is not broken the headline on both test sets; of candidates the utility."""
    missing = {"low": "", "high": "", "note": "1/2 seeds"}
    for label, role in roles.items():
        if label != "broken":
            yield interval_row(label)
            far = interval_row(label, test_set="far")
            yield {**far, "value": "", **missing} if label == "poor" else far
            if role == "candidate":
                yield utility_row(label)


def write_trial(folder, label, k=2):
    """generator/ with pictures and losses, tstr/ with two classifiers and their answers on two test sets."""
    synthetic, train = some_images(seed=1), some_images(seed=0)
    save_nearest(folder / "generator", synthetic, train)
    (folder / "generator" / "samples.png").write_bytes((folder / "generator" / "nearest.png").read_bytes())
    write_rows(
        folder / "generator" / "losses.csv",
        [{"step": s, "d_tag": 0.5 - s / 100, "g_tag": 0.1 + s / 100} for s in range(0, 40, 10)],
    )
    level = LEVEL.get(label, 1.0)
    given = [answers(level, seed, where, k=k) for seed in (0, 1) for where in ("test", "far")]
    classes = CLASSES if k == 2 else tuple(f"C{i}" for i in range(k))
    for seed in (0, 1):
        write_classifier(folder / "tstr" / f"classifier-{seed}", given[2 * seed], classes)
    save_predictions(folder / "tstr" / "predictions.csv", given, classes)
    how = f"N 60 | extractor | weights {'5' * 64} | 224x224 bicubic antialiased, grey as RGB | numpy 2.4.6"
    (folder / "tstr" / "signature.txt").write_text(f"auroc | {how}\nf1 | {how}\n")


def write_classifier(folder, given, classes):
    predicted = given.probabilities.argmax(1)
    counts = [
        [int(((given.labels == t) & (predicted == p)).sum()) for p in range(len(classes))]
        for t in range(len(classes))
    ]
    write_rows(
        folder / "history.csv",
        [
            {
                "epoch": e,
                "train_loss": 1 / e,
                "train_accuracy": 0.6,
                "val_loss": 1.1 / e,
                "val_accuracy": 0.5,
                "best": int(e == 3),
            }
            for e in (1, 2, 3)
        ],
    )
    write_rows(
        folder / "confusion.csv",
        [
            {"test_set": "test", "true": name, **dict(zip(classes, row, strict=True))}
            for name, row in zip(classes, counts, strict=True)
        ],
    )
    write_rows(
        folder / "report.csv",
        [
            {"test_set": "test", "class": name, "precision": 0.8, "recall": 0.7, "f1": 0.75, "support": 30}
            for name in classes
        ],
    )


def write_record(out, labels, **changes):
    sets = {
        name: {"digest": "ab" * 32, "images": 60, "shape": [16, 16, 1], "counts": dict.fromkeys(CLASSES, 30)}
        for name in ("train", "test", "far")
    }
    record = {
        "format": RUN,
        "benchmark": {
            "name": "toy",
            "seed": 0,
            "seeds": 1,
            "samples": 20,
            "headline": "tstr.auroc",
            "generators": [{"use": label, "label": label} for label in labels],
            "evaluators": [{"use": "tstr", "label": "tstr"}],
        },
        "versions": {"python": "3.11.7", "synthbench": "0.1.0"},
        "git": {"commit": "0123abc" + "4" * 33, "dirty": True},
        "hardware": {"device": "cpu", "cores": 2},
        "data": {"domain": "adults, one hospital", "positive": "PNEUMONIA", "sets": sets, "quarantined": 1},
        "started": "2026-01-01T00:00:00+00:00",
        "finished": "2026-01-01T00:01:00+00:00",
        "command": ["run", "toy bench.yaml"],
        "trials": [
            {
                "generator": label,
                "index": 0,
                "seed": 7,
                "status": "failed" if label == "broken" else "done",
                "reasons": ["broken: loss is NaN"] if label == "broken" else [],
            }
            for label in labels
        ],
        **changes,
    }
    (out / "run.json").write_text(json.dumps(record), encoding="utf-8")


def make_run(out, roles=None, **record):
    """A run of `roles` (generator: role) with two test sets, sizes, leaks, a quarantined file, a failure."""
    roles = roles or ROLES
    out.mkdir(parents=True, exist_ok=True)
    done = [label for label in roles if label != "broken"]
    write_rows(
        out / "leaderboard.csv",
        [board_row(label, role, str(k)) for k, (label, role) in enumerate(roles.items(), 1)],
    )
    write_rows(out / "scores.csv", [score_row(label, where) for label in done for where in ("test", "far")])
    sizes = [interval_row(label, f"{n} images", 0.6 + n / 1000) for label in done[:2] for n in (50, 100)]
    write_rows(out / "intervals.csv", [*interval_rows(roles), *sizes])
    pair = {"a": done[0], "b": done[-1], "test": "bootstrap", "difference": 0.1, "low": 0.02, "high": 0.2}
    write_rows(out / "comparisons.csv", [{**pair, "p": 0.01, "p_holm": 0.01, "better": done[0]}])
    about = {
        "dataset": "toy",
        "images": 60,
        "patients": 45,
        "counts": "NORMAL 30; PNEUMONIA 30",
        "leaked": 3,
        "domain": "adults",
    }
    write_rows(out / "test_sets.csv", [{"test_set": name, **about, "dataset": name} for name in ("test", "far")])
    write_rows(
        out / "audit.csv",
        [
            {
                "test_set": "test",
                "image": "a.png",
                "seen_in": "train",
                "match": "b.png",
                "kind": "exact",
                "distance": 0,
            }
        ],
    )
    write_rows(out / "quarantine.csv", [{"path": "NORMAL/cut.png", "reason": "cut short"}])
    write_record(out, list(roles), **record)
    save_real(out, some_images())
    for label in done:
        write_trial(out / "trials" / safe_name(label) / "seed-0", label)
    if "broken" in roles:
        error = out / "trials" / "broken" / "seed-0" / "generator" / "error.txt"
        error.parent.mkdir(parents=True)
        error.write_text("Traceback (most recent call last):\nRuntimeError: <b>loss</b> is NaN\n")
    return out


@pytest.fixture(scope="session")
def made_up():
    """Functions that make up a run's folder and pieces of it."""
    return SimpleNamespace(
        run=make_run,
        images=some_images,
        answers=answers,
        rows=write_rows,
        board_row=board_row,
        interval_row=interval_row,
        interval_rows=interval_rows,
        score_row=score_row,
        safe_name=safe_name,
    )


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """A run's folder with its report; for tests that only read."""
    out = make_run(tmp_path_factory.mktemp("finished") / "run")
    write_report(out)
    return out


def find_browser():
    """Chromium and its driver, or why there is none."""
    pytest.importorskip("selenium", reason="selenium is not installed")
    names = ("chromium", "chromium-browser", "google-chrome")
    program = next((path for name in names if (path := shutil.which(name))), None)
    driver = shutil.which("chromedriver")
    if not (program and driver):
        pytest.skip("no Chromium with its chromedriver on PATH")
    return program, driver


FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars"),
    *(
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-dev-shm-usage",
    ),
]


@pytest.fixture(scope="session")
def chromium():
    """Headless Chromium that logs its console and its network."""
    program, driver = find_browser()
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = program
    for flag in FLAGS:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    browser = webdriver.Chrome(options=options, service=Service(driver))
    yield browser
    browser.quit()
