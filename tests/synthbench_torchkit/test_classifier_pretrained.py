"""Weights from files, and what is said where they cannot be had."""

from __future__ import annotations

from dataclasses import replace
from urllib.error import URLError

import pytest
import torch
from safetensors.torch import save_file

from synthbench.errors import DataError
from synthbench_torchkit.backbones import build_classifier
from synthbench_torchkit.pretrained import load_pretrained
from synthbench_torchkit.recipe import Recipe

RECIPE = Recipe("timm:test_resnet", "none", 1, 16, 1e-3, 2, 0.2, 0.4, 0.9)


def backbone(name: str = RECIPE.backbone) -> torch.nn.Module:
    return build_classifier(replace(RECIPE, backbone=name), (32, 32, 3), 2).backbone


def given(path) -> Recipe:
    return replace(RECIPE, weights=str(path))


@pytest.mark.parametrize("kind", ["safetensors", "pt"])
def test_a_file_replaces_every_tensor_and_its_top_is_left_out(tmp_path, kind):
    source, target = backbone(), backbone()
    state = {**source.state_dict(), "fc.weight": torch.zeros(1000, 4)}
    path = tmp_path / f"weights.{kind}"
    save_file(state, path) if kind == "safetensors" else torch.save(state, path)
    load_pretrained(target, given(path))
    for name, tensor in target.state_dict().items():
        assert torch.equal(tensor, source.state_dict()[name])


def test_torchvisions_own_names_fit_vgg16(tmp_path):
    vgg = backbone("vgg16")
    assert next(iter(vgg.state_dict())) == "features.0.weight"
    save_file({name: torch.full_like(t, 0.5) for name, t in vgg.state_dict().items()}, tmp_path / "w.safetensors")
    load_pretrained(vgg, replace(given(tmp_path / "w.safetensors"), backbone="vgg16"))
    assert vgg.features[0].weight.unique().tolist() == [0.5]


def test_missing_and_misshapen_tensors_are_named(tmp_path):
    state = backbone().state_dict()
    name = next(iter(state))
    path = tmp_path / "weights.pt"
    torch.save({key: tensor for key, tensor in state.items() if key != name}, path)
    with pytest.raises(DataError, match=rf"weights.pt lacks 1 of \d+ tensors, e.g. '{name}'"):
        load_pretrained(backbone(), given(path))
    torch.save({**state, name: torch.zeros(3)}, path)
    with pytest.raises(DataError, match=rf"tensor '{name}' has shape \(3,\), the backbone needs"):
        load_pretrained(backbone(), given(path))


@pytest.mark.parametrize("name", ["junk.pt", "junk.safetensors"])
def test_files_that_hold_no_weights(tmp_path, name):
    (tmp_path / name).write_bytes(b"not weights")
    with pytest.raises(DataError, match="holds no weights"):
        load_pretrained(backbone(), given(tmp_path / name))


def test_a_checkpoint_around_the_state_dict(tmp_path):
    torch.save({"state_dict": backbone().state_dict()}, tmp_path / "checkpoint.pt")
    with pytest.raises(DataError, match="is no state dict"):
        load_pretrained(backbone(), given(tmp_path / "checkpoint.pt"))


def test_no_network_for_torchvision(monkeypatch):
    def refuse(*args, **kwargs):
        raise URLError("no network")

    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", refuse)
    with pytest.raises(DataError, match=r"vgg16-397923af\.pth.*write weights: <its path>"):
        load_pretrained(backbone("vgg16"), replace(RECIPE, backbone="vgg16", weights="imagenet"))


def test_no_network_for_timm(monkeypatch):
    def refuse(*args, **kwargs):
        raise ConnectionError("no network")

    target = backbone()
    monkeypatch.setattr("timm.create_model", refuse)
    with pytest.raises(DataError, match=r"timm's timm/test_resnet\.\w+/model\.safetensors.*write weights"):
        load_pretrained(target, replace(RECIPE, weights="imagenet"))
