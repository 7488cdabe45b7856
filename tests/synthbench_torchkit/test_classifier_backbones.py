"""The networks: shapes, parameter counts, Keras' start, what does not fit."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from synthbench.errors import ConfigError
from synthbench_torchkit.backbones import build_classifier, small_cnn, vgg_head
from synthbench_torchkit.recipe import Recipe, check_backbone, check_weights, defaults

VGG16_CONVOLUTIONS = 14_714_688  # Keras' VGG16(include_top=False).count_params()


def recipe(backbone: str, **changes: object) -> Recipe:
    fields = {"weights": "none", "patience": 2, "validation": 0.2, "dropout": 0.4}
    return Recipe(**{"backbone": backbone, **fields, **defaults(backbone), **changes})


@pytest.fixture(scope="module")
def vgg() -> nn.Module:
    torch.manual_seed(0)
    return build_classifier(recipe("vgg16"), (32, 32, 1), 2)


def test_vgg16_has_the_papers_parameters(vgg):
    head = (512 * 128 + 128) + 2 * 128 + (128 * 32 + 32) + 2 * 32 + (32 + 1)
    assert sum(p.numel() for p in vgg.backbone.parameters()) == VGG16_CONVOLUTIONS
    assert sum(p.numel() for p in vgg.parameters()) == VGG16_CONVOLUTIONS + head
    assert len([layer for layer in vgg.modules() if isinstance(layer, nn.Conv2d)]) == 13


def test_vgg16_head_is_the_papers_layer_by_layer(vgg):
    block = [nn.Dropout, nn.Linear, nn.BatchNorm1d, nn.LeakyReLU]
    assert [type(layer) for layer in vgg.head] == [*block, *block, nn.Dropout, nn.Linear]
    for norm in (vgg.head[2], vgg.head[6]):
        assert norm.eps == 1e-3
        assert norm.momentum == pytest.approx(0.01)
    assert {layer.p for layer in vgg.head if isinstance(layer, nn.Dropout)} == {0.4}
    assert {layer.negative_slope for layer in vgg.head if isinstance(layer, nn.LeakyReLU)} == {0.2}


def test_kernels_start_glorot_uniform_and_biases_zero(vgg):
    layers = [layer for layer in vgg.modules() if isinstance(layer, nn.Conv2d | nn.Linear)]
    assert len(layers) == 16
    for layer in layers:
        area = math.prod(layer.weight.shape[2:])
        limit = math.sqrt(6 / (area * (layer.weight.shape[0] + layer.weight.shape[1])))
        assert 0.8 * limit < float(layer.weight.detach().abs().max()) <= limit * (1 + 1e-6)
        assert not layer.bias.any()


def test_vgg16_pools_the_global_maximum(vgg):
    maps = torch.zeros(1, 3, 2, 2)
    maps[0, :, 1, 0] = torch.tensor([3.0, 2.0, 1.0])
    assert vgg.backbone.pool(maps).tolist() == [[3.0, 2.0, 1.0]]


@pytest.mark.parametrize("backbone", ["vgg16", "cnn", "timm:resnet10t"])
@pytest.mark.parametrize(("n_classes", "outputs"), [(2, 1), (3, 3)])
def test_one_logit_for_two_classes_else_one_each(backbone, n_classes, outputs):
    model = build_classifier(recipe(backbone), (32, 32, 3), n_classes).eval()
    with torch.inference_mode():
        assert model(torch.rand(2, 3, 32, 32)).shape == (2, outputs)


def test_grey_images_count_as_three_equal_channels(vgg):
    grey = torch.rand(2, 1, 32, 32)
    with torch.inference_mode():
        assert torch.equal(vgg.eval()(grey), vgg(grey.repeat(1, 3, 1, 1)))


def test_dropout_and_batch_norm_momentum_are_the_recipes():
    head = build_classifier(recipe("vgg16", dropout=0.1, bn_momentum=0.9), (32, 32, 1), 2).head
    assert {layer.p for layer in head if isinstance(layer, nn.Dropout)} == {0.1}
    assert head[2].momentum == pytest.approx(0.1)
    assert vgg_head(8, 3, 0.4)[-1].weight.shape == (3, 32)


def test_images_are_normalised_only_for_pretrained_weights():
    black = torch.zeros(1, 3, 32, 32)
    plain = build_classifier(recipe("vgg16"), (32, 32, 3), 2)
    normalised = build_classifier(recipe("vgg16", weights="imagenet"), (32, 32, 3), 2)
    seen: list[torch.Tensor] = []
    for model in (plain, normalised):
        model.backbone.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
        model.eval()(black)
    assert seen[0].unique().tolist() == [0]
    assert seen[1][0, :, 0, 0].tolist() == pytest.approx([-0.485 / 0.229, -0.456 / 0.224, -0.406 / 0.225])


def test_small_cnn_is_small():
    assert sum(p.numel() for p in small_cnn().parameters()) < 100_000


def test_a_misspelled_timm_name_gets_a_hint():
    with pytest.raises(ConfigError, match=r"no model 'resnet81'; did you mean .*resnet18"):
        build_classifier(recipe("timm:resnet81"), (32, 32, 3), 2)


@pytest.mark.parametrize("backbone", ["vgg16", "cnn"])
def test_images_too_small_for_the_backbone_are_refused(backbone):
    with pytest.raises(ConfigError, match=f"backbone {backbone} takes no images of 8x8 pixels"):
        build_classifier(recipe(backbone), (8, 8, 1), 2)


@pytest.mark.parametrize("name", ["vgg19", "timm:", "resnet18", ""])
def test_unknown_backbones_are_refused_with_the_choices(name):
    with pytest.raises(ValueError, match="vgg16, cnn or timm:<name>"):
        check_backbone(name)


def test_weights_that_cannot_be_are_refused(tmp_path):
    with pytest.raises(ValueError, match="trained from scratch"):
        check_weights("imagenet", "cnn")
    with pytest.raises(ValueError, match="no such file"):
        check_weights(str(tmp_path / "none.pt"), "vgg16")


def test_a_file_of_weights_counts_by_content(tmp_path):
    one, two, other = (tmp_path / name for name in ("one.pt", "two.pt", "other.pt"))
    one.write_bytes(b"a")
    two.write_bytes(b"a")
    other.write_bytes(b"b")
    keys = [recipe("vgg16", weights=str(path)).key() for path in (one, two, other)]
    assert keys[0] == keys[1] != keys[2]
