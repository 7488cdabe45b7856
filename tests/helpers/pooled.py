"""An extractor without a network for the tests of the fidelity evaluators: named pooled.py:Pooled."""

from typing import ClassVar

import numpy as np

from synthbench import Extractor


class Pooled(Extractor):
    """Mean grey levels in the cells of a grid."""

    name: ClassVar[str] = "pooled"
    cells: int = 4

    @property
    def preprocessing(self):
        return f"{self.cells} x {self.cells} means"

    def load(self, train, ctx):
        return self.embed

    def embed(self, pixels):
        n, height, width, _ = pixels.shape
        grid = pixels.reshape(n, self.cells, height // self.cells, self.cells, width // self.cells, -1)
        return grid.mean(axis=(2, 4, 5), dtype=np.float32).reshape(n, -1)
