"""The classifier's training loop: Adam, early stopping on the validation loss, best weights kept."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from synthbench import Bar, Context, Images, SynthbenchError
from synthbench_torchkit.device import layout
from synthbench_torchkit.precision import autocast, warn_if_slow
from synthbench_torchkit.recipe import Recipe
from synthbench_torchkit.tensors import to_float

__all__ = ["Epoch", "batch_of", "fit", "loss_of", "probabilities_of"]

ADAM_EPSILON = 1e-7
"""Keras' default. Keras adds it before the bias correction, torch after: a difference of rounding size here."""

Index = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Epoch:
    """One row of the history. Training figures are means over the epoch's steps, dropout on, as in Keras.

    `best` marks the one epoch whose weights were kept.
    """

    epoch: int
    train_loss: float
    train_accuracy: float
    val_loss: float
    val_accuracy: float
    best: bool = False


def fit(
    model: nn.Module, images: Images, train: Index, validation: Index, recipe: Recipe, ctx: Context
) -> list[Epoch]:
    """Train `model`, which lies on its device, and leave it with the weights of the best epoch.

    `train` and `validation` are positions in `images`. Dropout draws from torch's global random state.
    Raises SynthbenchError where the loss is no longer a number.
    """
    warn_if_slow(next(model.parameters()).device, recipe.precision, ctx)
    optimiser = torch.optim.Adam(model.parameters(), lr=recipe.learning_rate, eps=ADAM_EPSILON)
    history: list[Epoch] = []
    best, best_state = 0, dict[str, Tensor]()
    with ctx.progress.bar(f"classifier {recipe.backbone}", recipe.epochs * len(train)) as bar:
        for number in range(1, recipe.epochs + 1):
            # From seed and epoch alone: how much dropout has drawn before does not move the order.
            order = ctx.rng("order", number).permutation(train)
            trained = _train_epoch(model, optimiser, images, order, recipe, bar)
            checked = _validate(model, images, validation, recipe)
            history.append(Epoch(number, *trained, *checked))
            _report(history[-1], recipe, ctx, bar)
            # Of equal losses the earlier epoch stays: it cost less and has had less time to overfit.
            if number == 1 or history[-1].val_loss < history[best].val_loss:
                best = number - 1
                # `state_dict` hands out the live tensors, which the next step changes in place.
                best_state = {name: tensor.clone() for name, tensor in model.state_dict().items()}
            if len(history) - 1 - best >= recipe.patience:
                break
    model.load_state_dict(best_state)
    history[best] = replace(history[best], best=True)
    return history


def _train_epoch(
    model: nn.Module, optimiser: torch.optim.Optimizer, images: Images, order: Index, recipe: Recipe, bar: Bar
) -> tuple[float, float]:
    """Mean loss and accuracy of one pass."""
    model.train()  # `_validate` switched it off
    totals = _Totals()
    for batch in _batches(order, recipe.batch_size):
        pixels, labels = batch_of(images, batch, model)
        optimiser.zero_grad(set_to_none=True)
        with autocast(pixels.device, recipe.precision):
            logits = model(pixels)
        loss = loss_of(logits, labels)
        torch.autograd.backward(loss)  # what `loss.backward()` calls, with types
        optimiser.step()
        totals.add(loss.detach(), logits.detach(), labels)
        bar.advance(len(batch))
    return totals.means()


def _batches(order: Index, size: int) -> Iterator[Index]:
    """Consecutive batches. A last one of a single image is left out: batch norm has no variance of one."""
    for start in range(0, len(order), size):
        batch = order[start : start + size]
        if len(batch) > 1 or len(order) == 1:
            yield batch


def _validate(model: nn.Module, images: Images, index: Index, recipe: Recipe) -> tuple[float, float]:
    model.eval()
    totals = _Totals()
    with torch.inference_mode():
        for start in range(0, len(index), recipe.batch_size):
            pixels, labels = batch_of(images, index[start : start + recipe.batch_size], model)
            with autocast(pixels.device, recipe.precision):
                logits = model(pixels)
            totals.add(loss_of(logits, labels), logits, labels)
    return totals.means()


class _Totals:
    """Sums over batches, left on the device until asked for: reading each step's loss would stall a GPU."""

    def __init__(self) -> None:
        self.n = 0
        self.loss: Tensor | float = 0.0
        self.right: Tensor | float = 0.0

    def add(self, loss: Tensor, logits: Tensor, labels: Tensor) -> None:
        self.n += len(labels)
        # In double: a mean over thousands of batches summed in float32 would lose digits. Weighted by size, since
        # the last batch may be smaller.
        self.loss = self.loss + loss.double() * len(labels)
        self.right = self.right + (probabilities_of(logits).argmax(1) == labels).sum()

    def means(self) -> tuple[float, float]:
        return float(self.loss) / self.n, float(self.right) / self.n


def _report(row: Epoch, recipe: Recipe, ctx: Context, bar: Bar) -> None:
    losses = f"loss {row.train_loss:.4f}, validation {row.val_loss:.4f}"
    bar.advance(0, note=losses)
    ctx.log.info(
        "%s epoch %d/%d: %s, accuracy %.4f, validation %.4f",
        *(recipe.backbone, row.epoch, recipe.epochs, losses, row.train_accuracy, row.val_accuracy),
    )
    if not (math.isfinite(row.train_loss) and math.isfinite(row.val_loss)):
        raise SynthbenchError(
            f"the {recipe.backbone} classifier diverged in epoch {row.epoch} ({losses}); "
            f"lower its learning_rate, now {recipe.learning_rate:g}"
        )


def batch_of(images: Images, index: Index, model: nn.Module) -> tuple[Tensor, Tensor]:
    """Pixels (n, C, H, W), 0-1, and labels (n,) on the model's device."""
    device = next(model.parameters()).device
    pixels = to_float(images.pixels[index], device).contiguous(memory_format=layout(device))
    return pixels, torch.from_numpy(images.labels[index]).to(device)


def loss_of(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean cross-entropy; from logits, so that no probability is rounded to 0 or 1 first, and in float32."""
    logits = logits.float()
    if logits.shape[1] == 1:
        return F.binary_cross_entropy_with_logits(logits[:, 0], labels.to(logits.dtype))
    return F.cross_entropy(logits, labels)


def probabilities_of(logits: Tensor) -> Tensor:
    """Logits (N, 1) or (N, K) -> float64 (N, 2) or (N, K), rows sum to 1."""
    logits = logits.double()
    if logits.shape[1] == 1:
        return torch.cat([(-logits).sigmoid(), logits.sigmoid()], dim=1)
    return logits.softmax(1)
