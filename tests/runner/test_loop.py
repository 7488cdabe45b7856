"""`synthbench run` on tiny plugins: what is computed when, how trials end, what is kept."""

import json
import shutil

import pandas as pd
import pytest
import yaml

from synthbench.results.claim import claim
from synthbench.storage.layout import safe_name
from tests.runner.test_poison import add

STAGES = {"fit 10 0": 1, "evaluate meannoise-0-000000": 1}
FLOOR_STAGES = {"fit 10 60": 5, **{f"evaluate floor-{draw}-000000": 1 for draw in range(5)}}


def done(calls):
    """What was computed, but for the data set, which looks after its own cache."""
    return {what: n for what, n in calls.items() if what != "load"}


# ---- what is computed again


def test_the_same_file_twice_does_no_work(mini, capsys):
    mini.write("MeanNoise", "Floor")
    assert mini.run() == 0
    assert done(mini.calls()) == {**STAGES, **FLOOR_STAGES}
    first = (mini.out / "scores.csv").read_bytes()
    assert "from the store" not in capsys.readouterr().out

    assert mini.run() == 0
    assert done(mini.calls()) == {}
    assert (mini.out / "scores.csv").read_bytes() == first
    assert capsys.readouterr().out.count("done, from the store") == 6
    assert [trial["from_store"] for trial in mini.record["trials"]] == [True] * 6


def test_what_is_from_the_store_shows_what_it_cost_when_it_was_made(mini):
    mini.write("MeanNoise")
    mini.run()
    costs = mini.record["trials"][0]["costs"]
    mini.run()
    assert mini.record["trials"][0]["costs"] == costs
    assert set(costs) == {"fit", "sample", "distance"}


def test_resampling_is_booked_to_the_evaluator_whose_it_is(mini):
    """Of a stage that is measured in part alone, the costs of a run would say less than its wall time."""
    add(
        mini,
        "\n\nclass Slow(Distance):\n    name: ClassVar[str] = 'slow'\n\n"
        "    def resample(self, predictions, weights):\n        import time\n\n        time.sleep(0.4)\n"
        "        return super().resample(predictions, weights)\n",
    )
    mini.write("MeanNoise", evaluators=["Distance", "Slow"])
    mini.run()
    costs = mini.record["trials"][0]["costs"]
    assert costs["slow"]["wall_s"] > 0.4 > costs["distance"]["wall_s"]


def test_a_changed_setting_of_one_generator_recomputes_that_one_alone(mini):
    mini.write("MeanNoise", {"use": "MeanNoise", "label": "other", "sigma": 5.0})
    mini.run()
    mini.calls()
    assert mini.run("--set", "generators.1.sigma=7.5") == 0
    assert done(mini.calls()) == {"fit 7.5 0": 1, "evaluate other-0-000000": 1}


def test_a_further_generator_changes_no_other_ones_numbers(mini):
    mini.write("MeanNoise")
    mini.run()
    before = mini.scores
    mini.calls()
    mini.write("Floor", "MeanNoise")
    mini.run()
    assert "fit 10 0" not in mini.calls()
    after = mini.scores[mini.scores["generator"] == "meannoise"].reset_index(drop=True)
    assert after.equals(before)


def test_a_changed_setting_of_the_evaluator_recomputes_its_scores_alone(mini):
    mini.write("MeanNoise")
    mini.run()
    mini.calls()
    mini.run("--set", "evaluators.0.digits=2")
    assert done(mini.calls()) == {"evaluate meannoise-0-000000": 1}


def test_changed_test_images_recompute_the_scores_alone(mini):
    mini.write("MeanNoise")
    mini.run()
    mini.calls()
    mini.run("--set", "dataset.shift=3")
    assert done(mini.calls()) == {"evaluate meannoise-0-000000": 1}


def test_changed_training_images_recompute_everything(mini):
    mini.write("MeanNoise")
    mini.run()
    mini.calls()
    mini.run("--set", "dataset.n=24")
    assert done(mini.calls()) == STAGES


def test_another_benchmark_seed_recomputes_everything_to_other_numbers(mini):
    mini.write("MeanNoise")
    mini.run()
    before = mini.scores
    mini.run("--set", "seed=1")
    assert not mini.scores["value"].equals(before["value"])


def test_a_changed_line_of_the_plugin_recomputes_it_and_a_comment_does_not(mini):
    mini.write("MeanNoise")
    mini.run()
    mini.calls()
    source = mini.plugin.read_text()
    mini.plugin.write_text(
        source.replace('"""The class means and noise."""', '"""Means."""  # and noise') + "\n# end\n"
    )
    mini.run()
    assert done(mini.calls()) == {}
    mini.plugin.write_text(source.replace("means[labels] + self.offset", "means[labels] + 1 + self.offset"))
    mini.run()
    assert done(mini.calls()) == STAGES


def test_classes_of_one_file_that_share_a_name_share_no_results(mini):
    mini.plugin.write_text(
        mini.plugin.read_text()
        + "\n\nclass Heir(MeanNoise):\n    def fit(self, train, ctx):\n"
        + "        return lambda labels, rng: np.zeros((len(labels), *train.shape), np.uint8)\n"
    )
    mini.write({"use": "MeanNoise", "label": "same"})
    mini.run()
    gap = mini.numbers.loc["same", "distance.gap"]
    mini.write({"use": "Heir", "label": "same"})
    mini.run()
    assert mini.numbers.loc["same", "distance.gap"] > gap + 50


def test_fresh_computes_everything_again_to_the_same_numbers(mini):
    mini.write("MeanNoise", "Resuming")
    mini.run()
    before = (mini.out / "scores.csv").read_bytes()
    mini.calls()
    assert mini.run("--fresh") == 0
    assert done(mini.calls()) == {**STAGES, "train": 1, "evaluate resuming-0-000000": 1}
    assert (mini.out / "scores.csv").read_bytes() == before
    assert mini.run() == 0
    assert done(mini.calls()) == {}


def test_more_samples_do_not_train_again(mini):
    mini.write("Resuming")
    mini.run()
    assert mini.calls()["train"] == 1
    mini.run("--set", "samples=12")
    assert done(mini.calls()) == {"evaluate resuming-0-000000": 1}
    mini.run("--set", "generators.0.level=91")
    assert mini.calls()["train"] == 1


@pytest.mark.full
def test_two_empty_stores_give_the_same_bytes(mini, monkeypatch):
    mini.write("MeanNoise", "Prior", "Failing", "Ceiling", seeds=2, evaluators=["Distance", "Twice"])
    mini.run(out=mini.folder / "a")
    monkeypatch.setenv("SYNTHBENCH_CACHE", str(mini.folder / "another"))
    mini.run(out=mini.folder / "b")
    assert mini.calls()["fit failing"] == 4
    a, b = ((mini.folder / name / "scores.csv").read_bytes() for name in "ab")
    assert a == b
    assert len(a.splitlines()) == 1 + 3 * 2 * (4 + 2)


# ---- interrupted


def test_a_run_that_was_interrupted_keeps_what_was_finished_and_goes_on(mini, capsys):
    mini.write("Floor", "MeanNoise", "Ceiling")
    stop = mini.folder / "mean-noise.raise"
    stop.write_text("")
    assert mini.run() == 130
    assert "interrupted; what was finished is kept" in capsys.readouterr().err
    assert list(mini.board.index) == ["floor"]
    assert list(mini.cache.glob("*/.*")) == []
    assert done(mini.calls()) == {**FLOOR_STAGES, "fit 10 0": 1}

    stop.unlink()
    assert mini.run() == 0
    assert done(mini.calls()) == {**STAGES, "fit 9 0": 1, "evaluate ceiling-0-000000": 1}
    assert set(mini.board["status"]) == {"done"}
    assert "from the store" in capsys.readouterr().out


# ---- failed and skipped


def test_a_failed_generator_does_not_stop_the_others(mini, capsys):
    mini.write("Failing", "Skipping", "MeanNoise")
    assert mini.run() == 1
    assert dict(mini.board["status"]) == {"meannoise": "done", "failing": "failed", "skipping": "skipped"}
    assert "RuntimeError: loss is NaN" in mini.board.loc["failing", "note"]
    assert mini.board.loc["skipping", "note"] == "skipping: needs 3 channels"
    assert mini.board["rank"].to_dict()["meannoise"] == 1
    assert mini.board.loc[["failing", "skipping"], "rank"].isna().all()
    assert list(mini.board.loc[["failing", "skipping"], "seeds"]) == [0, 0]
    assert set(mini.scores["generator"]) == {"meannoise"}
    shown = capsys.readouterr().out
    assert shown.count("failing: RuntimeError: loss is NaN") == 1, "when it came up, and not again at the end"
    assert "failed, wholly or in part (see above): failing, seed 0" in shown
    assert "needs 3 channels" in shown


def test_a_failures_traceback_and_half_made_files_are_kept(mini):
    mini.write("Failing")
    mini.run()
    folder = mini.out / "trials/failing/seed-0/generator"
    assert 'raise RuntimeError("loss is NaN")' in (folder / "error.txt").read_text()
    assert (folder / "half.txt").read_text() == "half a training"
    assert str(folder / "error.txt") in mini.board.loc["failing", "note"]


def test_failures_and_skips_are_never_cached(mini):
    mini.write("Failing", "Skipping")
    for _ in range(2):
        assert mini.run() == 1
        assert mini.calls()["fit failing"] == 1
        assert list(mini.cache.glob("synthetic/*")) == []
        assert [trial["from_store"] for trial in mini.record["trials"]] == [False, False]


def test_skipping_alone_is_no_failure(mini):
    mini.write("Skipping", "MeanNoise")
    assert mini.run() == 0


def test_what_failed_before_and_works_now_leaves_no_traceback(mini):
    mini.write("MeanNoise")
    source = mini.plugin.read_text()
    mini.plugin.write_text(source.replace('ctx.log.info("fitted")', "1 / 0"))
    assert mini.run() == 1
    error = mini.out / "trials/meannoise/seed-0/generator/error.txt"
    assert "ZeroDivisionError" in error.read_text()
    mini.plugin.write_text(source)
    assert mini.run() == 0
    assert not error.exists()
    assert mini.board["note"].isna().all()


TWICE = """

class Twice(Untrue):
    name: ClassVar[str] = "twice"
    metrics: ClassVar = {"fid": "lower"}

    def evaluate(self, real, synthetic, ctx):
        return Evaluation([Score("fid", value, "test", 8, variant="noise") for value in (1.0, 3.0)])
"""


def test_two_scores_of_one_number_fail_rather_than_be_averaged(mini):
    mini.plugin.write_text(mini.plugin.read_text() + TWICE)
    mini.write("MeanNoise", evaluators=["Distance", "Twice"])
    assert mini.run() == 1
    note = mini.board.loc["meannoise", "note"]
    assert "twice: ValueError: 2 scores of fid (noise) on 'test': variant, test set" in note


def test_a_failing_evaluator_leaves_the_other_scores(mini, capsys):
    mini.write("MeanNoise", evaluators=["Untrue", "Distance", "Picky"])
    assert mini.run() == 1
    row = mini.board.loc["meannoise"]
    assert row[["status", "seeds", "rank"]].tolist() == ["incomplete", 1, 1]
    assert "[1/1] meannoise, seed 0: incomplete, " in capsys.readouterr().out, "the board's word"
    assert row["distance_gap"] > 0
    assert "untrue: ValueError: it declares the metrics ['fid', 'kid'] and delivered ['fid']" in row["note"]
    assert "picky: 10 images are too few" in row["note"]
    assert set(mini.scores["evaluator"]) == {"distance"}
    assert (mini.out / "trials/meannoise/seed-0/untrue/error.txt").exists()
    mini.calls()
    mini.run()
    assert done(mini.calls()) == {}


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("float", r"pixels must be a uint8 array (N, H, W, C), found float64 (10, 16, 16, 1)"),
        ("list", "pixels must be a uint8 array (N, H, W, C), found list"),
        ("shape", "the sampler returned (8, 16, 1) ('DARK', 'LIGHT'), the training set has (16, 16, 1)"),
        ("count", "the sampler returned 9 images for 10 labels"),
        ("labels", "the sampler returned other labels than it was asked for"),
        (
            "classes",
            "the sampler returned (16, 16, 1) ('A', 'B'), the training set has (16, 16, 1) ('DARK', 'LIGHT')",
        ),
    ],
)
def test_a_sampler_that_returns_something_else_fails_with_what_it_was(mini, how, message):
    mini.write({"use": "Odd", "how": how})
    assert mini.run() == 1
    assert message in mini.board.loc["odd", "note"]
    assert list(mini.cache.glob("synthetic/*")) == []


def test_damaged_entries_are_named_and_made_again(mini, capsys):
    mini.write("MeanNoise")
    mini.run()
    whole = (mini.out / "scores.csv").read_bytes()
    for name in (
        "scores/*/scores.json",
        "scores/*/meta.json",
        "synthetic/*/images.json",
        "synthetic/*/pixels.npy",
    ):
        for damage in (lambda content: content[:10], lambda content: content[:-1] + bytes([content[-1] ^ 1])):
            (file,) = mini.cache.glob(name)
            file.write_bytes(damage(file.read_bytes()))
            capsys.readouterr()
            assert mini.run() == 0, name
            assert capsys.readouterr().out.count(f"{file.parent} is damaged ({file.name}") == 1, name
            assert (mini.out / "scores.csv").read_bytes() == whole
        mini.run()
        assert "is damaged" not in capsys.readouterr().out


def test_an_entry_whose_files_were_cleaned_away_is_made_again(mini, capsys):
    mini.write("MeanNoise")
    mini.run()
    (folder,) = mini.cache.glob("synthetic/*/files")
    shutil.rmtree(folder)
    assert mini.run() == 0
    assert f"{folder.parent} is damaged (files/log.txt is gone): it is made again" in capsys.readouterr().out


# ---- parts of a run


def test_only_runs_these_rows(mini):
    mini.write("MeanNoise", "Failing", "Floor")
    assert mini.run("--only", "meannoise", "--only", "floor") == 0
    assert set(mini.board.index) == {"meannoise", "floor"}
    assert "fit failing" not in mini.calls()


def test_only_keeps_the_other_rows_of_a_finished_board(mini, capsys):
    mini.write("MeanNoise", "Failing", "Floor", "Skipping", evaluators=["Distance", "Twice"])
    assert mini.run() == 1
    mini.calls()
    whole = {name: (mini.out / name).read_bytes() for name in ("scores.csv", "leaderboard.csv")}
    assert mini.run("--only", "floor") == 1  # one failed, as before
    assert not mini.calls().keys() & {"fit failing", "fit 10 0"}
    for name, content in whole.items():
        assert (mini.out / name).read_bytes() == content, name
    assert (mini.out / "trials" / "failing" / "seed-0" / "generator" / "error.txt").exists()
    assert mini.run("--only", "floor", "--fresh") == 1
    assert mini.calls()["fit 10 0"] == 0
    assert (mini.out / "scores.csv").read_bytes() == whole["scores.csv"]


def test_only_takes_rows_off_the_board_that_the_file_asks_for_otherwise_now(mini, capsys):
    mini.write("MeanNoise", "Floor")
    mini.run()
    mini.write({"use": "MeanNoise", "sigma": 3.0}, "Floor")
    assert mini.run("--only", "floor") == 0
    assert "meannoise, seed 0: not in the store as this file asks for it" in capsys.readouterr().out
    assert set(mini.board.index) == {"floor"}


def test_a_second_run_into_a_folder_ends_before_any_work(mini, capsys):
    mini.write("MeanNoise")
    with claim(mini.out, "mini"):
        assert mini.run() == 2
    assert f"{mini.out}: another run writes there" in capsys.readouterr().err
    assert not mini.calls()
    assert mini.run() == 0
    assert not [path for path in mini.out.iterdir() if path.name.startswith(".")]
    nothing = mini.folder / "nothing"
    with claim(nothing, "mini"):
        pass
    assert not nothing.exists()


def test_another_benchmarks_results_are_not_replaced(mini, capsys):
    mini.write("MeanNoise")
    mini.run()
    board = (mini.out / "leaderboard.csv").read_bytes()
    mini.write("MeanNoise", name="other")
    mini.calls()
    assert mini.run() == 2
    assert "holds the results of the benchmark 'mini', this one is 'other'" in capsys.readouterr().err
    assert not mini.calls()
    assert (mini.out / "leaderboard.csv").read_bytes() == board
    mini.write("Floor")  # the file was edited: the same name
    assert mini.run() == 0
    (mini.out / "run.json").write_text("{")
    assert mini.run() == 0


def test_only_rows_that_the_headline_does_not_score_have_no_rank(mini):
    mini.write("MeanNoise", "Prior", evaluators=[{"use": "Distance", "generators": ["prior"]}, "Twice"])
    assert mini.run("--only", "meannoise") == 0
    row = mini.board.loc["meannoise"]
    assert row["status"] == "done"
    assert row[["rank", "distance_gap"]].isna().all()
    assert row["twice_value"] > 0


def test_an_evaluator_scores_the_generators_it_names(mini):
    mini.write("MeanNoise", "Prior", evaluators=["Distance", {"use": "Twice", "generators": ["prior"]}])
    mini.run()
    assert set(mini.scores.query("evaluator == 'twice'")["generator"]) == {"prior"}
    assert not (mini.out / "trials/meannoise/seed-0/twice").exists()


def test_seeds_are_trials_of_their_own(mini):
    mini.write("MeanNoise", seeds=3)
    assert mini.run() == 0
    seeds = {
        (mini.out / f"trials/meannoise/seed-{i}/generator/means.txt").read_text().split()[1] for i in range(3)
    }
    assert len(seeds) == 3
    assert mini.scores.query("metric == 'gap' and test_set == 'test'")["value"].nunique() == 3
    mini.calls()
    mini.run("--set", "seeds=4")
    assert mini.calls()["fit 10 0"] == 1


# ---- files


def test_each_trial_has_its_logs_grids_and_predictions(mini):
    mini.write("MeanNoise")
    mini.run()
    folder = mini.out / "trials/meannoise/seed-0"
    files = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    names = ["log.txt", "means.txt", "nearest.csv", "nearest.png", "samples.png"]
    mine = [f"generator/{name}" for name in names]
    assert files == ["distance/log.txt", "distance/predictions.csv", *mine]
    assert "INFO fitted" in (folder / "generator/log.txt").read_text()


def test_nothing_but_results_lies_in_the_out_folder(mini):
    mini.write("MeanNoise")
    mini.run()
    names = {path.name for path in mini.out.iterdir()}
    tables = {"leaderboard", "scores", "intervals", "comparisons", "costs", "test_sets", "audit", "quarantine"}
    assert names == {*(f"{name}.csv" for name in tables), "run.json", "trials", "data"}


def test_what_a_data_set_logs_is_kept(mini):
    source = mini.plugin.read_text()
    mini.plugin.write_text(source.replace('called("load")', 'ctx.log.info("read 20 images")'))
    mini.write("MeanNoise", dataset={"use": "Squares", "label": "mini.py:Squares"})
    mini.run()
    assert "read 20 images" in (mini.out / "data" / safe_name("mini.py:Squares") / "log.txt").read_text()


def test_labels_that_look_alike_as_folders_keep_their_own(mini):
    labels = ["a/b", "a:b", "a_b", "..", "mini.py:MeanNoise"]
    generators = [{"use": "MeanNoise", "label": label, "offset": i} for i, label in enumerate(labels)]
    mini.write(*generators, evaluators=[{"use": "Distance", "label": "x/../../..:y"}], headline="x/../../..:y.gap")
    assert mini.run() == 0
    assert sorted(mini.board.index) == sorted(labels)
    assert mini.board[["x_y_gap", "score_s"]].notna().all(axis=None)
    folders = sorted(path.name for path in (mini.out / "trials").iterdir())
    assert len(folders) == 5
    assert "a_b" in folders
    assert all(len(list((mini.out / "trials" / name / "seed-0").iterdir())) == 2 for name in folders)
    assert len(list(mini.out.rglob("predictions.csv"))) == 5
    assert not list(mini.folder.glob("*/predictions.csv"))


@pytest.mark.parametrize("label", ["generator", "fit", "sample"])
def test_an_evaluator_cannot_be_called_like_a_stage(mini, capsys, label):
    mini.write("MeanNoise", evaluators=[{"use": "Distance", "label": label}], headline=f"{label}.gap")
    assert mini.run() == 2
    assert f"evaluators: {label!r} is a stage of every trial; add `label:`" in capsys.readouterr().err


def test_a_benchmark_with_floors_and_ceilings_of_the_installed_plugins(mini):
    mini.write("MeanNoise", baselines=True)
    assert mini.run("--only", "noise", "--only", "balanced-resample", "--only", "meannoise") == 0
    assert dict(mini.board["role"]) == {"noise": "floor", "balanced-resample": "ceiling", "meannoise": "candidate"}
    assert mini.board.loc["meannoise", "rank"] == 1
    assert mini.board.loc[["noise", "balanced-resample"], "rank"].isna().all()
    assert mini.board.loc["noise", "distance_gap"] > mini.board.loc["balanced-resample", "distance_gap"]


def test_run_json_says_where_the_numbers_come_from(mini):
    mini.write("MeanNoise", "Failing", seeds=2)
    mini.run()
    record = mini.record
    bench = record["benchmark"]
    assert (bench["name"], bench["seeds"], bench["samples"], bench["seed"]) == ("mini", 2, 10, 0)
    assert bench["generators"][0] == {"use": "mini.py:MeanNoise", "label": "meannoise", "sigma": 10.0, "offset": 0}
    assert {"synthbench", "python", "numpy", "pandas", "pydantic", "pluggy"} <= set(record["versions"])
    assert set(record["git"]) == {"commit", "dirty"}
    assert record["hardware"]["device"] == "cpu"
    assert record["hardware"]["cores"] >= 1
    assert record["hardware"]["memory_gb"] > 0
    data = record["data"]
    assert data["domain"] == "squares"
    assert data["quarantined"] == 1
    assert set(data["sets"]) == {"train", "test"}
    assert data["sets"]["train"]["counts"] == {"DARK": 10, "LIGHT": 10}
    assert data["sets"]["train"]["shape"] == [16, 16, 1]
    assert len(data["sets"]["test"]["digest"]) == 64
    assert record["started"] <= record["finished"]
    assert record["load"]["wall_s"] >= 0
    trials = record["trials"]
    assert [(t["generator"], t["index"], t["status"]) for t in trials] == [
        ("meannoise", 0, "done"),
        ("meannoise", 1, "done"),
        ("failing", 0, "failed"),
        ("failing", 1, "failed"),
    ]
    assert len({t["seed"] for t in trials}) == 4
    assert "loss is NaN" in trials[2]["reasons"][0]
    assert {"wall_s", "cpu_s", "peak_memory_mb", "peak_gpu_mb"} <= set(trials[0]["costs"]["fit"])
    assert trials[0]["costs"]["sample"]["images"] == 10


def test_the_resolved_configuration_runs_to_the_same_scores(mini):
    mini.write("MeanNoise", "Floor")
    mini.run()
    mini.calls()
    (mini.folder / "bench.yaml").write_text(json.dumps(mini.record["benchmark"]))  # JSON is YAML
    assert mini.run() == 0
    assert done(mini.calls()) == {}


def test_files_put_aside_are_listed(mini):
    mini.write("MeanNoise")
    mini.run()
    assert (mini.out / "quarantine.csv").read_text() == "path,reason\nDARK/broken.png,cut short\n"


def test_labels_that_do_not_fit_their_images_are_said(mini):
    """In the note; the agreement is in run.json. The trial is done all the same, from the store too."""
    mini.write("MeanNoise", "ByClass", samples=60, evaluators=["Distance"])
    for _ in range(2):
        assert mini.run() == 0
        board = mini.board
        assert [trial["label_agreement"] for trial in mini.record["trials"]] == [1.0, 0.5]
        assert "images of 0, 0, 1, 1" in board["note"]["byclass"]
        assert pd.isna(board["note"]["meannoise"])
        assert set(board["status"]) == {"done"}
    assert [trial["from_store"] for trial in mini.record["trials"]] == [True, True]


def test_a_floor_may_have_labels_that_fit_nothing(mini):
    mini.plugin.write_text(mini.plugin.read_text() + "\n\nclass Muddled(ByClass):\n    role = 'floor'\n")
    mini.write("MeanNoise", "Muddled", samples=60)
    assert mini.run() == 0
    assert mini.board["note"].isna().all()


def test_images_of_one_single_value_are_named_on_the_board(mini):
    mini.write("Resuming")
    assert mini.run() == 0
    assert "10 of 10 images hold one single value" in mini.board.loc["resuming", "note"]


def test_a_board_that_mixes_thread_counts_says_so(mini, monkeypatch, capsys):
    mini.write("MeanNoise")
    monkeypatch.setattr("synthbench.runner.stages.thread_count", lambda: 2)
    assert mini.run() == 0
    assert mini.record["threads"] == [2]
    assert json.loads(next(mini.cache.glob("scores/*/meta.json")).read_text())["threads"] == 2
    assert "mixes thread counts" not in capsys.readouterr().out
    monkeypatch.setattr("synthbench.runner.stages.thread_count", lambda: 5)
    mini.write("MeanNoise", "Prior")
    assert mini.run() == 0
    assert mini.record["threads"] == [2, 5]
    assert mini.record["trials"][0]["threads"] == {"generator": 2, "distance": 2}
    assert "this board mixes thread counts" in capsys.readouterr().out


def test_delong_is_for_two_classes(mini, capsys):
    mini.write("MeanNoise", dataset={"use": "Squares", "classes": ["A", "B", "C"]}, ranking={"test": "delong"})
    content = yaml.safe_load(mini.file.read_text())
    content |= {"headline": "tstr.auroc", "evaluators": [{"use": "tstr", "backbone": "cnn"}]}
    mini.file.write_text(yaml.safe_dump(content))
    assert mini.run() == 2
    assert "delong compares areas of two classes, squares has 3" in capsys.readouterr().err


def test_jobs_that_are_none_are_refused(mini, capsys):
    mini.write("MeanNoise")
    assert mini.run("--jobs", "0") == 2
    assert "--jobs 0: expected 1 or more" in capsys.readouterr().err


def test_a_long_time_out_is_a_number(mini):
    mini.write("MeanNoise")
    assert mini.run("--timeout", "1000000") == 0


LARGE = """

class Large(Distance):
    name: ClassVar[str] = "large"

    def check_shape(self, shape):
        from synthbench import DataError
        if shape != (32, 32, 1):
            raise DataError(f"needs 32x32x1, found {shape}")
"""


def test_images_that_a_judge_does_not_take_are_refused_before_anything_is_trained(mini, capsys):
    mini.plugin.write_text(mini.plugin.read_text() + LARGE)
    mini.write("MeanNoise", evaluators=["Distance", "Large"])
    assert mini.run() == 2
    assert "large: needs 32x32x1, found (16, 16, 1)" in capsys.readouterr().err
    assert not [call for call in mini.calls() if call.startswith("fit")]
    mini.write("MeanNoise", evaluators=["Distance", "Large"], dataset={"use": "Squares", "size": 32})
    assert mini.run() == 0


STRANGE = """

class Strange(Distance):
    name: ClassVar[str] = "strange"
    labels: bool = False
    ids: bool = False
    columns: int = 2
    level: float | None = None
    ends: tuple[float | None, float | None] = (None, None)

    def evaluate(self, real, synthetic, ctx):
        from dataclasses import replace
        done = super().evaluate(real, synthetic, ctx)
        done = replace(done, scores=[replace(score, low=self.ends[0], high=self.ends[1]) for score in done.scores])
        own = done.predictions[0]
        ids = np.array([f"x{i}" for i in own.ids]) if self.ids else own.ids
        labels = 1 - own.labels if self.labels else own.labels
        even = np.full((len(ids), self.columns), self.level or 1 / self.columns)
        return Evaluation(done.scores, [Predictions("test", ids, own.groups, labels, even)])
"""


@pytest.mark.parametrize(
    ("how", "fault"),
    [
        ({"labels": True}, "8 of 8 images are not in it, or have another label there, e.g."),
        ({"ids": True}, "8 of 8 images are not in it, or have another label there, e.g. 'x"),
        ({"columns": 3}, "3 columns for the 2 classes DARK, LIGHT"),
        ({"level": 0.6}, "8 of 8 rows are no probabilities, e.g. [0.6 0.6]; give those of all classes"),
    ],
)
def test_predictions_of_other_images_are_refused(mini, how, fault):
    mini.plugin.write_text(mini.plugin.read_text() + STRANGE)
    mini.write("MeanNoise", evaluators=["Distance", {"use": "Strange", **how}])
    assert mini.run() == 1
    assert f"strange: ValueError: predictions on 'test': {fault}" in mini.board["note"]["meannoise"]
    assert mini.board["rank"]["meannoise"] == 1


@pytest.mark.parametrize("ends", [[0.6, 0.4], [0.4, None], [None, 0.6]])
def test_what_is_no_interval_is_refused(mini, ends):
    mini.plugin.write_text(mini.plugin.read_text() + STRANGE)
    mini.write("MeanNoise", evaluators=["Distance", {"use": "Strange", "ends": ends}])
    assert mini.run() == 1
    assert f"the interval of gap on 'test' is {ends[0]} to {ends[1]}: give two" in mini.board["note"]["meannoise"]


def test_a_fit_without_a_return_is_told_so(mini):
    draws = "        return lambda labels, rng: np.full("
    mini.plugin.write_text(mini.plugin.read_text().replace(draws, draws.replace("return ", "")))
    mini.write("Resuming")
    assert mini.run() == 1
    assert "TypeError: fit of resuming returned NoneType, not a sampler" in mini.board["note"]["resuming"]
