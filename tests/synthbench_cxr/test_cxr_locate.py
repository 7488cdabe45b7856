"""root, then SYNTHBENCH_DATA, then Kaggle; each failure says what was found and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from synthbench import Context, DataError
from synthbench_cxr.plugin import ChestXray, CovidPneumoniaNormal, ImageFolder, PneumoniaXrayImages


def deny_download(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kagglehub.dataset_download", lambda handle: pytest.fail(f"downloads {handle}"))


def test_root_is_relative_to_the_current_folder(kermany: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(kermany.parent)
    assert ChestXray(root=Path("chest_xray")).folder() == kermany


def test_root_may_be_one_or_two_folders_above(kermany: Path):
    assert ChestXray(root=kermany.parent).folder() == kermany
    assert ChestXray(root=kermany.parent.parent).folder() == kermany


def test_root_goes_before_the_variable(kermany: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SYNTHBENCH_DATA", "/nowhere")
    assert ChestXray(root=kermany).folder() == kermany


def test_root_that_is_not_there(tmp_path: Path):
    with pytest.raises(DataError, match=r"root is .*missing.* is not there"):
        ChestXray(root=tmp_path / "missing").folder()


def test_root_that_is_a_file(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="a file, no folder"):
        ChestXray(root=tmp_path / "file").folder()


def test_root_with_another_layout_says_what_was_found(tmp_path: Path):
    (tmp_path / "cats").mkdir()
    with pytest.raises(DataError, match=r"does not hold \{train,val,test\}/\{NORMAL,PNEUMONIA\}.*found: cats"):
        ChestXray(root=tmp_path).folder()


def test_variable_names_the_folder_of_sisters(kermany: Path, make_set, monkeypatch: pytest.MonkeyPatch):
    files = {"COVID/COVID_{i}.png": 1, "NORMAL/NORMAL_{i}.png": 1, "PNEUMONIA/PNEUMONIA_{i}.png": 1}
    covid = make_set("data/covid_pneumonia_normal", files)
    again = make_set("data/pneumonia_xray_images", {"test/normal/a{i}.jpeg": 1, "test/opacity/a{i}.jpeg": 1})
    monkeypatch.setenv("SYNTHBENCH_DATA", str(kermany.parent))
    deny_download(monkeypatch)
    assert ChestXray().folder() == kermany
    assert CovidPneumoniaNormal().folder() == covid
    assert PneumoniaXrayImages().folder() == again


@pytest.mark.parametrize("inside", [".", "chest_xray"])
def test_variable_names_one_set_itself_nested_or_not(make_set, monkeypatch: pytest.MonkeyPatch, inside: str):
    one = make_set("mine", {f"{inside}/test/PNEUMONIA/person{{i}}_virus_1.jpeg": 1})
    monkeypatch.setenv("SYNTHBENCH_DATA", str(one))
    deny_download(monkeypatch)
    assert ChestXray().folder() == one / inside


def test_variable_that_is_not_there_is_an_error_not_a_download(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("SYNTHBENCH_DATA", str(tmp_path / "missing"))
    deny_download(monkeypatch)
    with pytest.raises(DataError, match=r"SYNTHBENCH_DATA is .*missing"):
        ChestXray().folder()


def test_variable_without_this_set_is_an_error_not_a_download(kermany: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SYNTHBENCH_DATA", str(kermany.parent))
    deny_download(monkeypatch)
    with pytest.raises(DataError, match=r"no covid_pneumonia_normal/ in it.*found: chest_xray/\(.*unset"):
        CovidPneumoniaNormal().folder()
    with pytest.raises(DataError, match="no pneumonia_xray_images/ in it"):
        PneumoniaXrayImages().folder()


def test_the_covid_set_is_not_taken_for_chest_xray(make_set, monkeypatch: pytest.MonkeyPatch):
    covid = make_set("covid", {"COVID/{i}.png": 1, "NORMAL/{i}.png": 1, "PNEUMONIA/{i}.png": 1})
    monkeypatch.setenv("SYNTHBENCH_DATA", str(covid))
    with pytest.raises(DataError, match="no chest_xray/ in it"):
        ChestXray().folder()


def test_download_when_nothing_is_given(kermany: Path, monkeypatch: pytest.MonkeyPatch):
    asked = []

    def download(handle: str) -> str:
        asked.append(handle)
        return str(kermany.parent)  # Kaggle's folder holds chest_xray/

    monkeypatch.setattr("kagglehub.dataset_download", download)
    assert ChestXray().folder() == kermany
    assert asked == ["paultimothymooney/chest-xray-pneumonia/versions/2"]


def test_a_download_with_another_layout_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("kagglehub.dataset_download", lambda _: str(tmp_path))
    with pytest.raises(DataError, match=r"was downloaded to .* but holds no"):
        ChestXray().folder()


@pytest.mark.parametrize("kind", [ChestXray, CovidPneumoniaNormal, PneumoniaXrayImages])
def test_neither_data_nor_network_names_all_three_ways(kind: type, ctx: Context):
    with pytest.raises(DataError) as caught:
        kind().load(ctx)
    for way in ("`root:`", "SYNTHBENCH_DATA", "kagglehub", "no network in tests", kind.source.folder):
        assert way in str(caught.value)


def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SYNTHBENCH_DATA", "")
    with pytest.raises(DataError, match="which failed: ConnectionError"):
        ChestXray().folder()


def test_image_folder_needs_its_root(tmp_path: Path):
    with pytest.raises(DataError, match="is not there"):
        ImageFolder(root=tmp_path / "missing").folder()


def test_offline_downloads_nothing_and_takes_what_kagglehub_has(
    kermany: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    from kagglehub.cache import Cache
    from kagglehub.handle import parse_dataset_handle

    monkeypatch.setenv("SYNTHBENCH_OFFLINE", "1")
    monkeypatch.setenv("KAGGLEHUB_CACHE", str(tmp_path / "kaggle"))
    monkeypatch.delenv("SYNTHBENCH_DATA", raising=False)
    deny_download(monkeypatch)
    with pytest.raises(DataError, match=r"offline, and no images for chest_xray: `synthbench fetch` downloads"):
        ChestXray().folder()
    Cache().mark_as_complete(parse_dataset_handle(ChestXray.source.handle))
    monkeypatch.setattr("kagglehub.dataset_download", lambda handle: str(kermany.parent))
    assert ChestXray().folder() == kermany
