"""The plan: trials as data, hashed seeds, `--only`."""

from typing import ClassVar

import pytest

from synthbench.api.interfaces import Dataset, Evaluator, Generator
from synthbench.api.origin import Origin
from synthbench.benchmark.definition import Benchmark, Entry, Headline, Ranking
from synthbench.benchmark.plan import FLOOR_DRAWS, make_plan, scorers, seeds_of
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
        headline=Headline("judge", "taste"),
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


class Noise(Model):
    name: ClassVar[str] = "noise"
    role: ClassVar[str] = "floor"


class Quick(Model):
    name: ClassVar[str] = "quick"
    quick: ClassVar[bool] = True


class Trainer(Judge):
    name: ClassVar[str] = "trainer"
    seeds: int = 3

    @property
    def trainings(self):
        return self.seeds

    def once(self):
        return self.model_copy(update={"seeds": 1})


def floored(seeds=1, restricted=None):
    trainer = Entry.of("trainer", "trainer", Trainer(), generators=restricted)
    evaluators = (trainer, Entry.of("judge", "judge", Judge()), Entry.of("other", "trainer", Trainer()))
    content = vars(bench("a", seeds=seeds, evaluators=evaluators))
    generators = (*content["generators"], Entry.of("noise", "noise", Noise()))
    return Benchmark(**{**content, "generators": generators, "headline": Headline("trainer", "taste")})


def quickly(seeds=1, **changes):
    content = vars(floored(seeds, **changes))
    generators = (*content["generators"], Entry.of("quick", "quick", Quick()))
    return Benchmark(**{**content, "generators": generators, "judges": ("trainer", "other")})


@pytest.mark.parametrize("seeds", [1, 2])
def test_a_quick_generator_has_a_seed_for_each_classifier_and_no_training_more(seeds):
    draws = trials_of(quickly(seeds), "quick")
    assert len(draws) == len({draw.seed for draw in draws}) == 3 * seeds
    assert seeds_of(quickly(seeds), draws[0].generator) == 3 * seeds
    for label in ("trainer", "other"):
        assert [draw.evaluator(label).plugin.seeds for draw in draws] == [1] * 3 * seeds
    scored = [len(draw.evaluators) for draw in draws]
    assert scored == [3] * seeds + [2] * 2 * seeds, "what is no judge scores the file's seeds"
    assert len(trials_of(quickly(seeds), "a")) == seeds


def test_a_quick_generator_that_the_headline_spares_has_the_files_seeds():
    (trial,) = trials_of(quickly(restricted=("a",)), "quick")
    assert trial.evaluator("other").plugin.seeds == 3


def trials_of(benchmark, label):
    return [trial for trial in make_plan(benchmark) if trial.generator.label == label]


def test_a_floor_is_drawn_five_times_generator_and_classifier_together():
    draws = trials_of(floored(), "noise")
    assert len(draws) == FLOOR_DRAWS == 5
    assert len({draw.seed for draw in draws}) == 5
    assert [draw.evaluator("trainer").plugin.seeds for draw in draws] == [1] * 5
    (candidate,) = trials_of(floored(), "a")
    assert candidate.evaluator("trainer").plugin.seeds == 3


def test_further_draws_of_a_floor_cost_the_headlines_evaluator_alone():
    first, *further = trials_of(floored(), "noise")
    assert [e.label for e in first.evaluators] == ["trainer", "judge", "other"]
    assert first.evaluator("other").plugin.seeds == 3, "it has one draw, as its candidates have"
    assert [[e.label for e in draw.evaluators] for draw in further] == [["trainer"]] * 4
    assert [e.label for e in scorers(floored(), first.generator, 4)] == ["trainer"]
    assert seeds_of(floored(), first.generator) == 5


def test_a_floor_has_no_fewer_trials_than_the_file_says_and_no_more_where_the_headline_spares_it():
    assert len(trials_of(floored(seeds=10), "noise")) == 10
    assert len(trials_of(floored(seeds=2, restricted=("a",)), "noise")) == 2


class Folder(Model):
    name: ClassVar[str] = "folder"

    def origin(self):
        return Origin(seeds=1)


def test_a_generator_has_no_more_trials_than_seeds():
    content = vars(bench("a", seeds=3))
    ready = Entry.of("ready", "folder", Folder())
    plan = make_plan(Benchmark(**{**content, "generators": (*content["generators"], ready)}))
    assert [trial.title for trial in plan] == ["a, seed 0", "a, seed 1", "a, seed 2", "ready, seed 0"]
