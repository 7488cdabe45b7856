"""The policy `dqn`: a deep Q-network (Mnih et al., Nature 2015) learns which images help a linear head.

An episode is a `Stream`. The reward of an image kept is what it gains a ridge classifier on the probe's features,
fitted to all that is kept so far, on real patients that the probe has not learned from: the fall of the log of its
loss, less the mean fall at that number of images kept at random. As the number to be kept is fixed, what is taken
off is the same whatever is kept, and moves no policy; it takes away the noise of the first images.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np
import numpy.typing as npt
import torch
from stable_baselines3 import DQN
from stable_baselines3.common.callbacks import BaseCallback
from threadpoolctl import threadpool_limits
from torch import nn

from synthbench import Bar, Context, DataError, Images, write_atomic
from synthbench_select.pool import Pool
from synthbench_select.probe import Probe
from synthbench_select.stream import Offers, Real, Stream
from synthbench_torchkit.state import load_tensors, save_tensors

__all__ = ["Dqn", "RidgeHead", "Selection", "fit_dqn", "keep_by", "train_network"]

Floats = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]

KEPT = 200
"""Images of each class that an episode keeps."""

RIDGE = 10.0
"""Penalty of the head's squared weights."""

CONTROLS = 10
"""Episodes that keep at random, whose mean is taken off the reward."""

SCALE = 100.0
"""Rewards are in hundredths of the loss, of order 1, as the network learns best."""

UNITS = (64, 64)


class RidgeHead:
    """A linear classifier of one-hot labels by ridge regression, fitted anew with each image (recursively).

    Its loss is the squared error on real images, the mean of the classes' means.

    features  (V, D) of the real images, labels (V,)
    """

    def __init__(self, features: Floats, labels: Index, classes: int) -> None:
        self.real, self.classes = _with_one(features), classes
        self.truth = np.eye(classes)[labels]
        counts = np.bincount(labels, minlength=classes)
        self.shares = 1 / (counts[labels] * np.count_nonzero(counts))
        self.reset()

    def reset(self) -> None:
        """Forget all images."""
        self.inverse = np.eye(self.real.shape[1]) / RIDGE
        self.weights = np.zeros((self.real.shape[1], self.classes))
        self.scores = np.zeros_like(self.truth)

    def learn(self, feature: Floats, label: int) -> None:
        """One more image, feature (D,)."""
        x = _with_one(feature[None])[0]
        direction = self.inverse @ x
        gain = direction / (1 + x @ direction)
        change = np.eye(self.classes)[label] - x @ self.weights
        self.inverse -= np.outer(gain, direction)
        self.weights += np.outer(gain, change)
        self.scores += np.outer(self.real @ gain, change)

    @property
    def loss(self) -> float:
        return float(self.shares @ np.square(self.scores - self.truth).sum(axis=1))


def _with_one(features: Floats) -> Floats:
    return np.concatenate([features, np.ones((len(features), 1))], axis=1)


class Selection(gymnasium.Env[npt.NDArray[np.float32], np.int64]):
    """Keep (1) or drop (0), one image after another of a pool in random order.

    history  of each episode that ended: decisions so far, the head's loss at the end
    control  mean log of the loss after each number of images kept at random, (n + 1,)
    """

    def __init__(self, offers: Offers, counts: Index, head: RidgeHead, rng: np.random.Generator) -> None:
        size = 4 + 3 * offers.classes
        self.observation_space = gymnasium.spaces.Box(0, np.inf, (size,), dtype=np.float32)
        self.action_space = gymnasium.spaces.Discrete(2)
        self.offers, self.counts, self.head = offers, counts, head
        self.decisions, self.history = 0, list[tuple[int, float]]()
        self.control = np.mean([self._at_random(rng) for _ in range(CONTROLS)], axis=0)

    def _at_random(self, rng: np.random.Generator) -> Floats:
        """The log of the loss after each image kept, where a share of each class is kept at random."""
        order = rng.permutation(len(self.offers.labels))
        nth = np.empty_like(order)
        for label in range(self.offers.classes):
            places = order[self.offers.labels[order] == label]
            nth[places] = np.arange(len(places))
        self.head.reset()
        kept = order[nth[order] < self.counts[self.offers.labels[order]]]
        return np.log([self.head.loss, *(self._loss_with(place) for place in kept)])

    def _loss_with(self, place: int) -> float:
        """Once that image is learnt too."""
        self.head.learn(self.offers.features[place], int(self.offers.labels[place]))
        return self.head.loss

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[npt.NDArray[np.float32], dict[str, Any]]:
        super().reset(seed=seed, options=options)
        self.head.reset()
        self.stream = Stream(self.offers, self.counts, self.np_random.permutation(len(self.offers.labels)))
        self.losses = [float(np.log(self.head.loss))]
        self._reward()  # images that had to be kept before the first choice are nobody's merit
        return self.stream.observation(), {}

    def step(self, action: np.int64) -> tuple[npt.NDArray[np.float32], float, bool, bool, dict[str, Any]]:
        last = self.stream.observation()
        self.stream.decide(keep=bool(action))
        self.decisions += 1
        reward = self._reward()
        if self.stream.done:
            self.history.append((self.decisions, self.head.loss))
            return last, reward, True, False, {}
        return self.stream.observation(), reward, False, False, {}

    def _reward(self) -> float:
        """For the images kept since it was last asked."""
        before = len(self.losses) - 1
        self.losses += [float(np.log(self._loss_with(place))) for place in self.stream.kept[before:]]
        fall, usual = (of[before] - of[len(self.losses) - 1] for of in (self.losses, self.control))
        return SCALE * float(fall - usual)


@dataclass(frozen=True, eq=False)
class Dqn:
    """Keeps, in an order of chance, what the Q-network values more than dropping it."""

    probe: Probe
    real: Real
    network: nn.Sequential

    def __call__(self, images: Images, counts: Index, rng: np.random.Generator) -> Index:
        offers = self.real.offers(images, self.probe)
        return keep_by(self.network, Stream(offers, counts, rng.permutation(len(images))))


def keep_by(network: nn.Module, stream: Stream) -> Index:
    """Positions of what is kept where each image goes as the network rates it, float (inputs,) -> (drop, keep)."""
    with torch.inference_mode(), threadpool_limits(1):
        while not stream.done:
            drop, keep = network(torch.from_numpy(stream.observation())).tolist()
            stream.decide(keep=keep > drop)
    return np.array(stream.kept, dtype=np.int64)


def fit_dqn(probe: Probe, pool: Pool, steps: int, train: Images, ctx: Context) -> Dqn:
    """Learns from `steps` decisions on images drawn for it; `dqn.csv` is its learning curve.

    The rewards come from the training patients that chose the probe's epoch, whom it has not learned from.
    """
    _, features = probe(train)
    real = Real.of(features)
    file = ctx.resume / "dqn.safetensors"
    if not file.exists():
        held_out = probe.classifier.validation
        head = RidgeHead(real.features[held_out], train.labels[held_out], len(train.classes))
        images, _ = pool(np.repeat(np.unique(train.labels), KEPT), ctx.child("dqn", "pool").seed)
        counts = np.bincount(images.labels, minlength=len(train.classes)) // pool.oversample
        if not counts.any():
            raise DataError(f"policy dqn: of {len(images)} images that the base drew there is nothing to learn")
        environment = Selection(real.offers(images, probe), counts, head, ctx.rng("dqn", "control"))
        with ctx.progress.bar("dqn", steps, unit="decisions") as bar:
            network = train_network(environment, steps, ctx.child("dqn").seed, bar)
        control = float(np.exp(environment.control[-1]))
        rows = [[decisions, loss, control] for decisions, loss in environment.history]
        save_tensors(file, network.state_dict(), {"rows": rows})
    weights, about = load_tensors(file)
    lines = [f"{decisions},{loss:.6f},{control:.6f}" for decisions, loss, control in about["rows"]]
    write_atomic(ctx.workdir / "dqn.csv", "\n".join(["decisions,loss,loss_at_random", *lines, ""]))
    network = _network(4 + 3 * len(train.classes))
    network.load_state_dict(weights)
    return Dqn(probe, real, network)


def _network(inputs: int) -> nn.Sequential:
    """Untrained: that of stable-baselines3's `MlpPolicy`, for weights that are read back."""
    with torch.random.fork_rng(devices=[]):
        widths = (inputs, *UNITS)
        hidden = [layer for a, b in zip(widths, UNITS, strict=False) for layer in (nn.Linear(a, b), nn.ReLU())]
        return nn.Sequential(*hidden, nn.Linear(UNITS[-1], 2))


class _Advance(BaseCallback):
    """Moves a bar on."""

    def __init__(self, bar: Bar) -> None:
        super().__init__()
        self.bar = bar

    def _on_step(self) -> bool:
        self.bar.advance(1)
        return True


def train_network(environment: Selection, steps: int, seed: int, bar: Bar) -> nn.Sequential:
    """Of (observation) -> values of (drop, keep); the process's random generators stay as they are."""
    with _own_randomness(), threadpool_limits(1):  # the steps are too small to share
        agent = DQN(
            "MlpPolicy",
            environment,
            learning_rate=1e-3,
            buffer_size=steps,
            learning_starts=min(1000, steps // 10),
            batch_size=64,
            gamma=0.995,
            train_freq=4,
            target_update_interval=500,
            exploration_fraction=0.4,
            policy_kwargs={"net_arch": list(UNITS)},
            seed=seed,
            device="cpu",
        )
        agent.learn(steps, callback=_Advance(bar))
    network: nn.Sequential = agent.q_net.q_net
    return network


@contextmanager
def _own_randomness() -> Iterator[None]:
    """stable-baselines3 seeds and uses the process's random generators: they are put back."""
    states = random.getstate(), np.random.get_state()  # noqa: NPY002 - the old generator is what it uses
    with torch.random.fork_rng(devices=[]):
        try:
            yield
        finally:
            random.setstate(states[0])
            np.random.set_state(states[1])  # noqa: NPY002
