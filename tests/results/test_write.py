"""scores.csv and leaderboard.csv: columns, ranks, means over seeds, and what is left empty."""

import math
import statistics

import pandas as pd
import pytest

from synthbench.leaderboard.long_tables import COST_COLUMNS
from synthbench.leaderboard.score_key import ScoreKey
from synthbench.results import write
from synthbench.results.write import SCORE_COLUMNS as COLUMNS


def header(path):
    return path.read_text().partition("\n")[0].split(",")


def test_scores_are_one_row_a_number(mini):
    mini.write("MeanNoise", "Floor", evaluators=["Distance", "Twice"])
    mini.run()
    assert header(mini.out / "scores.csv") == COLUMNS
    scores = mini.scores
    assert len(scores) == 2 * (4 + 2) + 4 * 4, "further draws of a floor are for the headline's evaluator"
    first = scores.iloc[0].dropna().to_dict()
    gap = first.pop("value")
    assert first == {
        "dataset": "squares",
        "test_set": "test",
        "generator": "meannoise",
        "role": "candidate",
        "seed": 0,
        "evaluator": "distance",
        "metric": "gap",
        "direction": "lower",
        "n": 8,
        "leaked": 0,
    }
    assert 0 < gap < 20
    assert set(scores.query("metric == 'closeness'")["direction"]) == {"higher"}
    assert set(scores.query("test_set == 'train'")["seen"]) == {"generator"}
    assert scores.query("evaluator == 'twice'")["classifier_seed"].tolist() == [0, 2, 0, 2]


def test_whole_numbers_are_written_as_such(mini):
    mini.write("MeanNoise", evaluators=["Distance", "Twice"])
    mini.run()
    rows = [line.split(",") for line in (mini.out / "scores.csv").read_text().splitlines()[1:]]
    assert {row[COLUMNS.index("classifier_seed")] for row in rows} == {"", "0", "2"}
    assert {row[COLUMNS.index("n")] for row in rows} == {"8", "20"}
    assert {row[COLUMNS.index("leaked")] for row in rows} == {"0", ""}, "empty: not a test set"


def test_an_undefined_value_is_empty_and_its_note_says_why(mini):
    mini.write("MeanNoise", "Floor", evaluators=[{"use": "Distance", "undefined_above": 30.0}])
    assert mini.run() == 0
    floor = mini.scores.query("generator == 'floor'")
    assert floor["value"].isna().all()
    assert set(floor["note"]) == {"too far, nothing to compare"}
    assert mini.scores.query("generator == 'meannoise'")["note"].isna().all()
    assert math.isnan(mini.board.loc["floor", "distance_gap"])
    assert mini.board.loc["floor", "note"] == "distance_gap: too far, nothing to compare"
    assert mini.board.loc["floor", "status"] == "done"


# ---- the board


def test_the_boards_columns(mini):
    evaluators = ["Twice", {"use": "Distance", "label": "d"}]
    mini.write("MeanNoise", "Failing", evaluators=evaluators, headline="d.closeness", seeds=2)
    mini.run()
    assert header(mini.out / "leaderboard.csv") == [
        *("rank", "rank_high", "generator", "role", "status"),
        *("d_closeness", "d_closeness_low", "d_closeness_high", "d_closeness_n"),
        *("utility", "utility_low", "utility_high", "twice_value", "trained_on", "copying", "leaked", "seeds"),
        *("evaluator_seeds", "fit_s", "sample_s", "score_s", "peak_memory_mb", "note"),
    ]
    row = mini.board.loc["meannoise"]
    assert row[["seeds", "evaluator_seeds", "leaked"]].tolist() == [2, 1, 0]
    assert row["peak_memory_mb"] > 10
    assert set(mini.numbers) >= {"d.gap", "d.gap@train[seen]", "d.closeness@train[seen]"}, "the rest"
    costs = pd.read_csv(mini.out / "costs.csv")
    assert list(costs) == COST_COLUMNS
    assert costs["stage"].tolist() == ["fit", "sample", "twice", "d"] * 2
    assert costs["peak_gpu_mb"].isna().all()


def test_a_column_without_any_score_is_there_all_the_same(mini):
    mini.write("Failing", headline="distance.closeness")
    assert mini.run() == 1
    assert mini.board[["rank", "distance_closeness", "distance_closeness_low", "fit_s"]].isna().all(axis=None)


@pytest.mark.parametrize(
    ("test_set", "seen", "variant", "name"),
    [
        ("test", "", "", "tstr.auroc"),
        ("", "", "", "tstr.auroc"),
        ("far", "", "", "tstr.auroc@far"),
        ("train", "generator", "", "tstr.auroc@train[seen]"),
        ("synthetic", "validation", "", "tstr.auroc@synthetic[validation]"),
        ("test", "", "500 images", "tstr.auroc[500 images]"),
    ],
)
def test_a_column_says_what_it_was_measured_on(test_set, seen, variant, name):
    assert ScoreKey("tstr", "auroc", test_set, seen, variant).name == name


def offsets(*values, **options):
    return [{"use": "MeanNoise", "label": f"by-{value}", "offset": value, **options} for value in values]


def test_the_best_comes_first_whichever_way_the_headline_runs(mini):
    mini.write(*offsets(40, 5, 20))
    mini.run()
    assert list(mini.board.index) == ["by-5", "by-20", "by-40"]
    gaps = mini.board["distance_gap"]
    mini.run("--set", "headline=distance.closeness")
    assert list(mini.board.index) == ["by-5", "by-20", "by-40"]
    assert mini.numbers["distance.gap"][gaps.index].tolist() == gaps.tolist()
    mini.run(
        "--set", "headline=twice.value", "--set", f"evaluators.0={{use: '{mini.plugin}:Twice', label: twice}}"
    )
    assert list(mini.board.index) == ["by-40", "by-20", "by-5"]


def test_one_seed_and_no_resampling_rank_nobody_above_another(mini):
    mini.write(*offsets(5, 6, 90))
    mini.run()
    assert list(mini.board["rank"]) == [1, 1, 1]
    assert list(mini.board["rank_high"]) == [3, 3, 3]


def test_seeds_that_agree_tell_generators_apart(mini):
    mini.write(*offsets(5, 90), seeds=3)
    mini.run()
    assert list(mini.board["rank"]) == [1, 2]
    comparisons = pd.read_csv(mini.out / "comparisons.csv")
    assert comparisons["better"].tolist() == ["by-5"]


def test_floors_ceilings_and_rows_without_the_headline_have_no_rank(mini):
    mini.write("Ceiling", "MeanNoise", "Floor", "Failing", "Skipping", *offsets(20))
    mini.run()
    ranks = mini.board["rank"]
    assert ranks.dropna().to_dict() == {"meannoise": 1, "by-20": 1}
    assert list(mini.board.index)[-2:] == ["failing", "skipping"]
    assert mini.board.loc["floor", "role"] == "floor"
    lines = (mini.out / "leaderboard.csv").read_text().splitlines()
    assert any(line.startswith("1,2,meannoise,candidate,done,") for line in lines)
    assert any(line.startswith(",,floor,floor,done,") for line in lines)


def test_a_number_is_the_mean_over_the_generators_and_the_classifiers_seeds(mini):
    mini.write("MeanNoise", evaluators=["Distance", "Twice"], seeds=3)
    mini.run()
    row = mini.board.loc["meannoise"]
    for metric, evaluator, n in (("gap", "distance", 3), ("value", "twice", 6)):
        values = mini.scores.query("metric == @metric and test_set == 'test'")["value"].tolist()
        assert len(values) == n
        assert row[f"{evaluator}_{metric}"] == pytest.approx(statistics.mean(values))


def test_nothing_is_averaged_over_an_undefined_value(mini):
    mini.write("MeanNoise", seeds=3)
    mini.run()
    values = mini.scores.query("metric == 'gap' and test_set == 'test'")["value"]
    below = float(values.max())
    mini.run("--set", f"evaluators.0.undefined_above={below!r}")
    assert mini.scores.query("metric == 'gap' and test_set == 'test'")["value"].isna().sum() == 1
    row = mini.board.loc["meannoise"]
    assert row["note"] == "distance_gap: too far, nothing to compare"
    assert row[["rank", "distance_gap", "distance_gap_low"]].isna().all()


def test_nothing_is_averaged_over_a_failed_seed(mini):
    mini.write("Flaky", "MeanNoise", seeds=2)
    (mini.folder / "flaky.txt").write_text("")
    assert mini.run() == 0
    bad = mini.record["trials"][1]["seed"]
    assert mini.board["rank"].notna().all()

    (mini.folder / "flaky.txt").write_text(str(bad))
    assert mini.run("--fresh") == 1
    row = mini.board.loc["flaky"]
    assert (row["status"], row["seeds"]) == ("failed", 1)
    assert row["note"].startswith("seed 1: flaky: ")
    assert row["note"].endswith("; distance_gap: 1/2 seeds")
    assert row[["rank", "distance_gap", "distance_gap_low"]].isna().all()
    assert "bad luck" in row["note"]
    assert mini.scores.query("generator == 'flaky'")["seed"].unique().tolist() == [0]
    assert mini.board.loc["meannoise", "rank"] == 1


def test_results_are_there_after_every_trial(mini):
    spy = "\n\nclass Spy(MeanNoise):\n    name: ClassVar[str] = 'spy'\n\n    def fit(self, train, ctx):\n"
    look = "        assert 'meannoise' in (HERE / 'out' / 'leaderboard.csv').read_text()\n"
    mini.plugin.write_text(mini.plugin.read_text() + spy + look + "        return super().fit(train, ctx)\n")
    mini.write("MeanNoise", "Spy")
    assert mini.run() == 0


def test_labels_that_read_like_numbers_stay_as_they_are(mini, capsys):
    generators = [{"use": "MeanNoise", "label": label} for label in ("007", "NA", "[red]")]
    mini.write(*generators)
    assert mini.run() == 0
    shown = capsys.readouterr().out.partition("ranked by")[2]
    board = pd.read_csv(mini.out / "leaderboard.csv", dtype=str, keep_default_na=False)
    assert set(board["generator"]) == {"007", "NA", "[red]"}
    assert all(f" {label} " in shown for label in ("007", "NA", "[red]"))


class Clock:
    """Seconds that pass when told to."""

    def __init__(self, monkeypatch, write_s):
        self.now, self.writes = 0.0, 0
        monkeypatch.setattr(write.time, "monotonic", lambda: self.now)
        monkeypatch.setattr(write, "write_results", lambda *_: self.spend(write_s))

    def spend(self, seconds):
        self.now += seconds
        self.writes += 1


def test_writes_take_a_twentieth_of_the_time_at_most(monkeypatch):
    clock = Clock(monkeypatch, write_s=2.0)
    writer = write.Writer(None, None, None)
    for trials in range(1, 101):
        clock.now += 10
        writer.after_trial(lambda n=trials: range(n))
        if trials > 4:
            assert 2.0 * clock.writes <= write.SHARE * clock.now, "before that it is the first's"
    assert clock.writes > 20, "the time is used"
    writer.write(range(100))
    writer.write(range(100))
    assert clock.writes <= 27, "what is written is not written again"


def test_writes_that_cost_little_come_after_every_trial(monkeypatch):
    clock = Clock(monkeypatch, write_s=0.4)
    writer = write.Writer(None, None, None)
    for trials in range(1, 21):
        clock.now += 10
        writer.after_trial(lambda n=trials: range(n))
    assert clock.writes == 20


def test_an_interrupted_run_leaves_all_its_rows_though_they_were_not_due(mini, monkeypatch):
    monkeypatch.setattr(write, "SHARE", 0.0)  # after the first
    (mini.folder / "mean-noise.raise").write_text("")
    mini.write("Resuming", "Resuming2", "MeanNoise")
    mini.plugin.write_text(mini.plugin.read_text() + "\n\nclass Resuming2(Resuming):\n    level: int = 120\n")
    assert mini.run() == 130
    assert set(mini.board.index) == {"resuming", "resuming2"}
