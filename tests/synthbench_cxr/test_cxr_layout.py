"""Which files lie where: nested folders, letter case, system files, wrong and empty classes, hold-out."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from synthbench import DataError
from synthbench_cxr.decode import decode
from synthbench_cxr.holdout import hold_out
from synthbench_cxr.layout import Item, Listing, find_set, folder_names, scan, split_folders
from synthbench_cxr.patients import own_group
from synthbench_cxr.plugin import ImageFolder, kermany_patient

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


def test_all_of_it_is_every_part():
    """An external set of train and val without test: of 80 images 40 were tested."""
    whole = listing(A=4, B=4)
    items = tuple(replace(item, part="val" if n % 2 else "train") for n, item in enumerate(whole.items))
    assert {item.part for item in hold_out(replace(whole, items=items), 1).items} == {"test"}


def test_hold_out_needs_two_groups_of_each_class():
    with pytest.raises(DataError, match="A has images of one group only"):
        hold_out(listing(A=1, B=5), 0.2)


# Links, masks, names


def ids(root: Path, classes: dict[str, str] | None = None) -> list[str]:
    return [item.id for item in scan(root, {"test": root}, classes or CLASSES).items]


def reasons(root: Path) -> dict[str, str]:
    return {entry.path: entry.reason for entry in scan(root, {"test": root}, CLASSES).aside}


READ_ALREADY = "a link to a folder that is read already, or to one above the set"


@pytest.mark.parametrize("target", [".", "..", "../..", "../PNEUMONIA", "inner", "../NORMAL"])
def test_a_link_to_what_is_read_already_adds_nothing(tmp_path: Path, target: str):
    root = tmp_path / "set"
    touch(root, "NORMAL/a.png", "NORMAL/inner/b.png", "PNEUMONIA/a.png")
    touch(tmp_path, "beside the set.png", "other/c.png")
    (root / "NORMAL" / "here").symlink_to(target)
    (root / "NORMAL" / "again").symlink_to(target)
    assert ids(root) == ["NORMAL/a.png", "NORMAL/inner/b.png", "PNEUMONIA/a.png"]
    assert reasons(root) == dict.fromkeys(("NORMAL/here", "NORMAL/again"), READ_ALREADY)


def test_links_out_of_the_set_are_followed_once(tmp_path: Path):
    root, pool = tmp_path / "set", tmp_path / "pool"
    touch(root, "NORMAL/a.png", "PNEUMONIA/a.png")
    touch(pool, "deep/b.png", "c.png")
    (pool / "deep" / "back").symlink_to(pool)
    for name in ("NORMAL/x", "PNEUMONIA/y"):
        (root / name).symlink_to(pool)
    assert ids(root) == ["NORMAL/a.png", "NORMAL/x/c.png", "NORMAL/x/deep/b.png", "PNEUMONIA/a.png"]
    assert set(reasons(root)) == {"PNEUMONIA/y", "NORMAL/x/deep/back"}


def test_class_folders_and_the_set_itself_may_be_links(tmp_path: Path):
    touch(tmp_path, "pool/healthy/a.png", "pool/ill/b.png", "set/other")
    (tmp_path / "set" / "NORMAL").symlink_to(tmp_path / "pool" / "healthy")
    (tmp_path / "set" / "PNEUMONIA").symlink_to(tmp_path / "pool" / "ill")
    (tmp_path / "link").symlink_to("set")
    assert ids(tmp_path / "link") == ["NORMAL/a.png", "PNEUMONIA/b.png"]


def test_a_link_to_a_file_of_the_set_is_that_file(tmp_path: Path):
    touch(tmp_path, "set/NORMAL/a.png", "set/PNEUMONIA/b.png", "pool/c.png")
    (tmp_path / "set" / "NORMAL" / "0.png").symlink_to("../PNEUMONIA/b.png")
    for name in ("NORMAL/c.png", "PNEUMONIA/c.png"):
        (tmp_path / "set" / name).symlink_to(tmp_path / "pool" / "c.png")
    assert ids(tmp_path / "set") == ["NORMAL/a.png", "NORMAL/c.png", "PNEUMONIA/b.png"]
    assert reasons(tmp_path / "set") == {
        "NORMAL/0.png": "a link to PNEUMONIA/b.png, which is read there",
        "PNEUMONIA/c.png": "a link to NORMAL/c.png, which is read there",
    }


def test_pipes_and_devices_are_put_aside_unread(tmp_path: Path):
    touch(tmp_path, "NORMAL/a.png", "PNEUMONIA/a.png")
    os.mkfifo(tmp_path / "NORMAL" / "pipe.png")
    (tmp_path / "NORMAL" / "zero.png").symlink_to("/dev/zero")
    assert ids(tmp_path) == ["NORMAL/a.png", "PNEUMONIA/a.png"]
    reason = "no regular file, but a pipe or a device"
    assert reasons(tmp_path) == {"NORMAL/pipe.png": reason, "NORMAL/zero.png": reason}


@pytest.mark.parametrize(
    "mask",
    [
        *("x (1)_mask.png", "x (1)_mask_1.png", "x (1)-Mask.tif", "mask_x (1).png", "x (1) segmentation.png"),
        *("x (1)_gt.bmp", "X (1)_MASK.PNG", "x (1)_seg2.png", "x (1).label.png"),
        *(
            "x (1)_lung_mask.png",
            "x (1)_mask_left.png",
            "x (1)_mask (1).png",
            "x (1)mask.png",
            "x (1).png.mask.png",
        ),
        *("x (1)_mask_binary.png", "x (1)_seg_lesion.png", "x (1)_segmented.png", "x (1)_masked.png"),
        *(
            "x (1).png.mask.png",
            "x (1)_anno.png",
            "x (1)_overlay.png",
            "x (1)-heatMap.png",
            "x (1)_lungMask.png",
            "left_mask_x (1).png",
        ),
    ],
)
def test_a_mask_beside_its_image_is_put_aside(tmp_path: Path, mask: str):
    touch(tmp_path, "NORMAL/x (1).png", "NORMAL/x (2).png", f"NORMAL/{mask}", "PNEUMONIA/a.png")
    assert ids(tmp_path) == ["NORMAL/x (1).png", "NORMAL/x (2).png", "PNEUMONIA/a.png"]
    assert reasons(tmp_path) == {f"NORMAL/{mask}": "a mask by its name"}


@pytest.mark.parametrize(
    "folder",
    [
        *(
            "masks",
            "Mask",
            "lung_masks",
            "leftMask",
            "segmentation",
            "ground truth",
            "masks_png",
            "mask_1",
            "segs",
        ),
        *("labelsTr", "annotated", "SegmentationClass"),
    ],
)
def test_a_folder_of_masks_beside_images_is_put_aside(tmp_path: Path, folder: str):
    touch(
        tmp_path,
        "NORMAL/images/1.png",
        f"NORMAL/{folder}/1.png",
        f"PNEUMONIA/deep/{folder}/a/2.png",
        "PNEUMONIA/2.png",
    )
    assert ids(tmp_path) == ["NORMAL/images/1.png", "PNEUMONIA/2.png"]
    assert set(reasons(tmp_path).values()) == {"a mask by its folder's name"}


def test_names_that_only_look_like_masks_are_images(tmp_path: Path):
    """People who wear a mask; a mask whose image is not there could be the image; a patient's folder."""
    names = ["NORMAL/with_mask_12.png", "NORMAL/unmasked.png", "NORMAL/y_mask.png", "PNEUMONIA/masks/1.png"]
    touch(tmp_path, *names)
    assert ids(tmp_path) == sorted(names)
    assert reasons(tmp_path) == {}


def test_a_mask_beside_an_image_that_says_it_is_one(tmp_path: Path):
    touch(tmp_path, "NORMAL/p7_image.png", "NORMAL/p7_mask.png", "PNEUMONIA/img_7.png", "PNEUMONIA/seg_7.png")
    assert ids(tmp_path) == ["NORMAL/p7_image.png", "PNEUMONIA/img_7.png"]


SECOND = ["_1", "-2", " (1)", "_ap", "_lateral", "0", "_L", "-0001-0002", "_left_2", " - Copy"]


def test_a_patients_second_image_is_an_image_without_a_word(tmp_path: Path):
    names = [
        "NORMAL/p1.png",
        *(f"NORMAL/p1{name}.png" for name in SECOND),
        "NORMAL/p10_mask.png",
        "PNEUMONIA/a.png",
    ]
    touch(tmp_path, *names)
    assert ids(tmp_path) == sorted(set(names) - {"NORMAL/p10_mask.png"}), "p10 is there, too"
    assert scan(tmp_path, {"test": tmp_path}, CLASSES).remarks == ()
    (tmp_path / "NORMAL" / "p10.png").unlink()
    assert "NORMAL/p10_mask.png" in ids(tmp_path), "no mask of p1"


@pytest.mark.parametrize("word", ["lesion", "tumor", "unmasked", "pred"])
def test_a_name_that_leaves_doubt_is_remarked_on(tmp_path: Path, word: str):
    touch(tmp_path, *(f"NORMAL/p{i}{rest}.png" for i in range(3) for rest in ("", f"_{word}")), "PNEUMONIA/a.png")
    listing = scan(tmp_path, {"test": tmp_path}, CLASSES)
    assert len(listing.items) == 7
    (remark,) = listing.remarks
    assert remark.startswith(
        f"3 images are named after another file in their folder, e.g. NORMAL/p0_{word}.png after"
    )


def test_links_that_lead_to_themselves_are_as_broken_ones(tmp_path: Path):
    touch(tmp_path, "NORMAL/a.png", "PNEUMONIA/a.png")
    for name, target in {"NORMAL/loop": "loop", "NORMAL/b.png": "c.png", "NORMAL/c.png": "b.png"}.items():
        (tmp_path / name).symlink_to(target)
    assert ids(tmp_path) == ["NORMAL/a.png", "NORMAL/b.png", "NORMAL/c.png", "PNEUMONIA/a.png"]
    assert reasons(tmp_path) == {"NORMAL/loop": "no image by its suffix ''"}
    assert isinstance(decode(tmp_path / "NORMAL/b.png", ImageFolder(root=tmp_path)), str)


@pytest.mark.parametrize("labelled", [True, False])
def test_a_part_that_links_to_another_is_said_to(tmp_path: Path, labelled: bool):
    touch(tmp_path, "train/NORMAL/a.png", "train/SICK/a.png")
    (tmp_path / "test").symlink_to("train")
    with pytest.raises(DataError, match=r"test: no images .* links there are not followed, e.g. test.*: a link"):
        ImageFolder(root=tmp_path, labelled=labelled).listing(tmp_path)


@pytest.mark.parametrize("what", ["folder", "file", "hard"])
def test_a_class_of_links_to_another_is_said_to_be(tmp_path: Path, what: str):
    touch(tmp_path, "NORMAL/a.png")
    if what == "folder":
        (tmp_path / "PNEUMONIA").symlink_to("NORMAL")
    else:
        (tmp_path / "PNEUMONIA").mkdir()
        link = tmp_path / "PNEUMONIA" / "b.png"
        link.symlink_to("../NORMAL/a.png") if what == "file" else link.hardlink_to(tmp_path / "NORMAL" / "a.png")
    with pytest.raises(DataError, match=r"no images of PNEUMONIA.*1 links .* e.g. PNEUMONIA"):
        scan(tmp_path, {"test": tmp_path}, CLASSES)


def test_one_name_in_two_normal_forms_is_one_class(tmp_path: Path):
    composed, apart = "Entz\u00fcndung", "ENTZU\u0308NDUNG"
    touch(tmp_path, "train/NORMAL/a.png", f"train/{composed}/b.png", f"test/{apart}/c.png", "test/normal/d.png")
    listing = ImageFolder(root=tmp_path).listing(tmp_path)
    assert len(listing.classes) == 2
    assert [item.part for item in listing.items if item.label not in ("NORMAL", "normal")] == ["test", "train"]
    asked = ImageFolder(root=tmp_path, classes=("NORMAL", "ENTZU\u0308NDUNG")).listing(tmp_path)
    assert asked.classes == ("NORMAL", "ENTZ\u00dcNDUNG")


def test_a_class_whose_name_is_no_utf8_is_read(tmp_path: Path):
    touch(tmp_path, "NORMAL/a.png", "NORMAL/b.png")
    try:
        touch(tmp_path, "Entz\udcfcndung/a.png", "Entz\udcfcndung/b.png")
    except (OSError, UnicodeEncodeError):
        pytest.skip("this file system takes UTF-8 names only")
    assert ImageFolder(root=tmp_path).listing(tmp_path).classes == (r"Entz\udcfcndung", "NORMAL")


def test_classes_are_asked_for_in_any_letter_case(tmp_path: Path):
    touch(tmp_path, "normal/a.png", "normal/b.png", "pneumonia/a.png", "pneumonia/b.png")
    found = ImageFolder(root=tmp_path, classes=("PNEUMONIA", "NORMAL")).listing(tmp_path)
    assert found.classes == ("PNEUMONIA", "NORMAL")
    assert {(item.id.split("/")[0], item.label) for item in found.items} == {
        ("normal", "NORMAL"),
        ("pneumonia", "PNEUMONIA"),
    }


# What is no class


@pytest.mark.parametrize(
    "names",
    [
        *(("fold_1", "fold_2"), ("fold1", "NORMAL", "SICK"), ("split 0", "split 1"), ("images_001", "images_002")),
        *(("images", "masks"), ("train_images", "test_images"), ("k-fold3", "k-fold4"), ("dev", "NORMAL")),
        *(("part1", "part2"), ("NORMAL", "unlabeled"), ("holdout", "NORMAL")),
    ],
)
def test_a_split_a_fold_or_a_piece_is_no_class(tmp_path: Path, names: tuple[str, ...]):
    touch(tmp_path, *(f"{name}/{i}.png" for name in names for i in range(3)))
    with pytest.raises(DataError, match=r"named as a split, a fold.*list them as `classes:`"):
        ImageFolder(root=tmp_path).listing(tmp_path)
    asked = tuple(sorted(names))
    assert ImageFolder(root=tmp_path, classes=asked).listing(tmp_path).classes == asked


def test_a_whole_set_is_no_class(tmp_path: Path):
    touch(
        tmp_path, *(f"{site}/{part}/{k}/1.png" for site in ("A", "B") for part in ("train", "test") for k in "xy")
    )
    with pytest.raises(
        DataError, match=r"A, B: a whole set \(test, train\), not a class\. Name one of them as `root:`"
    ):
        ImageFolder(root=tmp_path).listing(tmp_path)


@pytest.mark.parametrize(
    "names", [("0", "1"), ("grade 1", "grade 2"), ("benign", "malignant"), ("stage_1", "normal")]
)
def test_numbers_and_grades_are_classes(tmp_path: Path, names: tuple[str, ...]):
    touch(tmp_path, *(f"{name}/{i}.png" for name in names for i in range(3)))
    assert ImageFolder(root=tmp_path).listing(tmp_path).classes == tuple(sorted(names))


def test_training_and_testing_are_parts_and_folders_beside_them_are_named(tmp_path: Path):
    touch(tmp_path, *(f"{part}/{k}/1.png" for part in ("Training", "Testing", "extra") for k in "xy"))
    listing = ImageFolder(root=tmp_path).listing(tmp_path)
    assert {item.part for item in listing.items} == {"train", "test"}
    assert [(entry.path, entry.reason) for entry in listing.aside] == [
        ("extra/", "a folder beside Testing, Training is not read")
    ]


# Patients by a pattern


def patients(tmp_path: Path, pattern: str, **options: object) -> Listing:
    touch(
        tmp_path,
        *(
            f"{k}/Patient{n}_{view}.png"
            for k, n0 in (("A", 1), ("B", 51))
            for n in range(n0, n0 + 9)
            for view in "ab"
        ),
    )
    return ImageFolder(root=tmp_path, groups=pattern, **options).listing(tmp_path)


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        (r"(patient\d+)", r"matches none of 36 files, not 'A/Patient1_a\.png': mend it"),
        (r"(Patient5\d)", r"matches 18 of 36 files, not 'A/Patient1_a\.png'"),
        (r"Patient(x?)", "matches none of 36 files"),
    ],
)
def test_a_pattern_has_to_name_the_patient_of_every_file(tmp_path: Path, pattern: str, said: str):
    with pytest.raises(DataError, match=said):
        patients(tmp_path, pattern)


def test_a_pattern_that_names_all_is_fine(tmp_path: Path):
    listing = patients(tmp_path, r"(?i)(patient\d+)_")
    assert len({item.group for item in listing.items}) == 18
    assert listing.remarks == ()


def test_patients_with_several_classes_are_remarked_on(tmp_path: Path):
    """Nine people of class A and nine of class B, if numbers start anew in each folder."""
    touch(
        tmp_path,
        *(f"{k}/P{n}_{view}.png" for k in "AB" for n in range(9) for view in "ab"),
        "A/P50_a.png",
        "B/P51_a.png",
    )
    touch(tmp_path, "A/P52_a.png", "B/P53_a.png")
    (remark,) = ImageFolder(root=tmp_path, groups=r"(P\d+)", test_fraction=1).listing(tmp_path).remarks
    assert remark.startswith("9 of the 13 patients that `groups` names have images of several classes, e.g. 'P")
    assert ": 2 of A, 2 of B. Where these are different people" in remark


def test_where_nobody_is_left_to_hold_out_the_collision_is_told(tmp_path: Path):
    with pytest.raises(DataError, match=r"B has images of no group of its own only.* 2 of the 2 patients"):
        patients(tmp_path, r"_([ab])")
