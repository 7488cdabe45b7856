"""Drawings of the paper's two networks as SVG, from what runs through them: no shape or count is typed by hand.

`python benchmarks/pages/paper/networks.py FOLDER`
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib
import torch
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Rectangle
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from synthbench_acgan.model import Discriminator, Generator

__all__ = ["Box", "draw_networks", "trace"]

ACTIVATIONS = {
    "relu": "ReLU",
    "leaky_relu": "LeakyReLU {negative_slope:g}",
    "sigmoid": "sigmoid",
    "softmax": "softmax",
}
COLORS = {"Conv": "#cfe3f7", "Linear": "#fbe0c3", "Norm": "#ddefd5", "": "#eeeeee"}
WIDTH, HEIGHT, GAP = 3.4, 0.5, 0.28


@dataclass
class Box:
    """A layer: what it does, the shape that leaves it (of one image), its parameters."""

    name: str
    text: str
    shape: tuple[int, ...]
    parameters: int = 0


class _Recorder(TorchFunctionMode):
    """Notes the layers of a network, by hooks, and the activations between them, in the order they run."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.boxes: list[Box] = []
        self.outputs: list[Tensor] = []  # of each box, kept to see what an activation is applied to
        for name, layer in network.named_modules():
            if not list(layer.children()) and name:
                layer.register_forward_hook(lambda m, _, out, name=name: self._layer(name, m, out))

    def _layer(self, name: str, layer: nn.Module, out: Tensor) -> None:
        parameters = sum(p.numel() for p in layer.parameters())
        self.boxes.append(Box(name, describe(layer), _shape(out), parameters))
        self.outputs.append(out)

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        text = ACTIVATIONS.get(getattr(func, "__name__", ""))
        for box, output in zip(self.boxes, self.outputs, strict=True):
            if text and output is args[0]:
                box.text += ", " + text.format(**(kwargs or {}))
        return out


def describe(layer: nn.Module) -> str:
    """A layer in one line."""
    if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
        kind = "ConvTranspose" if isinstance(layer, nn.ConvTranspose2d) else "Conv"
        high, wide = layer.kernel_size
        return f"{kind} {high}×{wide}, stride {layer.stride[0]}"
    if isinstance(layer, nn.LayerNorm):
        return "LayerNorm over channels"
    if isinstance(layer, nn.Dropout):
        return f"dropout {layer.p:g}"
    if isinstance(layer, nn.Linear):
        return f"Linear {layer.in_features:,} → {layer.out_features:,}"
    return type(layer).__name__


def trace(network: nn.Module, *inputs: Tensor) -> list[Box]:
    """The boxes of a network in the order they run."""
    recorder = _Recorder(network)
    with torch.no_grad(), recorder:
        network.eval()(*inputs)
    return recorder.boxes


def _shape(out: Tensor) -> tuple[int, ...]:
    """Of one image, height and width first, as the paper writes it."""
    return (*out.shape[2:], out.shape[1])


def draw_networks(folder: Path) -> None:
    """acgan-generator.svg and acgan-discriminator.svg: the paper's sizes, 64x64x3 and two classes."""
    generator, discriminator = Generator(), Discriminator()
    size = generator.config
    z, labels = torch.zeros(1, size["latent"]), torch.zeros(1, dtype=torch.int64)
    images = torch.zeros(1, size["channels"], size["image_size"], size["image_size"])
    start = f"noise {size['latent']} from U(−1, 1) + one-hot label {size['n_classes']}"
    first = Box("", start, (size["latent"] + size["n_classes"],))
    draw_stack([first, *trace(generator, z, labels)], "Generator", folder / "acgan-generator.svg")
    image = Box("", "image, real or generated", _shape(images))
    draw_stack([image, *trace(discriminator, images)], "Discriminator", folder / "acgan-discriminator.svg")


def draw_stack(boxes: Sequence[Box], title: str, path: Path) -> None:
    """Boxes from top to bottom; the layer called "tag" stands beside the others, fed by the last convolution."""
    main = [box for box in boxes if box.name != "tag"]
    aside = [box for box in boxes if box.name == "tag"]
    rows = len(main) * (HEIGHT + GAP)
    width = 10.2 if aside else 6.6
    figure = Figure(figsize=(width * 0.85, (rows + 0.75) * 0.85), facecolor="white")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, width), ylim=(-rows, 0.75), aspect="equal")
    axes.set_axis_off()
    total = sum(box.parameters for box in boxes)
    axes.text(
        0.15, 0.4, f"{title}: {total:,} parameters", fontsize=13, fontweight="bold", va="center", color="black"
    )
    tops = [-index * (HEIGHT + GAP) for index in range(len(main))]
    for box, top, above in zip(main, tops, [None, *tops], strict=False):
        draw_box(axes, box, 1.5, top)
        if above is not None:
            draw_arrow(axes, (1.5 + WIDTH / 2, above - HEIGHT), (1.5 + WIDTH / 2, top))
    for box in aside:
        split = max(i for i, other in enumerate(main) if other.name.startswith("convs"))
        left = 1.5 + WIDTH + 1.55
        draw_box(axes, box, left, tops[split + 1], icon=False)
        start = (1.5 + WIDTH, tops[split] - HEIGHT / 2)
        draw_arrow(axes, start, (left + WIDTH / 2, tops[split + 1]), bend=True)
    with matplotlib.rc_context(
        {"svg.fonttype": "none", "svg.hashsalt": "synthbench", "font.family": "sans-serif"}
    ):
        figure.savefig(path, metadata={"Date": None}, facecolor="white")


def draw_box(axes: Any, box: Box, left: float, top: float, icon: bool = True) -> None:
    """The box, its output shape and parameters inside; to its left the map that leaves it, drawn to scale."""
    kind = next(kind for kind in COLORS if kind in box.text)
    outline: dict[str, Any] = {"facecolor": COLORS[kind], "edgecolor": "#444444", "linewidth": 0.8}
    corners = "round,pad=0,rounding_size=0.08"
    axes.add_patch(FancyBboxPatch((left, top - HEIGHT), WIDTH, HEIGHT, boxstyle=corners, **outline))
    middle = left + WIDTH / 2
    shape = " × ".join(f"{n:,}" for n in box.shape)
    count = f"   {box.parameters:,} parameters" if box.parameters else ""
    axes.text(middle, top - 0.16, box.text, ha="center", va="center", fontsize=9, color="black")
    axes.text(middle, top - 0.36, f"→ {shape}{count}", ha="center", va="center", fontsize=8, color="#333333")
    if icon and len(box.shape) == 3:
        side = 0.55 * box.shape[0] / 64
        centre = top - HEIGHT / 2
        square = Rectangle((1.0 - side, centre - side / 2), side, side, facecolor="#8fa8c4", edgecolor="#444444")
        axes.add_patch(square)


def draw_arrow(axes: Any, start: tuple[float, float], end: tuple[float, float], bend: bool = False) -> None:
    style: dict[str, Any] = {"connectionstyle": "angle,angleA=0,angleB=90,rad=4"} if bend else {}
    axes.add_patch(
        FancyArrowPatch(
            start, end, arrowstyle="-|>", mutation_scale=8, color="#444444", lw=0.9, shrinkA=0, shrinkB=0, **style
        )
    )


if __name__ == "__main__":
    draw_networks(Path(sys.argv[1]))
