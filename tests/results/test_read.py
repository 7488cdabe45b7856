"""A run read back from its folder: rows of one training, evaluators of some rows, those that may be left out."""

import yaml

from synthbench import cli
from synthbench.benchmark.definition import Checkpoint
from synthbench.report.provenance_tables import setup_part
from synthbench.results.comparability import incomparable
from synthbench.results.folder import read_folder, read_record
from synthbench.results.read import read_run

TRAINING = {"use": "Growing", "label": "growing", "checkpoints": [1, 3]}


def test_rows_of_one_training_with_an_evaluator_of_their_own(mini):
    twice = {"use": "Twice", "generators": ["growing"], "optional": True}
    mini.write(TRAINING, "MeanNoise", evaluators=["Distance", twice])
    assert mini.run() == 0
    run = read_run(mini.out, mini.folder)
    assert [entry.checkpoint for entry in run.bench.generators] == [
        Checkpoint("growing", 1, "steps"),
        Checkpoint("growing", 3, "steps"),
        None,
    ]
    (twice,) = [entry for entry in run.bench.evaluators if entry.label == "twice"]
    assert (twice.optional, twice.generators) == (True, ("growing",))
    assert not run.unread
    bundle = mini.folder / "mini.zip"
    assert cli.main(["export", str(mini.out), str(bundle)]) == 0
    assert cli.main(["verify", str(bundle)]) == 0
    assert cli.main(["diff", str(mini.out), str(mini.out)]) == 0


def test_an_option_called_checkpoint_is_the_plugins_own(mini):
    mini.plugin.write_text(
        mini.plugin.read_text()
        + "\n\nclass Loaded(MeanNoise):\n    name = 'loaded'\n    checkpoint: str = 'last.pt'\n"
    )
    mini.write("Loaded")
    assert mini.run() == 0
    assert read_run(mini.out, mini.folder).bench.generators[0].checkpoint is None


def test_the_reports_configuration_is_a_benchmark_file(mini):
    mini.write(TRAINING, "MeanNoise")
    assert mini.run() == 0
    file = mini.folder / "again.yaml"
    file.write_text(setup_part(read_folder(mini.out)).config)
    rows = yaml.safe_load(file.read_text())["generators"]
    assert [(row["label"], row.get("checkpoints")) for row in rows] == [("growing", [1, 3]), ("meannoise", None)]
    assert cli.main(["run", str(file), "--out", str(mini.folder / "again"), "--device", "cpu"]) == 0
    assert (mini.folder / "again/scores.csv").read_bytes() == (mini.out / "scores.csv").read_bytes()


def test_what_may_be_left_out_changes_no_number(mini):
    records = []
    for optional in (False, True):
        mini.write("MeanNoise", evaluators=["Distance", {"use": "Twice", "optional": optional}])
        assert mini.run() == 0
        records.append(read_record(mini.out))
    assert incomparable(*records) == []
