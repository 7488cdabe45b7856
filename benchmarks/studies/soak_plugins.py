"""Plugins that do what they should not, for `soak.py`: one of each kind, told what to do by an option."""

from __future__ import annotations

FOREIGN = """
import ctypes, os, shutil, sys, time
import numpy as np
from synthbench import Evaluation, Evaluator, Generator, Score
from synthbench_phantom.plugin import Phantom

class Textless(Exception):
    __str__ = None

def do(act, ctx, lent):
    exec(ACTS[act][0], {**globals(), "ctx": ctx, "lent": lent}) if act else None

class Maker(Generator):
    name = "maker"
    fits: str = ""
    draws: str = ""
    returns: str = "np.repeat(train.pixels[:1], len(labels), axis=0)"

    def fit(self, train, ctx):
        do(self.fits, ctx, train)
        def sampler(labels, rng):
            do(self.draws, ctx, train)
            return eval(self.returns, {"np": np, "train": train, "labels": labels})
        return sampler

class Judge(Evaluator):
    name = "judge"
    metrics = {"one": "higher"}
    judges: str = ""
    scores: str = "Score('one', 1.0, 'test', 1)"

    def evaluate(self, real, synthetic, ctx):
        do(self.judges, ctx, real.train)
        return Evaluation([eval(self.scores)])

class Data(Phantom):
    name = "data"
    loads: str = ""

    def load(self, ctx):
        do(self.loads, ctx, None)
        return super().load(ctx)
"""

ACTS: dict[str, tuple[str, bool | None]] = {
    "os._exit": ("os._exit(0)", True),
    "segfault": ("ctypes.string_at(0)", True),
    "hang": ("time.sleep(3600)", True),
    "sys.exit": ("sys.exit(0)", True),
    "unencodable": (r'raise RuntimeError("\ud800")', True),
    "textless": ("raise Textless", True),
    "memory": ("kept = []\nwhile True: kept.append(np.ones(1 << 23)); time.sleep(0.02)", True),
    "flips labels": ("lent.labels.flags.writeable = True; lent.labels[:] = 1 - lent.labels", True),
    "chdir": ('os.chdir("/")', False),
    "default dtype": ("import torch; torch.set_default_dtype(torch.float64)", False),
    "no_grad": ("import torch; torch.set_grad_enabled(False)", False),
    "seeds NumPy": ("np.random.seed(0)", False),
    "fills the log": ('[ctx.log.info("x" * 1000) for _ in range(20_000)]', False),
    "deletes its folder": ("shutil.rmtree(ctx.workdir)", None),
}
"""What a plugin does, and whether its own row has to fail for it: None, either will do."""

RETURNS = ["None", "np.zeros((len(labels), *train.shape))", "train.pixels[:1]"]
SCORES = [
    "Score('one', 1.0, 'test', 'many')",
    "Score('one', 1.0, 'test', 1, note=3)",
    "Score('one', 'x', 'test', 1)",
]
"""Of wrong kinds."""
