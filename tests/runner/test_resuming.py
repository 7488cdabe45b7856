"""Checkpoints of a killed training, also damaged ones."""

import pytest

from synthbench import Generator, Skipped
from synthbench.api.nested.resuming import earlier_cost, fit_resuming
from synthbench.testing import tiny_splits


class Careless(Generator):
    """Reads what lies there, as most code does."""

    name = "careless"
    then: str = ""

    def fit(self, train, ctx):
        checkpoint = ctx.resume / "step.txt"
        step = int(checkpoint.read_text()) if checkpoint.exists() else 0
        if self.then:
            checkpoint.write_text("another checkpoint")
            raise {"fails": RuntimeError, "skips": Skipped}[self.then](f"after {step}")
        return lambda labels, rng: step


@pytest.fixture
def train():
    return tiny_splits().train


def test_a_checkpoint_is_gone_on_from(ctx, train):
    (ctx.resume / "step.txt").write_text("700")
    assert fit_resuming(Careless(), train, ctx)(None, None) == 700


def test_damaged_checkpoints_are_named_and_training_begins_anew(ctx, train, monkeypatch):
    said = []
    monkeypatch.setattr(ctx.progress, "say", said.append)
    (ctx.resume / "step.txt").write_text("7x")
    (ctx.resume / "model").mkdir()
    assert fit_resuming(Careless(), train, ctx)(None, None) == 0
    assert not any(ctx.resume.iterdir())
    assert said == [
        f"careless: its checkpoints in {ctx.resume} cannot be gone on from (ValueError: invalid literal for int() "
        "with base 10: '7x'); it begins anew"
    ]


@pytest.mark.parametrize("then", ["fails", "skips"])
def test_a_failure_later_on_is_no_matter_of_checkpoints(ctx, train, then):
    (ctx.resume / "step.txt").write_text("700")
    with pytest.raises((RuntimeError, Skipped), match="after 700"):
        fit_resuming(Careless(then=then), train, ctx)


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"wall_s": "x"}'])
def test_a_damaged_ledger_counts_nothing(ctx, text):
    (ctx.resume / "cost-0.json").write_text(text)
    assert earlier_cost(ctx.resume) == {}
    (ctx.resume / "cost-0.json").write_text('{"wall_s": 1.5, "peak_gpu_mb": null}')
    assert earlier_cost(ctx.resume) == {"wall_s": 1.5, "peak_gpu_mb": None}
