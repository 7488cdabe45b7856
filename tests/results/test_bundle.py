"""`synthbench export` and `synthbench verify`: what is packed, what is recomputed, which tampering is found."""

import csv
import errno
import hashlib
import io
import json
import os
import shutil
import stat
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from synthbench import cli
from synthbench.errors import ConfigError, DataError
from synthbench.progress import Progress
from synthbench.results.bundle import MANIFEST, _renamed, export, unpack
from synthbench.results.redact import PathRedactor
from synthbench.results.verified import agree
from synthbench.results.verify import verify
from tests.helpers.judged_runs import Runs

GENERATORS = (
    {"label": "good"},
    {"label": "bad", "offset": 15.0},
    {"label": "copy", "use": "Copier"},
    {"label": "broken", "use": "Broken"},
)
PREDICTIONS = "trials/good/seed-0/judge/predictions.csv"


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    return Runs(tmp_path_factory.mktemp("runs"))


@pytest.fixture(scope="module")
def run(runs):
    """Two candidates, a ceiling and one that fails, with two classifiers each."""
    return runs("a", *GENERATORS, evaluator={"seeds": 2})


@pytest.fixture
def copy(run, tmp_path):
    """The run's folder, to be tampered with."""
    return shutil.copytree(run, tmp_path / "copy")


@pytest.fixture
def check(runs, tmp_path):
    """A function: export a folder and verify the bundle."""

    def check(folder):
        export(folder, tmp_path / "b.zip")
        return verify(tmp_path / "b.zip", Progress(False), runs.folder)

    return check


def members(file):
    with zipfile.ZipFile(file) as bundle:
        return {name: bundle.read(name) for name in bundle.namelist()}


def write_zip(file, contents, manifest=None):
    """A bundle made by hand, by default under a manifest that fits."""
    about = {n: {"sha256": hashlib.sha256(c).hexdigest(), "bytes": len(c)} for n, c in contents.items()}
    with zipfile.ZipFile(file, "w") as bundle:
        for name, content in contents.items():
            bundle.writestr(name, content)
        bundle.writestr(MANIFEST, json.dumps(manifest or {"format": 1, "files": about}))
    return file


def edit(path, row, column, value):
    """Change one cell and nothing else."""
    rows = list(csv.DictReader(io.StringIO(path.read_text())))
    chosen = next(r for r in rows if all(r[key] == wanted for key, wanted in row.items()))
    assert chosen[column] != value
    chosen[column] = value
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


# ---- export


def test_what_is_packed(run, tmp_path):
    packed = export(run, tmp_path / "b.zip")
    names = set(members(tmp_path / "b.zip")) - {MANIFEST}
    assert names == set(packed.files)
    tables = {"leaderboard", "scores", "intervals", "comparisons", "costs", "test_sets", "audit", "quarantine"}
    assert {"run.json", PREDICTIONS, *(f"{table}.csv" for table in tables)} <= names
    assert "trials/good/seed-0/generator/samples.png" in names
    assert "trials/good/seed-0/generator/losses.csv" in names
    assert "trials/broken/seed-0/generator/error.txt" in names
    assert not [name for name in names if name.endswith(".safetensors")]
    assert "trials/good/seed-0/generator/generator.safetensors" in packed.left_out


def test_weights_on_request(run, tmp_path):
    packed = export(run, tmp_path / "b.zip", weights=True)
    assert "trials/good/seed-0/generator/generator.safetensors" in packed.files


def test_pictures_of_real_training_images_stay_out(run, tmp_path):
    packed = export(run, tmp_path / "b.zip")
    real = {
        "data/real.png",
        "trials/good/seed-0/generator/nearest.png",
        "trials/copy/seed-0/generator/samples.png",
    }
    assert all((run / name).is_file() for name in real)
    assert real <= set(packed.left_out)
    assert {p for p in packed.files if p.endswith(".png")} == {
        "trials/good/seed-0/generator/samples.png",
        "trials/bad/seed-0/generator/samples.png",
    }
    assert "trials/copy/seed-0/judge/predictions.csv" in packed.files


def test_what_the_run_did_not_write_stays_out(copy, tmp_path):
    for name in ("report.html", "notes.txt", ".secret.csv", "trials/model.pt", "figures/real.png"):
        (copy / name).parent.mkdir(exist_ok=True)
        (copy / name).write_text("x")
    (copy / "trials/link.csv").symlink_to(copy / "scores.csv")
    packed = export(copy, tmp_path / "b.zip")
    left = {"report.html", "notes.txt", ".secret.csv", "trials/model.pt", "figures/real.png", "trials/link.csv"}
    assert left <= set(packed.left_out)
    assert not left & set(packed.files)


def test_the_same_folder_gives_the_same_bytes(run, copy, tmp_path):
    for path in copy.rglob("*"):
        os.utime(path, (1, 1))
    first, second = tmp_path / "1.zip", tmp_path / "2.zip"
    export(run, first)
    export(copy, second)
    assert first.read_bytes() == second.read_bytes()
    with zipfile.ZipFile(first) as bundle:
        entries = bundle.infolist()
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
    assert [entry.filename for entry in entries] == [*sorted(e.filename for e in entries[:-1]), MANIFEST]


def test_the_manifest_holds_the_digest_of_every_file(run, tmp_path):
    export(run, tmp_path / "b.zip")
    contents = members(tmp_path / "b.zip")
    listed = json.loads(contents.pop(MANIFEST))["files"]
    assert listed == {n: {"sha256": hashlib.sha256(c).hexdigest(), "bytes": len(c)} for n, c in contents.items()}


def test_no_folder_of_this_machine_is_in_it(runs, run, tmp_path):
    """They are in the run: in the command, the log, the tracebacks and the reasons on the board."""
    folder = str(runs.folder)
    with_it = {p.name for p in run.rglob("*") if p.is_file() and folder in p.read_text(errors="replace")}
    assert {"run.json", "log.txt", "error.txt", "leaderboard.csv"} <= with_it
    export(run, tmp_path / "b.zip")
    contents = members(tmp_path / "b.zip")
    for name, content in contents.items():
        for text in (folder, str(tmp_path), str(runs.folder.parent), os.path.dirname(os.__file__)):  # noqa: PTH120
            assert text.encode() not in content, name
    assert "…/nothing here.npy" in contents["leaderboard.csv"].decode()


def test_labels_that_are_paths(runs, tmp_path):
    """A plugin given by its absolute path and without a label: the path is the label, and names folders."""
    use = str(runs.folder / "judged.py")
    run = runs(
        "paths", dataset={"root": str(runs.folder / "somewhere else")}, generators=[{"use": f"{use}:Levels"}]
    )
    packed = export(run, tmp_path / "b.zip")
    assert not [name for name in packed.files if "pytest" in name]
    found = verify(tmp_path / "b.zip", Progress(False), runs.folder)
    assert found.holds
    assert found.matching["scores.csv"] > 0
    assert all(str(runs.folder).encode() not in content for content in members(tmp_path / "b.zip").values())


def test_labels_that_only_their_folders_tell_apart_are_refused():
    paths = [f"/data/{folder}/gan.py:Gan" for folder in "ab"]
    record = {"declared": {"generators": {path: {} for path in paths}, "evaluators": {paths[0]: {}}}}
    with pytest.raises(ConfigError, match=r"generators: .* are both called …/gan.py:Gan .* give one a `label:`"):
        _renamed(record, PathRedactor())


def test_a_folder_is_no_file_to_pack_into(copy, tmp_path):
    for target in (tmp_path, copy):
        with pytest.raises(ConfigError, match=r"is a folder; give the file that is to be written, .*\.zip"):
            export(copy, target)


def test_what_is_no_run_is_refused(tmp_path, copy):
    with pytest.raises(DataError, match=r"no run\.json"):
        export(tmp_path, tmp_path / "b.zip")
    (copy / "intervals.csv").unlink()
    with pytest.raises(DataError, match=r"no intervals\.csv"):
        export(copy, tmp_path / "b.zip")
    assert not list(tmp_path.glob("*.zip"))


# ---- verify


def test_a_bundle_holds(runs, run, tmp_path, capsys):
    file = tmp_path / "b.zip"
    assert cli.main(["export", str(run), str(file)]) == 0
    (runs.folder / "calls.txt").unlink(missing_ok=True)
    assert cli.main(["verify", str(file), "--plugins", str(runs.folder)]) == 0
    assert not (runs.folder / "calls.txt").exists(), "neither the data set nor the evaluator was asked"
    out = capsys.readouterr().out
    assert f"{file}: holds" in out
    # three generators that end, two classifiers, two metrics: value and n of each; four columns of every row
    assert f"scores.csv: {3 * 2 * 2 * 2 + 3 * (2 * 2 + 1) * 4} cells recomputed" in out
    why = "it does not follow from predictions or features"
    assert f"not recomputable from the bundle: scores.csv: judge.gap: {why} (3)" in out


@pytest.mark.parametrize("changes", [{"seeds": 2}, {"ranking": {"test": "mcnemar"}}])
def test_bundles_of_other_runs_hold(runs, check, changes):
    assert check(runs("other", {"label": "x", "spoil": 3.0}, {"label": "y", "offset": 9.0}, **changes)).holds


def test_every_cell_of_the_board_is_looked_at(run, check):
    found = check(run)
    for name in ("leaderboard", "intervals", "comparisons"):
        table = pd.read_csv(run / f"{name}.csv", dtype=str, keep_default_na=False)
        assert found.matching[f"{name}.csv"] == (table != "").sum().sum() + 1  # and the number of rows


TAMPERED = [
    ("leaderboard.csv", {"generator": "good"}, "judge_accuracy", "0.99"),
    ("leaderboard.csv", {"generator": "good"}, "judge_accuracy_low", "0.94"),
    ("leaderboard.csv", {"generator": "good"}, "rank_high", "7"),
    ("leaderboard.csv", {"generator": "broken"}, "note", "fine"),
    ("costs.csv", {"generator": "bad", "stage": "fit"}, "wall_s", "123.0"),
    ("leaderboard.csv", {"generator": "bad"}, "leaked", "7"),
    ("leaderboard.csv", {"generator": "bad"}, "fit_s", "123.0"),
    ("leaderboard.csv", {"generator": "broken"}, "status", "done"),
    ("intervals.csv", {"generator": "bad", "metric": "doubt"}, "sampling_high", "0.3"),
    ("comparisons.csv", {"a": "good"}, "p", "0.04"),
    ("comparisons.csv", {"a": "good"}, "difference", "0.5"),
    ("scores.csv", {"generator": "bad", "metric": "accuracy"}, "value", "0.95"),
    ("scores.csv", {"generator": "bad", "metric": "accuracy"}, "n", "600"),
    ("scores.csv", {"generator": "bad", "metric": "gap"}, "value", "0.1"),
    ("scores.csv", {"generator": "bad", "metric": "doubt"}, "value", ""),
    (PREDICTIONS, {"id": "b/000.png"}, "p[LIGHT]", "0.9999"),
    (PREDICTIONS, {"id": "b/000.png"}, "label", "LIGHT"),
    (PREDICTIONS, {"id": "b/000.png"}, "group", "1-7"),
    ("test_sets.csv", {"test_set": "test"}, "leaked", "60"),
]


@pytest.mark.parametrize(("file", "row", "column", "value"), TAMPERED)
def test_a_number_changed_before_packing_does_not_follow_from_the_rest(copy, check, file, row, column, value):
    edit(copy / file, row, column, value)
    found = check(copy)
    assert not found.files
    assert found.mismatches
    assert not found.holds


def test_the_number_that_was_changed_is_named(runs, copy, tmp_path, capsys):
    edit(copy / "leaderboard.csv", {"generator": "good"}, "judge_accuracy", "0.99")
    export(copy, tmp_path / "b.zip")
    assert cli.main(["verify", str(tmp_path / "b.zip"), "--plugins", str(runs.folder)]) == 1
    out = capsys.readouterr().out
    assert "leaderboard.csv: good: judge_accuracy: 0.99, recomputed 0." in out
    assert "1 cells do not match" in out


@pytest.mark.parametrize("name", ["leaderboard.csv", "scores.csv", PREDICTIONS, "run.json"])
def test_a_file_changed_after_packing_has_another_digest(runs, run, tmp_path, name):
    export(run, tmp_path / "b.zip")
    contents = members(tmp_path / "b.zip")
    manifest = json.loads(contents.pop(MANIFEST))
    contents[name] = contents[name].replace(b"0.", b"1.", 1)
    write_zip(tmp_path / "b.zip", contents, manifest)
    found = verify(tmp_path / "b.zip", Progress(False), runs.folder)
    assert found.files[0].startswith(name)
    assert not found.holds


def test_files_too_many_and_too_few_are_found(runs, run, tmp_path):
    export(run, tmp_path / "b.zip")
    contents = members(tmp_path / "b.zip")
    manifest = json.loads(contents.pop(MANIFEST))
    del contents["audit.csv"]
    contents["extra.csv"] = b"x"
    write_zip(tmp_path / "b.zip", contents, manifest)
    found = verify(tmp_path / "b.zip", Progress(False), runs.folder)
    assert found.files == ["extra.csv is not in the manifest", "audit.csv is missing"]


def test_a_row_in_place_of_another_is_found(copy, check):
    """As many rows as there should be."""
    lines = (copy / "intervals.csv").read_text().splitlines(keepends=True)
    (copy / "intervals.csv").write_text("".join([*lines[:-1], lines[1]]))
    assert "rows of this name" in {m.column for m in check(copy).mismatches}


def test_an_interval_that_predictions_do_not_give_is_not_passed_over(copy, check):
    edit(copy / "scores.csv", {"generator": "bad", "metric": "accuracy"}, "low", "0.1")
    assert check(copy).unchecked["scores.csv: judge.accuracy low: predictions do not tell it"] == 1


@pytest.mark.parametrize("drop", ["scores.csv", "comparisons.csv", "intervals.csv", "costs.csv"])
def test_a_row_that_was_taken_out_is_missed(copy, check, drop):
    lines = (copy / drop).read_text().splitlines(keepends=True)
    (copy / drop).write_text("".join([lines[0], *lines[2:]]))
    assert check(copy).mismatches


def test_a_row_that_was_doubled_is_found(copy, check):
    lines = (copy / "leaderboard.csv").read_text().splitlines(keepends=True)
    (copy / "leaderboard.csv").write_text("".join([*lines, lines[1]]))
    assert [m.column for m in check(copy).mismatches] == ["number of rows", "rows of this name"]


def test_without_the_plugin_it_says_so_and_checks_the_rest(copy, tmp_path, capsys):
    file = tmp_path / "b.zip"
    export(copy, file)
    assert cli.main(["verify", str(file)]) == 0
    out = capsys.readouterr().out
    assert (
        "note: judge cannot be recomputed: judged.py:Judge is a file; --plugins FOLDER says where it lies" in out
    )
    assert "not recomputable from the bundle: scores.csv: judge.accuracy: its plugin is not at hand (6)" in out
    assert "leaderboard.csv: judge: its plugin is not at hand" in out
    edit(copy / "leaderboard.csv", {"generator": "good"}, "judge_accuracy", "0.99")  # a mean of scores.csv
    export(copy, file)
    assert cli.main(["verify", str(file)]) == 1


def test_a_registered_plugin_that_is_not_installed_is_named(copy, check):
    record = json.loads((copy / "run.json").read_text())
    record["benchmark"]["evaluators"][0]["use"] = "someones-evaluator"
    (copy / "run.json").write_text(json.dumps(record))
    assert "no evaluator is called 'someones-evaluator'" in check(copy).notes[0]


def test_other_code_of_the_evaluator_is_noted(copy, check):
    record = json.loads((copy / "run.json").read_text())
    record["code"]["judged.py:Judge"] = "0" * 64
    (copy / "run.json").write_text(json.dumps(record))
    found = check(copy)
    assert found.notes == ["judge: the code of judged.py:Judge here is not what made the run"]
    assert found.holds


def test_a_bundle_decides_no_file_that_is_imported(copy, tmp_path, monkeypatch):
    """Not even one of the reader's own, in the folder where `verify` is called."""
    (tmp_path / "evil.py").write_text("raise SystemExit('imported')")
    monkeypatch.chdir(tmp_path)
    record = json.loads((copy / "run.json").read_text())
    record["benchmark"]["evaluators"][0]["use"] = "evil.py:Evil"
    (copy / "run.json").write_text(json.dumps(record))
    export(copy, tmp_path / "b.zip")
    assert "evil.py:Evil is a file" in verify(tmp_path / "b.zip", Progress(False)).notes[0]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("run.json", b"[]"),
        ("run.json", b'{"declared": {}}'),
        ("scores.csv", b"generator\nx\n"),
        ("scores.csv", b""),
        ("test_sets.csv", b"\xff\xfe"),
        (PREDICTIONS, b"test_set\ntest\n"),
        ("intervals.csv", b"generator\ngood\n"),
    ],
)
def test_rubbish_is_refused_without_a_traceback(run, tmp_path, capsys, name, content):
    export(run, tmp_path / "b.zip")
    contents = members(tmp_path / "b.zip")
    del contents[MANIFEST]
    write_zip(tmp_path / "b.zip", {**contents, name: content})
    assert cli.main(["verify", str(tmp_path / "b.zip"), "--plugins", str(run.parents[1])]) in (1, 2)
    assert "Traceback" not in capsys.readouterr().err


# ---- unpacking what a stranger packed

SLIPS = [
    "../evil.txt",
    "a/../../evil.txt",
    "/" + "tmp/evil.txt",
    "C:/evil.txt",
    "a\\..\\evil.txt",
    "a//b",
    "./a",
    "",
]


@pytest.mark.parametrize("name", SLIPS)
def test_names_that_lead_out_are_refused(tmp_path, name):
    inner = tmp_path / "deep" / "inner"
    inner.mkdir(parents=True)
    about = {"sha256": hashlib.sha256(b"x").hexdigest(), "bytes": 1}
    file = write_zip(tmp_path / "b.zip", {name or "x": b"x"}, {"format": 1, "files": {name: about}})
    with pytest.raises(DataError, match="could lead out"):
        unpack(file, inner)
    assert [p.name for p in tmp_path.rglob("*")] == ["deep", "b.zip", "inner"] or not list(inner.iterdir())
    assert not list(tmp_path.rglob("*evil*"))


def test_what_the_manifest_does_not_list_is_not_unpacked(tmp_path):
    manifest = {"format": 1, "files": {}}
    problems = unpack(write_zip(tmp_path / "b.zip", {"../evil.txt": b"x", "b": b"y"}, manifest), tmp_path / "in")
    assert problems == ["../evil.txt is not in the manifest", "b is not in the manifest"]
    assert {p.name for p in tmp_path.rglob("*")} == {"b.zip"}


def test_a_link_in_a_bundle_becomes_a_file(tmp_path):
    link = zipfile.ZipInfo("a.txt")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    about = {"sha256": hashlib.sha256(b"/etc/passwd").hexdigest(), "bytes": 11}
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as bundle:
        bundle.writestr(link, b"/etc/passwd")
        bundle.writestr(MANIFEST, json.dumps({"format": 1, "files": {"a.txt": about}}))
    assert unpack(tmp_path / "b.zip", tmp_path / "in") == []
    assert not (tmp_path / "in/a.txt").is_symlink()


def test_no_more_is_read_than_the_manifest_says(tmp_path):
    """A member that unpacks to a gigabyte of zeros costs what its entry claims, and one byte."""
    with zipfile.ZipFile(tmp_path / "b.zip", "w", zipfile.ZIP_DEFLATED) as bundle:
        bundle.writestr("zeros", bytes(50_000_000))
        bundle.writestr(MANIFEST, json.dumps({"format": 1, "files": {"zeros": {"sha256": "0", "bytes": 10}}}))
    assert unpack(tmp_path / "b.zip", tmp_path / "in") == ["zeros has another digest than in the manifest"]
    assert (tmp_path / "in/zeros").stat().st_size == 11


@pytest.mark.parametrize("claimed", [3, 5])
def test_a_member_has_the_size_that_the_manifest_says(tmp_path, claimed):
    """With a digest that fits what is read of it."""
    about = {"bytes": claimed, "sha256": hashlib.sha256(b"four").hexdigest()}
    file = write_zip(tmp_path / "b.zip", {"a": b"four"}, {"format": 1, "files": {"a": about}})
    assert unpack(file, tmp_path / "in") == ["a has another size than in the manifest"]


@pytest.mark.parametrize("names", [["x", "x/y"], ["a" * 300]])
def test_names_that_can_be_no_files_are_refused(tmp_path, names):
    with pytest.raises(DataError, match="cannot be written"):
        unpack(write_zip(tmp_path / "b.zip", dict.fromkeys(names, b"q")), tmp_path / "in")


def test_a_full_disk_is_not_the_fault_of_the_bundle(tmp_path, monkeypatch):
    opened = Path.open

    def full(path, mode="r", *arguments, **options):
        if "w" in mode:
            raise OSError(errno.ENOSPC, "No space left on device")
        return opened(path, mode, *arguments, **options)

    file = write_zip(tmp_path / "b.zip", {"a": b"q"})
    monkeypatch.setattr("pathlib.Path.open", full)
    with pytest.raises(OSError, match="No space left"):
        unpack(file, tmp_path / "in")


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        ({"format": 2, "files": {}}, "this synthbench reads 1"),
        ({"files": {}}, "is no bundle"),
        ([], "is no bundle"),
        ({"format": 1, "files": {"x": {"bytes": 1 << 40}}}, "more than 32 GiB"),
        (
            {"format": 1, "files": {"x": {"bytes": 1 << 40}, "y": {"bytes": -(1 << 40)}}},
            "y has -1099511627776 bytes",
        ),
        ({"format": 1, "files": {"x": {"bytes": 1.5}}}, "x has 1.5 bytes"),
        ({"format": 1, "files": {"x": {"bytes": True}}}, "x has True bytes"),
    ],
)
def test_what_is_no_bundle(tmp_path, manifest, message):
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as bundle:
        bundle.writestr(MANIFEST, json.dumps(manifest))
    with pytest.raises(DataError, match=message):
        unpack(tmp_path / "b.zip", tmp_path / "in")


def test_what_is_no_zip_file(tmp_path):
    (tmp_path / "b.zip").write_text("no zip")
    with pytest.raises(DataError, match="cannot be read as a zip file"):
        unpack(tmp_path / "b.zip", tmp_path / "in")
    with pytest.raises(DataError, match="no such file"):
        unpack(tmp_path / "none.zip", tmp_path / "in")
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as bundle:
        bundle.writestr("x", "y")
    with pytest.raises(DataError, match="is no bundle"):
        unpack(tmp_path / "b.zip", tmp_path / "in")


# ---- the tolerance


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        ("0.5", "0.5000004", True),
        ("0.5", "0.500001", False),
        ("1e-9", "0.0", True),
        ("0.0005", "0.000501", False),
        ("", "", True),
        ("", "0.5", False),
        ("nan", "nan", True),
        ("nan", "0.5", False),
        ("inf", "inf", True),
        ("0.5", "inf", False),
        ("2/3 seeds", "2/3 seeds", True),
        ("2/3 seeds", "3/3 seeds", False),
        ("True", "False", False),
    ],
)
def test_when_two_cells_say_the_same(a, b, same):
    assert agree(a, b, 1e-6, 1e-7) is same
    assert agree(b, a, 1e-6, 1e-7) is same


def test_single_precision_of_replicates_stays_within_the_tolerance():
    values = np.random.default_rng(0).random(1000)
    assert all(agree(str(v), str(np.float32(v)), 1e-6, 1e-7) for v in values)
