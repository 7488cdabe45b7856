"""Loading whole sets: splits, quarantine, the cache and what makes it notice a change."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from synthbench import Context, DataError, GreyScale, Splits
from synthbench.api.pictures import FORMATS
from synthbench.progress import Progress
from synthbench.storage.store import Store
from synthbench_cxr import decode, digests
from synthbench_cxr.plugin import (
    ChestXray,
    CovidPneumoniaNormal,
    ImageFolder,
    PneumoniaXrayImages,
    register_datasets,
)

LENIENT = {"max_bad": 0.5}
KNOWN_KINDS = f"not an image of a known kind ({', '.join(FORMATS)})"


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files that were decoded, filled as they are."""
    names: list[str] = []
    true = decode.decode

    def watched(path: Path, *how: object) -> object:
        names.append(path.name)
        return true(path, *how)

    monkeypatch.setattr(decode, "decode", watched)
    return names


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files whose content was read for its digest; files just made count as settled."""
    monkeypatch.setattr(digests, "SETTLED_NS", 0)
    names: list[str] = []
    true = digests._sha256

    def watched(path: Path) -> str:
        names.append(path.name)
        return true(path)

    monkeypatch.setattr(digests, "_sha256", watched)
    return names


def mmapped(pixels: np.ndarray) -> bool:
    return isinstance(pixels, np.memmap) and not pixels.flags.writeable


# chest-xray


def test_official_layout(kermany: Path, ctx: Context):
    splits = ChestXray(root=kermany).load(ctx)
    assert splits.train.classes == ("NORMAL", "PNEUMONIA")
    assert splits.train.counts() == {"NORMAL": 4, "PNEUMONIA": 6}
    assert splits.val.counts() == {"NORMAL": 1, "PNEUMONIA": 1}
    assert splits.tests["test"].counts() == {"NORMAL": 2, "PNEUMONIA": 3}
    assert splits.train.shape == (64, 64, 1)
    assert splits.train.ids[0] == "train/NORMAL/train-IM-0000-0001.jpeg"
    assert splits.quarantine == ()
    assert "children" in splits.domain
    assert mmapped(splits.train.pixels)


def test_pixels_are_those_of_the_file_with_that_id(kermany: Path, ctx: Context):
    train = ChestXray(root=kermany, image_size=30, resize="crop").load(ctx).train
    for image_id, pixels in zip(train.ids, train.pixels, strict=True):
        with Image.open(kermany / image_id) as picture:
            assert np.array_equal(pixels[..., 0], np.asarray(picture)[:, 5:35])


def test_val_may_be_absent(kermany: Path, ctx: Context):
    shutil.rmtree(kermany / "val")
    assert ChestXray(root=kermany).load(ctx).val is None


@pytest.mark.parametrize("part", ["train", "test"])
def test_train_and_test_may_not(kermany: Path, ctx: Context, part: str):
    shutil.rmtree(kermany / part)
    with pytest.raises(DataError, match=f"no folder {part}; found: "):
        ChestXray(root=kermany).load(ctx)


def test_letter_case_of_folders_does_not_matter(kermany: Path, ctx: Context):
    (kermany / "train" / "NORMAL").rename(kermany / "train" / "Normal")
    (kermany / "test").rename(kermany / "TEST")
    splits = ChestXray(root=kermany).load(ctx)
    assert splits.train.counts() == {"NORMAL": 4, "PNEUMONIA": 6}
    assert len(splits.tests["test"]) == 5


def test_what_macos_and_windows_leave_behind_is_passed_over(kermany: Path, ctx: Context):
    for name in ("__MACOSX/train/NORMAL/._a.jpeg", "train/NORMAL/._IM.jpeg", "train/.DS_Store", "test/Thumbs.db"):
        (kermany / name).parent.mkdir(parents=True, exist_ok=True)
        (kermany / name).write_bytes(b"x")
    splits = ChestXray(root=kermany).load(ctx)
    assert len(splits.train) == 10
    assert splits.quarantine == ()


# Bad files


def spoil(kermany: Path) -> None:
    (kermany / "train" / "NORMAL" / "train-IM-0001-0001.jpeg").write_bytes(b"")
    (kermany / "test" / "PNEUMONIA" / "person1_test_1.jpeg").write_bytes(b"not an image")
    (kermany / "train" / "NORMAL" / "labels.csv").write_bytes(b"a,b")


def test_bad_files_are_put_aside_and_the_rest_stays_aligned(kermany: Path, ctx: Context):
    spoil(kermany)
    splits = ChestXray(root=kermany, **LENIENT).load(ctx)
    assert {(entry.path, entry.reason) for entry in splits.quarantine} == {
        ("train/NORMAL/train-IM-0001-0001.jpeg", "empty file"),
        ("test/PNEUMONIA/person1_test_1.jpeg", KNOWN_KINDS),
        ("train/NORMAL/labels.csv", "no image by its suffix '.csv'"),
    }
    assert splits.train.counts() == {"NORMAL": 3, "PNEUMONIA": 6}
    whole = ChestXray(root=kermany, **LENIENT).load(ctx).train
    assert "train/NORMAL/train-IM-0001-0001.jpeg" not in whole.ids
    assert all(pixels.std() > 0 for pixels in whole.pixels)


def test_quarantine_is_remembered_with_the_cache(kermany: Path, ctx: Context, decoded: list[str]):
    spoil(kermany)
    first = ChestXray(root=kermany, **LENIENT).load(ctx)
    read = len(decoded)
    assert ChestXray(root=kermany, **LENIENT).load(ctx).quarantine == first.quarantine
    assert len(decoded) == read


def test_too_many_bad_files_stop_the_run_cached_or_not(kermany: Path, ctx: Context):
    spoil(kermany)
    for _ in range(2):
        with pytest.raises(DataError) as caught:
            ChestXray(root=kermany).load(ctx)
        assert "2 of 17 image files are unreadable, more than max_bad = 0.01" in str(caught.value)
        assert "train-IM-0001-0001.jpeg: empty file" in str(caught.value)


def test_a_broken_link_is_put_aside_and_noticed_when_mended(kermany: Path, ctx: Context):
    link, target = kermany / "train" / "NORMAL" / "IM-0099-0001.jpeg", kermany / "elsewhere.png"
    link.symlink_to(target)
    broken = ChestXray(root=kermany, **LENIENT).load(ctx)
    assert [entry.path for entry in broken.quarantine] == ["train/NORMAL/IM-0099-0001.jpeg"]
    assert broken.quarantine[0].reason == "cannot be decoded: No such file or directory"
    shutil.copy(kermany / broken.train.ids[0], target)
    mended = ChestXray(root=kermany, **LENIENT).load(ctx)
    assert mended.quarantine == ()
    assert len(mended.train) == 11


def test_a_class_of_nothing_but_bad_files_is_an_error(kermany: Path, ctx: Context):
    for path in (kermany / "test" / "NORMAL").iterdir():
        path.write_bytes(b"")
    with pytest.raises(DataError, match="test part has no readable image of NORMAL"):
        ChestXray(root=kermany, **LENIENT).load(ctx)


def test_a_set_of_nothing_but_bad_files_is_an_error(kermany: Path, ctx: Context):
    for path in kermany.rglob("*.jpeg"):
        path.write_bytes(b"")
    with pytest.raises(DataError, match="no readable image of NORMAL, PNEUMONIA"):
        ChestXray(root=kermany, max_bad=1).load(ctx)


# What the files are like


def test_geometry_follows_the_images_past_bad_files(kermany: Path, ctx: Context):
    spoil(kermany)
    for _ in range(2):  # read, and from the store
        splits = ChestXray(root=kermany, **LENIENT).load(ctx)
        assert set(splits.geometry) == {"train", "val", "test"}
        for name, images in {"train": splits.train, **splits.tests}.items():
            files = splits.geometry[name]
            assert files.n_bytes.tolist() == [(kermany / name).stat().st_size for name in images.ids]
            assert set(zip(files.width, files.height, files.channels, strict=True)) == {(40, 30, 1)}


def test_damaged_geometry_is_said_and_made_again(kermany: Path, ctx: Context, capsys: pytest.CaptureFixture[str]):
    whole = ChestXray(root=kermany).load(ctx)
    (file,) = ctx.store.root.glob("dataset/*/test/geometry.npz")
    file.write_bytes(file.read_bytes()[:100])
    again = ChestXray(root=kermany).load(ctx)
    assert again.geometry["test"].digest == whole.geometry["test"].digest
    assert "geometry.npz has 100 bytes of" in capsys.readouterr().err


def test_geometry_does_not_count_in_the_digest_of_the_images(kermany: Path, ctx: Context):
    before = ChestXray(root=kermany).load(ctx)
    path = kermany / before.train.ids[0]
    path.write_bytes(path.read_bytes() + b"\0" * 50)  # after the end of the JPEG: the same pixels
    after = ChestXray(root=kermany).load(ctx)
    assert after.train.digest == before.train.digest
    assert after.geometry["train"].digest != before.geometry["train"].digest
    assert after.geometry["test"].digest == before.geometry["test"].digest


# The cache


def test_second_read_opens_no_file_and_maps_the_pixels(
    kermany: Path, ctx: Context, decoded: list[str], hashed: list[str]
):
    first = ChestXray(root=kermany).load(ctx)
    assert len(decoded) == len(hashed) == 17
    again = ChestXray(root=kermany).load(ctx)
    assert len(decoded) == len(hashed) == 17
    assert mmapped(again.tests["test"].pixels)
    assert again.train.digest == first.train.digest


def test_other_options_read_again(kermany: Path, ctx: Context, decoded: list[str], hashed: list[str]):
    for number, options in enumerate([{}, {"antialias": False}, {"image_size": 16}, {"channels": 3}], 1):
        ChestXray(root=kermany, **options).load(ctx)
        assert len(decoded) == 17 * number
    assert len(hashed) == 17


def test_changed_content_is_noticed_even_under_the_old_size_and_time(kermany: Path, ctx: Context):
    before = ChestXray(root=kermany).load(ctx).train
    path = kermany / before.ids[0]
    about, content = path.stat(), bytearray(path.read_bytes())
    content[-20] ^= 0x55
    path.write_bytes(content)
    os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns))
    assert path.stat().st_size == about.st_size
    after = ChestXray(root=kermany).load(ctx).train
    assert after.digest != before.digest
    assert np.array_equal(after.pixels[1:], before.pixels[1:])


def test_only_the_changed_file_is_read_again(kermany: Path, ctx: Context, hashed: list[str]):
    ChestXray(root=kermany).load(ctx)
    os.utime(kermany / "val" / "NORMAL" / "val-IM-0000-0001.jpeg")
    ChestXray(root=kermany).load(ctx)
    assert hashed[17:] == ["val-IM-0000-0001.jpeg"]


def test_files_changed_just_now_are_not_trusted_by_their_times(
    kermany: Path, ctx: Context, hashed: list[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(digests, "SETTLED_NS", 60_000_000_000)
    ChestXray(root=kermany).load(ctx)
    ChestXray(root=kermany).load(ctx)
    assert len(hashed) == 34


@pytest.mark.parametrize("change", ["more", "fewer", "renamed"])
def test_more_fewer_or_renamed_files_are_noticed(kermany: Path, ctx: Context, change: str):
    ChestXray(root=kermany).load(ctx)
    path = kermany / "train" / "PNEUMONIA" / "person0_train_1.jpeg"
    other = path.with_name("person99_virus_1.jpeg")
    if change == "more":
        shutil.copy(path, other)
    else:
        path.rename(other if change == "renamed" else kermany / "gone")
    train = ChestXray(root=kermany).load(ctx).train
    assert len(train) == {"more": 11, "fewer": 9, "renamed": 10}[change]
    assert ("person99_virus" in train.groups) == (change != "fewer")


def test_moving_the_set_keeps_the_cache(kermany: Path, ctx: Context, decoded: list[str]):
    first = ChestXray(root=kermany).load(ctx)
    moved = kermany.rename(kermany.parent / "elsewhere")
    assert ChestXray(root=moved).load(ctx).train.digest == first.train.digest
    assert len(decoded) == 17


def test_fresh_reads_everything_again(kermany: Path, ctx: Context, decoded: list[str], hashed: list[str]):
    ChestXray(root=kermany).load(ctx)
    ChestXray(root=kermany).load(replace(ctx, store=Store(ctx.store.root, fresh=True)))
    assert len(decoded) == len(hashed) == 34


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"a": 1}', '{"train/NORMAL/train-IM-0000-0001.jpeg": []}'])
def test_a_damaged_index_is_made_again(kermany: Path, ctx: Context, hashed: list[str], damage: str):
    ChestXray(root=kermany).load(ctx)
    (index,) = (ctx.store.root / "index").iterdir()
    index.write_text(damage)
    ChestXray(root=kermany).load(ctx)
    assert len(hashed) == 34


class CountingProgress(Progress):
    """Keeps what each bar was told: [total, done]."""

    def __init__(self) -> None:
        super().__init__(False)
        self.bars: dict[str, list[int]] = {}

    @contextmanager
    def bar(self, what: str, total: int, *_: object, **__: object) -> Iterator[CountingProgress]:
        self.bars[what] = self.now = [total, 0]
        yield self

    def advance(self, n: int = 1, *_: object) -> None:
        self.now[1] += n


def test_progress_counts_every_file(kermany: Path, ctx: Context):
    progress = CountingProgress()
    ChestXray(root=kermany).load(replace(ctx, progress=progress))
    deep = {"looking for deep images": [7, 7]}  # first the 10 of train, then the others
    assert progress.bars == {"checking chest-xray": [17, 17], **deep, "reading chest-xray": [17, 17]}


# Grey values of more than 8 bits


def deep_set(root: Path, **tops: int) -> Path:
    """Two classes of 16-bit PNG by part; the values of a part's first image reach its top, others are darker."""
    for part, top in tops.items():
        for kind in ("a", "b"):
            (root / part / kind).mkdir(parents=True)
            for i in range(3):
                values = np.linspace(0, top if i == 0 else top // 4, 32 * 32).astype(np.uint16).reshape(32, 32)
                Image.fromarray(values).save(root / part / kind / f"{i}.png")
    return root


def brightest(splits: Splits, part: str = "test") -> int:
    images = splits.train if part == "train" else splits.tests[part]
    return int(images.pixels.max())


@pytest.mark.parametrize(
    ("tops", "bits", "grey"),
    [
        ({"train": 4095, "test": 2048}, 12, {"train": 255, "test": 128}),
        ({"train": 4096, "test": 2048}, 16, {"train": 16, "test": 8}),
        ({"train": 65535, "test": 4095}, 16, {"train": 255, "test": 16}),
        ({"train": 4000, "test": 60000}, 12, {"train": 249, "test": 255}),
    ],
)
def test_the_training_images_set_one_scale(tmp_path: Path, ctx: Context, tops, bits: int, grey):
    data = ImageFolder(root=deep_set(tmp_path / "deep", **tops), image_size=32)
    for _ in range(2):  # read, and from the store
        splits = data.load(ctx)
        assert splits.scale == GreyScale(bits)
        assert {part: brightest(splits, part) for part in grey} == grey


def test_dark_images_stay_dark(tmp_path: Path, ctx: Context):
    """Each on its own, an image of a quarter of the values would come out as bright."""
    train = ImageFolder(root=deep_set(tmp_path / "deep", train=4095, test=4095), image_size=32).load(ctx).train
    assert train.pixels.max(axis=(1, 2, 3)).tolist() == [255, 64, 64] * 2


def test_the_window_overrides_and_is_another_entry(tmp_path: Path, ctx: Context):
    root = deep_set(tmp_path / "deep", train=4095, test=2000)
    assert brightest(ImageFolder(root=root, image_size=32).load(ctx)) == 125
    splits = ImageFolder(root=root, image_size=32, window=(0, 2000)).load(ctx)
    assert splits.scale == GreyScale(window=(0, 2000))
    assert brightest(splits) == 255


@pytest.mark.parametrize(("own", "external"), [(4095, 2048), (65535, 4000), (65535, 65535)])
def test_an_external_set_is_read_on_the_same_scale(tmp_path: Path, ctx: Context, own: int, external: int):
    splits = ImageFolder(root=deep_set(tmp_path / "own", train=own, test=own), image_size=32).load(ctx)
    far = ImageFolder(root=deep_set(tmp_path / "far", train=external, test=external), image_size=32)
    beside = far.as_external(splits).load(ctx)
    assert beside.scale == splits.scale
    assert brightest(beside) == round(255 * external / own)
    asked = ImageFolder(root=far.root, image_size=32, window=(0, 8190)).as_external(splits).load(ctx)
    assert brightest(asked) == round(255 * min(external, 8190) / 8190)


def test_beside_shallow_training_images_an_external_set_has_its_own_scale(
    kermany: Path, tmp_path: Path, ctx: Context
):
    own = ChestXray(root=kermany).load(ctx)
    assert own.scale is None
    far = ImageFolder(root=deep_set(tmp_path / "far", train=4095, test=2048), image_size=32)
    assert far.as_external(own).load(ctx).scale == GreyScale(12)


def test_what_is_one_grey_level_on_the_scale_says_so(tmp_path: Path, ctx: Context):
    root = deep_set(tmp_path / "deep", train=65535, test=65535)
    Image.fromarray(np.array([[1, 90]], np.uint16)).save(root / "test" / "a" / "dark.png")
    (entry,) = ImageFolder(root=root, image_size=32, **LENIENT).load(ctx).quarantine
    assert entry.reason == "its values 1 to 90 are one grey level between 0 and 65535: set `window`"


def test_files_of_fewer_bits_than_the_scale_are_remarked_on(tmp_path: Path, make_set, ctx: Context, capsys):
    """8 bits stored in files of 16 of one class, beside the same pictures in files of 8: grey 8 against 127."""
    root = make_set("mixed", {"train/b/{i}.png": 3, "test/b/{i}.png": 3})
    for part in ("train", "test"):
        (root / part / "a").mkdir()
        for path in (root / part / "b").iterdir():
            with Image.open(path) as picture:
                Image.fromarray(np.asarray(picture).astype(np.uint16)).save(root / part / "a" / path.name)
    for _ in range(2):  # read, and from the store
        ImageFolder(root=root).load(ctx)
        said = capsys.readouterr().out
        assert "take little of the range that becomes 0 to 255: test/a 6%, train/a 6%. They come out" in said
        assert "`window: [low, high]`" in said
    ImageFolder(root=root, window=(0, 256)).load(ctx)
    ImageFolder(root=deep_set(tmp_path / "deep", train=4095, test=2048)).load(ctx)
    assert "take little" not in capsys.readouterr().out


# Beside another set


@pytest.mark.parametrize("listed", [False, True])
@pytest.mark.parametrize("classes", [None, ["Pneumonia", "normal"]])
def test_an_external_set_spells_its_classes_as_the_data_set_does(
    kermany: Path, make_set, ctx: Context, listed: bool, classes: list[str] | None
):
    """In its order, too: "Pneumonia" sorts before "normal", "PNEUMONIA" after "NORMAL"."""
    own = ChestXray(root=kermany).load(ctx)
    root = make_set("far", {"normal/{i}.png": 2, "Pneumonia/{i}.png": 3})
    rows = [f"{path.relative_to(root)},{path.parent.name}" for path in root.rglob("*.png")]
    (root / "t.csv").write_text("\n".join(["path,label", *rows]))
    far = ImageFolder(root=root, classes=classes, manifest="t.csv" if listed else None)
    assert far.load(ctx.child("x")).train.classes == ("Pneumonia", "normal")
    beside = far.as_external(own).load(ctx)
    assert beside.tests["test"].counts() == {"NORMAL": 2, "PNEUMONIA": 3}
    assert beside.tests["test"].classes == ("NORMAL", "PNEUMONIA")


def test_other_classes_stay_what_they_are(kermany: Path, make_set, ctx: Context):
    far = ImageFolder(root=make_set("far", {"normal/{i}.png": 2, "covid/{i}.png": 3}))
    assert far.as_external(ChestXray(root=kermany).load(ctx)).load(ctx).train.classes == ("covid", "normal")


# The other sets


COVID = {"COVID/COVID_{i}.png": 2, "NORMAL/NORMAL_{i}.png": 3, "PNEUMONIA/PNEUMONIA_{i}.png": 4}


@pytest.mark.parametrize(("covid", "sick"), [("pneumonia", 6), ("drop", 4)])
def test_covid_counts_as_pneumonia_or_is_left_out(make_set, ctx: Context, covid: str, sick: int):
    splits = CovidPneumoniaNormal(root=make_set("covid/archive", COVID).parent, covid=covid).load(ctx)
    assert splits.tests["test"].counts() == {"NORMAL": 3, "PNEUMONIA": sick}
    assert splits.train.counts() == {"NORMAL": 0, "PNEUMONIA": 0}
    assert splits.train.shape == splits.tests["test"].shape
    assert len(set(splits.tests["test"].groups)) == 3 + sick
    assert "adults" in splits.domain


def test_covid_for_recall_is_a_part_of_its_own(make_set, ctx: Context):
    splits = CovidPneumoniaNormal(root=make_set("covid", COVID), covid="recall").load(ctx)
    assert list(splits.tests) == ["test", "covid"]
    assert splits.tests["test"].counts() == {"NORMAL": 3, "PNEUMONIA": 4}
    assert splits.tests["covid"].counts() == {"NORMAL": 0, "PNEUMONIA": 2}
    assert splits.tests["covid"].ids.tolist() == ["COVID/COVID_0.png", "COVID/COVID_1.png"]
    assert splits.tests["covid"].classes == splits.train.classes == ("NORMAL", "PNEUMONIA")
    assert splits.quarantine == ()


@pytest.mark.parametrize("missing", ["COVID", "NORMAL", "PNEUMONIA"])
def test_covid_for_recall_needs_all_three_classes(make_set, ctx: Context, missing: str):
    root = make_set("covid", COVID)
    for path in (root / missing).iterdir():
        path.unlink()
    with pytest.raises(DataError, match=f"no images of {missing.replace('COVID', 'PNEUMONIA')}"):
        CovidPneumoniaNormal(root=root, covid="recall").load(ctx)


def test_covid_for_recall_needs_readable_ones(make_set, ctx: Context):
    root = make_set("covid", COVID)
    for path in (root / "COVID").iterdir():
        path.write_bytes(b"")
    with pytest.raises(DataError, match="its covid part has no readable image of PNEUMONIA"):
        CovidPneumoniaNormal(root=root, covid="recall", **LENIENT).load(ctx)


def test_loose_images_are_put_aside_once(make_set, ctx: Context):
    root = make_set("covid", {**COVID, "loose{i}.png": 1})
    quarantine = CovidPneumoniaNormal(root=root, covid="recall").load(ctx).quarantine
    assert [entry.path for entry in quarantine] == ["loose0.png"]


@pytest.mark.parametrize("parts", [("test",), ("train", "val", "test")])
def test_resplit_set_has_the_same_classes_and_patients(make_set, ctx: Context, parts: tuple[str, ...]):
    files = {f"{part}/normal/{part}IM-{{i}}.jpeg": 2 for part in parts}
    files |= {f"{part}/opacity/person{{i}}_virus_7.jpeg": 3 for part in parts}
    splits = PneumoniaXrayImages(root=make_set("again", files)).load(ctx)
    assert splits.tests["test"].counts() == {"NORMAL": 2, "PNEUMONIA": 3}
    assert "person1_virus" in splits.tests["test"].groups
    assert len(splits.train) == (5 if "train" in parts else 0)
    assert (splits.val is not None) == ("val" in parts)


def test_image_folder_without_splits_holds_out_whole_patients(make_set, ctx: Context):
    root = make_set("mine", {f"{kind}/p{p}-{{i}}.png": 2 for kind in ("b", "a") for p in range(10)})
    splits = ImageFolder(root=root, groups=r"([ab]/p\d+)-").load(ctx)
    assert ImageFolder(root=root, group_pattern=r"([ab]/p\d+)-").groups == r"([ab]/p\d+)-"  # its old name
    assert splits.train.classes == ("a", "b")
    assert splits.tests["test"].counts() == {"a": 4, "b": 4}
    assert splits.train.counts() == {"a": 16, "b": 16}
    assert not set(splits.train.groups) & set(splits.tests["test"].groups)


def test_image_folder_with_splits_and_any_order_of_classes(make_set, ctx: Context):
    files = {f"{part}/{kind}/{{i}}.png": 2 for part in ("train", "test") for kind in ("x", "y", "z")}
    splits = ImageFolder(root=make_set("mine", files), classes=("z", "x", "y")).load(ctx)
    assert splits.train.classes == ("z", "x", "y")
    assert len(splits.train) == len(splits.tests["test"]) == 6


def test_image_folder_takes_class_folders_of_different_letter_case_as_one(make_set, ctx: Context):
    files = {"train/Sick/{i}.png": 2, "train/well/{i}.png": 2, "test/SICK/{i}.png": 1, "test/Well/{i}.png": 1}
    splits = ImageFolder(root=make_set("mine", files)).load(ctx)
    assert splits.train.counts() == {"SICK": 2, "Well": 2}
    assert splits.tests["test"].counts() == {"SICK": 1, "Well": 1}


@pytest.mark.parametrize(
    ("names", "option", "positive"),
    [(("COVID", "NORMAL"), None, "COVID"), (("a", "b"), None, None), (("a", "b"), "a", "a")],
)
def test_the_positive_class_of_an_image_folder(make_set, ctx: Context, names, option, positive):
    root = make_set("mine", {f"{part}/{name}/{{i}}.png": 2 for part in ("train", "test") for name in names})
    assert ImageFolder(root=root, positive=option).load(ctx).positive == positive


def test_a_positive_class_that_is_none_is_refused(make_set, ctx: Context):
    root = make_set("mine", {f"train/{name}/{{i}}.png": 2 for name in ("a", "b", "c")})
    with pytest.raises(DataError, match="positive is a, must be one of two classes; found a, b, c"):
        ImageFolder(root=root, positive="a", test_fraction=0.5).load(ctx)


def test_saying_the_positive_class_reads_no_file_again(make_set, ctx: Context, monkeypatch):
    root = make_set("mine", {f"{part}/{name}/{{i}}.png": 2 for part in ("train", "test") for name in ("a", "b")})
    ImageFolder(root=root).load(ctx)
    monkeypatch.setattr("synthbench_cxr.folder.decode_all", lambda *_: pytest.fail("decoded again"))
    assert ImageFolder(root=root, positive="b").load(ctx).positive == "b"


def test_image_folder_all_test(make_set, ctx: Context):
    splits = ImageFolder(root=make_set("mine", {"a/{i}.png": 3, "b/{i}.png": 3}), test_fraction=1).load(ctx)
    assert (len(splits.train), len(splits.tests["test"])) == (0, 6)


def test_image_folder_wants_two_classes_and_the_named_ones(make_set, ctx: Context):
    one = make_set("one", {"wrapper/a/{i}.png": 2})
    with pytest.raises(DataError, match=r"at least two class folders, found: wrapper/\(a\)"):
        ImageFolder(root=one).load(ctx)
    two = make_set("two", {"a/{i}.png": 2, "b/{i}.png": 2})
    with pytest.raises(DataError, match="classes are a, c, found: a, b"):
        ImageFolder(root=two, classes=("a", "c")).load(ctx)


def test_image_folder_with_one_image_of_a_class_cannot_hold_out(make_set, ctx: Context):
    with pytest.raises(DataError, match="a has images of one group only"):
        ImageFolder(root=make_set("mine", {"a/{i}.png": 1, "b/{i}.png": 5})).load(ctx)


# Options


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (ChestXray, {"max_bad": 1.5}),
        (ChestXray, {"covid": "drop"}),
        (CovidPneumoniaNormal, {"covid": "keep"}),
        (ImageFolder, {}),
        (ImageFolder, {"root": ".", "test_fraction": 0}),
        (ImageFolder, {"root": ".", "classes": ["one"]}),
        (ImageFolder, {"root": ".", "groups": "person"}),
        (ImageFolder, {"root": ".", "groups": "("}),
        (ChestXray, {"window": (5, 5)}),
        (ChestXray, {"window": (0, float("inf"))}),
        (ChestXray, {"window": (1, 2, 3)}),
    ],
)
def test_wrong_options_are_refused(kind: type, options: dict[str, object]):
    with pytest.raises(ValidationError):
        kind(**options)


def test_options_as_a_benchmark_file_gives_them():
    text = '{"root": "mine", "classes": ["b", "a"], "max_bad": 0, "channels": 3, "resize": "pad"}'
    options = ImageFolder.model_validate_json(text, strict=True)
    assert (options.root, options.classes, options.channels) == (Path("mine"), ("b", "a"), 3)


def test_hook_registers_all_four():
    assert {kind.name for kind in register_datasets()} == {
        "chest-xray",
        "covid-pneumonia-normal",
        "image-folder",
        "pneumonia-xray-images",
    }
