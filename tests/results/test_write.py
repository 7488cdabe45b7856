"""scores.csv and leaderboard.csv: columns, ranks, means over seeds, and what is left empty."""

import math
import re
import statistics

import pandas as pd
import pytest

from synthbench.leaderboard.score_key import ScoreKey
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
    assert mini.board.loc["floor", "distance.gap"] == "too far, nothing to compare"
    assert mini.board.loc["floor", "status"] == "done"


# ---- the board


def test_the_boards_columns(mini):
    evaluators = ["Twice", {"use": "Distance", "label": "d"}]
    mini.write("MeanNoise", "Failing", evaluators=evaluators, headline="d.closeness", seeds=2)
    mini.run()
    means = ["d.closeness", "twice.value", "d.gap", "d.gap@train[seen]", "d.closeness@train[seen]"]
    assert header(mini.out / "leaderboard.csv") == [
        *("rank", "rank_low", "rank_high", "rank_basis", "generator", "status"),
        *(f"{mean}{end}" for mean in means for end in ("", "_low", "_high", "_by_seed", "_sd", "_n")),
        *("utility", "utility_low", "utility_high", "utility_note"),
        *(f"utility_imbalanced{end}" for end in ("", "_low", "_high", "_note")),
        *("role", "copying", "label_agreement", "seeds", "interval_basis", "leaked@test"),
        *("fit_wall_s", "fit_cpu_s", "sample_wall_s", "sample_cpu_s", "sample_images_per_s"),
        *("twice_wall_s", "twice_cpu_s", "d_wall_s", "d_cpu_s", "peak_memory_mb", "peak_gpu_mb"),
        *("domain@test", "reason"),
    ]
    row = mini.board.loc["meannoise"]
    assert row["seeds"] == "2/2"
    assert row["label_agreement"] == 1
    assert row["sample_images_per_s"] > 0
    assert row["peak_memory_mb"] > 10
    assert math.isnan(row["peak_gpu_mb"])


def test_a_column_without_any_score_is_there_all_the_same(mini):
    mini.write("Failing", headline="distance.closeness")
    assert mini.run() == 1
    assert mini.board[["rank", "distance.closeness", "distance.gap", "fit_wall_s"]].isna().all(axis=None)


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
    gaps = mini.board["distance.gap"]
    mini.run("--set", "headline=distance.closeness")
    assert list(mini.board.index) == ["by-5", "by-20", "by-40"]
    assert mini.board["distance.gap"].equals(gaps)
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
    assert any(re.match("1,1,2,[^,]*another seed may turn it,meannoise,done,", line) for line in lines)
    assert any(line.startswith(",,,,floor,done,") for line in lines)


def test_mean_and_spread_over_the_generators_and_the_classifiers_seeds(mini):
    mini.write("MeanNoise", evaluators=["Distance", "Twice"], seeds=3)
    mini.run()
    row = mini.board.loc["meannoise"]
    for metric, evaluator, n in (("gap", "distance", 3), ("value", "twice", 6)):
        values = mini.scores.query("metric == @metric and test_set == 'test'")["value"].tolist()
        assert len(values) == n
        assert row[f"{evaluator}.{metric}"] == pytest.approx(statistics.mean(values))
        assert row[f"{evaluator}.{metric}_sd"] == pytest.approx(statistics.stdev(values))


def test_one_seed_has_no_spread(mini):
    mini.write("MeanNoise")
    mini.run()
    assert math.isnan(mini.board.loc["meannoise", "distance.gap_sd"])


def test_nothing_is_averaged_over_an_undefined_value(mini):
    mini.write("MeanNoise", seeds=3)
    mini.run()
    values = mini.scores.query("metric == 'gap' and test_set == 'test'")["value"]
    below = float(values.max())
    mini.run("--set", f"evaluators.0.undefined_above={below!r}")
    assert mini.scores.query("metric == 'gap' and test_set == 'test'")["value"].isna().sum() == 1
    row = mini.board.loc["meannoise"]
    assert row["distance.gap"] == "too far, nothing to compare"
    assert row[["rank", "distance.gap_low", "distance.gap_sd"]].isna().all()


def test_nothing_is_averaged_over_a_failed_seed(mini):
    mini.write("Flaky", "MeanNoise", seeds=2)
    (mini.folder / "flaky.txt").write_text("")
    assert mini.run() == 0
    bad = mini.record["trials"][1]["seed"]
    assert mini.board["rank"].notna().all()

    (mini.folder / "flaky.txt").write_text(str(bad))
    assert mini.run("--fresh") == 1
    row = mini.board.loc["flaky"]
    assert (row["status"], row["seeds"]) == ("failed", "1/2")
    assert row["distance.gap"] == "1/2 seeds"
    assert row[["rank", "distance.gap_low", "distance.gap_sd"]].isna().all()
    assert "bad luck" in row["reason"]
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
