"""The gate: who is flagged as copying is marked, has no rank, and pushes nobody down."""

import math
from dataclasses import replace

import pandas as pd
import pytest

from synthbench.benchmark.declared import Declared
from synthbench.benchmark.definition import Entry
from synthbench.leaderboard.copying import copying, copying_reasons, flagged_by
from synthbench.types import Score
from tests.leaderboard.test_board import EVALUATOR, board_of, by_generator, generator, result

GUARD = Declared(metrics={"copying": "lower", "share": "lower"}, gates=frozenset({"copying"}))
GUARDS = tuple(Entry(label, "guard", GUARD) for label in ("guard", "watch"))


def guarded(label, value, *flags, role="candidate", index=0, variant=""):
    """A trial with a headline and what each guard says of it."""
    made = result(generator(label, role), index, [value])
    made.trial = replace(made.trial, evaluators=(EVALUATOR, *GUARDS[: len(flags)]))
    for guard, flag in zip(GUARDS, flags, strict=False):
        note = "no hold-out" if math.isnan(flag) else f"copies {guard.label}'s images" * (flag > 1)
        made.scores[guard.label] = (
            Score("copying", flag, "", 100, note=note, variant=variant),
            Score("share", 0.5, "", 100),
        )
    return made


def test_a_copier_with_the_best_headline_has_no_rank_and_the_next_one_is_first():
    table = by_generator(board_of([guarded("copier", 0.95, 1.0), guarded("a", 0.9, 0.0), guarded("b", 0.8, 0.0)]))
    assert table.loc["copier", ["rank", "rank_high"]].isna().all()
    assert table.loc[["a", "b"], "rank"].tolist() == [1, 2]
    assert table["copying"].to_dict() == {"copier": "yes", "a": "no", "b": "no"}
    assert table.loc["copier", "note"] == "flagged as copying by guard"
    assert table.loc["a", "note"] == ""


def test_a_copier_is_in_no_comparison():
    """So that it does not make the correction for several comparisons stricter for the others."""
    honest = [guarded("a", 0.9, 0.0), guarded("b", 0.899, 0.0)]
    alone = board_of(honest).comparisons
    pd.testing.assert_frame_equal(board_of([*honest, guarded("copier", 0.95, 1.0)]).comparisons, alone)
    assert len(board_of([*honest, guarded("copier", 0.95, 0.0)]).comparisons) == 3


def test_the_only_candidate_may_be_a_copier():
    board = board_of([guarded("copier", 0.95, 1.0)])
    assert by_generator(board)["rank"].isna().all()
    assert board.comparisons.empty


def test_a_ceiling_that_copies_is_marked_as_well():
    table = by_generator(board_of([guarded("resample", 0.95, 1.0, role="ceiling"), guarded("a", 0.9, 0.0)]))
    assert table["copying"].to_dict() == {"resample": "yes", "a": "no"}
    assert table.loc["a", "rank"] == 1


def test_every_evaluator_that_fires_is_named():
    trials = [guarded("a", 0.9, 2.0, 1.0)]
    assert flagged_by(trials) == ["guard", "watch"]
    note = by_generator(board_of(trials)).loc["a", "note"]
    assert note.endswith("flagged as copying by guard: copies guard's images; flagged as copying by watch")


def test_of_several_seeds_the_first_that_fires_says_why():
    trials = [guarded("a", 0.9, 0.0, index=0), guarded("a", 0.9, 2.0, index=1), guarded("a", 0.9, 1.0, index=2)]
    assert copying_reasons(trials) == ["flagged as copying by guard: copies guard's images"]


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ([(0.0,), (0.0,)], "no"),
        ([(0.0,), (1.0,)], "yes"),  # under one seed of two
        ([(0.0,), (math.nan,)], ""),
        ([(1.0,), (math.nan,)], "yes"),
        ([(0.0, math.nan)], ""),  # one guard does not know
        ([(0.0,), ()], "no"),  # of a further draw, which nobody asks
        ([(math.nan,), ()], ""),
        ([(1.0,), ()], "yes"),
        ([()], ""),  # nobody asked
    ],
)
def test_what_is_known_of_several_seeds_and_guards(flags, expected):
    trials = [guarded("a", 0.9, *mine, index=index) for index, mine in enumerate(flags)]
    assert copying(trials) == expected
    assert bool(flagged_by(trials)) == (expected == "yes")


def test_a_trial_that_failed_leaves_it_open():
    failed = guarded("a", 0.9, 0.0, index=1)
    failed.scores.clear()
    assert copying([guarded("a", 0.9, 0.0), failed]) == ""


def test_variants_and_other_metrics_do_not_flag():
    assert copying([guarded("a", 0.9, 1.0, variant="NORMAL")]) == ""


def test_without_a_gating_evaluator_nothing_is_claimed():
    assert by_generator(board_of([result(generator("a"), 0, [0.9])])).loc["a", "copying"] == ""


GUARD = '''

class Guard(Evaluator):
    """Flags dark images."""

    name: ClassVar[str] = "guard"
    metrics: ClassVar = {"copying": "lower"}
    gates: ClassVar = frozenset({"copying"})

    def evaluate(self, real, synthetic, ctx):
        return Evaluation([Score("copying", float(synthetic.pixels.mean() < 105), "", len(synthetic))])
'''


def test_a_run_marks_the_copier_in_its_files_and_on_the_terminal(mini, capsys):
    mini.plugin.write_text(mini.plugin.read_text() + GUARD)
    near, far = (
        {"use": "MeanNoise", "label": "near", "offset": -9},
        {"use": "MeanNoise", "label": "far", "offset": 40},
    )
    mini.write(near, far, evaluators=["Distance", "Guard"])
    assert mini.run() == 0
    assert mini.board["copying"].to_dict() == {"near": "yes", "far": "no"}
    assert mini.board["rank"].isna().to_dict() == {"near": True, "far": False}
    assert mini.record["declared"]["evaluators"]["guard"]["gates"] == ["copying"]
    shown = capsys.readouterr().out
    (line,) = [line for line in shown.splitlines() if "near" in line and "candidate" in line]
    assert "copies" in line
    (line,) = [line for line in shown.splitlines() if " far " in line and "candidate" in line]
    assert "copies" not in line


def test_a_finished_run_is_ranked_the_same_when_it_is_read_back(mini):
    """Without the evaluator's file: run.json knows which metrics gate."""
    from synthbench.results.read import read_run

    mini.plugin.write_text(mini.plugin.read_text() + GUARD)
    mini.write("MeanNoise", {"use": "MeanNoise", "label": "near", "offset": -9}, evaluators=["Distance", "Guard"])
    assert mini.run() == 0
    run = read_run(mini.out)
    assert {label: copying(mine) for label, mine in run.trials.items()} == {"meannoise": "no", "near": "yes"}
