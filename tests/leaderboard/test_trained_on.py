"""Who may have seen the test images has no rank, and its copying cannot be told."""

from dataclasses import replace

import pytest

from synthbench.api.origin import Origin
from synthbench.benchmark.declared import Declared
from synthbench.benchmark.definition import Entry
from synthbench.leaderboard.copying import copying, may_have_seen_test
from tests.leaderboard.test_board import board_of, by_generator, generator, result
from tests.leaderboard.test_copying import guarded


def seen(trial, trained_on):
    """The same trial of a generator of that origin."""
    entry = trial.trial.generator
    declared = replace(entry.declared, origin=Origin(trained_on))
    trial.trial = replace(trial.trial, generator=replace(entry, declared=declared))
    return trial


@pytest.mark.parametrize("trained_on", ["all", "unknown"])
def test_the_best_row_has_no_rank_and_pushes_nobody_down(trained_on):
    ready = seen(result(generator("ready"), 0, [0.95]), trained_on)
    board = board_of([ready, result(generator("a"), 0, [0.9]), result(generator("b"), 0, [0.8])])
    table = by_generator(board)
    assert table.loc["ready", ["rank", "rank_high"]].isna().all()
    assert table.loc[["a", "b"], "rank"].tolist() == [1, 2]
    assert table["copying"].to_dict() == {"ready": "cannot be told", "a": "", "b": ""}
    assert table["trained_on"].to_dict() == {"ready": trained_on, "a": "train", "b": "train"}
    assert table.loc["ready", "note"] == f"test may have been seen (trained_on: {trained_on}): no rank"
    assert len(board.comparisons) == 1


def test_one_that_saw_the_training_images_alone_is_ranked():
    table = by_generator(board_of([seen(result(generator("ready"), 0, [0.95]), "train")]))
    assert table.loc["ready", "rank"] == 1
    assert table.loc["ready", "note"] == ""


def test_a_flag_says_more_than_not_knowing():
    """Nearer to the training images than to those that nobody learned from: that no origin excuses."""
    assert copying([seen(guarded("a", 0.9, 1.0), "unknown")]) == "yes"
    assert copying([seen(guarded("a", 0.9, 0.0), "unknown")]) == "cannot be told"
    assert copying([seen(guarded("a", 0.9, 0.0), "train")]) == "no"


READY = '''

class Ready(MeanNoise):
    """Made elsewhere, and too few."""

    name: ClassVar[str] = "ready"

    def origin(self):
        return Origin("unknown", seeds=1, fewer=True)

    def fit(self, train, ctx):
        sampler = super().fit(train, ctx)

        def fewer(labels, rng):
            few = np.sort(labels)[1:]
            return Images(sampler(few, rng), few, train.classes)

        return fewer
'''


def with_ready(mini, source=READY):
    text = mini.plugin.read_text().replace("    Images,\n", "    Images,\n    Origin,\n", 1)
    mini.plugin.write_text(text + source)


def test_a_run_says_it_and_reads_it_back(mini, capsys):
    from synthbench.results.read import read_run

    with_ready(mini)
    mini.write("MeanNoise", "Ready", seeds=2)
    assert mini.run() == 0
    assert mini.board["rank"].isna().to_dict() == {"meannoise": False, "ready": True}
    assert mini.board["seeds"].to_dict() == {"meannoise": 2, "ready": 1}
    reason = "fewer images than asked: 4 of 5 DARK, 5 of 5 LIGHT; "
    reason += "test may have been seen (trained_on: unknown): no rank"
    assert mini.board.loc["ready", "note"] == reason
    assert f"warning: ready: {reason}" in capsys.readouterr().out
    trials = read_run(mini.out).trials
    assert {label: bool(may_have_seen_test(of_label)) for label, of_label in trials.items()} == {
        "meannoise": False,
        "ready": True,
    }


def test_who_does_not_declare_it_may_not_draw_fewer(mini, capsys):
    with_ready(mini, READY.replace(", fewer=True", ""))
    mini.write("Ready")
    assert mini.run() == 1
    assert "the sampler returned 9 images for 10 labels" in mini.board.loc["ready", "note"]


def test_fewer_means_some_of_each_class(mini):
    with_ready(mini, READY.replace("[1:]", "[5:]"))
    mini.write("Ready")
    assert mini.run() == 1
    assert "returned [0, 5] images by class, asked for [5, 5]" in mini.board.loc["ready", "note"]


def test_what_is_declared_survives_run_json():
    declared = Declared(origin=Origin("all", 1, fewer=True))
    assert Declared.from_record(declared.generator_record()).origin == declared.origin
    assert Entry("old", "old", Declared.from_record({"role": "floor"})).declared.origin == Origin()
