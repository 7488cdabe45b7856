"""Cells, ranks and utility from results made by hand: what a board may and may not say."""

import math
from dataclasses import replace

import numpy as np
import pytest

from synthbench.api.registry import load_registry
from synthbench.benchmark.config import load_benchmark
from synthbench.benchmark.declared import Declared
from synthbench.benchmark.definition import Benchmark, Entry, Headline, Ranking
from synthbench.benchmark.plan import Trial, make_plan
from synthbench.data.test_sets import TestSet
from synthbench.leaderboard.board import make_board
from synthbench.leaderboard.bootstrap import Replicates
from synthbench.leaderboard.estimates import estimates_of
from synthbench.leaderboard.score_key import ScoreKey
from synthbench.leaderboard.trial_result import TrialResult
from synthbench.leaderboard.utility import worth_text
from synthbench.results.folder import StoredEstimate
from synthbench.storage.layout import column_name
from synthbench.storage.predictions import save_predictions
from synthbench.types import Predictions, Score
from tests.helpers.places import ROOT

HEAD = ScoreKey("e", "accuracy", "test")
B = 2000
IMAGES = np.random.default_rng(0).normal(size=B)  # what the draw of test images does to everyone


JUDGE = Declared(metrics={"accuracy": "higher", "error": "lower"}, bounds={"accuracy": (0.0, 1.0)})


EVALUATOR = Entry("e", "e", JUDGE)


def generator(label, role="candidate", prior="balanced"):
    return Entry(label, label, Declared(role, prior))


def result(entry, index, values, *, spread=0.01, own=0.002, metric="accuracy", note="", **score):
    """A trial: one score a classifier; its replicates share the draw of images and have a bit of their own."""
    trial = Trial(entry, index, index, (EVALUATOR,))
    scores = [Score(metric, v, "test", 624, classifier_seed=k, note=note, **score) for k, v in enumerate(values)]
    rng = np.random.default_rng(abs(hash((entry.label, index))) % 2**32)
    replicates = {
        ScoreKey("", metric, "test", classifier_seed=k): v + spread * IMAGES + own * rng.normal(size=B)
        for k, v in enumerate(values)
    }
    made = TrialResult(trial)
    made.scores["e"] = tuple(scores)
    if spread:
        made.replicates["e"] = Replicates(replicates, {"test": 300})
    made.costs = {
        "fit": dict.fromkeys(["wall_s", "cpu_s", "peak_memory_mb", "peak_gpu_mb"], 1.0),
        "sample": {**dict.fromkeys(["wall_s", "cpu_s", "peak_memory_mb", "peak_gpu_mb"], 1.0), "images": 10},
    }
    return made


def bench(*generators, headline="e.accuracy", seeds=1, test="bootstrap"):
    return Benchmark(
        name="b",
        seed=0,
        seeds=seeds,
        samples=100,
        headline=Headline.parse(headline),
        max_leak=0.01,
        holdout=0.0,
        baselines=True,
        ranking=Ranking(test=test),
        dataset=Entry("d", "d", Declared()),
        generators=generators,
        evaluators=(EVALUATOR,),
        external=(),
    )


def one_test_set(leaked=0):
    counts = {"leaked_exact": leaked, "leaked_perceptual": 0, "leaked_patient": 0, "leaked": leaked}
    return TestSet("test", "d", "children", 624, 300, {"NORMAL": 234, "PNEUMONIA": 390}, counts)


def board_of(results, leaked=0, **options):
    entries = list({o.trial.generator.label: o.trial.generator for o in results}.values())
    return make_board(bench(*entries, **options), [one_test_set(leaked)], results)


def by_generator(board):
    return board.leaderboard.set_index("generator")


# ---- cells


def test_classifiers_are_averaged_within_a_generators_seed():
    g = generator("a")
    cell = estimates_of([result(g, 0, [0.7, 0.8]), result(g, 1, [0.8, 0.9])], 2)[HEAD]
    assert cell.values == pytest.approx([0.75, 0.85])
    assert cell.value == pytest.approx(0.8)
    assert (cell.generator_seeds, cell.classifier_seeds) == (2, 2)
    assert cell.replicates.shape == (2, B)
    assert cell.replicates.mean(1) == pytest.approx([0.75, 0.85], abs=0.002)


def test_with_one_generator_seed_the_classifiers_are_the_seeds():
    cell = estimates_of([result(generator("a"), 0, [0.7, 0.8, 0.9])], 1)[HEAD]
    assert cell.values == pytest.approx([0.7, 0.8, 0.9])
    assert cell.interval.weak
    assert "3 seeds (weak)" in cell.interval.basis


def test_the_spread_over_seeds_widens_the_interval():
    g = generator("a")
    calm = estimates_of([result(g, i, [0.8]) for i in range(10)], 10)[HEAD].interval
    wild = estimates_of([result(g, i, [0.8 + 0.01 * (i - 4.5)]) for i in range(10)], 10)[HEAD].interval
    assert wild.high - wild.low > 1.15 * (calm.high - calm.low)
    assert wild.sampling_high - wild.sampling_low == pytest.approx(
        calm.sampling_high - calm.sampling_low, rel=0.05
    )
    assert not wild.weak


def test_a_trial_without_a_score_leaves_a_text_and_no_mean():
    g = generator("a")
    cell = estimates_of([result(g, 0, [0.7]), result(g, 1, [0.8])], 3)[HEAD]
    assert cell.text == "2/3 seeds"
    assert math.isnan(cell.value)


def test_an_undefined_value_leaves_its_note():
    g = generator("a")
    trials = [result(g, 0, [0.7]), result(g, 1, [math.nan], note="too few: 3 images of NORMAL")]
    assert estimates_of(trials, 2)[HEAD].text == "too few: 3 images of NORMAL"


def test_an_evaluators_own_interval_is_kept_for_one_seed_and_widened_for_several():
    g = generator("a")
    one = estimates_of([result(g, 0, [0.5], spread=0, low=0.4, high=0.7)], 1)[HEAD].interval
    assert (one.low, one.high) == (0.4, 0.7)
    trials = [result(g, i, [0.5 + 0.05 * i], spread=0, low=0.4, high=0.7) for i in range(3)]
    three = estimates_of(trials, 3)[HEAD].interval
    assert three.low < 0.4
    assert three.high > 0.7
    near = [result(g, i, [0.97 + 0.02 * i], spread=0, low=0.94, high=0.995) for i in range(2)]
    assert estimates_of(near, 2)[HEAD].interval.high == 1, "cut at the metric's range"
    agreed = [result(g, i, [0.5], spread=0, low=0.4, high=0.7) for i in range(2)]
    of_agreed = estimates_of(agreed, 2)[HEAD].interval
    assert (of_agreed.low, of_agreed.high) == pytest.approx((0.4, 0.7))


def test_no_resampling_and_one_seed_is_no_interval():
    cell = estimates_of([result(generator("a"), 0, [0.5], spread=0)], 1)[HEAD]
    assert math.isnan(cell.interval.low)


# ---- the board

NAMES = {
    ("tstr-vgg16", "auroc"): "tstr_vgg16_auroc",
    ("kid", "kid[efficientnet-lite0]"): "kid",
    ("kid", "kid_place[x]"): "kid_place",
    ("ms-ssim", "ms_ssim"): "ms_ssim",
    ("x/../y:Z", "gap"): "x_y_Z_gap",
    ("3d", "f1"): "_3d_f1",
    ("/data/jane/draws.py:Draws", "drawn"): "draws_py_Draws_drawn",
    ("…/draws.py:Draws", "drawn"): "draws_py_Draws_drawn",
}


@pytest.mark.parametrize(("measured", "name"), NAMES.items())
def test_columns_are_names_of_python(measured, name):
    assert column_name(*measured) == name
    assert name.isidentifier()


def sided(label, index=0, *, value=0.8, **more):
    """A trial with scores on an external set, and of a second evaluator whose gate comes first."""
    made = result(generator(label), index, [value])
    far = [replace(score, test_set="far", value=score.value - 0.1, n=50) for score in made.scores["e"]]
    made.scores["e"] += tuple(far)
    made.scores["side-one"] = (Score("flag", 0.0, "", 10), Score("side", 0.25, "", 10, **more))
    made.trial = replace(made.trial, evaluators=(EVALUATOR, SIDE))
    return made


SIDE = Entry("side-one", "s", Declared(metrics={"flag": "lower", "side": "lower"}, gates=frozenset({"flag"})))


def sided_board(results, **changes):
    entries = list({o.trial.generator.label: o.trial.generator for o in results}.values())
    far = Entry("far", "d", Declared())
    asked = replace(bench(*entries), evaluators=(EVALUATOR, SIDE), external=(far,), **changes)
    elsewhere = replace(one_test_set(), name="far", dataset="far")
    return make_board(asked, [one_test_set(), elsewhere], results)


def test_the_headline_stands_on_each_external_set_and_other_evaluators_by_their_main_metric():
    table = by_generator(sided_board([sided("a"), sided("b", value=0.7)]))
    assert list(table)[4:11] == [
        *("e_accuracy", "e_accuracy_low", "e_accuracy_high", "e_accuracy_n"),
        *("e_accuracy_on_far", "e_accuracy_on_far_low", "e_accuracy_on_far_high"),
    ]
    assert table["e_accuracy_on_far"].to_dict() == pytest.approx({"a": 0.7, "b": 0.6})
    assert table["side_one_side"].tolist() == [0.25, 0.25]
    assert not [name for name in table if "flag" in name or name.startswith("side_one_side_")]
    assert all(name.isidentifier() for name in table)


def test_an_external_set_may_have_brackets_in_its_name_and_what_is_left_of_one_has_no_column():
    trial = sided("a")
    here = [score for score in trial.scores["e"] if score.test_set == "test"]
    names = ("far [B]", "far [B][clean]")
    trial.scores["e"] += tuple(replace(score, test_set=name) for score in here for name in names)
    far = Entry("far [B]", "d", Declared())
    asked = replace(bench(trial.trial.generator), evaluators=(EVALUATOR, SIDE), external=(far,))
    tests = [one_test_set(), *(replace(one_test_set(), name=name, dataset="far [B]") for name in names)]
    columns = list(make_board(asked, tests, [trial]).leaderboard)
    assert [name for name in columns if "_on_" in name and not name.endswith(("_low", "_high"))] == [
        "e_accuracy_on_far_B"
    ]


def test_the_headlines_metric_stands_for_every_evaluator_that_has_it():
    assert SIDE.declared.main_metric("auroc") == "side"
    assert JUDGE.main_metric("error") == "error"
    assert Declared(metrics={"flag": "lower"}, gates=frozenset({"flag"})).main_metric("auroc") == "flag"


def test_names_that_meet_are_told_apart():
    twin = Entry("side_one", "s", SIDE.declared)
    trials = [sided("a")]
    trials[0].scores["side_one"] = (Score("side", 0.5, "", 10),)
    trials[0].trial = replace(trials[0].trial, evaluators=(EVALUATOR, SIDE, twin))
    asked = replace(bench(trials[0].trial.generator), evaluators=(EVALUATOR, SIDE, twin))
    row = by_generator(make_board(asked, [one_test_set()], trials)).loc["a"]
    assert (row["side_one_side"], row["side_one_side_2"]) == (0.25, 0.5)


def test_a_number_column_holds_numbers_alone_and_the_note_says_why_one_is_missing():
    trials = [result(generator("a"), 0, [math.nan], note="too few: 3 images"), result(generator("b"), 0, [0.5])]
    table = by_generator(board_of(trials))
    numbers = [name for name in table if name not in ("role", "status", "copying", "note")]
    assert not [name for name in numbers if table[name].dtype == object]
    assert math.isnan(table["e_accuracy"]["a"])
    assert table["note"].to_dict() == {"b": "", "a": "e_accuracy: too few: 3 images"}


def test_an_evaluator_on_the_side_that_fails_leaves_the_row_its_seeds_and_its_rank():
    side, head = sided("a"), sided("b")
    del side.scores["side-one"], head.scores["e"]
    side.end("failed", "side-one: no luck")
    head.end("failed", "e: no luck")
    table = by_generator(sided_board([side, head]))
    assert table["status"].to_dict() == {"a": "incomplete", "b": "failed"}
    assert table["seeds"].to_dict() == {"a": 1, "b": 0}
    assert table["rank"]["a"] == 1
    assert table["note"].to_dict() == {"a": "side-one: no luck", "b": "e: no luck"}


def test_a_reason_names_its_seeds_where_it_is_not_of_all():
    one, other = result(generator("a"), 0, [0.8]), result(generator("a"), 1, [0.8])
    other.end("failed", "e: no luck")
    assert by_generator(board_of([one, other], seeds=2))["note"]["a"] == "seed 1: e: no luck"
    one.end("failed", "e: no luck")
    assert by_generator(board_of([one, other], seeds=2))["note"]["a"] == "e: no luck"


def test_costs_are_a_row_a_stage_of_a_trial_and_on_the_board_their_means():
    trials = [result(generator("a"), index, [0.8]) for index in (0, 1)]
    trials[1].costs["fit"] = {**trials[1].costs["fit"], "wall_s": 3.0, "peak_memory_mb": 9.0, "peak_gpu_mb": None}
    trials[1].costs["e"] = dict(trials[1].costs["fit"])
    board = board_of(trials, seeds=2)
    assert board.costs[["generator", "seed", "stage", "wall_s", "images"]].fillna(-1).to_numpy().tolist() == [
        *(["a", 0, "fit", 1.0, -1], ["a", 0, "sample", 1.0, 10], ["a", 1, "fit", 3.0, -1]),
        *(["a", 1, "sample", 1.0, 10], ["a", 1, "e", 3.0, -1]),
    ]
    row = by_generator(board).loc["a"]
    assert row[["fit_s", "sample_s", "score_s", "peak_memory_mb"]].tolist() == [2.0, 1.0, 3.0, 9.0]


def test_what_trials_share_is_one_row_of_costs():
    trials = [result(generator(name), 0, [0.8]) for name in "ab"]
    trials[0].shared = {"features/1": {"wall_s": 2.0, "cpu_s": 3.0}, "features/2": {"wall_s": 0.5, "cpu_s": 0.5}}
    trials[1].shared = {"features/1": {"wall_s": 2.0, "cpu_s": 3.0}}
    costs = board_of(trials).costs
    row = costs[costs["stage"] == "shared"]
    assert row[["generator", "wall_s", "cpu_s"]].to_numpy().tolist() == [["", 2.5, 3.5]]
    assert row["seed"].isna().all()


def test_the_headline_has_its_interval_and_its_n():
    row = by_generator(board_of([result(generator("a"), 0, [0.8])])).loc["a"]
    assert row["e_accuracy"] == pytest.approx(0.8)
    assert row["e_accuracy_low"] == pytest.approx(0.78, abs=0.003)
    assert row["e_accuracy_high"] == pytest.approx(0.82, abs=0.003)
    assert row["e_accuracy_n"] == 624


def test_ranks_are_groups():
    """b and c cannot be told apart; a is clearly better than both."""
    trials = [result(generator(n), 0, [v]) for n, v in (("a", 0.9), ("b", 0.8), ("c", 0.799))]
    board = board_of(trials)
    ranks = by_generator(board)[["rank", "rank_high"]]
    assert ranks.loc["a"].tolist() == [1, 1]
    assert ranks.loc["b"].tolist() == ranks.loc["c"].tolist() == [2, 3]
    assert set(board.comparisons["better"]) == {"a", ""}
    assert (board.comparisons["p_holm"] >= board.comparisons["p"]).all()


def test_a_small_difference_on_the_same_images_counts_where_independent_images_would_hide_it():
    board = board_of([result(generator("a"), 0, [0.812]), result(generator("b"), 0, [0.80])])
    assert by_generator(board)["rank"].tolist() == [1, 2]
    row = by_generator(board).loc["b"]
    assert row["e_accuracy_high"] > 0.812  # though the intervals overlap


def test_where_less_is_better_the_smaller_one_ranks_first():
    trials = [result(generator(n), 0, [v], metric="error") for n, v in (("a", 0.3), ("b", 0.2))]
    assert by_generator(board_of(trials, headline="e.error"))["rank"].to_dict() == {"b": 1, "a": 2}


def test_what_nothing_is_known_about_is_a_tie():
    trials = [result(generator(n), 0, [v], spread=0) for n, v in (("a", 0.9), ("b", 0.1))]
    table = by_generator(board_of(trials))
    assert table["rank"].tolist() == [1, 1]
    assert table["rank_high"].tolist() == [2, 2]


def test_a_leaking_test_set_ranks_nobody():
    trials = [result(generator(n), 0, [v]) for n, v in (("a", 0.9), ("b", 0.1))]
    assert by_generator(board_of(trials, leaked=6))["rank"].tolist() == [1, 2]
    table = by_generator(board_of(trials, leaked=7))
    assert table["rank"].isna().all()
    assert table["leaked"].tolist() == [7, 7]
    assert "7 of the 624 images" in table.loc["a", "note"]


def brackets(candidate, ceiling, prior="balanced"):
    trials = [result(generator("a"), 0, [candidate]), result(generator("top", "ceiling", prior), 0, [ceiling])]
    return by_generator(board_of(trials, headline="e.accuracy"))


def test_utility_needs_a_floor():
    assert math.isnan(brackets(0.7, 0.9).loc["a", "utility"])


def test_utility_against_both_ceilings():
    trials = [
        result(generator("a"), 0, [0.7]),
        result(generator("shuffled-labels", "floor"), 0, [0.5]),
        result(generator("balanced", "ceiling"), 0, [0.9]),
        result(generator("plain", "ceiling", "train"), 0, [0.8]),
    ]
    board = board_of(trials)
    row, known = by_generator(board).loc["a"], board.intervals.set_index("metric")
    assert row["utility"] == known["value"]["utility"] == pytest.approx(0.5, abs=0.01)
    assert known["value"]["utility_imbalanced"] == pytest.approx(2 / 3, abs=0.01)
    assert row["utility_low"] < row["utility"] < row["utility_high"]
    assert "shuffled-labels" in known["note"]["utility"]
    assert "balanced of 100 images" in known["note"]["utility"]


@pytest.mark.parametrize(
    ("shuffled", "expected"),
    [
        (Entry("guess", "shuffled-labels", Declared("floor")), 0.5),
        (Entry("shuffled-labels", "pca-gaussian", Declared()), math.nan),
    ],
)
def test_the_floor_is_told_by_its_role_and_plugin(shuffled, expected):
    ceiling = result(generator("balanced", "ceiling"), 0, [0.9])
    board = by_generator(board_of([result(generator("a"), 0, [0.7]), result(shuffled, 0, [0.5]), ceiling]))
    assert board.loc["a", "utility"] == pytest.approx(expected, abs=0.01, nan_ok=True)


def test_utility_is_undefined_where_the_ceiling_is_not_above_the_floor():
    trials = [
        result(generator("a"), 0, [0.7]),
        result(generator("shuffled-labels", "floor"), 0, [0.5], own=0.02),
        result(generator("balanced", "ceiling"), 0, [0.51], own=0.02),
    ]
    row = by_generator(board_of(trials)).loc["a"]
    assert row[["utility", "utility_low"]].isna().all()
    assert row["note"].startswith("utility undefined: ")


def test_utility_has_no_known_interval_where_the_seeds_lie_too_far_apart():
    trials = [
        *(result(generator("a"), seed, [value]) for seed, value in enumerate((0.55, 0.95))),
        result(generator("shuffled-labels", "floor"), 0, [0.5]),
        result(generator("balanced", "ceiling"), 0, [0.9]),
    ]
    board = board_of(trials)
    row, known = by_generator(board).loc["a"], board.intervals.set_index("metric").loc["utility"]
    assert row["utility"] == known["value"] == pytest.approx(0.625, abs=0.01)
    assert row[["utility_low", "utility_high"]].isna().all()
    assert "utility: interval unknown" in row["note"]
    assert known["wide"]
    assert str(StoredEstimate.of_row(known.dropna().astype(str))) == "0.625 (unknown)"


def sized_ceiling(values, sizes):
    """The balanced ceiling with a curve over numbers of real images, scored as `real_sizes` asks."""
    made = result(generator("balanced", "ceiling"), 0, [0.9])
    made.trial = replace(made.trial, evaluators=(EVALUATOR, replace(EVALUATOR, label="e-real-sizes")))
    for value, size in zip(values, sizes, strict=True):
        variant = "" if size == sizes[-1] else f"{size} images"
        score = Score("accuracy", value, "test", 624, classifier_seed=0, variant=variant)
        made.scores.setdefault("e-real-sizes", ())
        made.scores["e-real-sizes"] += (score,)
        replicates = made.replicates.setdefault("e-real-sizes", Replicates({}, {"test": 300}))
        replicates.values[ScoreKey("", "accuracy", "test", "", variant, 0)] = value + 0.01 * IMAGES
    return made


def test_worth_in_real_images():
    sizes, trials = (100, 400), [result(generator("a"), 0, [0.75]), result(generator("b"), 0, [0.95])]
    trials.append(sized_ceiling([0.7, 0.8], sizes))
    entries = tuple(one.trial.generator for one in trials)
    board = make_board(replace(bench(*entries), real_sizes=sizes), [one_test_set()], trials)
    table, known = by_generator(board), board.intervals.set_index(["generator", "metric"])
    assert table.loc["a", "worth"] == known.loc[("a", "worth"), "value"] == pytest.approx(200, abs=5)
    assert 100 < table.loc["a", "worth_low"] < 200 < table.loc["a", "worth_high"] < 400
    assert table.loc["b", ["worth_low", "worth_high"]].tolist() == [400, math.inf]
    assert "worth more than 400 real images" in table.loc["b", "note"]
    assert math.isnan(table.loc["balanced", "worth"])
    assert not [column for column in table if "real_sizes" in column]  # one row's numbers are no column
    assert "worth" not in by_generator(board_of(trials[:2]))


@pytest.mark.parametrize(
    ("cells", "text"),
    [
        (("420.0", "250.0", "900.0"), "420 (250 to 900)"),
        (("420.0", "0.0", "900.0"), "420 (at most 900)"),
        (("420.0", "250.0", "inf"), "420 (at least 250)"),
        (("420.0", "0.0", "inf"), "420 (unknown)"),
        (("", "700.0", "inf"), "at least 700"),
        (("", "0.0", "90.0"), "at most 90"),
        (("", "", ""), ""),
        (("x", "y", "z"), ""),
    ],
)
def test_worth_as_people_read_it(cells, text):
    assert worth_text(dict(zip(("worth", "worth_low", "worth_high"), cells, strict=True))) == text


def test_intervals_csv_tells_the_two_sources_apart():
    g = generator("a")
    table = board_of([result(g, i, [0.8 + 0.02 * i]) for i in range(3)], seeds=3).intervals
    row = table.set_index("metric").loc["accuracy"]
    assert row["low"] < row["sampling_low"] < row["value"] < row["sampling_high"] < row["high"]
    assert row["seed_sd"] == pytest.approx(0.02)
    assert (row["generator_seeds"], row["classifier_seeds"], row["weak"]) == (3, 1, True)


@pytest.mark.parametrize(("test", "metric"), [("mcnemar", "accuracy"), ("delong", "auroc")])
def test_named_tests_compare_the_answers_behind_the_headline(tmp_path, monkeypatch, test, metric):
    rng = np.random.default_rng(0)
    labels = np.arange(400) % 2
    ids = np.array([str(i) for i in range(400)])
    trials = []
    for name, noise in (("good", 0.3), ("bad", 3.0)):
        second = 1 / (1 + np.exp(-(2 * labels - 1 + rng.normal(0, noise, 400))))
        answers = Predictions("test", ids, ids, labels, np.stack([1 - second, second], axis=1), 0)
        save_predictions(tmp_path / f"{name}.csv", [answers], ("NORMAL", "PNEUMONIA"))
        trial = result(generator(name), 0, [0.9 if name == "good" else 0.6], metric=metric)
        trial.predictions["e"] = tmp_path / f"{name}.csv"
        trials.append(trial)
    monkeypatch.setitem(JUDGE.metrics, "auroc", "higher")
    board = board_of(trials, headline=f"e.{metric}", test=test)
    assert board.comparisons["test"].tolist() == [test]
    assert board.comparisons["better"].tolist() == ["good"]
    assert board.comparisons["p"][0] < 1e-6


def test_a_metric_of_the_synthetic_images_themselves_can_be_the_headline():
    trials = [result(generator(n), 0, [v, v + 0.001, v - 0.001], spread=0) for n, v in (("a", 0.2), ("b", 0.9))]
    for trial in trials:
        trial.scores["e"] = tuple(replace(score, test_set="") for score in trial.scores["e"])
    assert by_generator(board_of(trials))["rank"].to_dict() == {"b": 1, "a": 2}


def test_the_shipped_benchmark_has_a_board_of_at_most_forty_columns():
    cxr = load_benchmark(ROOT / "benchmarks/cxr-cpu.yaml", load_registry())
    trial = make_plan(cxr, ["acgan"])[0]
    external = [replace(one_test_set(), name=e.label, dataset=e.label) for e in cxr.external]
    made = TrialResult(trial)
    made.scores[cxr.headline.evaluator] = tuple(
        Score(cxr.headline.metric, 0.8, name, 50, classifier_seed=0)
        for name in ("test", *(t.name for t in external))
    )
    table = make_board(cxr, [one_test_set(), *external], [made]).leaderboard
    assert [name for name in table if name.endswith("_low")] == [
        *("tstr_vgg16_auroc_low", "tstr_vgg16_auroc_on_covid_pneumonia_normal_low"),
        *("tstr_vgg16_auroc_on_pneumonia_xray_images_low", "utility_low"),
    ]
    assert "kid" in table
    assert len(table.columns) <= 40
