"""`judges`: what they have to be, checked before any work starts."""

from __future__ import annotations

import pytest
import yaml

from synthbench.api.registry import load_registry
from synthbench.benchmark.config import load_benchmark
from synthbench.errors import ConfigError

TWO = [{"use": "tstr", "label": "vgg"}, {"use": "tstr", "label": "cnn", "backbone": "cnn"}]


@pytest.fixture
def load(tmp_path):
    def load(judges=("vgg", "cnn"), evaluators=TWO, headline="vgg.auroc", **changes):
        content = {
            "name": "b",
            "dataset": {"use": "phantom"},
            "headline": headline,
            "evaluators": evaluators,
            **({"judges": list(judges)} if judges else {}),
            **changes,
        }
        file = tmp_path / "b.yaml"
        file.write_text(yaml.safe_dump(content))
        return load_benchmark(file, load_registry())

    return load


def test_judges_stand_in_the_resolved_configuration(load):
    bench = load()
    assert bench.judges == ("vgg", "cnn")
    assert bench.resolved()["judges"] == ["vgg", "cnn"]
    assert bench.ranked_by == ("vgg",)
    assert load(judges=()).judges == ()


def test_their_mean_may_be_the_headline(load):
    bench = load(headline="judges.auroc")
    assert bench.ranked_by == ("vgg", "cnn")
    assert bench.direction == "higher"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"judges": ["vgg"]}, "judges: two labels or more, each once; found vgg"),
        ({"judges": ["vgg", "vgg", "cnn"]}, "judges: two labels or more, each once"),
        ({"judges": ["vgg", "cmm"]}, "judges: no `tstr` evaluator has the label 'cmm'. There is: cnn, vgg."),
        (
            {"evaluators": [*TWO, {"use": "kid"}], "judges": ["vgg", "kid"]},
            "no `tstr` evaluator has the label 'kid'",
        ),
        (
            {"evaluators": [TWO[0], {**TWO[1], "seeds": 3}]},
            "judges: all need the same `seeds`, else one is surer than another; found vgg 1, cnn 3",
        ),
        (
            {"evaluators": [TWO[0], {**TWO[1], "generators": ["noise"]}]},
            "judges: cnn must score every row: take its `generators:` away",
        ),
        (
            {"evaluators": [*TWO, {"use": "trts"}], "headline": "trts.auroc"},
            "headline: with `judges:` it is one of vgg.auroc, cnn.auroc, judges.auroc; found trts.auroc",
        ),
        ({"headline": "judges.aurok"}, "headline: no metric 'judges.aurok'"),
        ({"headline": "judges.auroc", "judges": ()}, "headline: judges.auroc needs `judges:`"),
        ({"evaluators": [*TWO, {"use": "trts", "label": "judges"}]}, "'judges' means all judges in a headline"),
        (
            {"headline": "judges.auroc", "ranking": {"test": "delong"}},
            "ranking.test: delong knows one judge; take bootstrap for their mean",
        ),
    ],
)
def test_wrong_judges_are_refused(load, changes, message):
    with pytest.raises(ConfigError) as caught:
        load(**changes)
    assert message in str(caught.value)


def test_the_judges_mean_can_be_required(load):
    bench = load(headline="judges.auroc", require=["judges.auroc>=.8"])
    assert [str(one) for one in bench.require] == ["judges.auroc >= .8"]
