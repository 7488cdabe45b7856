"""One training step against an independent reference: float64, NumPy alone, Keras' layouts (NHWC, HWIO kernels).

The reference knows nothing of torch: every layer below returns its value and a function from the gradient of
its output to the gradients of its input and weights.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from synthbench_acgan.plugin import ACGAN
from synthbench_acgan.train import Batch, Losses, Players, train_step

Array = np.ndarray[Any, np.dtype[np.float64]]
Weights = dict[str, Array]
Back = Callable[[Array], Array]


# ---- layers ----------------------------------------------------------------------------------------------------


def windows(
    x: Array, kernel: int, stride: int
) -> tuple[list[tuple[int, int, tuple[slice, slice, slice]]], Array, int]:
    """Keras' "same": for every kernel position, the pixels of the padded map that it sees."""
    size = x.shape[1]
    outside = -(-size // stride)
    total = max((outside - 1) * stride + kernel - size, 0)
    padded = np.pad(x, ((0, 0), (total // 2, total - total // 2), (total // 2, total - total // 2), (0, 0)))
    seen = []
    for row in range(kernel):
        for column in range(kernel):
            part = (
                slice(None),
                slice(row, row + outside * stride, stride),
                slice(column, column + outside * stride, stride),
            )
            seen.append((row, column, part))
    return seen, padded, total // 2


def correlate(x: Array, w: Array, stride: int) -> Array:
    seen, padded, _ = windows(x, len(w), stride)
    return np.sum([padded[part] @ w[r, c] for r, c, part in seen], axis=0)


def correlate_to_input(dy: Array, w: Array, stride: int) -> Array:
    """The adjoint of `correlate` in x."""
    size = dy.shape[1] * stride
    seen, padded, before = windows(np.zeros((len(dy), size, size, w.shape[2])), len(w), stride)
    for r, c, part in seen:
        padded[part] += dy @ w[r, c].T
    return padded[:, before : before + size, before : before + size]


def correlate_to_kernel(x: Array, dy: Array, kernel: int, stride: int) -> Array:
    """The adjoint of `correlate` in w."""
    seen, padded, _ = windows(x, kernel, stride)
    dw = np.empty((kernel, kernel, x.shape[3], dy.shape[3]))
    for r, c, part in seen:
        dw[r, c] = np.tensordot(padded[part], dy, axes=([0, 1, 2], [0, 1, 2]))
    return dw


class Network:
    """Runs layers forward, and back in reverse order, collecting the gradient of each weight by name."""

    def __init__(self, weights: Weights) -> None:
        self.weights = weights
        self.gradients: Weights = {}
        self.backs: list[Back] = []

    def take(self, name: str) -> tuple[Array, Array]:
        return self.weights[f"{name}.weight"], self.weights[f"{name}.bias"]

    def give(self, name: str, dw: Array, db: Array) -> None:
        for key, value in ((f"{name}.weight", dw), (f"{name}.bias", db)):
            self.gradients[key] = self.gradients.get(key, 0) + value

    def dense(self, x: Array, name: str) -> Array:
        w, b = self.take(name)

        def back(dy: Array) -> Array:
            self.give(name, x.T @ dy, dy.sum(0))
            return dy @ w.T

        self.backs.append(back)
        return x @ w + b

    def conv(self, x: Array, name: str, stride: int) -> Array:
        w, b = self.take(name)

        def back(dy: Array) -> Array:
            self.give(name, correlate_to_kernel(x, dy, len(w), stride), dy.sum((0, 1, 2)))
            return correlate_to_input(dy, w, stride)

        self.backs.append(back)
        return correlate(x, w, stride) + b

    def conv_transpose(self, x: Array, name: str, stride: int) -> Array:
        w, b = self.take(name)  # (k, k, out, in): the kernel of the convolution that this one is the adjoint of

        def back(dy: Array) -> Array:
            self.give(name, correlate_to_kernel(dy, x, len(w), stride), dy.sum((0, 1, 2)))
            return correlate(dy, w, stride)

        self.backs.append(back)
        return correlate_to_input(x, w, stride) + b

    def layer_norm(self, x: Array, name: str) -> Array:
        gamma, beta = self.take(name)
        spread = np.sqrt(x.var(-1, keepdims=True) + 1e-3)
        unit = (x - x.mean(-1, keepdims=True)) / spread

        def back(dy: Array) -> Array:
            self.give(name, (dy * unit).sum((0, 1, 2)), dy.sum((0, 1, 2)))
            d = dy * gamma
            return (d - d.mean(-1, keepdims=True) - unit * (d * unit).mean(-1, keepdims=True)) / spread

        self.backs.append(back)
        return unit * gamma + beta

    def pointwise(self, y: Array, slope: Array) -> Array:
        """y = f(x) elementwise, slope = f'(x)"""
        self.backs.append(lambda dy: dy * slope)
        return y

    def reshape(self, x: Array, *shape: int) -> Array:
        self.backs.append(lambda dy: dy.reshape(x.shape))
        return x.reshape(*shape)

    def back(self, dy: Array) -> Array:
        for step in reversed(self.backs):
            dy = step(dy)
        return dy


class ReferenceGenerator(Network):
    def __call__(self, z: Array, truth: Array) -> Array:
        x = self.dense(self.dense(np.concatenate([z, truth], axis=1), "widen"), "spread")
        filters = len(self.weights["norms.0.weight"])
        start = round((x.shape[1] / filters) ** 0.5)
        x = self.reshape(x, len(z), start, start, filters)
        for i, stride in enumerate((2, 2, 2, 1)):
            x = self.layer_norm(x, f"norms.{i}")
            x = self.pointwise(np.maximum(x, 0), (x > 0).astype(float))
            x = self.conv_transpose(x, f"convs.{i}", stride)
        x = self.conv_transpose(x, "paint", 1)
        y = 1 / (1 + np.exp(-x))
        return self.pointwise(y, y * (1 - y))


class ReferenceDiscriminator(Network):
    def __call__(self, x: Array, mask: Array, slope: float) -> tuple[Array, Array]:
        for i, stride in enumerate((2, 2, 2, 1)):
            x = self.conv(x, f"convs.{i}", stride)
            x = self.pointwise(np.where(x > 0, x, slope * x), np.where(x > 0, 1.0, slope))
        x = self.reshape(x, len(x), -1)
        trunk, self.backs = self.backs, []
        tag = self.dense(x, "tag")
        tag_backs, self.backs = self.backs, []
        hidden = self.dense(x, "hidden")
        logits = self.dense(self.pointwise(hidden * mask, mask), "classify")
        self.parts = (trunk, tag_backs, self.backs)
        return tag[:, 0], logits

    def back_both(self, d_tag: Array, d_logits: Array) -> Array:
        trunk, tag_backs, label_backs = self.parts
        self.backs = tag_backs
        dx = self.back(d_tag[:, None])
        self.backs = label_backs
        dx = dx + self.back(d_logits)
        self.backs = trunk
        return self.back(dx)


# ---- losses and the optimiser ----------------------------------------------------------------------------------


def mse(tag: Array, target: Array) -> tuple[float, Array]:
    return float(np.mean((tag - target) ** 2)), 2 * (tag - target) / len(tag)


def crossentropy(logits: Array, truth: Array, kind: str) -> tuple[float, Array]:
    if kind == "keras":
        p = 1 / (1 + np.exp(-logits))
        value, dp = binary(p, truth)
        return value, dp * p * (1 - p)
    power = np.exp(logits - logits.max(1, keepdims=True))
    p = power / power.sum(1, keepdims=True)
    value, dp = binary(p, truth)
    return value, p * (dp - (dp * p).sum(1, keepdims=True))


def binary(p: Array, truth: Array) -> tuple[float, Array]:
    q = np.clip(p, 1e-7, 1 - 1e-7)
    value = -np.mean(truth * np.log(q) + (1 - truth) * np.log(1 - q))
    return float(value), np.where(p == q, ((1 - truth) / (1 - q) - truth / q) / p.size, 0.0)


def rmsprop(weights: Weights, gradients: Weights, squares: Weights, rate: float, decay: float) -> None:
    for name, gradient in gradients.items():
        squares[name] = 0.9 * squares.get(name, 0.0) + 0.1 * gradient**2
        weights[name] = weights[name] - weights[name] * decay * rate
        weights[name] = weights[name] - rate * gradient / np.sqrt(squares[name] + 1e-7)


G_PENALISED = ("spread",)
D_PENALISED = ("convs.0", "convs.1", "convs.2", "convs.3", "hidden")


def add_penalty(network: Network, names: tuple[str, ...], l2: float) -> None:
    for name in names:
        network.gradients[f"{name}.weight"] += 2 * l2 * network.weights[f"{name}.weight"]


class Reference:
    def __init__(self, config: ACGAN, g: Weights, d: Weights) -> None:
        self.config, self.g, self.d = config, g, d
        self.g_squares: Weights = {}
        self.d_squares: Weights = {}

    def step(self, batch: dict[str, Array], masks: list[Array]) -> Losses:
        c = self.config
        n = len(batch["real"])
        fake = ReferenceGenerator(self.g)(batch["d_noise"], batch["fake_truth"])
        d = ReferenceDiscriminator(self.d)
        tag, logits = d(np.concatenate([batch["real"], fake]), masks[0], c.slope)
        d_tag, dt = mse(tag, np.repeat([1.0, 0.0], n))
        truth = np.concatenate([batch["real_truth"], batch["fake_truth"]])
        d_label, dl = crossentropy(logits, truth, c.label_loss)
        d.back_both(dt, dl)
        add_penalty(d, D_PENALISED, c.l2)
        rmsprop(self.d, d.gradients, self.d_squares, c.learning_rate, c.weight_decay)

        g, d = ReferenceGenerator(self.g), ReferenceDiscriminator(self.d)
        tag, logits = d(g(batch["g_noise"], batch["fake_truth"]), masks[1], c.slope)
        g_tag, dt = mse(tag, np.ones(n))
        g_label, dl = crossentropy(logits, batch["fake_truth"], c.label_loss)
        g.back(d.back_both(dt, dl))
        add_penalty(g, G_PENALISED, c.l2)
        scale = c.generator_scale
        rmsprop(self.g, g.gradients, self.g_squares, c.learning_rate * scale, c.weight_decay * scale)
        return Losses(d_tag, d_label, g_tag, g_label)


# ---- between the two -------------------------------------------------------------------------------------------


def keras_layout(module: torch.nn.Module) -> Weights:
    """A copy of the weights, kernels as Keras stores them."""
    axes: dict[type, tuple[int, ...]] = {}
    axes = {torch.nn.Linear: (1, 0), torch.nn.Conv2d: (2, 3, 1, 0), torch.nn.ConvTranspose2d: (2, 3, 1, 0)}
    found: Weights = {}
    for name, layer in module.named_modules():
        for key, weight in layer.named_parameters(recurse=False):
            order = next((a for kind, a in axes.items() if isinstance(layer, kind) and key == "weight"), None)
            array = weight.detach().numpy()
            found[f"{name}.{key}"] = (array.transpose(order) if order else array).copy()
    return found


def draw(
    rng: np.random.Generator, config: ACGAN, size: int, channels: int, classes: int
) -> tuple[Batch, dict[str, Array]]:
    n = config.batch_size
    real, d_noise, g_noise = rng.random((n, size, size, channels)), *rng.uniform(-1, 1, (2, n, config.latent))
    real_labels, fake_labels = rng.integers(classes, size=(2, n))
    ours = Batch(
        torch.from_numpy(real).permute(0, 3, 1, 2),
        *(torch.from_numpy(x) for x in (real_labels, fake_labels, d_noise, g_noise)),
    )
    eye = np.eye(classes)
    theirs = {"real": real, "d_noise": d_noise, "g_noise": g_noise}
    return ours, {**theirs, "real_truth": eye[real_labels], "fake_truth": eye[fake_labels]}


def record_masks(players: Players) -> list[Array]:
    """The factors by which dropout multiplies, one array a call."""
    masks: list[Array] = []
    players.discriminator.dropout.register_forward_hook(
        lambda _, inputs, output: masks.append((output / inputs[0]).detach().numpy())
    )
    return masks


def close(ours: Weights, theirs: Weights, before: Weights) -> None:
    """Updates, not only weights, agree: the weights alone would hide an error behind their own size."""
    for name in theirs:
        np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-9, atol=1e-13, err_msg=name)
        np.testing.assert_allclose(
            ours[name] - before[name], theirs[name] - before[name], rtol=1e-6, atol=1e-11, err_msg=name
        )


SMALL = {
    "generator_filters": (6, 5, 4, 3),
    "discriminator_filters": (3, 4, 5, 6),
    "generator_dense": 9,
    "discriminator_dense": 7,
    "latent": 5,
    "batch_size": 4,
}


@pytest.mark.full
@pytest.mark.parametrize(
    ("options", "size", "channels", "classes"),
    [
        ({**SMALL}, 16, 3, 2),
        ({**SMALL, "weight_decay": 2.0, "l2": 0.1, "learning_rate": 1e-2}, 24, 1, 3),
        ({**SMALL, "kernel": 4, "slope": 0.1, "dropout": 0.0, "generator_scale": 0.7}, 16, 1, 2),
        ({**SMALL, "label_loss": "keras"}, 16, 1, 2),
        ({"batch_size": 2}, 32, 3, 2),
    ],
    ids=[
        "paper's settings",
        "strong decay, three classes",
        "even kernel",
        "the notebook's label loss",
        "paper's widths",
    ],
)
def test_steps_agree_with_the_reference(options: dict[str, Any], size: int, channels: int, classes: int) -> None:
    config = ACGAN(**options)
    torch.manual_seed(7)
    players = Players(config, size, channels, classes).to(torch.device("cpu"), torch.float64)
    randomise_affine(players)
    masks = record_masks(players)
    before_g, before_d = keras_layout(players.generator), keras_layout(players.discriminator)
    reference = Reference(config, dict(before_g), dict(before_d))
    rng = np.random.default_rng(3)
    for _ in range(1 if size == 32 else 3):
        masks.clear()
        ours, theirs = draw(rng, config, size, channels, classes)
        losses = train_step(players, ours)
        assert all((mask == 0).any() == (config.dropout > 0) for mask in masks)
        np.testing.assert_allclose(losses, reference.step(theirs, masks), rtol=1e-9)
    close(keras_layout(players.discriminator), reference.d, before_d)
    close(keras_layout(players.generator), reference.g, before_g)


def randomise_affine(players: Players) -> None:
    """Biases and norms start at 0 and 1, where mistakes in them would not show."""
    for module in (players.generator, players.discriminator):
        for name, weight in module.named_parameters():
            if name.endswith("bias") or name.startswith("norms"):
                torch.nn.init.normal_(weight, mean=weight.mean().item(), std=0.1)


def test_float32_follows_the_float64_reference() -> None:
    """The precision that training uses: losses to 5 digits after three steps."""
    config = ACGAN(**SMALL, dropout=0.0)
    torch.manual_seed(1)
    players = Players(config, 16, 1, 2)
    weights = [
        {k: v.astype(np.float64) for k, v in keras_layout(m).items()}
        for m in (players.generator, players.discriminator)
    ]
    reference = Reference(config, *weights)
    rng = np.random.default_rng(3)
    ones = [np.ones((8, 7)), np.ones((4, 7))]
    for _ in range(3):
        ours, theirs = draw(rng, config, 16, 1, 2)
        single = Batch(
            ours.real.float(), ours.real_labels, ours.fake_labels, ours.d_noise.float(), ours.g_noise.float()
        )
        np.testing.assert_allclose(train_step(players, single), reference.step(theirs, ones), rtol=1e-5)
