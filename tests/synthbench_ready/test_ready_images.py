"""Images made elsewhere: found in every form, made the benchmark's size by its rule, each drawn at most once."""

import csv
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from synthbench.api.imaging import PictureRule, resize_square
from synthbench.errors import DataError
from synthbench.scale import GreyScale
from synthbench.testing import check_generator, context_in, tiny_splits
from synthbench_ready.find import find_images, find_listed, find_unlabelled
from synthbench_ready.images import ReadyImages
from synthbench_ready.plugin import register_generators

REAL = tiny_splits()
CLASSES = REAL.train.classes


def some(n=50, size=32):
    """n pictures of each class, PLAIN first: uint8 (2n, size, size), labels."""
    rng = np.random.default_rng(5)
    labels = np.repeat([0, 1], n)
    pixels = rng.normal(90, 12, (2 * n, size, size))
    half = slice(size // 3, 2 * size // 3)
    pixels[n:, half, half] += 90
    return np.clip(pixels, 0, 255).astype(np.uint8), labels


def write_folders(root, pixels, labels, names=CLASSES):
    for i, (image, label) in enumerate(zip(pixels, labels, strict=True)):
        folder = root / names[label]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / f"{i:03d}.png")
    return root


def write_flat(root, pixels, labels, names=CLASSES):
    root.mkdir(parents=True)
    with (root / "labels.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "label", "site"])
        for i, (image, label) in enumerate(zip(pixels, labels, strict=True)):
            Image.fromarray(image).save(root / f"{i:03d}.png")
            writer.writerow([f"{i:03d}.png", names[label], "a"])
    return root


def drawn(plugin, tmp_path, labels, train=REAL.train, pictures=None, seed_index=0):
    ctx = replace(context_in(tmp_path / "ctx"), seed_index=seed_index, pictures=pictures or PictureRule())
    return plugin.fit(train, ctx)(np.asarray(labels, np.int64), np.random.default_rng(0))


def forms(tmp_path):
    """The same images in every form that is read, and one option that goes with it."""
    pixels, labels = some()
    np.savez(tmp_path / "arr.npz", pixels[..., None], labels)
    np.savez(tmp_path / "named.npz", images=pixels, labels=np.array(CLASSES)[labels])
    np.save(tmp_path / "images.npy", np.repeat(pixels[..., None], 3, axis=3))
    np.save(tmp_path / "labels.npy", labels[:, None])
    return {
        "class folders": {"root": write_folders(tmp_path / "folders", pixels, labels, ("plain", "Blob"))},
        "manifest": {"root": write_flat(tmp_path / "flat", pixels, labels), "manifest": "labels.csv"},
        "numbers": {
            "root": write_flat(tmp_path / "n", pixels, labels, "01"),
            "manifest": "labels.csv",
        },
        "arr_0": {"root": tmp_path / "arr.npz"},
        "names": {"root": tmp_path / "named.npz"},
        "npy": {"root": tmp_path / "images.npy", "labels": tmp_path / "labels.npy"},
    }


def test_every_form_gives_the_same_images(tmp_path):
    pixels, labels = some()
    asked = np.array([1, 0] * 50)
    for form, options in forms(tmp_path).items():
        images = drawn(ReadyImages(**options), tmp_path, asked)
        assert np.array_equal(images.labels, asked), form
        for label in (0, 1):
            mine = {image.tobytes() for image in images.pixels[images.labels == label]}
            assert mine == {image.tobytes() for image in pixels[labels == label]}, form
        assert len(set(images.ids)) == 100, form


def test_contract(tmp_path):
    root = write_folders(tmp_path / "made", *some())
    (cls,) = (cls for cls in register_generators() if cls.name == "images")
    assert [str(finding) for finding in check_generator(cls(root=root)) if finding.warning] == []


def test_pictures_are_made_the_benchmarks_size_by_its_rule(tmp_path):
    rng = np.random.default_rng(1)
    wide = rng.integers(0, 256, (2, 48, 80, 3), dtype=np.uint8)
    root = write_folders(tmp_path / "made", wide, [0, 1])
    images = drawn(ReadyImages(root=root), tmp_path, [0, 1], pictures=PictureRule("pad", antialias=False))
    expected = [resize_square(Image.fromarray(x).convert("L"), 32, "pad", antialias=False) for x in wide]
    assert np.array_equal(images.pixels, expected)
    np.savez(tmp_path / "wide.npz", wide, [0, 1])
    arrays = drawn(ReadyImages(root=tmp_path / "wide.npz"), tmp_path, [0, 1], pictures=PictureRule("crop"))
    cropped = [resize_square(Image.fromarray(x).convert("L"), 32, "crop", antialias=True) for x in wide]
    assert np.array_equal(arrays.pixels, cropped)
    colour = drawn(ReadyImages(root=root), tmp_path, [0, 1], train=tiny_splits(channels=3).train)
    assert colour.shape == (32, 32, 3)


def test_labels_that_are_numbers_may_be_in_another_order(tmp_path):
    pixels, labels = some(2)
    np.savez(tmp_path / "a.npz", pixels, 1 - labels)
    images = drawn(ReadyImages(root=tmp_path / "a.npz", classes=("BLOB", "PLAIN")), tmp_path, [1])
    assert images.pixels[0].tobytes() in {image.tobytes() for image in pixels[2:]}


def test_a_place_for_each_seed(tmp_path):
    for seed in (0, 1):
        write_folders(tmp_path / f"seed-{seed}", np.full((2, 32, 32), 10 + seed, np.uint8), [0, 1])
    seeded = ReadyImages(root=tmp_path / "seed-{seed_index}")
    assert drawn(seeded, tmp_path, [0, 1], seed_index=1).pixels.max() == 11
    assert seeded.origin().seeds is None
    assert ReadyImages(root=tmp_path / "seed-0").origin().seeds == 1
    with pytest.raises(DataError, match=r"seed-2: there is no such file or folder"):
        drawn(seeded, tmp_path, [0], seed_index=2)


def test_images_count_by_content(tmp_path):
    root = write_folders(tmp_path / "seed-0", *some(1))
    seeded = ReadyImages(root=tmp_path / "seed-{seed_index}")
    assert seeded.inputs().keys() == {"images"}
    before = seeded.inputs()
    (root / ".DS_Store").write_text("x")
    assert seeded.inputs() == before == ReadyImages(root=root).inputs()
    write_folders(tmp_path / "seed-0", np.zeros((1, 32, 32), np.uint8), [0])
    changed = seeded.inputs()
    assert changed != before
    write_folders(tmp_path / "seed-1", *some(1))
    assert seeded.inputs() != changed
    with pytest.raises(DataError, match="no such file or folder"):
        ReadyImages(root=tmp_path / "none").inputs()


def test_too_few_is_an_error_or_fewer_images(tmp_path):
    pixels, labels = some(3)
    root = write_folders(tmp_path / "made", pixels[:5], labels[:5])
    with pytest.raises(DataError, match=r"2 images of BLOB, asked for are 3: make more, lower .*`fewer: true`"):
        drawn(ReadyImages(root=root), tmp_path, [0, 1] * 3)
    images = drawn(ReadyImages(root=root, fewer=True), tmp_path, [0, 1] * 3)
    assert images.counts() == {"PLAIN": 3, "BLOB": 2}
    assert ReadyImages(root=root, fewer=True).origin().fewer


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda root: write_folders(root, *some(1), ("PLAIN", "ODD")), "'ODD' is none of the benchmark's classes"),
        (lambda root: write_folders(root, some(1)[0], [0, 0]), "no images of BLOB; the classes are PLAIN, BLOB"),
        (lambda root: write_flat(root, *some(1)), "no class folders; a flat folder needs `manifest:`"),
        (lambda root: root.write_text("x"), "neither a folder of class folders nor"),
        (lambda root: None, "there is no such file or folder"),
    ],
)
def test_what_does_not_fit_is_said(tmp_path, build, message):
    build(tmp_path / "made")
    with pytest.raises(DataError, match=message):
        drawn(ReadyImages(root=tmp_path / "made"), tmp_path, [0, 1])


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"images": np.zeros((2, 3, 8, 8), np.uint8), "labels": [0, 1]}, "channels in front"),
        ({"images": np.zeros((2, 8, 8, 2), np.uint8), "labels": [0, 1]}, "with 1 or 3 channels"),
        ({"images": np.zeros((2, 8, 8)), "labels": [0, 1]}, "values of type float64: write them as uint8"),
        ({"images": np.zeros((3, 8, 8), np.uint8), "labels": [0, 1]}, "3 images and 2 labels"),
        ({"images": np.zeros((2, 8, 8), np.uint8)}, "no labels in it"),
        (
            {"images": np.zeros((2, 8, 8), np.uint8), "labels": np.eye(2)},
            "one whole number or class name an image",
        ),
        ({"images": np.zeros((2, 8, 8), np.uint8), "labels": [0, 7]}, "'7' is none of the benchmark's classes"),
        ({"x": np.zeros((2, 8, 8), np.uint8)}, "no array images or arr_0; it holds x"),
    ],
)
def test_arrays_that_do_not_fit(tmp_path, arrays, message):
    np.savez(tmp_path / "made.npz", **arrays)
    with pytest.raises(DataError, match=message):
        drawn(ReadyImages(root=tmp_path / "made.npz"), tmp_path, [0, 1])


def test_a_damaged_batch_and_one_of_objects(tmp_path):
    (tmp_path / "cut.npz").write_bytes(b"PK\x03\x04")
    np.save(tmp_path / "objects.npy", np.array([{}, {}], dtype=object), allow_pickle=True)
    for name in ("cut.npz", "objects.npy"):
        with pytest.raises(DataError, match=f"{name} cannot be read"):
            drawn(ReadyImages(root=tmp_path / name), tmp_path, [0, 1])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("file,class\na.png,PLAIN\n", "expected rows with the columns path and label, found file, class"),
        ("path,label\n", "no row below the header"),
        ("path,label\na.png,WRONG\n", "line 2: 'WRONG' is none"),
        ("path,label\na.png,PLAIN\ngone.png,BLOB\n", "gone.png is no file below"),
    ],
)
def test_a_manifest_that_does_not_fit(tmp_path, text, message):
    Image.new("L", (8, 8)).save(tmp_path / "a.png")
    (tmp_path / "m.csv").write_text(text)
    with pytest.raises(DataError, match=message):
        drawn(ReadyImages(root=tmp_path, manifest="m.csv"), tmp_path, [0, 1])


def test_a_damaged_picture_is_named_and_nothing_put_in_its_place(tmp_path):
    root = write_folders(tmp_path / "made", *some(1))
    (root / "PLAIN" / "000.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"000\.png: not an image of a known kind"):
        drawn(ReadyImages(root=root), tmp_path, [0, 1])


def test_on_the_board(mini):
    """One seed of two asked for, no rank until `trained_on` says train; its images are those of the folder."""
    rng = np.random.default_rng(3)
    pixels = np.clip(rng.normal(80, 10, (12, 16, 16)) + np.repeat([0, 60], 6)[:, None, None], 0, 255)
    write_folders(mini.folder / "made", pixels.astype(np.uint8), np.repeat([0, 1], 6), ("dark", "light"))
    mini.write("MeanNoise", seeds=2)
    for trained_on, ranked in (("unknown", False), ("train", True)):
        row = f"[{{use: images, root: {mini.folder / 'made'}, trained_on: {trained_on}}}]"
        assert mini.run("--set", f"generators={row}") == 0
        board = mini.board.loc["images"]
        assert (board["seeds"], board["trained_on"]) == (1, trained_on)
        assert ("test may have been seen" in str(board["note"])) != ranked
    assert set(mini.record["weights"]["images"]) == {"images"}


def test_without_labels_all_that_lies_there_is_drawn(tmp_path):
    pixels, labels = some(4)
    np.savez(tmp_path / "bare.npz", images=pixels), np.save(tmp_path / "bare.npy", pixels)
    np.savez(tmp_path / "ignored.npz", images=pixels, labels=labels + 7)
    write_folders(tmp_path / "any", pixels, labels, ("seed 0", "seed 1"))
    write_folders(tmp_path / "flat", pixels, labels, (".", "."))
    one = replace(REAL.train, labels=np.zeros(len(REAL.train), np.int64), classes=("unlabelled",))
    for name in ("bare.npz", "bare.npy", "ignored.npz", "any", "flat"):
        images = drawn(ReadyImages(root=tmp_path / name, labelled=False), tmp_path, [0] * 8, train=one)
        assert sorted(p.tobytes() for p in images.pixels) == sorted(p.tobytes() for p in pixels), name


def test_without_labels_messages(tmp_path):
    (tmp_path / "empty").mkdir()
    plugin = ReadyImages(root=tmp_path / "empty", labelled=False)
    with pytest.raises(
        DataError, match="labelled: false is for a data set without labels; this one has PLAIN, BLOB"
    ):
        drawn(plugin, tmp_path, [0])
    one = replace(REAL.train, labels=np.zeros(len(REAL.train), np.int64), classes=("unlabelled",))
    with pytest.raises(DataError, match=r"empty: no images in it; pictures end in \.avif"):
        drawn(plugin, tmp_path, [0], train=one)
    with pytest.raises(ValueError, match="labelled: false leaves no room for `manifest`, `labels` and `classes`"):
        ReadyImages(root=tmp_path, labelled=False, manifest="labels.csv")


NUMBERED = np.array([0, 1, 1, 1, 1, 1])


@pytest.mark.parametrize(
    ("classes", "labels", "numbers", "expected"),
    [
        (("0", "1"), NUMBERED, ("1", "0"), [1, 0, 0, 0, 0, 0]),  # as `classes` says, though "0" is a name too
        (("0", "1"), NUMBERED, None, [0, 1, 1, 1, 1, 1]),
        (("1", "2"), NUMBERED + 1, None, [0, 1, 1, 1, 1, 1]),  # by name
        (("a", "b"), NUMBERED.astype(bool), None, [0, 1, 1, 1, 1, 1]),
    ],
)
def test_what_numbers_mean(tmp_path, classes, labels, numbers, expected):
    np.savez(tmp_path / "c.npz", images=np.zeros((6, 16, 16), np.uint8), labels=labels)
    found = find_images(tmp_path / "c.npz", classes, manifest=None, labels=None, numbers=numbers)
    assert found.labels.tolist() == expected


def test_numbers_that_may_count_or_name_are_refused(tmp_path):
    """0, 1, 2 of the classes 1, 2, 3: 1 would be the second, or the one called 1."""
    np.savez(tmp_path / "c.npz", images=np.zeros((3, 16, 16), np.uint8), labels=np.arange(3))
    with pytest.raises(DataError, match="'0' is none of the benchmark's classes 1, 2, 3"):
        find_images(tmp_path / "c.npz", ("1", "2", "3"), manifest=None, labels=None, numbers=None)


def test_a_file_listed_twice_is_one_image(tmp_path):
    for name in "abc":
        Image.fromarray(np.full((8, 8), ord(name), np.uint8)).save(tmp_path / f"{name}.png")
    (tmp_path / "l.csv").write_text("Path;Label\na.png;X\n.\\a.png;X\nb.png;Y\nc.png;Y\n")
    found = find_listed(tmp_path, tmp_path / "l.csv", ("X", "Y"), None)
    assert ([path.name for path in found.paths], found.labels.tolist()) == (["a.png", "b.png", "c.png"], [0, 1, 1])
    for text, message in (("a.png,X\na.png,Y\n", "line 3: a.png has two labels"), ("../x.png,X\n", "outside of")):
        (tmp_path.parent / "x.png").touch()
        (tmp_path / "l.csv").write_text(f"path,label\n{text}")
        with pytest.raises(DataError, match=message):
            find_listed(tmp_path, tmp_path / "l.csv", ("X", "Y"), None)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"root": "folders", "labels": "x.npy"}, "`labels` says nothing of a folder of class folders"),
        ({"root": "folders", "classes": ("B", "A")}, "`classes` says nothing of a folder of class folders"),
        ({"root": "a.npz", "manifest": "l.csv"}, "`manifest` says nothing of arrays"),
    ],
)
def test_options_without_effect_are_refused(tmp_path, options, message):
    pixels, labels = some(6)
    write_folders(tmp_path / "folders", pixels, labels)
    np.savez(tmp_path / "a.npz", images=pixels, labels=labels)
    paths = {key: tmp_path / value for key, value in options.items() if key in ("root", "labels")}
    with pytest.raises(DataError, match=message):
        drawn(ReadyImages(**{**options, **paths}), tmp_path, REAL.train.labels[:2])


def test_pictures_of_a_run_are_no_generators_images(tmp_path):
    pixels, _ = some(4)
    write_folders(tmp_path, pixels, np.arange(len(pixels)) % 2)
    before = find_unlabelled(tmp_path).ids
    write_folders(tmp_path / "runs/mine/figures", pixels, np.arange(len(pixels)) % 2)
    (tmp_path / "runs/mine/run.json").touch()
    assert find_unlabelled(tmp_path).ids == before
    assert list(find_images(tmp_path, CLASSES, manifest=None, labels=None, numbers=None).ids) == list(before)


def test_labels_in_a_damaged_compressed_batch(tmp_path):
    file = tmp_path / "r.npz"
    np.savez_compressed(
        file, images=np.zeros((900, 8, 8), np.uint8), labels=np.random.default_rng(0).integers(0, 2, 900)
    )
    content = bytearray(file.read_bytes())
    start = content.index(b"labels.npy") + 120
    content[start : start + 60] = bytes(60)
    file.write_bytes(content)
    with pytest.raises(DataError, match="cannot be read"):
        find_images(file, CLASSES, manifest=None, labels=None, numbers=None)


def found(root, **options):
    return find_images(root, CLASSES, **{"manifest": None, "labels": None, "numbers": None, **options})


def test_what_is_drawn_is_what_counts(tmp_path):
    """Linked folders count by their content, wherever it lies; hidden copies are neither drawn nor counted."""
    write_folders(tmp_path / "elsewhere", *some(2))
    root = write_folders(tmp_path / "made", *some(1), ("PLAIN", "BLOB"))
    (root / "PLAIN/000.png").unlink(), (root / "PLAIN").rmdir()
    (root / "PLAIN").symlink_to("../elsewhere/PLAIN")
    (root / "BLOB/more").symlink_to("../../elsewhere/BLOB")
    (root / "BLOB/more/round").symlink_to("../../made")
    plugin = ReadyImages(root=root)
    before = plugin.inputs()
    (root / "BLOB/.ipynb_checkpoints").mkdir()
    write_folders(root / "BLOB/.ipynb_checkpoints", *some(1))
    assert found(root).ids == [
        *(f"BLOB/{n}.png" for n in ("001", "more/002", "more/003")),
        "PLAIN/000.png",
        "PLAIN/001.png",
    ]
    assert plugin.inputs() == before
    for changed in ("PLAIN/000.png", "BLOB/002.png"):
        Image.new("L", (32, 32)).save(tmp_path / "elsewhere" / changed)
        assert plugin.inputs() != before
        before = plugin.inputs()


def test_each_picture_is_drawn_once_and_masks_are_not(tmp_path):
    root = write_folders(tmp_path / "made", *some(2))
    for name in CLASSES:
        for kind in ("images", "masks"):
            (root / name / kind).mkdir()
    (root / "PLAIN/link.png").symlink_to("000.png")
    for mask in ("PLAIN/000_mask.png", "BLOB/masks/002.png"):
        Image.new("L", (8, 8)).save(root / mask)
    expected = [f"{'BLOB' if i > 1 else 'PLAIN'}/{i:03d}.png" for i in (2, 3, 0, 1)]
    assert found(root).ids == expected
    assert {aside.path for aside in found(root).aside} == {
        "PLAIN/link.png",
        "PLAIN/000_mask.png",
        "BLOB/masks/002.png",
    }


def test_a_table_outside_counts_by_its_content(tmp_path):
    pixels, labels = some(1)
    write_flat(tmp_path / "made", pixels, labels)
    table = (tmp_path / "made/labels.csv").rename(tmp_path / "lab_out.csv")
    plugin = ReadyImages(root=tmp_path / "made", manifest="../lab_out.csv")
    before = plugin.inputs()
    table.write_text(table.read_text().replace("PLAIN", "x").replace("BLOB", "PLAIN").replace("x", "BLOB"))
    assert plugin.inputs() != before


@pytest.mark.parametrize(
    "text",
    [
        b"path, label\na.png , PLAIN\n b.png, BLOB\n",
        b"sep=;\nPath;Label\na.png;PLAIN\nb.png;BLOB\n",
        "path\tlabel\na.png\tPLAIN\nb.png\tBLOB\n".encode("utf-16"),
        "path,label,site\na.png,PLAIN,K\xf6ln\nb.png,BLOB,x\n".encode("cp1252"),
    ],
)
def test_tables_as_spreadsheets_write_them(tmp_path, text):
    for name in "ab":
        Image.new("L", (8, 8)).save(tmp_path / f"{name}.png")
    (tmp_path / "l.csv").write_bytes(text)
    assert found(tmp_path, manifest=tmp_path / "l.csv").labels.tolist() == [0, 1]


def test_mistakes_in_a_table_are_named_by_their_line(tmp_path):
    Image.new("L", (8, 8)).save(tmp_path / "a.png")
    for text, message in (
        ("path,label\n\n\na.png,WRONG\n", "line 4: 'WRONG' is none"),
        ("path,label,Label\na.png,PLAIN,BLOB\n", "two columns are called label"),
    ):
        (tmp_path / "l.csv").write_text(text)
        with pytest.raises(DataError, match=message):
            found(tmp_path, manifest=tmp_path / "l.csv")


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ({"x": np.zeros(2)}, "no array labels or arr_1; it holds x"),
        ({"labels": np.int64(1)}, "labels are one whole number or class name an image, found int64 one value"),
        ({"labels": [0.0, np.nan]}, "labels hold nan"),
    ],
)
def test_labels_that_are_none(tmp_path, labels, message):
    np.save(tmp_path / "made.npy", np.zeros((2, 8, 8), np.uint8))
    np.savez(tmp_path / "labels.npz", **labels)
    with pytest.raises(DataError, match=message):
        found(tmp_path / "made.npy", labels=tmp_path / "labels.npz")


def test_a_window_is_not_applied_to_pictures_of_eight_bits_again(tmp_path):
    pixels, labels = some(1)
    root = write_folders(tmp_path / "made", pixels, labels)
    rule = PictureRule(scale=GreyScale(window=(50, 200)))
    images = drawn(ReadyImages(root=root), tmp_path, [0, 1], pictures=rule)
    assert np.array_equal(images.pixels[..., 0], pixels)
    Image.fromarray(np.linspace(0, 250, 1024).reshape(32, 32).astype(np.uint16)).save(root / "PLAIN/000.png")
    deep = drawn(ReadyImages(root=root), tmp_path, [0], pictures=rule).pixels
    assert (deep.min(), deep.max()) == (0, 255), "values of 16 bits are on the data set's scale"
