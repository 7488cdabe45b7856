"""`acgan-tuned`: what each of its switches changes, and the training as a whole at a few steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from synthbench.api.interfaces import Context
from synthbench.errors import DataError, SynthbenchError
from synthbench.testing import check_generator, context_in, tiny_splits
from synthbench.types import Images
from synthbench_acgan.augment import augmented
from synthbench_acgan.compact import CompactDiscriminator
from synthbench_acgan.options import Augmentation
from synthbench_acgan.plugin import ACGANTuned
from synthbench_acgan.sample import load_generator
from synthbench_acgan.tuned import TunedPlayers, draw_batch, train_step
from synthbench_torchkit.batches import members_of
from tests.helpers.killing import Killed, KillingProgress

SMALL = ACGANTuned(
    steps=7, log_every=2, checkpoint_every=3, grid_steps=(0, 4), batch_size=4, latent=6, width=4, ema=0.9
)
CPU = torch.device("cpu")

Make = Callable[[str], Context]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    return lambda name: context_in(tmp_path / name, seed=5)


@pytest.fixture(scope="module")
def images() -> Images:
    return tiny_splits(size=16).train


def changed(**options: object) -> ACGANTuned:
    return SMALL.model_copy(update=options)


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def after(steps: int, images: Images, **options: object) -> tuple[TunedPlayers, list[tuple[float, ...]]]:
    """Players and losses after so many steps on the same batches, whatever the options."""
    config = changed(**options)
    torch.manual_seed(0)
    players, rng, losses = TunedPlayers(config, 16, 1, 2), np.random.default_rng(1), []
    for number in range(steps):
        batch = draw_batch(SMALL, images, members_of(images, "acgan-tuned"), CPU, rng)
        step_rng = np.random.default_rng(number)
        losses.append(tuple(loss.item() for loss in train_step(players, batch, number, step_rng)))
    return players, losses


@pytest.mark.parametrize("label", ["projection", "discriminative"])
def test_contract(label: str) -> None:
    findings = check_generator(changed(conditioning=label), tiny_splits(size=16, channels=3))
    assert [str(finding) for finding in findings if finding.warning] == []


def test_what_a_training_leaves_behind(make: Make, images: Images) -> None:
    ctx = make("a")
    sampler = SMALL.fit(images, ctx)
    assert set(contents(ctx.workdir)) == {
        "losses.csv",
        "generator.safetensors",
        "discriminator.safetensors",
        "grid-000000.png",
        "grid-000004.png",
        "grid-000006.png",
    }
    rows = (ctx.workdir / "losses.csv").read_text().splitlines()
    assert rows[0] == "step,d_tag,d_label,r1,g_tag,g_label"
    assert [row.partition(",")[0] for row in rows[1:]] == ["0", "2", "4", "6"]
    rebuilt = load_generator(ctx.workdir / "generator.safetensors")
    z, labels = torch.rand(2, 6), torch.tensor([0, 1])
    drawn = rebuilt(z, labels)
    torch.testing.assert_close(drawn, sampler.generator(z, labels))  # type: ignore[attr-defined]
    assert drawn.shape == (2, 1, 16, 16)
    assert 0 < drawn.min() < drawn.max() < 1


def test_a_killed_training_ends_with_the_same_weights(make: Make, images: Images) -> None:
    whole, broken = make("whole"), make("broken")
    SMALL.fit(images, whole)
    for steps in (2, 4, 2):  # before the first checkpoint, after it, and after the second
        with pytest.raises(Killed):
            SMALL.fit(images, replace(broken, progress=KillingProgress(steps, "steps")))
    torch.manual_seed(9)
    SMALL.fit(images, broken)
    assert contents(broken.workdir) == contents(whole.workdir)


def test_checkpoints_of_one_training_are_as_if_each_were_trained_alone(make: Make, images: Images) -> None:
    shared, alone = make("shared"), make("alone")
    for steps in (4, 7):
        changed(steps=steps).fit(images, shared)
    SMALL.fit(images, alone)
    name = "generator.safetensors"
    assert (shared.workdir / name).read_bytes() == (alone.workdir / name).read_bytes()


@pytest.mark.parametrize(("balanced", "share"), [(True, 0.5), (False, 18 / 48)])
def test_real_images_of_each_class_as_often_or_as_they_come(images: Images, balanced: bool, share: float) -> None:
    config = changed(balanced=balanced, batch_size=4000)
    members = members_of(images, "acgan-tuned")
    batch = draw_batch(config, images, members, CPU, np.random.default_rng(0))
    assert (batch.real_labels == 0).float().mean().item() == pytest.approx(share, abs=0.03)
    assert (batch.fake_labels == 0).float().mean().item() == pytest.approx(0.5, abs=0.03)
    known = {(image.tobytes(), label) for image, label in zip(images.pixels, images.labels.tolist(), strict=True)}
    pixels = (batch.real[:50] * 255).round().to(torch.uint8).permute(0, 2, 3, 1).contiguous().numpy()
    assert {(p.tobytes(), k) for p, k in zip(pixels, batch.real_labels[:50].tolist(), strict=True)} <= known


def test_spectral_norm_holds_every_layer_of_the_discriminator_to_one() -> None:
    for spectral in (True, False):
        torch.manual_seed(0)
        shape: dict[str, Any] = {"width": 4, "projection": True, "heads": 4}
        d = CompactDiscriminator(16, 1, 2, **shape, spectral=spectral)
        for _ in range(20):  # power iterations
            d(torch.zeros(1, 1, 16, 16), torch.tensor([0]))
        kernels = [m.weight for m in d.modules() if isinstance(m, torch.nn.Conv2d | torch.nn.Linear)]
        norms = [torch.linalg.matrix_norm(k.flatten(1), 2).item() for k in kernels]
        assert (norms == pytest.approx([1] * 14, rel=0.05)) == spectral


def test_the_average_draws_unless_it_is_switched_off(images: Images) -> None:
    for ema in (0.9, 0.0):
        players, _ = after(3, images, ema=ema)
        same = torch.equal(players.average.spread.weight, players.generator.spread.weight)
        assert same == (ema == 0)
        assert players.kept()["generator"] is players.average


def test_r1_is_the_squared_gradient_and_is_taken_at_every_sixteenth_step(images: Images) -> None:
    _, losses = after(18, images, augment=())
    r1 = [row[2] for row in losses]
    assert [number for number, value in enumerate(r1) if value] == [0, 16]
    assert not any(row[2] for row in after(1, images, r1=0.0)[1])
    weak, strong = (after(2, images, r1=r1)[0].discriminator.state_dict() for r1 in (0.0, 100.0))
    assert any(not torch.equal(weak[name], strong[name]) for name in weak)
    config = changed(augment=())
    torch.manual_seed(0)
    players = TunedPlayers(config, 16, 1, 2)
    batch = draw_batch(SMALL, images, members_of(images, "acgan-tuned"), CPU, np.random.default_rng(1))
    x = batch.real * 2 - 1
    players.discriminator(x, batch.real_labels)  # the step's own forward pass moves the power iteration once

    def tag(x: torch.Tensor) -> torch.Tensor:
        players.discriminator.eval()
        return players.discriminator(x, batch.real_labels)[0].sum()

    gradient = torch.autograd.functional.jacobian(tag, x)
    assert r1[0] == pytest.approx(gradient.square().sum(dim=(1, 2, 3)).mean().item(), rel=0.2)


def test_labels_reach_the_discriminator_in_three_ways(images: Images) -> None:
    x, labels = torch.rand(5, 1, 16, 16), torch.tensor([0, 1, 1, 0, 1])
    for label, heads in (("projection", 0), ("auxiliary", 2), ("discriminative", 4)):
        players, losses = after(2, images, conditioning=label)
        players.discriminator.eval()
        tag, logits = players.discriminator(x, labels)
        other, _ = players.discriminator(x, 1 - labels)
        assert torch.equal(tag, other) == (label != "projection")
        assert (0 if logits is None else logits.shape[1]) == heads
        assert all(bool(row[1]) == bool(row[4]) == bool(heads) for row in losses)


def test_discriminative_labels_do_not_reward_images_for_being_easy_to_tell_apart(images: Images) -> None:
    """A classifier that sees the class and neither real nor fake: nothing to gain with it, unlike the paper's."""
    batch = draw_batch(SMALL, images, members_of(images, "acgan-tuned"), CPU, np.random.default_rng(1))
    for label, rewarded in (("discriminative", False), ("auxiliary", True)):
        torch.manual_seed(0)
        players = TunedPlayers(changed(conditioning=label, spectral_norm=False, r1=0.0), 16, 1, 2)
        heads = players.discriminator.heads
        assert heads is not None
        with torch.no_grad():  # rows of real and of fake alike
            heads.weight.copy_(heads.weight[:2].repeat(len(heads.weight) // 2, 1))
            heads.bias.copy_(heads.bias[:2].repeat(len(heads.bias) // 2))
        players.d_optimiser.param_groups[0]["lr"] = 0.0
        g_label = train_step(players, batch, 1, np.random.default_rng(0))[4].item()
        assert (abs(g_label) > 1e-3) == rewarded


def pictures(channels: int = 1) -> torch.Tensor:
    return torch.rand(64, channels, 16, 16, generator=torch.Generator().manual_seed(0)) + 0.5


def seen(*kinds: Augmentation, channels: int = 1) -> torch.Tensor:
    return augmented(pictures(channels), kinds, np.random.default_rng(3))


def test_without_augmentation_images_are_as_they_are() -> None:
    assert torch.equal(seen(), pictures())


def test_colour_moves_brightness_and_contrast_of_a_grey_image_and_keeps_its_pattern() -> None:
    x, y = pictures().flatten(1), seen("colour").flatten(1)
    shift = y.mean(dim=1) - x.mean(dim=1)
    assert -0.5 <= shift.min() < -0.4
    assert 0.4 < shift.max() <= 0.5
    x, y = (z - z.mean(dim=1, keepdim=True) for z in (x, y))
    scale = (x * y).sum(dim=1) / (x * x).sum(dim=1)
    assert 0.5 <= scale.min() < 0.6
    assert 1.4 < scale.max() <= 1.5
    torch.testing.assert_close(y, x * scale[:, None])


def test_colour_moves_the_saturation_of_a_colour_image() -> None:
    x, y = (
        (images - images.mean(dim=1, keepdim=True)).flatten(1)
        for images in (pictures(3), seen("colour", channels=3))
    )
    scale = (x * y).sum(dim=1) / (x * x).sum(dim=1)  # saturation times contrast
    torch.testing.assert_close(y, x * scale[:, None])
    assert 0 <= scale.min() < 0.2
    assert 1.5 < scale.max() <= 3


def test_translation_moves_by_up_to_an_eighth_and_fills_with_grey() -> None:
    offsets = set()
    for x, y in zip(pictures(), seen("translation"), strict=True):
        padded = torch.nn.functional.pad(x, (2, 2, 2, 2))
        places = [(r, c) for r in range(5) for c in range(5) if torch.equal(padded[:, r : r + 16, c : c + 16], y)]
        assert len(places) == 1
        offsets |= set(places)
    assert {r for r, _ in offsets} == {c for _, c in offsets} == set(range(5))


def test_cutout_hides_a_square_of_half_the_side() -> None:
    x, y = pictures(), seen("cutout")
    hidden = y == 0
    assert torch.equal(y[~hidden], x[~hidden])
    areas = hidden.sum(dim=(1, 2, 3))
    assert areas.max() == 64
    assert areas.min() >= 16  # a corner
    assert all(bool(hidden[:, 0, r, c].any()) for r in (0, 8, 15) for c in (0, 8, 15))


def test_gradients_pass_the_augmentation() -> None:
    x = pictures().requires_grad_()
    augmented(x, ("colour", "translation", "cutout"), np.random.default_rng(3)).sum().backward()  # type: ignore[no-untyped-call]
    assert x.grad is not None
    assert (x.grad != 0).float().mean() > 0.5


def test_bf16_follows_float32(images: Images) -> None:
    exact, rounded = (np.array(after(3, images, precision=kind)[1]) for kind in ("float32", "bf16"))
    assert not np.array_equal(exact, rounded)
    np.testing.assert_allclose(rounded, exact, atol=0.05)


def test_what_it_cannot_learn_from(make: Make, images: Images) -> None:
    with pytest.raises(DataError, match="acgan-tuned got no training images"):
        SMALL.fit(images.subset(np.arange(0)), make("a"))
    with pytest.raises(DataError, match=r"divisible by 8, found 12x12.*image_size"):
        SMALL.fit(replace(images, pixels=images.pixels[:, :12, :12]), make("b"))
    with pytest.raises(SynthbenchError, match=r"acgan-tuned diverged at step \d+ .*lower learning_rate"):
        changed(learning_rate=1e30, spectral_norm=False).fit(images, make("c"))
