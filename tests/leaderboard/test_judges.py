"""Several judges: ranks side by side, what depends on the judge, rank correlation, and the mean of all."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from synthbench.benchmark.declared import Declared
from synthbench.benchmark.definition import Benchmark, Entry, Headline, Ranking
from synthbench.benchmark.plan import Trial
from synthbench.data.test_sets import TestSet
from synthbench.leaderboard.board import make_board
from synthbench.leaderboard.bootstrap import Replicates
from synthbench.leaderboard.judge_notes import judge_notes
from synthbench.leaderboard.judges import judge_pairs, ranks_by_judge
from synthbench.leaderboard.score_key import ScoreKey
from synthbench.leaderboard.trial_result import TrialResult
from synthbench.types import Score

B = 2000
IMAGES = np.random.default_rng(0).normal(size=B)  # what the draw of test images does to everyone
JUDGES = ("vgg", "cnn")
DECLARED = Declared(metrics={"auroc": "higher"}, bounds={"auroc": (0.0, 1.0)})
EVALUATORS = tuple(Entry(judge, "tstr", DECLARED) for judge in JUDGES)


def result(label, index, by_judge, role="candidate"):
    """A trial whose judges gave these AUROCs, by classifier seed, on `test` and .1 more on `holdout`."""
    made = TrialResult(Trial(Entry(label, label, Declared(role)), index, index, EVALUATORS))
    for number, (judge, values) in enumerate(by_judge.items()):
        made.scores[judge] = tuple(
            Score("auroc", v + more, test_set, 624, classifier_seed=k)
            for test_set, more in (("test", 0.0), ("holdout", 0.1))
            for k, v in enumerate(values)
        )
        rng = np.random.default_rng([number, index, *map(ord, label)])
        replicates = {
            ScoreKey("", "auroc", "test", classifier_seed=k): v + 0.01 * IMAGES + 0.002 * rng.normal(size=B)
            for k, v in enumerate(values)
        }
        made.replicates[judge] = Replicates(replicates, {"test": 300})
    cost = dict.fromkeys(["wall_s", "cpu_s", "peak_memory_mb", "peak_gpu_mb"], 1.0)
    made.costs = {"fit": cost, "sample": {**cost, "images": 10}}
    return made


def board_of(results, headline="vgg.auroc", judges=JUDGES):
    generators = {o.trial.generator.label: o.trial.generator for o in results}
    seeds = len({o.trial.index for o in results})
    counts = dict.fromkeys(["leaked_exact", "leaked_perceptual", "leaked_patient", "leaked"], 0)
    bench = Benchmark(
        name="b",
        seed=0,
        seeds=seeds,
        samples=100,
        headline=Headline.parse(headline),
        max_leak=0.01,
        holdout=0.0,
        baselines=True,
        ranking=Ranking(),
        dataset=Entry("d", "d", Declared()),
        generators=tuple(generators.values()),
        evaluators=EVALUATORS,
        external=(),
        judges=judges,
    )
    tests = [TestSet("test", "d", "children", 624, 300, {"NORMAL": 234, "PNEUMONIA": 390}, counts)]
    return make_board(bench, tests, results)


TURNED = {"pca": {"vgg": [0.69, 0.70], "cnn": [0.81, 0.82]}, "gan": {"vgg": [0.85, 0.86], "cnn": [0.66, 0.67]}}


@pytest.fixture
def turned():
    """Two generators that the judges order the other way round, and a ceiling."""
    ceiling = result("real", 0, {"vgg": [0.9, 0.9], "cnn": [0.9, 0.9]}, role="ceiling")
    return [*(result(label, 0, by_judge) for label, by_judge in TURNED.items()), ceiling]


def by_generator(board):
    return board.leaderboard.set_index("generator")


def test_a_rank_that_depends_on_the_judge_says_so(turned):
    board = by_generator(board_of(turned))
    assert board["judges"].to_dict() == {
        "gan": "depends on the judge: 1 by vgg, 2 by cnn",
        "pca": "depends on the judge: 2 by vgg, 1 by cnn",
        "real": "",
    }
    alike = [result("a", 0, {"vgg": [0.9], "cnn": [0.8]}), result("b", 0, {"vgg": [0.7], "cnn": [0.6]})]
    assert set(by_generator(board_of(alike))["judges"]) == {"agree: 1", "agree: 2"}


def test_each_judges_ranks_are_those_of_a_board_that_it_ranks_alone(turned):
    board = by_generator(board_of(turned))
    alone = {judge: by_generator(board_of(turned, headline=f"{judge}.auroc", judges=())) for judge in JUDGES}
    for label in TURNED:
        ranks = ", ".join(f"{table['rank'][label]} by {judge}" for judge, table in alone.items())
        assert board["judges"][label] == f"depends on the judge: {ranks}"


def test_without_judges_a_board_is_as_before(turned):
    board = board_of(turned, judges=())
    assert not [name for name in board.leaderboard if "judge" in name]
    assert board.judges.empty


# ---- how far judges agree


def scrambled(n, seed):
    """Two judges' values of n candidates, some pairs the other way round."""
    rng = np.random.default_rng(seed)
    first = rng.normal(size=n)
    return {"a": dict(enumerate(first)), "b": dict(enumerate(first + rng.normal(0, 0.7, n)))}


def test_kendalls_tau_counts_pairs_in_the_same_order():
    values = scrambled(7, 0)
    (pair,) = judge_pairs(values, "auroc")
    a, b = values["a"], values["b"]
    same = [np.sign(a[i] - a[j]) == np.sign(b[i] - b[j]) for i, j in itertools.combinations(range(7), 2)]
    assert pair.kendall_tau == pytest.approx(2 * np.mean(same) - 1)
    assert (pair.a, pair.b, pair.candidates, pair.note) == ("a", "b", 7, "")
    assert 0 < pair.p < 1


def test_below_six_candidates_there_is_no_correlation():
    (pair,) = judge_pairs(scrambled(5, 0), "auroc")
    assert math.isnan(pair.kendall_tau)
    assert pair.note == "too few candidates for a rank correlation: 5 (6 needed)"


def test_candidates_without_a_number_do_not_count():
    values = scrambled(7, 0)
    del values["b"][3]
    (pair,) = judge_pairs(values, "auroc")
    assert pair.candidates == 6
    assert len(judge_pairs({**values, "c": values["a"]}, "auroc")) == 3


def test_the_board_has_every_pair_of_judges_without_floors_and_ceilings(turned):
    table = board_of(turned).judges
    assert table[["a", "b", "metric", "candidates"]].to_numpy().tolist() == [["vgg", "cnn", "auroc", 2]]
    many = [result(f"g{k}", 0, {"vgg": [0.5 + k / 20], "cnn": [0.6 + k / 30]}) for k in range(6)]
    assert board_of([*many, *turned[2:]]).judges.kendall_tau.tolist() == [pytest.approx(1.0)]


def test_notes_for_readers():
    board = [
        {"generator": "gan", "judges": "depends on the judge: 1 by vgg, 2 by cnn"},
        {"generator": "pca", "judges": "agree: 1"},
        {"generator": "real", "judges": ""},
    ]
    pairs = [
        {"a": "vgg", "b": "cnn", "candidates": "7", "kendall_tau": "0.714", "p": "0.0302", "note": ""},
        {"a": "vgg", "b": "big", "candidates": "2", "kendall_tau": "", "p": "", "note": "too few"},
    ]
    assert judge_notes(board, pairs) == [
        "The rank of gan depends on the judge: 1 by vgg, 2 by cnn.",
        "vgg and cnn: Kendall's tau 0.71 (p = 0.03) over 7 candidates.",
        "vgg and big: too few.",
    ]
    assert judge_notes([{"generator": "gan"}], []) == []


def test_a_row_that_one_judge_could_not_rank_is_not_called_agreed():
    assert ranks_by_judge("a", {"vgg": {"a": (1, 2)}, "cnn": {}}) == ""
    assert ranks_by_judge("a", {"vgg": {"a": (1, 2)}, "cnn": {"a": (1, 2)}}) == "agree: 1-2"


# ---- their mean


def test_the_mean_of_the_judges_may_rank(turned):
    board = board_of(turned, headline="judges.auroc")
    table = by_generator(board)
    assert table["judges_auroc"]["gan"] == pytest.approx((0.855 + 0.665) / 2)
    assert table["judges_auroc"]["pca"] == pytest.approx((0.695 + 0.815) / 2)
    assert table["cnn_auroc"]["gan"] == pytest.approx(0.665), "the judges stand beside their mean"
    known = board.intervals.set_index(["evaluator", "test_set", "generator"])["value"]
    assert known["judges", "holdout", "gan"] == pytest.approx((0.855 + 0.665) / 2 + 0.1)
    assert next(name for name in board.leaderboard if name.endswith("auroc")) == "judges_auroc"
    assert table["judges"]["gan"].startswith("depends on the judge")


def test_its_interval_holds_images_and_seeds_of_these_judges():
    """Each seed's mean over the judges is one draw; the judges' own distance from each other is in no interval."""
    near = [result("g", k, {"vgg": [0.80 + 0.01 * k], "cnn": [0.80 + 0.01 * k]}) for k in range(3)]
    far = [result("g", k, {"vgg": [0.90 + 0.01 * k], "cnn": [0.70 + 0.01 * k]}) for k in range(3)]
    rows = [by_generator(board_of(results, headline="judges.auroc")).loc["g"] for results in (near, far)]
    assert rows[0]["judges_auroc"] == pytest.approx(rows[1]["judges_auroc"])
    widths = [row["judges_auroc_high"] - row["judges_auroc_low"] for row in rows]
    assert widths[1] == pytest.approx(widths[0], rel=0.05)
    cells = board_of(far, headline="judges.auroc").intervals.set_index("evaluator")
    on_test = cells[cells.test_set == "test"]
    assert on_test.seed_sd["judges"] == pytest.approx(0.01)
    assert on_test.sampling_high["judges"] - on_test.sampling_low["judges"] == pytest.approx(
        2 * 1.96 * 0.01, rel=0.1
    )


def test_no_mean_over_fewer_judges():
    results = [result("a", 0, {"vgg": [0.8], "cnn": [math.nan]}), result("b", 0, {"vgg": [0.8], "cnn": [0.7]})]
    missing = result("c", 0, {"vgg": [0.8]})
    board = by_generator(board_of([*results, missing], headline="judges.auroc"))
    assert board["judges_auroc"].dropna().to_dict() == {"b": pytest.approx(0.75)}
    assert board["note"].to_dict() == {"b": "", "a": "judges_auroc, cnn_auroc: undefined", "c": ""}
