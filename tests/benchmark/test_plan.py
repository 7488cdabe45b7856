"""The plan: trials as data, hashed seeds, `--only`."""

from typing import ClassVar

import pytest

from synthbench.api.interfaces import Dataset, Evaluator, Generator
from synthbench.benchmark.definition import Benchmark, Entry, Ranking
from synthbench.benchmark.plan import make_plan
from synthbench.errors import ConfigError


class Data(Dataset):
    name: ClassVar[str] = "data"

    def load(self, ctx):
        raise NotImplementedError


class Model(Generator):
    name: ClassVar[str] = "model"

    def fit(self, train, ctx):
        raise NotImplementedError


class Judge(Evaluator):
    name: ClassVar[str] = "judge"
    metrics: ClassVar = {"taste": "higher"}

    def evaluate(self, real, synthetic, ctx):
        raise NotImplementedError


def bench(*labels, seed=0, seeds=1, evaluators=None):
    return Benchmark(
        name="b",
        seed=seed,
        seeds=seeds,
        samples=10,
        headline="judge.taste",
        ranking=Ranking(),
        max_leak=0.01,
        holdout=0.0,
        baselines=False,
        dataset=Entry.of("data", "data", Data()),
        external=(),
        generators=tuple(Entry.of(label, "model", Model()) for label in labels),
        evaluators=evaluators or (Entry.of("judge", "judge", Judge()),),
    )


def seeds(plan):
    return {(trial.generator.label, trial.index): trial.seed for trial in plan}


def test_a_trial_for_each_generator_and_seed_in_the_files_order():
    plan = make_plan(bench("b", "a", seeds=3))
    assert [(t.generator.label, t.index) for t in plan] == [
        ("b", 0),
        ("b", 1),
        ("b", 2),
        ("a", 0),
        ("a", 1),
        ("a", 2),
    ]
    assert plan[1].title == "b, seed 1"


def test_adding_a_generator_or_a_seed_changes_nobody_elses():
    before = seeds(make_plan(bench("a", "b", seeds=2)))
    after = seeds(make_plan(bench("new", "b", "a", seeds=5)))
    assert before.items() <= after.items()
    assert len(set(after.values())) == len(after)


def test_the_benchmarks_seed_changes_all():
    before, after = seeds(make_plan(bench("a", "b"))), seeds(make_plan(bench("a", "b", seed=1)))
    assert not set(before.values()) & set(after.values())


def test_leaving_generators_out_changes_no_seed():
    whole = seeds(make_plan(bench("a", "b", "c", seeds=2)))
    part = make_plan(bench("a", "b", "c", seeds=2), only=["c", "a"])
    assert [t.generator.label for t in part] == ["a", "a", "c", "c"]
    assert seeds(part).items() <= whole.items()


def test_only_with_an_unknown_label_gets_a_suggestion():
    with pytest.raises(
        ConfigError, match=r"--only acgna: no such generator\. Did you mean 'acgan'\? There is: acgan, noise\."
    ):
        make_plan(bench("acgan", "noise"), only=["noise", "acgna"])


def test_the_same_label_twice_in_only_is_one_row():
    assert len(make_plan(bench("a", "b"), only=["a", "a"])) == 1


def test_an_evaluator_restricted_to_some_generators_scores_these_alone():
    everyone = Entry.of("judge", "judge", Judge())
    some = Entry.of("slow", "judge", Judge(), generators=("b",))
    nobody = Entry.of("never", "judge", Judge(), generators=())
    plan = make_plan(bench("a", "b", evaluators=(everyone, some, nobody)))
    assert {t.generator.label: [e.label for e in t.evaluators] for t in plan} == {
        "a": ["judge"],
        "b": ["judge", "slow"],
    }
