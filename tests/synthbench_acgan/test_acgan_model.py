"""The two networks: sizes, shapes, and Keras' conventions one by one."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from synthbench_acgan.model import ChannelNorm, Discriminator, Generator, SameConv, SameConvTranspose


def parameters(module: torch.nn.Module) -> int:
    return sum(weight.numel() for weight in module.parameters())


def test_the_papers_parameter_counts() -> None:
    assert parameters(Generator()) == 19_616_963
    assert parameters(Discriminator()) == 5_289_539


@pytest.mark.parametrize("size", [8, 24, 64])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("classes", [1, 2, 5])
def test_any_shape(size: int, channels: int, classes: int) -> None:
    g = Generator(size, channels, classes, latent=7, dense=6, filters=(5, 4, 3, 2))
    d = Discriminator(size, channels, classes, dense=6, filters=(2, 3, 4, 5))
    images = g(torch.rand(3, 7), torch.arange(3) % classes)
    tag, probabilities = d(images)
    assert images.shape == (3, channels, size, size)
    assert images.min() >= 0
    assert images.max() <= 1
    assert tag.shape == (3,)
    assert probabilities.shape == (3, classes)
    assert torch.allclose(probabilities.sum(1), torch.ones(3))


@pytest.mark.parametrize("size", [0, 12, 65])
def test_a_size_that_does_not_fit_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match=f"multiple of 8, found {size}"):
        Generator(size)
    with pytest.raises(ValueError, match=f"multiple of 8, found {size}"):
        Discriminator(size)


def test_a_stride_two_convolution_starts_one_pixel_early() -> None:
    """Kernel 5, stride 2 on 8 pixels: output 0 sees pixels -1..3, so only its tap 1 lies on pixel 0."""
    conv = SameConv(1, 1, 5, 2)
    image = torch.zeros(1, 1, 8, 8)
    image[0, 0, 0, 0] = 1
    response = conv(image) - conv.bias
    assert response.shape == (1, 1, 4, 4)
    assert torch.allclose(response[0, 0, 0, 0], conv.weight[0, 0, 1, 1])
    assert response.count_nonzero() == 1


def test_a_stride_two_transposed_convolution_is_cropped_one_pixel_early() -> None:
    conv = SameConvTranspose(1, 1, 5, 2)
    image = torch.zeros(1, 1, 4, 4)
    image[0, 0, 0, 0] = 1
    response = (conv(image) - conv.bias)[0, 0]
    assert response.shape == (8, 8)
    assert torch.allclose(response[:4, :4], conv.weight[0, 0, 1:, 1:], atol=1e-6)
    assert response[4:].abs().max() < 1e-6


@pytest.mark.parametrize(("kernel", "stride"), [(5, 2), (5, 1), (4, 1), (4, 2), (3, 2)])
def test_the_two_convolutions_are_adjoint(kernel: int, stride: int) -> None:
    """<conv(x), y> = <x, transpose(y)> with the same kernel."""
    forward, backward = SameConv(2, 3, kernel, stride).double(), SameConvTranspose(3, 2, kernel, stride).double()
    backward.weight.data = forward.weight.data
    for layer in (forward, backward):
        torch.nn.init.zeros_(layer.bias)
    x, y = torch.rand(1, 2, 8, 8).double(), torch.rand(1, 3, 8 // stride, 8 // stride).double()
    assert torch.allclose((forward(x) * y).sum(), (x * backward(y)).sum())


def test_the_norm_is_over_the_channels_of_each_pixel() -> None:
    x = torch.randn(2, 6, 3, 3)
    expected = (x - x.mean(1, keepdim=True)) / (x.var(1, keepdim=True, unbiased=False) + 1e-3).sqrt()
    assert torch.allclose(ChannelNorm(6)(x), expected, atol=1e-5)


def test_initial_weights_are_glorot_uniform() -> None:
    d = Discriminator()
    for kernel, fans in ((d.hidden.weight, 16384 + 256), (d.convs[2].weight, 25 * (64 + 128))):
        limit = (6 / fans) ** 0.5
        assert 0.99 * limit < kernel.abs().max() <= limit
        assert kernel.std().item() == pytest.approx(limit / 3**0.5, rel=0.02)
    assert all(not weight.any() for name, weight in Generator(8).named_parameters() if name.endswith("bias"))


def test_the_label_changes_the_image() -> None:
    g = Generator(8, 1, 3)
    z = torch.rand(1, 100)
    images = [g(z, torch.tensor([label])) for label in range(3)]
    assert len({float(image.detach().sum()) for image in images}) == 3


def test_the_penalised_kernels() -> None:
    g, d = Generator(8), Discriminator(8)
    names = lambda m: {n for n, w in m.named_parameters() if any(w is p for p in m.regularised())}  # noqa: E731
    assert names(g) == {"spread.weight"}
    assert names(d) == {*(f"convs.{i}.weight" for i in range(4)), "hidden.weight"}


def test_memory_format_does_not_change_the_result() -> None:
    d = Discriminator(16, 1).double()
    x = torch.rand(2, 1, 16, 16).double()
    plain = d.eval()(x)
    last = d.to(memory_format=torch.channels_last)(x.to(memory_format=torch.channels_last))
    for a, b in zip(plain, last, strict=True):
        np.testing.assert_allclose(a.detach(), b.detach(), rtol=1e-12)
