"""`latent-flow`: its networks, and the generator as a whole at a few steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from synthbench.api.interfaces import Context
from synthbench.errors import DataError
from synthbench.testing import check_generator, context_in, tiny_splits
from synthbench.types import Images
from synthbench_flow.autoencoder import Autoencoder, reconstruction_loss
from synthbench_flow.flow import gaussian_velocity
from synthbench_flow.latent_flow import fit_autoencoder
from synthbench_flow.plugin import LatentFlow
from synthbench_flow.unet import Attention, Unet
from synthbench_torchkit.batches import members_of
from synthbench_torchkit.tensors import doubled
from tests.helpers.killing import Killed, KillingProgress

SMALL = LatentFlow(
    steps=5,
    autoencoder_steps=4,
    batch_size=6,
    autoencoder_width=8,
    latents=2,
    width=8,
    depth=1,
    sampling_steps=2,
    checkpoint_every=2,
    log_every=2,
)

Make = Callable[[str], Context]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    return lambda name: context_in(tmp_path / name, seed=5)


@pytest.fixture(scope="module")
def images() -> Images:
    return tiny_splits(size=16).train


def changed(**options: object) -> LatentFlow:
    return SMALL.model_copy(update=options)


@pytest.mark.full
def test_contract() -> None:
    findings = check_generator(changed(guidance=1.5, sampling_steps=1), tiny_splits(size=16, channels=3))
    assert [str(finding) for finding in findings if finding.warning] == []


def test_the_untrained_unet_gives_the_gaussian_s_velocity_and_has_the_size_that_is_said() -> None:
    x, times = torch.randn(3, 4, 8, 6), torch.tensor([0.1, 0.5, 0.9])
    unet = Unet(4, 2, 8, 2)
    torch.testing.assert_close(unet(x, times, torch.tensor([0, 1, 2])), gaussian_velocity(x, times))
    with torch.device("meta"):
        full = Unet(LatentFlow().latents, 2, LatentFlow().width, LatentFlow().depth)
    assert sum(p.numel() for p in full.parameters()) == pytest.approx(5.0e6, rel=0.2)


def test_the_unet_knows_time_class_and_every_place() -> None:
    torch.manual_seed(0)
    unet = Unet(2, 2, 8, 1)
    for parameter in unet.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    x, times, labels = torch.randn(1, 2, 8, 8), torch.tensor([0.5]), torch.tensor([0])
    before = unet(x, times, labels)
    for other in (unet(x, times, labels + 1), unet(x, times, labels + 2)):
        assert not torch.allclose(before, other)
    added = [unet(x, t, labels) - gaussian_velocity(x, t) for t in (times, times / 2)]
    assert not torch.allclose(*added)
    corner = x.clone()
    corner[..., -1, -1] += 5
    assert not torch.allclose(unet(corner, times, labels)[..., 0, 0], before[..., 0, 0])


def test_attention_is_scaled_dot_product_attention() -> None:
    torch.manual_seed(0)
    layer = Attention(64)
    torch.nn.init.normal_(layer.tell.weight)
    x = torch.randn(2, 64, 3, 2)
    parts = layer.ask(layer.norm(x)).reshape(2, 3, 2, 32, 6).transpose(3, 4).unbind(1)
    known = torch.nn.functional.scaled_dot_product_attention(*parts).transpose(2, 3).reshape(2, 64, 3, 2)
    torch.testing.assert_close(layer(x), x + layer.tell(known), rtol=1e-4, atol=1e-4)


def test_doubling_is_nearest_interpolation() -> None:
    x = torch.randn(2, 3, 4, 5)
    assert torch.equal(doubled(x), torch.nn.functional.interpolate(x, scale_factor=2.0, mode="nearest"))


def test_the_prior_weighs_the_divergence_from_a_standard_normal() -> None:
    torch.manual_seed(0)
    model, x = Autoencoder(1, 2, 8), torch.rand(3, 1, 16, 16) * 2 - 1
    noise = torch.randn(3, 2, 4, 4)
    mean, log_variance = model.encode(x)
    posterior = torch.distributions.Normal(mean, (log_variance / 2).exp())
    divergence = torch.distributions.kl_divergence(posterior, torch.distributions.Normal(0, 1)).mean()
    plain, weighted = (reconstruction_loss(model, x, noise, prior) for prior in (0.0, 2.0))
    assert (weighted - plain).item() == pytest.approx(2 * divergence.item(), rel=1e-4)


def test_the_autoencoder_learns_to_give_images_back(images: Images, make: Make) -> None:
    def error(steps: int) -> float:
        options = changed(autoencoder_steps=steps, batch_size=16, learning_rate=5e-3, ema=0.9)
        codec = fit_autoencoder(options, images, members_of(images, "latent-flow"), make(str(steps)))
        places = np.arange(len(images))
        latents = codec.encode(images, places, torch.device("cpu"))
        torch.testing.assert_close(latents.mean(dim=(0, 2, 3)), torch.zeros(2), atol=1e-4, rtol=0)
        torch.testing.assert_close(latents.std(dim=(0, 2, 3)), torch.ones(2), atol=1e-3, rtol=0)
        return float(np.abs(codec.decode(latents) - images.pixels).mean())

    assert error(60) < 0.4 * error(1)


def test_a_killed_training_ends_with_the_same_weights(images: Images, make: Make) -> None:
    whole, broken = make("whole"), make("broken")
    SMALL.fit(images, whole)
    for after in (3, 2, 3):  # in the autoencoder, at its end, in the flow
        with pytest.raises(Killed):
            SMALL.fit(images, replace(broken, progress=KillingProgress(after, "steps")))
    assert (broken.resume / "flow.safetensors").exists()
    SMALL.fit(images, broken)
    assert {file.name for file in broken.workdir.iterdir()} == {
        "flow.safetensors",
        "losses.csv",
        "autoencoder.safetensors",
        "autoencoder-losses.csv",
    }
    for file in whole.workdir.iterdir():
        assert (broken.workdir / file.name).read_bytes() == file.read_bytes(), file.name


def test_the_residual_s_noise_is_added(images: Images, make: Make) -> None:
    labels = np.zeros(40, dtype=np.int64)
    smooth, rough = (
        changed(residual=residual).fit(images, make(str(residual)))(labels, np.random.default_rng(0))
        for residual in (False, True)
    )
    grain = [np.abs(np.diff(np.asarray(x, dtype=float), axis=1)).mean() for x in (smooth, rough)]
    assert grain[1] > 1.2 * grain[0]


def test_a_size_that_does_not_fit(images: Images, make: Make) -> None:
    odd = replace(images, pixels=images.pixels[:, :12])
    with pytest.raises(DataError, match="sides divisible by 8, found 12x16; set the data set's image_size"):
        SMALL.fit(odd, make("a"))
