"""Training steps and sampling, at the paper's sizes: 64x64x3."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np
import pytest

from benchmarks.timings.conftest import Peer, Timed
from benchmarks.timings.pictures import some_images
from synthbench.api.interfaces import Context
from synthbench_torchkit.recipe import Precision, Recipe, defaults

if TYPE_CHECKING:
    from synthbench.types import Images

SHAPE = (64, 64, 3)
MakeContext = Callable[[], Context]

# Keras stays in float32, as the paper: what bf16 gains over it is gained by who asks for it.
in_precisions = pytest.mark.parametrize(
    ("batch", "precision"),
    [
        pytest.param(16, "float32", id="16"),
        pytest.param(64, "float32", id="64"),
        pytest.param(16, "bf16", id="16-bf16"),
        pytest.param(64, "bf16", id="64-bf16"),
    ],
)


@pytest.mark.benchmark(group="ceiling")
def test_matrix_product(timed: Timed) -> None:
    import torch

    from benchmarks.timings import flops

    side = 2048
    a, b = torch.rand(2, side, side)
    timed(
        lambda: a @ b,
        f"product of two {side}x{side} float32 matrices: what these cores can do",
        flop=flops.matmul(side),
    )


@pytest.mark.benchmark(group="training")
@in_precisions
def test_acgan_step(timed: Timed, make_context: MakeContext, batch: int, precision: Precision) -> None:
    from benchmarks.timings import flops
    from synthbench_acgan.plugin import ACGAN
    from synthbench_acgan.train import Players, draw_batch, train_step
    from synthbench_torchkit.device import torch_device

    config, ctx, images = ACGAN(batch_size=batch, precision=precision), make_context(), some_images(1024, 64, 3)
    players = Players(config, 64, 3, 2).to(torch_device(ctx))
    numbers = itertools.count()
    timed(
        lambda: train_step(players, draw_batch(config, images, ctx, next(numbers))),
        f"ACGAN, {precision}: one update of both networks, its batch drawn",
        peer=_keras("acgan_step", batch),
        images=batch,
        flop=flops.acgan_step(batch),
    )


@pytest.mark.benchmark(group="training")
@in_precisions
def test_vgg16_step(timed: Timed, make_context: MakeContext, batch: int, precision: Precision) -> None:
    from benchmarks.timings import flops

    recipe = replace(_recipe("vgg16"), precision=precision)
    timed(
        _classifier_step(recipe, some_images(256, 64, 3), batch, make_context()),
        f"VGG16 with the paper's head, {precision}: one Adam step",
        peer=_keras("vgg16_step", batch),
        images=batch,
        flop=flops.classifier_step(recipe, SHAPE, batch),
    )


@pytest.mark.benchmark(group="training")
@pytest.mark.parametrize("batch", [32])
def test_small_cnn_step(timed: Timed, make_context: MakeContext, batch: int) -> None:
    from benchmarks.timings import flops

    recipe = _recipe("cnn")
    timed(
        _classifier_step(recipe, some_images(256, 64, 1), batch, make_context()),
        "the small CNN, grey images: one Adam step",
        images=batch,
        flop=flops.classifier_step(recipe, (64, 64, 1), batch),
    )


@pytest.mark.benchmark(group="sampling")
def test_acgan_sampling(timed: Timed) -> None:
    import torch

    from benchmarks.timings import flops
    from synthbench_acgan.model import Generator
    from synthbench_acgan.plugin import ACGAN
    from synthbench_acgan.sample import Sampler

    batch, n = ACGAN().sample_batch, 128
    generator = Generator().to(memory_format=torch.channels_last)  # as training leaves it
    sampler = Sampler(generator, "cpu", batch)
    labels = np.arange(n, dtype=np.int64) % 2
    timed(
        lambda: sampler(labels, np.random.default_rng(0)),
        "ACGAN: images drawn from the trained generator",
        images=n,
        flop=flops.generator_forward(generator, n),
    )


@pytest.mark.benchmark(group="sampling")
@pytest.mark.parametrize("batch", [64])
def test_vgg16_prediction(timed: Timed, make_context: MakeContext, batch: int) -> None:
    import torch

    from benchmarks.timings import flops
    from synthbench_torchkit.backbones import build_classifier
    from synthbench_torchkit.device import layout, torch_device
    from synthbench_torchkit.fitting import batch_of

    recipe, images, device = _recipe("vgg16"), some_images(batch, 64, 3), torch_device(make_context())
    model = build_classifier(recipe, SHAPE, 2).eval().to(device).to(memory_format=layout(device))

    def predict() -> None:
        with torch.inference_mode():
            model(batch_of(images, np.arange(batch), model)[0])

    timed(
        predict,
        "VGG16: images classified",
        images=batch,
        flop=flops.classifier_forward(recipe, SHAPE, batch),
    )


def _keras(step: str, batch: int) -> Peer | None:
    """None without the dependency group `timings`."""
    if find_spec("tensorflow") is None:
        return None
    import keras

    from benchmarks.timings import keras_nets

    return Peer(f"Keras {keras.__version__}", getattr(keras_nets, step)(batch))


def _recipe(backbone: str) -> Recipe:
    """The defaults of `tstr`."""
    return Recipe(backbone, weights="none", patience=2, validation=0.2, dropout=0.4, **defaults(backbone))


def _classifier_step(recipe: Recipe, images: Images, batch: int, ctx: Context) -> Callable[[], None]:
    """A step of `synthbench_torchkit.fitting`'s loop, without its progress bar and sums."""
    import torch

    from synthbench_torchkit.backbones import build_classifier
    from synthbench_torchkit.device import layout, torch_device
    from synthbench_torchkit.fitting import ADAM_EPSILON, batch_of, loss_of
    from synthbench_torchkit.precision import autocast

    device = torch_device(ctx)
    model = build_classifier(recipe, images.shape, 2).train().to(device).to(memory_format=layout(device))
    optimiser = torch.optim.Adam(model.parameters(), lr=recipe.learning_rate, eps=ADAM_EPSILON)
    index = np.arange(batch, dtype=np.int64)

    def step() -> None:
        pixels, labels = batch_of(images, index, model)
        optimiser.zero_grad(set_to_none=True)
        with autocast(device, recipe.precision):
            logits = model(pixels)
        torch.autograd.backward(loss_of(logits, labels))
        optimiser.step()

    return step
