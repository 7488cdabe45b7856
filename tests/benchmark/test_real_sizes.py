"""`real_sizes`: the headline's evaluator once more, on ever fewer real images; refused where it means nothing."""

import pytest

from synthbench.api.registry import load_registry
from synthbench.benchmark.config import load_benchmark
from synthbench.benchmark.plan import make_plan
from synthbench.errors import ConfigError


@pytest.fixture
def load():
    registry = load_registry()

    def load(**changes):
        content = {
            "name": "worth",
            "samples": 500,
            "real_sizes": [50, 200],
            "dataset": {"use": "phantom"},
            "generators": [{"use": "pca-gaussian"}],
            "evaluators": [{"use": "tstr", "backbone": "cnn", "images": 400, "seeds": 2}, {"use": "kid"}],
        }
        return load_benchmark({**content, **changes}, registry)

    return load


def test_the_balanced_ceiling_alone_is_scored_at_each_size_by_the_headlines_recipe(load):
    bench = load()
    curve = bench.evaluator(bench.size_curve)
    headline = bench.evaluator("tstr").plugin
    assert (curve.label, curve.generators) == ("tstr-real-sizes", ("balanced-resample",))
    assert (curve.plugin.sizes, curve.plugin.images) == ((50, 200), None)
    assert curve.plugin.recipe == headline.recipe
    assert curve.plugin.seeds == headline.seeds
    scored = {trial.generator.label for trial in make_plan(bench) if curve in trial.evaluators}
    assert scored == {"balanced-resample"}


def test_it_stands_in_the_resolved_configuration_which_reads_the_same(load):
    resolved = load().resolved()
    assert resolved["real_sizes"] == [50, 200]
    assert load_benchmark(resolved, load_registry()).resolved() == resolved
    assert "real_sizes" not in load(real_sizes=[]).resolved()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"real_sizes": [50]}, "real_sizes: two numbers or more, ascending, each once; found [50]"),
        ({"real_sizes": [200, 50]}, "ascending"),
        ({"real_sizes": [0, 50]}, "two numbers or more"),
        ({"real_sizes": [50, 501]}, "at most `samples: 500` real images are drawn; found 501"),
        ({"headline": "kid.kid[efficientnet-lite0]"}, "needs a headline of a `tstr` evaluator; found kid.kid"),
        ({"baselines": False}, "needs real images to compare with: `baselines: true`"),
        (
            {
                "evaluators": [{"use": "tstr", "label": "a"}, {"use": "tstr", "label": "b"}],
                "judges": ["a", "b"],
                "headline": "judges.auroc",
            },
            "the headline must be one judge's, not their mean",
        ),
    ],
)
def test_what_makes_no_curve_is_refused(load, changes, message):
    with pytest.raises(ConfigError) as caught:
        load(**changes)
    assert message in str(caught.value)
