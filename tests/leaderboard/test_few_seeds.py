"""Few seeds on the board: intervals borrow, values do not; what stands beside rank and interval; floors."""

import math
import time
from dataclasses import replace

import numpy as np
import pytest

from synthbench.benchmark.declared import Declared
from synthbench.benchmark.definition import Benchmark, Entry, Headline, Ranking
from synthbench.benchmark.plan import Trial
from synthbench.data.test_sets import TestSet
from synthbench.leaderboard.board import make_board
from synthbench.leaderboard.bootstrap import Replicates
from synthbench.leaderboard.few_seeds import ONE_SEED, one_seed_note, with_pools
from synthbench.leaderboard.floors import chance_of, floor_warnings
from synthbench.leaderboard.score_key import ScoreKey
from synthbench.leaderboard.trial_result import TrialResult
from synthbench.stats import Pool
from synthbench.types import Score

HEAD = ScoreKey("e", "auroc", "test")
RANGES = {"auroc": (0.0, 1.0)}
EVALUATOR = Entry("e", "e", Declared(metrics={"auroc": "higher", "kid": "lower"}, bounds=RANGES))
IMAGES = 0.01 * np.random.default_rng(0).normal(size=500)


def trials(label, *seeds, role="candidate", metric="auroc", resampled=True):
    """The trials of a generator; `seeds` are its values, of each seed one number or one a classifier."""
    entry = Entry(label, label, Declared(role))
    # A little of its own: a difference that no resample moves is another case.
    images = IMAGES + np.random.default_rng(list(label.encode())).normal(0, 1e-6, len(IMAGES))
    for index, values in enumerate(seeds):
        values = np.atleast_1d(values)
        trial = TrialResult(Trial(entry, index, index, (EVALUATOR,)))
        trial.scores["e"] = tuple(Score(metric, float(v), "test", 600, k) for k, v in enumerate(values))
        if resampled:
            by_key = {ScoreKey("", metric, "test", classifier_seed=k): v + images for k, v in enumerate(values)}
            trial.replicates["e"] = Replicates(by_key, {"test": 300})
        yield trial


def board_of(*rows, headline="e.auroc", margin=None):
    results = [result for row in rows for result in row]
    entries = {result.trial.generator.label: result.trial.generator for result in results}
    seeds = max(sum(r.trial.generator.label == label for r in results) for label in entries)
    counts = dict.fromkeys(["leaked_exact", "leaked_perceptual", "leaked_patient", "leaked"], 0)
    bench = Benchmark(
        **{"name": "b", "seed": 0, "seeds": seeds, "samples": 100, "max_leak": 0.01, "holdout": 0.0},
        baselines=True,
        headline=Headline.parse(headline),
        ranking=Ranking(margin=margin),
        dataset=Entry("d", "d", Declared()),
        external=(),
        generators=tuple(entries.values()),
        evaluators=(EVALUATOR,),
    )
    return make_board(bench, [TestSet("test", "d", "x", 600, 300, {"NORMAL": 200, "ILL": 400}, counts)], results)


def row(board, label):
    return board.leaderboard.set_index("generator").loc[label]


def cell(board, label):
    """The headline's row of intervals.csv."""
    return board.intervals.set_index("generator").loc[label]


A, B, C = (0.80, 0.82), (0.70, 0.73), (0.60, 0.61)


def test_intervals_borrow_from_the_other_rows_and_say_so():
    alone = cell(board_of(trials("a", *A)), "a")
    among = cell(board_of(trials("a", *A), trials("b", *B), trials("c", *C)), "a")
    assert "2 seeds (weak)" in alone["basis"]
    assert "2 seeds and those of 2 other rows (weak)" in among["basis"]
    widths = [r["high"] - r["low"] for r in (alone, among)]
    assert widths[1] < 0.6 * widths[0]


def test_values_ranks_and_tests_depend_on_no_other_row():
    rows = {"a": A, "b": B}
    two = board_of(*(trials(label, *values) for label, values in rows.items()))
    wild = board_of(*(trials(label, *values) for label, values in rows.items()), trials("w", 0.2, 0.9))
    for label, values in rows.items():
        for board in (two, wild):
            assert row(board, label)["e_auroc"] == pytest.approx(np.mean(values))
        assert cell(two, label)["seed_sd"] == cell(wild, label)["seed_sd"]
    pairs = [
        board.comparisons.set_index(["a", "b"]).loc[("a", "b"), ["difference", "low", "high", "p"]]
        for board in (two, wild)
    ]
    assert pairs[0].tolist() == pairs[1].tolist()


def test_floors_borrow_from_floors_and_from_nobody_else():
    floors = dict.fromkeys(("noise", "shuffled"), (0.3, 0.7, 0.5, 0.6, 0.4))
    rows = [trials(label, *values, role="floor") for label, values in floors.items()]
    board = board_of(trials("a", *A), trials("b", *B), *rows)
    assert "those of 1 other row " in cell(board, "a")["basis"]
    assert "those of 1 other row " in cell(board, "noise")["basis"]
    without = board_of(trials("a", *A), trials("b", *B))
    assert row(board, "a")["e_auroc_high"] == row(without, "a")["e_auroc_high"]


def test_classifier_seeds_do_not_lend_to_generator_seeds():
    board = board_of(trials("a", *A), trials("b", (0.7, 0.73)))
    assert "other row" not in cell(board, "a")["basis"]
    assert "other row" not in cell(board, "b")["basis"]


def test_rows_that_are_not_done_lend_nothing():
    half = [replace(result, scores={}) if k else result for k, result in enumerate(trials("half", *C))]
    board = board_of(trials("a", *A), trials("b", *B), half)
    assert "those of 1 other row " in cell(board, "a")["basis"]


def test_what_is_not_resampled_borrows_too():
    rows = [trials(label, *values, metric="kid", resampled=False) for label, values in {"a": A, "b": B}.items()]
    board = board_of(*rows, headline="e.kid")
    assert "images not resampled; 2 seeds and those of 1 other row (weak)" in cell(board, "a")["basis"]


def test_a_thousand_rows_take_time_in_proportion():
    def seconds(n):
        one = next(iter(board_estimates(trials("a", *A))))
        estimates = {f"g{k}": {HEAD: one} for k in range(n)}
        started = time.perf_counter()
        pooled = with_pools(estimates, set())
        assert pooled["g0"][HEAD].pool == Pool(pytest.approx(one.seed_variance), n - 1)
        return time.perf_counter() - started

    few, many = (min(seconds(n) for _ in range(3)) for n in (100, 1000))
    assert many < 40 * few


def board_estimates(results):
    from synthbench.leaderboard.estimates import estimates_of

    results = list(results)
    return estimates_of(results, len(results)).values()


# ---- what stands beside rank and interval


def test_two_values_stand_beside_the_interval():
    board = board_of(trials("a", *A), trials("b", *B))
    assert cell(board, "a")["by_seed"] == "0.800, 0.820"
    three = board_of(trials("a", *A, 0.81), trials("b", *B, 0.71))
    assert cell(three, "a")["by_seed"] == ""


def test_an_interval_that_says_next_to_nothing_reads_unknown():
    board = board_of(trials("a", 0.5, 0.9, 0.6), trials("b", 0.70, 0.71, 0.72))
    a, b = row(board, "a"), row(board, "b")
    assert a[["e_auroc_low", "e_auroc_high"]].isna().all()
    assert a["note"] == "e_auroc: interval unknown, seeds 0.500, 0.900, 0.600"
    assert a["e_auroc"] == pytest.approx(2 / 3), "the mean still ranks"
    assert b["note"] == ""
    assert b["e_auroc_low"] < 0.71 < b["e_auroc_high"]
    full = cell(board, "a")
    assert full["wide"]
    assert full["low"] < 0.45


def note_of(board):
    rows = board.leaderboard.astype(object).fillna("").to_dict("records")
    return one_seed_note([{name: str(cell) for name, cell in row.items()} for row in rows])


def test_one_seed_is_said_once_of_a_board():
    assert note_of(board_of(trials("a", (0.8, 0.82)), trials("b", 0.7))) == ONE_SEED
    assert note_of(board_of(trials("a", *A), trials("b", *B))) == ""
    assert note_of(board_of(trials("real", 0.9, role="ceiling"), trials("a", *A), trials("b", *B))) == ""
    mixed = [{"generator": label, "rank": "1", "seeds": seeds} for label, seeds in (("a", "1"), ("b", "3"))]
    assert one_seed_note(mixed) == f"{ONE_SEED} (a)"


# ---- equal


def pair(a, b, **options):
    return board_of(trials("a", *a), trials("b", *b), **options).comparisons.iloc[0]


def test_equal_is_said_within_a_margin_and_not_for_want_of_a_difference():
    calm = pair([0.800] * 5, [0.801] * 5)
    assert (calm["equal"], calm["margin"]) == ("yes", pytest.approx(0.01))
    noisy = pair((0.7, 0.9, 0.8), (0.72, 0.88, 0.8))
    assert noisy["p"] > 0.9
    assert noisy["equal"] == ""
    assert pair([0.80] * 5, [0.82] * 5)["equal"] == ""
    assert pair([0.80] * 5, [0.82] * 5, margin=0.05)["equal"] == "yes"


def test_equal_needs_a_range_or_a_stated_margin():
    rows = [trials(label, 0.8, 0.8, metric="kid") for label in "ab"]
    assert math.isnan(board_of(*rows, headline="e.kid").comparisons.iloc[0]["margin"])
    rows = [trials(label, 0.8, 0.8, metric="kid") for label in "ab"]
    assert board_of(*rows, headline="e.kid", margin=0.1).comparisons.iloc[0]["equal"] == "yes"


# ---- floors


@pytest.mark.parametrize(
    ("metric", "chance"), [("auroc", 0.5), ("balanced_accuracy", 0.25), ("accuracy", None), ("kid", None)]
)
def test_what_guessing_reaches_where_it_is_known(metric, chance):
    assert chance_of(metric, 4) == chance


DRAWS = (0.40, 0.62, 0.55, 0.43, 0.51)


def test_a_floor_is_printed_as_chance_with_the_spread_of_its_draws():
    board = board_of(trials("a", *A), trials("noise", *DRAWS, role="floor"))
    noise = row(board, "noise")
    assert cell(board, "noise")["check"] == f"chance 0.500; 5 draws: 0.502, sd {np.std(DRAWS, ddof=1):.3f}"
    assert noise["note"] == ""
    assert noise["e_auroc"] == pytest.approx(np.mean(DRAWS)), "what was measured stays in the file"
    assert cell(board, "a")["check"] == ""


def test_a_floor_that_differs_from_chance_is_named():
    board = board_of(trials("noise", 0.60, 0.62, 0.61, 0.63, 0.59, role="floor"))
    assert row(board, "noise")["note"].startswith("differs from chance (p = 0.0001), look at the")


def test_three_classifiers_of_one_shuffling_are_no_proof():
    """The artefact that the board once showed as .402 (.355 to .449): one draw, three classifiers with sd .09."""
    board = board_of(trials("shuffled", (0.31, 0.49, 0.40), role="floor"))
    assert row(board, "shuffled")["note"] == ""


@pytest.mark.parametrize(("draws", "named"), [([0.5] * 5, False), ([0.7] * 5, True), ([0.7], False)])
def test_constant_answers_and_a_single_draw(draws, named):
    (estimate,) = board_estimates(trials("noise", *draws, role="floor"))
    assert bool(floor_warnings({"noise": estimate}, 2)) == named


QUICKSTART = {"noise": (0.637, 0.540, 0.419, 0.571, 0.572), "shuffled": (0.352, 0.492, 0.266, 0.378, 0.326)}


def test_draws_that_a_sound_floor_may_well_have_are_not_named():
    """The quickstart's: shuffled labels at .363 with sd .083, p = .02 by Student's test."""
    board = board_of(*(trials(label, *draws, role="floor") for label, draws in QUICKSTART.items()))
    assert "5 draws: 0.363, sd 0.083" in cell(board, "shuffled")["check"]
    assert [row(board, label)["note"] for label in QUICKSTART] == ["", ""]


def test_a_floor_is_named_by_its_own_spread_and_by_that_of_all():
    """Draws that happen to agree prove little where another floor's show how far a draw may lie off."""
    (close,) = board_estimates(trials("noise", 0.60, 0.62, 0.61, 0.63, 0.59, role="floor"))
    (far,) = board_estimates(trials("noise", 0.30, 0.72, 0.65, 0.29, 0.55, role="floor"))
    assert list(floor_warnings({"close": close}, 2)) == ["close"]
    assert floor_warnings({"close": close, "far": far}, 2) == {}
    leaking = replace(close, values=close.values + 0.3)
    assert list(floor_warnings({"leaking": leaking, "far": far}, 2)) == ["leaking"]


def one_trait(rng, size):
    """Draws of classifiers that all sort by one trait, this way or that."""
    return 0.1 * rng.choice([-1, 1], size) + rng.normal(0, 0.03, size)


SOUND = {
    "normal": (lambda rng: rng.normal(0, 0.1, (2, 5)), 1.3),
    "unequal": (lambda rng: rng.normal(0, 1, (2, 5)) * [[0.03], [0.11]], 1.3),
    "one trait": (lambda rng: one_trait(rng, (2, 5)), 4),
}


@pytest.mark.parametrize(("draw", "per_cent"), SOUND.values(), ids=SOUND)
def test_boards_of_sound_floors_are_rarely_named(draw, per_cent):
    """2,000 boards of two floors; a rate of 1.3 % (4 %) is passed by .5 (.9) more in one of fifty runs."""
    rng = np.random.default_rng(0)
    (estimate,) = board_estimates(trials("noise", *DRAWS, role="floor"))
    boards = (dict(enumerate(replace(estimate, values=0.5 + own) for own in draw(rng))) for _ in range(2000))
    named = np.mean([bool(floor_warnings(board, 2)) for board in boards])
    assert 0.001 <= named <= (per_cent + (0.5 if per_cent < 2 else 0.9)) / 100
