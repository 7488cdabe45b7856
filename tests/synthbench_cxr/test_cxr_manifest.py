"""`image-folder` by a table: encodings, splits, patients, attributes, and what can be wrong with a table."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from synthbench import Context, DataError, Images, Splits
from synthbench_cxr.plugin import ImageFolder

ROWS = [f"{i}.png,{'sick' if i % 2 else 'well'}" for i in range(8)]


@pytest.fixture
def flat(make_set) -> Path:
    """Eight images in one folder, 0.png to 7.png."""
    return make_set("flat", {"{i}.png": 8})


def load(root: Path, ctx: Context, *lines: str, encoding: str = "utf-8", **options: object) -> Splits:
    """The set that a table of these lines makes of the images in `root`."""
    (root / "labels.csv").write_bytes("\r\n".join(lines).encode(encoding))
    return ImageFolder(root=root, manifest="labels.csv", image_size=8, **options).load(ctx)


def labels_of(splits: Splits) -> dict[str, str]:
    parts: list[Images] = list(splits.parts.values())
    return {str(i): images.classes[k] for images in parts for i, k in zip(images.ids, images.labels, strict=True)}


EXPECTED = {f"{i}.png": "sick" if i % 2 else "well" for i in range(8)}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_flat_folder_by_a_table_of_any_spreadsheet(flat: Path, ctx: Context, encoding: str, separator: str):
    rows = [row.replace("well", "gesund, müde").replace(",", separator, 1) for row in ROWS]
    rows = [f'"{a}"{separator}"{b}"' for a, b in (row.split(separator, 1) for row in rows)]
    splits = load(flat, ctx, f"Path{separator} LABEL ", *rows, separator * 1, encoding=encoding)
    assert labels_of(splits) == {k: v.replace("well", "gesund, müde") for k, v in EXPECTED.items()}
    assert splits.train.classes == ("gesund, müde", "sick")
    assert splits.quarantine == ()


def test_excels_own_first_line_and_blank_rows_are_passed_over(flat: Path, ctx: Context):
    rows = [row.replace(",", ";") for row in ROWS]
    assert labels_of(load(flat, ctx, "sep=;", "path;label", "", *rows, ";")) == EXPECTED


def test_split_and_patient_columns(flat: Path, ctx: Context):
    parts = ["train"] * 4 + ["Test"] * 2 + ["validation"] * 2
    rows = [f"{row},p{i // 4},{part}" for i, (row, part) in enumerate(zip(ROWS, parts, strict=True))]
    splits = load(flat, ctx, "path,label,patient,split", *rows)
    assert {name: images.ids.tolist() for name, images in splits.parts.items()} == {
        "train": ["0.png", "1.png", "2.png", "3.png"],
        "val": ["6.png", "7.png"],
        "test": ["4.png", "5.png"],
    }
    assert set(splits.train.groups) == {"p0"}


def test_without_a_split_whole_patients_are_held_out(flat: Path, ctx: Context):
    rows = [f"{row},{row[-4:]}{i // 4}" for i, row in enumerate(ROWS)]
    splits = load(flat, ctx, "path,label,patient", *rows)
    assert len(splits.tests["test"]) == 4
    assert not set(splits.train.groups) & set(splits.tests["test"].groups)


def test_a_pattern_names_patients_in_listed_paths(flat: Path, ctx: Context):
    splits = load(flat, ctx, "path,label", *ROWS, groups=r"(\d)\.png")
    assert set(splits.train.groups) < {str(i) for i in range(8)}


def test_further_columns_are_attributes_and_no_content(flat: Path, ctx: Context, monkeypatch):
    rows = [f"{row},{'FM'[i % 4 // 2]}," for i, row in enumerate(ROWS)]
    splits = load(flat, ctx, "path,label, Sex ,note,", *(row + "," for row in rows))
    for name, images in splits.parts.items():
        columns = splits.attributes[name]
        assert list(columns) == ["Sex", "note"]
        assert columns["Sex"].tolist() == ["FM"[int(i[0]) % 4 // 2] for i in images.ids]
        assert set(columns["note"]) == {""}
    monkeypatch.setattr("synthbench_cxr.folder.decode_all", lambda *_: pytest.fail("decoded again"))
    other = load(flat, ctx, "path,label,view", *(f"{row},AP" for row in ROWS))
    assert other.train.digest == splits.train.digest
    assert set(other.attributes["train"]["view"]) == {"AP"}


@pytest.mark.parametrize("change", ["label", "patient", "split"])
def test_another_label_patient_or_split_is_another_set(flat: Path, ctx: Context, change: str):
    table = {"path": [f"{i}.png" for i in range(8)], "label": ["a", "b"] * 4}
    table |= {"patient": [f"p{i}" for i in range(8)], "split": ["train"] * 6 + ["test"] * 2}
    before = load(flat, ctx, ",".join(table), *map(",".join, zip(*table.values(), strict=True)))
    table[change] = {"label": ["b", "a"] * 4, "patient": list("qrstuvwx"), "split": ["test"] * 2 + ["train"] * 6}[
        change
    ]
    after = load(flat, ctx, ",".join(table), *map(",".join, zip(*table.values(), strict=True)))
    assert after.train.digest != before.train.digest


def test_names_are_found_deeper_windows_separators_and_both_normal_forms(make_set, ctx: Context):
    root = make_set("nih", {"images_001/images/a{i}.png": 2, "images_002/u\u0308{i}.png": 2})
    rows = [
        "a0.png,x",
        "images_001\\images\\a1.png,y",
        "images_002/\u00fc0.png,x",
        f"{root}/images_002/\u00fc1.png,y",
    ]
    splits = load(root, ctx, "path,label", *rows, test_fraction=1)
    assert splits.tests["test"].ids.tolist() == [
        "images_001/images/a0.png",
        "images_001/images/a1.png",
        "images_002/u\u03080.png",
        "images_002/u\u03081.png",
    ]


def test_what_is_put_aside_and_what_counts_once(flat: Path, ctx: Context, capsys):
    rows = [*ROWS[:6], "6.png,", ROWS[0]]
    splits = load(flat, ctx, "path,label", *rows)
    assert {(entry.path, entry.reason) for entry in splits.quarantine} == {
        ("6.png", "no label in labels.csv"),
        ("7.png", "not listed in labels.csv"),
    }
    assert sum(len(images) for images in splits.parts.values()) == 6
    listing = ImageFolder(root=flat, manifest="labels.csv").listing(flat)
    assert listing.remarks == ("labels.csv lists 1 files a second time; they count once",)


def test_files_that_are_missing_count_as_unreadable(flat: Path, ctx: Context):
    rows = [*ROWS, "no.png,sick"]
    with pytest.raises(
        DataError, match=r"1 of 9 image files are unreadable(.|\n)*no\.png: cannot be decoded: No such"
    ):
        load(flat, ctx, "path,label", *rows)
    (entry,) = load(flat, ctx, "path,label", *rows, max_bad=0.2).quarantine
    assert entry.path == "no.png"


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["key,kind", "0.png,a"], "no column path or label; found: key, kind. Call the column of file paths"),
        (["path,label"], "no row below the header"),
        ([], "no row below the header"),
        (["path,label", "0.png,a,b"], "line 2 has 3 cells, the header 2; put quotes around"),
        (["path,label", "0.png,a", ",b"], "line 3 has no path"),
        (["path,label,label", "0.png,a,b"], "two columns are called label"),
        (["path,label,a/b", "0.png,a,b"], "a column is called 'a/b'"),
        (["path,label", "../other/0.png,a"], r"line 2: path '\.\./other/0\.png' leads out of"),
        (["path,label", "/etc/passwd,a"], "line 2: path '/etc/passwd' leads out of"),
        (["path,label", "0.png,a", "1.png,b", "0.png,b"], r"line 4 says something else of 0\.png than line 2"),
        (["path,label,split", "0.png,a,train", "1.png,b,"], "line 3: split is '', must be train, val or test"),
        (["path,label,split", "0.png,a,fold 1"], "line 2: split is 'fold 1'"),
        (["path,label,patient", "0.png,a,1", "1.png,b,"], "line 3 names no patient, others do"),
        (["path,label", "x/0.png,a", "x/1.png,b"], r"none of the 2 files .* the first row names 'x/0\.png'"),
        (["path,label", "0.png,a", "1.png,a"], "needs at least two classes, found: a"),
        (
            ["path,label,split", "0.png,a,test", "1.png,b,test", "2.png,a,train"],
            "no images of b in its train part",
        ),
        (["path,label", 'a"b,"c'], "is no CSV|has 1 cells"),
    ],
)
def test_what_is_wrong_with_a_table_is_said_with_the_line(flat: Path, ctx: Context, lines: list[str], said: str):
    with pytest.raises(DataError, match=said):
        load(flat, ctx, *lines)


def test_two_files_of_a_bare_name_are_no_match(make_set, ctx: Context):
    root = make_set("twice", {"a/{i}.png": 1, "b/{i}.png": 1})
    with pytest.raises(DataError, match=r"2 files are called '0\.png': a/0\.png, b/0\.png; write the whole path"):
        load(root, ctx, "path,label", "0.png,x")


def test_a_workbook_or_no_file_is_no_table(flat: Path, ctx: Context):
    with pytest.raises(DataError, match=r"there is no file .*labels\.csv; a relative one lies in root"):
        ImageFolder(root=flat, manifest="labels.csv").load(ctx)
    (flat / "labels.csv").write_bytes(b"PK\x03\x04")
    with pytest.raises(DataError, match="save the table as CSV"):
        ImageFolder(root=flat, manifest="labels.csv").load(ctx)


def test_classes_in_the_order_asked_for(flat: Path, ctx: Context):
    assert load(flat, ctx, "path,label", *ROWS, classes=("well", "sick")).train.classes == ("well", "sick")
    with pytest.raises(DataError, match="classes are well, ill, found: sick, well"):
        load(flat, ctx, "path,label", *ROWS, classes=("well", "ill"))


def test_labels_of_other_letter_case_are_one_class_as_folders_are(flat: Path, ctx: Context, capsys):
    rows = [row.replace("sick", "SICK") if i < 4 else row for i, row in enumerate(ROWS)]
    splits = load(flat, ctx, "path,label", *rows, "1.png,Sick")
    assert splits.train.classes == ("SICK", "well")
    assert labels_of(splits) == {name: label.replace("sick", "SICK") for name, label in EXPECTED.items()}
    said = capsys.readouterr().out
    assert "labels that differ in letter case are one class: Sick as SICK, sick as SICK" in said
    assert load(flat, ctx, "path,label", *rows, classes=("Well", "Sick")).train.classes == ("Well", "Sick")


@pytest.mark.parametrize(("one", "other"), [("1", "1.0"), ("0.0", "0"), ("1", "01"), ("1,0", "1.0")])
def test_one_number_written_in_two_ways_is_refused(flat: Path, ctx: Context, one: str, other: str):
    rows = [f"0.png;{one}", "1.png;2", f"2.png;{other}", "3.png;2"]
    with pytest.raises(DataError, match=rf"line 4: the label {other} is the same number as {one} in line 2"):
        load(flat, ctx, "path;label", *rows)


def aliased(root: Path) -> None:
    """A link to the folder itself, a hard link and a link to a file."""
    (root / "alias").symlink_to(".")
    (root / "hard.png").hardlink_to(root / "0.png")
    (root / "soft.png").symlink_to("0.png")


@pytest.mark.parametrize("name", ["alias/0.png", "hard.png", "soft.png"])
def test_a_file_by_two_paths_counts_once_or_is_refused(flat: Path, ctx: Context, name: str):
    aliased(flat)
    splits = load(flat, ctx, "path,label", *ROWS, f"{name},well")
    assert labels_of(splits) == EXPECTED
    assert splits.quarantine == (), "other names of what is listed are not unlisted"
    for columns, first, second in (("label", "well", "sick"), ("label,split", "well,train", "well,test")):
        with pytest.raises(DataError, match=rf"line 3 says something else of {name} than line 2, which names the"):
            load(flat, ctx, f"path,{columns}", f"0.png,{first}", f"{name},{second}")


@pytest.mark.parametrize("patient", ["patient_id", "PatientID", "Patient ID", "subject", "Case-ID", " PID "])
@pytest.mark.parametrize("columns", ["Image Index,Class", "file_name;Diagnosis", "path,label"])
def test_columns_under_their_common_names(flat: Path, ctx: Context, columns: str, patient: str, capsys):
    separator = ";" if ";" in columns else ","
    rows = [f"{row},p{i // 2},{'test' if i < 4 else 'Training'}" for i, row in enumerate(ROWS)]
    header = separator.join((columns, patient, "Subset"))
    splits = load(flat, ctx, header, *(row.replace(",", separator) for row in rows))
    assert labels_of(splits) == EXPECTED
    assert set(splits.train.groups) == {"p2", "p3"}
    assert splits.tests["test"].ids.tolist() == ["0.png", "1.png", "2.png", "3.png"]
    assert not splits.attributes["train"]
    assert f"labels.csv: its column '{patient.strip()}' is read as `patient`" in capsys.readouterr().out


def test_two_columns_of_one_kind_are_told_apart_by_the_name(flat: Path, ctx: Context):
    with pytest.raises(DataError, match="subject and patient_id could each be the column `patient`; call the one"):
        load(flat, ctx, "path,label,subject,patient_id", "0.png,a,s,p")
    splits = load(flat, ctx, "path,label,subject,Patient", *(f"{row},s,p{row[0]}" for row in ROWS))
    assert len(set(splits.train.groups)) > 1
    assert set(splits.attributes["train"]["subject"]) == {"s"}


def test_a_column_that_names_no_part_is_no_split(flat: Path, ctx: Context):
    splits = load(flat, ctx, "path,label,set", *(f"{row},{i % 4 // 2}" for i, row in enumerate(ROWS)))
    assert set(splits.attributes["train"]["set"]) == {"0", "1"}
    with pytest.raises(DataError, match="line 3: split is 'dev', must be train, val or test"):
        load(flat, ctx, "path,label,set", "0.png,a,train", "1.png,b,dev")


def test_the_table_may_lie_elsewhere(flat: Path, ctx: Context, tmp_path: Path):
    load(flat, ctx, "path,label", *ROWS)
    table = shutil.move(flat / "labels.csv", tmp_path / "elsewhere.csv")
    assert labels_of(ImageFolder(root=flat, manifest=str(table), image_size=8).load(ctx)) == EXPECTED
