"""Fits a generator within another as a row of its own would be: whoever comes first pays for the training."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

from synthbench.api.interfaces import Context, Sampler
from synthbench.api.nested.generators import NestedGenerator
from synthbench.api.nested.keys import begun_key, fit_key
from synthbench.api.nested.resuming import earlier_cost, fit_resuming, length_of, note_cost
from synthbench.types import Images

__all__ = ["fit_nested"]


def fit_nested(nested: NestedGenerator, train: Images, ctx: Context) -> tuple[Sampler, dict[str, Any]]:
    """The sampler of a generator within the one that `ctx` belongs to, and all that decided it, for a store's key.

    It is fitted under the seed of `ctx`, with the checkpoints of a row of the same options and seed: what that
    row, or another wrapper of it, has trained is not trained again, and counts in the costs all the same. Files
    that it leaves go to the folder `base` of `ctx.workdir`.
    """
    plugin = nested.plugin
    key = fit_key(plugin, nested.use, ctx.device, train, ctx.seed, ctx.pictures)
    length = length_of(plugin)
    with ctx.store.resume_folder("generator", begun_key(plugin, key)) as resume:
        own = replace(ctx, resume=resume, workdir=ctx.workdir / "base")
        own.workdir.mkdir(exist_ok=True)
        earlier = earlier_cost(resume, length)
        ctx.store.count_in(earlier)
        wall, cpu = time.perf_counter(), time.process_time()
        try:
            return fit_resuming(plugin, train, own), key
        finally:
            spent = {"wall_s": time.perf_counter() - wall, "cpu_s": time.process_time() - cpu}
            note_cost(resume, {part: s + (earlier.get(part) or 0.0) for part, s in spent.items()}, length)
