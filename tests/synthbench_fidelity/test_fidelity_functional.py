"""What all metrics of features share: keywords only, clear refusals, arguments left alone."""

import inspect

import numpy as np
import pytest

from synthbench_fidelity import functional

RNG = np.random.default_rng(0)
METRICS = {
    "authenticity": {},
    "classifier_two_sample": {"rng": RNG},
    "copies": {"false_alarm": 0.5},
    "ct_score": {"rng": RNG, "cells": 1},
    "density_coverage": {},
    "frechet_distance": {},
    "frechet_distance_infinity": {"rng": RNG, "points": 3},
    "k_nearest": {"k": 2},
    "kernel_distance": {"rng": RNG, "subsets": 2},
    "kernel_distance_interval": {},
    "membership_auroc": {},
    "nearest": {},
    "nearest_distance_ratio": {"rng": RNG},
    "prdc": {"k": 3},
    "precision_recall": {},
    "vendi_score": {},
}
SETS = ("real", "synthetic", "train", "holdout", "queries", "points", "features")
FUNCTIONS = [name for name in functional.__all__ if inspect.isfunction(getattr(functional, name))]


def sets(name, **shapes):
    """Features for each set that the metric takes."""
    asked = [
        p for p in inspect.signature(getattr(functional, name)).parameters if p in SETS and name_takes(name, p)
    ]
    rng = np.random.default_rng(1)
    return {p: rng.normal(size=shapes.get(p, (40, 6))) for p in asked}


def name_takes(name, parameter):
    """FD-infinity's `points` is a number."""
    return (name, parameter) != ("frechet_distance_infinity", "points")


def call(name, given):
    return getattr(functional, name)(**given, **METRICS[name])


def numbers(found):
    """All that a metric returns, as one array."""
    if isinstance(found, functional.Copies):
        found = vars(found)
    parts = found.values() if isinstance(found, dict) else found if isinstance(found, tuple) else [found]
    return np.concatenate([np.ravel(part) for part in parts])


def test_every_metric_of_features_is_listed():
    others = {
        "auroc_interval",
        "frechet_distance_from_statistics",
        "vendi_score_from_kernel",
        "ms_ssim",
        "ms_ssim_of_pairs",
        "scales_for",
    }
    assert set(FUNCTIONS) - others == set(METRICS)


@pytest.mark.parametrize("name", sorted(set(FUNCTIONS) - {"scales_for"}))
def test_arguments_by_keyword_only(name):
    kinds = {p.kind for p in inspect.signature(getattr(functional, name)).parameters.values()}
    assert kinds == {inspect.Parameter.KEYWORD_ONLY}


@pytest.mark.parametrize("name", METRICS)
def test_numbers_are_finite_and_arguments_unchanged(name):
    given = sets(name)
    kept = {key: array.copy() for key, array in given.items()}
    found = call(name, given)
    assert np.isfinite(numbers(found)).all()
    assert all(np.array_equal(given[key], kept[key]) for key in given)


@pytest.mark.parametrize("name", METRICS)
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_nan_and_infinity_are_refused_by_name(name, bad):
    for key in sets(name):
        given = sets(name)
        given[key][3, 2] = bad
        with pytest.raises(ValueError, match=f"{key} holds NaN or infinite"):
            call(name, given)


@pytest.mark.parametrize("name", METRICS)
def test_shapes_are_refused_by_name(name):
    for key in sets(name):
        for shape, message in (((40,), "matrix"), ((40, 0), "matrix"), ((0, 6), "at least")):
            with pytest.raises(ValueError, match=f"{key} (must be a )?.*{message}"):
                call(name, sets(name) | {key: np.ones(shape)})


@pytest.mark.parametrize("name", sorted(set(METRICS) - {"vendi_score"}))
def test_widths_must_agree(name):
    *_, last = sets(name)
    with pytest.raises(ValueError, match=f"one width; found .*{last} 7"):
        call(name, sets(name, **{last: (40, 7)}))


@pytest.mark.parametrize("kind", [np.int32, np.uint8, np.float16])
def test_other_number_types_are_computed_in_double(kind):
    features = np.random.default_rng(2).integers(0, 50, size=(30, 4))
    given = {"real": features[:15].astype(kind), "synthetic": features[15:].astype(kind)}
    double = {key: array.astype(np.float64) for key, array in given.items()}
    assert functional.prdc(**given, k=3) == functional.prdc(**double, k=3)
    assert functional.frechet_distance(**given) == functional.frechet_distance(**double)


@pytest.mark.parametrize("array", [np.array([["a"]]), np.ones((2, 2), dtype=complex), np.ones((2, 2), dtype=bool)])
def test_what_is_no_number_is_refused(array):
    with pytest.raises(ValueError, match="real numbers"):
        functional.vendi_score(features=array)


def test_the_public_face_is_sorted():
    assert functional.__all__ == sorted(functional.__all__)
