"""Training as a whole: what it leaves behind, and that a killed one goes on as if nothing had happened."""

from __future__ import annotations

import csv
import pickle
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from synthbench.api.interfaces import Context
from synthbench.errors import DataError, SynthbenchError
from synthbench.testing import context_in
from synthbench.types import Images
from synthbench_acgan import train as training
from synthbench_acgan.plugin import ACGAN
from synthbench_acgan.sample import load_generator
from synthbench_torchkit.state import load_tensors
from tests.helpers.killing import Killed, KillingProgress

SMALL = ACGAN(
    steps=9,
    log_every=2,
    checkpoint_every=3,
    grid_steps=(0, 4, 700),
    batch_size=4,
    latent=6,
    generator_dense=8,
    generator_filters=(8, 6, 4, 4),
    discriminator_filters=(4, 4, 6, 8),
    discriminator_dense=8,
)

Make = Callable[[str], Context]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """A context with its own, empty folders."""

    def context(name: str) -> Context:
        return context_in(tmp_path / name, seed=5)

    return context


@pytest.fixture(scope="module")
def images() -> Images:
    pixels = np.random.default_rng(0).integers(0, 256, (20, 16, 16, 1), dtype=np.uint8)
    pixels.setflags(write=False)
    return Images(pixels, np.arange(20) % 2, ("NORMAL", "PNEUMONIA"))


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_what_a_training_leaves_behind(make: Make, images: Images) -> None:
    ctx = make("a")
    SMALL.fit(images, ctx)
    assert set(contents(ctx.workdir)) == {
        "losses.csv",
        "generator.safetensors",
        "discriminator.safetensors",
        "grid-000000.png",
        "grid-000004.png",
        "grid-000008.png",
    }
    rows = list(csv.DictReader((ctx.workdir / "losses.csv").open()))
    assert [row["step"] for row in rows] == ["0", "2", "4", "6", "8"]
    assert all(0 < float(row[name]) < 10 for row in rows for name in ("d_tag", "d_label", "g_tag", "g_label"))
    assert Image.open(ctx.workdir / "grid-000004.png").size == (8 * 16, 2 * 16)


def test_a_killed_training_ends_with_the_same_weights(make: Make, images: Images, tmp_path: Path) -> None:
    whole, broken = make("whole"), make("broken")
    SMALL.fit(images, whole)
    for after in (2, 5):  # before the first checkpoint, and between the second and the third
        with pytest.raises(Killed):
            SMALL.fit(images, replace(broken, progress=KillingProgress(after)))
    assert load_tensors(broken.resume / "state.safetensors")[1]["step"] == 3
    with pytest.raises(Killed):
        SMALL.fit(images, replace(broken, progress=KillingProgress(5)))
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    SMALL.fit(images, replace(broken, workdir=fresh))
    assert contents(fresh) == contents(whole.workdir)


def test_checkpoints_of_one_training_are_as_if_each_were_trained_alone(make: Make, images: Images) -> None:
    apart, ctx = make("apart"), make("shared")
    for steps in (5, 9, 4):  # the last finds a longer training's state, and leaves it
        one = SMALL.model_copy(update={"steps": steps})
        work = [replace(c, workdir=c.workdir / str(steps)) for c in (apart, ctx)]
        work[0] = replace(work[0], resume=apart.resume / str(steps))
        for place in (work[0].workdir, work[0].resume, work[1].workdir):
            place.mkdir()
        for surroundings in work:
            one.fit(images, surroundings)
        assert contents(work[0].workdir) == contents(work[1].workdir)
    assert load_tensors(ctx.resume / "state.safetensors")[1]["step"] == 9


def test_a_finished_training_is_not_repeated(make: Make, images: Images, monkeypatch: pytest.MonkeyPatch) -> None:
    ctx = make("a")
    first = SMALL.fit(images, ctx)
    before = contents(ctx.workdir)
    for file in ctx.workdir.iterdir():
        file.unlink()
    monkeypatch.setattr(training, "train_step", lambda *_: pytest.fail("it trained again"))
    second = SMALL.fit(images, ctx)
    assert contents(ctx.workdir) == before
    labels = np.array([0, 1, 1])
    drawn = [sampler(labels, np.random.default_rng(1)) for sampler in (first, second)]
    np.testing.assert_array_equal(*drawn)


def test_the_seed_decides_all(make: Make, images: Images) -> None:
    torch.manual_seed(1)
    SMALL.fit(images, make("a"))
    torch.manual_seed(2)
    SMALL.fit(images, make("b"))
    SMALL.fit(images, replace(make("c"), seed=6))
    a, b, c = (load_file(make_path / "generator.safetensors") for make_path in works(make))
    assert all(torch.equal(a[name], b[name]) for name in a)
    assert not torch.equal(a["spread.weight"], c["spread.weight"])


def works(make: Make) -> list[Path]:
    root = make("probe").workdir.parents[1]
    return [root / name / "work" for name in "abc"]


def test_the_sampler(make: Make, images: Images) -> None:
    ctx = make("a")
    sampler = SMALL.model_copy(update={"sample_batch": 3}).fit(images, ctx)
    labels = np.array([0, 1, 0, 1, 1, 0, 0])
    drawn = sampler(labels, np.random.default_rng(1))
    assert isinstance(drawn, np.ndarray)
    assert drawn.dtype == np.uint8
    assert drawn.shape == (7, 16, 16, 1)
    assert drawn.std() > 0
    again = pickle.loads(pickle.dumps(sampler))(labels, np.random.default_rng(1))
    np.testing.assert_array_equal(again, drawn)
    assert (sampler(labels, np.random.default_rng(2)) != drawn).any()
    assert np.shape(sampler(labels[:0], np.random.default_rng(1))) == (0, 16, 16, 1)


def test_kept_weights_rebuild_the_generator(make: Make, images: Images) -> None:
    ctx = make("a")
    sampler = SMALL.fit(images, ctx)
    rebuilt = load_generator(ctx.workdir / "generator.safetensors")
    assert not rebuilt.training
    z = torch.rand(2, 6)
    assert torch.equal(rebuilt(z, torch.tensor([0, 1])), sampler.generator(z, torch.tensor([0, 1])))  # type: ignore[attr-defined]


def test_colour_and_many_classes(make: Make) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (9, 8, 8, 3), dtype=np.uint8)
    sampler = SMALL.fit(Images(pixels, np.arange(9) % 3, ("A", "B", "C")), make("a"))
    assert np.shape(sampler(np.array([2, 0]), np.random.default_rng(0))) == (2, 8, 8, 3)


def test_a_loss_that_is_no_number_stops_it(make: Make, images: Images) -> None:
    ctx = make("a")
    wild = SMALL.model_copy(update={"learning_rate": 1e18, "checkpoint_every": 1})
    with pytest.raises(SynthbenchError, match=r"diverged at step \d+ .*lower learning_rate"):
        wild.fit(images, ctx)
    assert not contents(ctx.resume)  # neither a grid nor a checkpoint of it


@pytest.mark.parametrize("shape", [(12, 12), (16, 24)])
def test_a_size_that_does_not_fit(shape: tuple[int, int], make: Make) -> None:
    images = Images(np.zeros((2, *shape, 1), dtype=np.uint8), np.array([0, 1]), ("A", "B"))
    with pytest.raises(DataError, match=f"divisible by 8, found {shape[0]}x{shape[1]}.*image_size"):
        SMALL.fit(images, make("a"))


def test_no_images(make: Make, images: Images) -> None:
    with pytest.raises(DataError, match="no training images"):
        SMALL.fit(images.subset(np.arange(0)), make("a"))


def test_the_papers_defaults() -> None:
    plugin = ACGAN()
    assert (plugin.latent, plugin.kernel, plugin.batch_size, plugin.steps) == (100, 5, 16, 2000)
    assert (plugin.learning_rate, plugin.weight_decay, plugin.generator_scale) == (1e-4, 6e-9, 0.5)
    assert "652,000" in str(ACGAN.model_fields["steps"].description)


def test_batches_are_drawn_as_in_the_paper(make: Make, images: Images) -> None:
    config = SMALL.model_copy(update={"batch_size": 4000})
    batch = training.draw_batch(config, images, make("a"), step=3)
    known = {tuple(image.ravel()) for image in images.pixels}
    reals = (batch.real * 255).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()
    assert all(tuple(image.ravel()) in known for image in reals[:50])
    assert batch.fake_labels.float().mean().item() == pytest.approx(0.5, abs=0.05)
    for noise in (batch.d_noise, batch.g_noise):
        assert noise.min() >= -1
        assert noise.max() <= 1
        assert noise.std().item() == pytest.approx(3**-0.5, rel=0.02)
    assert not torch.equal(batch.d_noise, batch.g_noise)


def test_the_plugin_module_does_not_import_torch() -> None:
    code = "import synthbench_acgan.plugin, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
