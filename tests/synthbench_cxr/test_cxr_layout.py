"""Which files lie where: nested folders, letter case, system files, wrong and empty classes, hold-out."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from synthbench import DataError
from synthbench_cxr.holdout import hold_out
from synthbench_cxr.layout import Item, Listing, find_set, folder_names, scan, split_folders
from synthbench_cxr.plugin import kermany_patient, own_group

CLASSES = {"normal": "NORMAL", "pneumonia": "PNEUMONIA"}


def has_train(folder: Path) -> bool:
    return (folder / "train").is_dir()


def touch(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x")


@pytest.mark.parametrize("inner", [".", "chest_xray", "archive/chest_xray"])
def test_a_set_is_found_up_to_two_folders_deeper(tmp_path: Path, inner: str):
    touch(tmp_path, f"{inner}/train/a.png")
    assert find_set(tmp_path, has_train) == tmp_path / inner


def test_three_folders_deeper_is_too_far(tmp_path: Path):
    touch(tmp_path, "a/b/c/train/a.png")
    assert find_set(tmp_path, has_train) is None


def test_kaggles_doubled_folder_gives_the_outer_one_and_macosx_none(tmp_path: Path):
    touch(tmp_path, "c/train/a", "c/c/train/a", "__MACOSX/train/a")
    assert find_set(tmp_path, has_train) == tmp_path / "c"


def test_two_sets_equally_near_must_be_told_apart(tmp_path: Path):
    touch(tmp_path, "one/train/a", "two/train/a")
    with pytest.raises(DataError, match="several folders fit"):
        find_set(tmp_path, has_train)


def test_split_folders_in_any_letter_case(tmp_path: Path):
    touch(tmp_path, "Train/a", "VALID/a", "test/a", "notes/a")
    assert {part: path.name for part, path in split_folders(tmp_path).items()} == {
        "train": "Train",
        "val": "VALID",
        "test": "test",
    }


def test_two_folders_of_one_part_are_an_error(tmp_path: Path):
    touch(tmp_path, "val/a", "valid/a")
    with pytest.raises(DataError, match="both val and valid are val"):
        split_folders(tmp_path)


@pytest.mark.parametrize(
    "action", [lambda at: find_set(at, has_train), lambda at: scan(at, {"test": at}, CLASSES)]
)
def test_a_folder_that_cannot_be_listed_is_an_error_not_a_gap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, action: Callable[[Path], object]
):
    touch(tmp_path, "NORMAL/inner/a.png", "PNEUMONIA/a.png")
    for name in ("listdir", "scandir"):  # which of them pathlib uses depends on the Python version
        monkeypatch.setattr(os, name, denying("inner", getattr(os, name)))
    with pytest.raises(DataError, match=r"inner cannot be listed \(Permission denied\)"):
        action(tmp_path)


def denying(folder: str, true: Callable[[object], object]) -> Callable[[object], object]:
    def denied(path: object) -> object:
        if str(path).endswith(folder):
            raise PermissionError(13, "Permission denied", str(path))
        return true(path)

    return denied


def test_scan_lists_files_with_label_and_id_in_order(tmp_path: Path):
    touch(tmp_path, "train/Pneumonia/b.JPG", "train/NORMAL/z.png", "train/NORMAL/patient 7/a.jpeg")
    items = scan(tmp_path, {"train": tmp_path / "train"}, CLASSES).items
    assert [(item.id, item.label) for item in items] == [
        ("train/NORMAL/patient 7/a.jpeg", "NORMAL"),
        ("train/NORMAL/z.png", "NORMAL"),
        ("train/Pneumonia/b.JPG", "PNEUMONIA"),
    ]


def test_system_files_are_passed_over_and_other_files_put_aside(tmp_path: Path):
    touch(tmp_path, "NORMAL/a.png", "PNEUMONIA/b.png", "NORMAL/._a.png", "NORMAL/.DS_Store", "NORMAL/Thumbs.db")
    touch(tmp_path, "__MACOSX/NORMAL/._a.png", "NORMAL/__MACOSX/a.png", "PNEUMONIA/report.txt", "loose.png")
    listing = scan(tmp_path, {"test": tmp_path}, CLASSES)
    assert [item.id for item in listing.items] == ["NORMAL/a.png", "PNEUMONIA/b.png"]
    assert {entry.path: entry.reason for entry in listing.aside} == {
        "PNEUMONIA/report.txt": "no image by its suffix '.txt'",
        "loose.png": "lies in no class folder",
    }


def test_a_folder_that_is_no_class_is_named(tmp_path: Path):
    touch(tmp_path, "NORMAL/a.png", "PNEUMONIA/b.png", "TUBERCULOSIS/c.png")
    with pytest.raises(DataError, match="'TUBERCULOSIS' is none of the classes normal, pneumonia"):
        scan(tmp_path, {"test": tmp_path}, CLASSES)


@pytest.mark.parametrize("other", ["PNEUMONIA/notes.txt", "readme.md"])
def test_an_empty_or_missing_class_is_named(tmp_path: Path, other: str):
    touch(tmp_path, "NORMAL/a.png", other)
    with pytest.raises(DataError, match=r"no images of PNEUMONIA; every class needs some\. Folders found: NORMAL"):
        scan(tmp_path, {"test": tmp_path}, CLASSES)


def test_names_that_are_no_utf8_get_an_id(tmp_path: Path):
    touch(tmp_path, "NORMAL/a.png", "PNEUMONIA/b.png")
    try:
        (tmp_path / "NORMAL" / "\udce9.png").write_bytes(b"x")
    except (OSError, UnicodeEncodeError):
        pytest.skip("this file system takes UTF-8 names only")
    ids = [item.id for item in scan(tmp_path, {"test": tmp_path}, CLASSES).items]
    assert [name.encode() for name in ids] == [b"NORMAL/\\udce9.png", b"NORMAL/a.png", b"PNEUMONIA/b.png"]


def test_folder_names_show_two_levels(tmp_path: Path):
    touch(tmp_path, "train/NORMAL/a", "train/SICK/a", "notes/a")
    assert folder_names(tmp_path) == "notes, train/(NORMAL, SICK)"
    assert folder_names(tmp_path / "notes") == "no folders"


# Patients


@pytest.mark.parametrize(
    ("name", "patient"),
    [
        ("train/PNEUMONIA/person1000_bacteria_2931.jpeg", "person1000_bacteria"),
        ("test/PNEUMONIA/person1000_virus_1681.jpeg", "person1000_virus"),
        ("train/PNEUMONIA/person1372_virus_2365_1.jpeg", "person1372_virus"),
        ("train/NORMAL/IM-0115-0001.jpeg", "IM-0115"),
        ("train/NORMAL/IM-0115-0001-0002.jpeg", "IM-0115"),
        ("val/NORMAL/NORMAL2-IM-1427-0001.jpeg", "NORMAL2-IM-1427"),
        ("train/PNEUMONIA/BACTERIA-1008087-0003.jpeg", "BACTERIA-1008087"),
        ("train/NORMAL/scan.7.jpeg", "train/NORMAL/scan.7"),
    ],
)
def test_patient_by_file_name(name: str, patient: str):
    assert kermany_patient(name) == patient


def test_unknown_patient_is_a_group_of_its_own():
    assert own_group("COVID/COVID_1.jpeg") == "COVID/COVID_1"
    assert own_group("COVID/1.jpeg") != own_group("NORMAL/1.jpeg")


# Hold-out


def listing(**groups_by_class: int) -> Listing:
    """Three images a group."""
    items = [
        Item(Path(), f"{label}/{g}/{k}", "train", label, f"{label}-{g}")
        for label, number in groups_by_class.items()
        for g in range(number)
        for k in range(3)
    ]
    return Listing(tuple(groups_by_class), tuple(items))


def parts_of(found: Listing, label: str) -> dict[str, set[str]]:
    items = [item for item in found.items if item.label == label]
    return {part: {item.group for item in items if item.part == part} for part in ("train", "test")}


def test_hold_out_takes_whole_groups_class_by_class():
    found = hold_out(listing(A=40, B=10), 0.2)
    for label, number in {"A": 8, "B": 2}.items():
        parts = parts_of(found, label)
        assert len(parts["test"]) == number
        assert not parts["test"] & parts["train"]


def test_hold_out_does_not_depend_on_the_order_of_files():
    one = listing(A=20, B=20)
    other = Listing(one.classes, one.items[::-1])
    assert parts_of(hold_out(one, 0.3), "A") == parts_of(hold_out(other, 0.3), "A")


def test_hold_out_leaves_a_group_on_either_side_and_all_of_it_is_all():
    for fraction in (0.01, 0.9):
        parts = parts_of(hold_out(listing(A=2), fraction), "A")
        assert len(parts["train"]) == len(parts["test"]) == 1
    assert parts_of(hold_out(listing(A=1), 1), "A")["train"] == set()


def test_hold_out_needs_two_groups_of_each_class():
    with pytest.raises(DataError, match="A has images of one group only"):
        hold_out(listing(A=1, B=5), 0.2)
