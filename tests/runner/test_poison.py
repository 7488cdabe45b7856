"""A plugin that changes what it was given fails its own row, leaves nothing in the store, moves no other row."""

import json

import numpy as np
import pytest

HARM = {
    "base array": "labels = {x}.labels.base if {x}.labels.base is not None else {x}.labels\n"
    "        labels.flags.writeable = True\n        labels[:] = 1 - labels",
    "flag": "{x}.groups.flags.writeable = True\n        {x}.groups[:] = 'all of them'",
    "pixels": "pixels = {x}.pixels if {x}.pixels.base is None else {x}.pixels.base\n"
    "        pixels.flags.writeable = True\n        pixels[:] = 0",
    "field": "object.__setattr__({x}, 'labels', 1 - {x}.labels)",
    "classes": "object.__setattr__({x}, 'classes', {x}.classes[::-1])",
}

GENERATOR = """

class Vandal(MeanNoise):
    name: ClassVar[str] = 'vandal'

    def fit(self, train, ctx):
        {harm}
        ctx.store.make('side', {{'of': train.digest}}, lambda folder: None)
        return super().fit(train, ctx)
"""
EVALUATOR = """

class Vandal(Distance):
    name: ClassVar[str] = 'vandal'

    def evaluate(self, real, synthetic, ctx):
        {harm}
        ctx.store.make('side', {{'of': real.train.digest}}, lambda folder: None)
        return super().evaluate(real, synthetic, ctx)
"""
FAR = {"external": [{"use": "Squares", "label": "far", "shift": 30}]}


def add(mini, text):
    mini.plugin.write_text(mini.plugin.read_text() + text)
    mini.forget()


def rows_of(mini, generator="meannoise", evaluator="distance"):
    scores = mini.scores.query("generator == @generator and evaluator == @evaluator")
    return scores.reset_index(drop=True)


def side_entries(mini):
    return [path for path in mini.cache.glob("side/*") if path.is_dir()]


@pytest.mark.parametrize("how", HARM)
def test_a_generator_that_changes_its_training_images_harms_itself_alone(mini, capsys, how):
    mini.write("MeanNoise", **FAR)
    mini.run()
    expected = rows_of(mini)

    add(mini, GENERATOR.format(harm=HARM[how].format(x="train")))
    mini.write("Vandal", "MeanNoise", **FAR)
    assert mini.run("--fresh") == 1
    assert "vandal changed what it was given (images." in capsys.readouterr().out
    assert rows_of(mini).equals(expected)
    assert mini.board.loc["vandal", "status"] == "failed"
    assert side_entries(mini) == []
    keys = [json.loads(path.read_text())["key"] for path in mini.cache.glob("synthetic/*/meta.json")]
    assert {key["use"].partition(":")[2] for key in keys} == {"MeanNoise"}


@pytest.mark.parametrize("whose", ["real.train", "real.tests['far']", "synthetic"])
@pytest.mark.parametrize("how", ["base array", "field"])
def test_an_evaluator_that_changes_its_images_harms_itself_alone(mini, capsys, how, whose):
    mini.write("MeanNoise", "Floor", **FAR)
    mini.run()
    expected = {generator: rows_of(mini, generator) for generator in ("meannoise", "floor")}

    add(mini, EVALUATOR.format(harm=HARM[how].format(x=whose)))
    mini.write("MeanNoise", "Floor", evaluators=["Vandal", "Distance"], headline="distance.gap", **FAR)
    assert mini.run("--fresh") == 1
    said = capsys.readouterr().out
    assert "vandal changed what it was given (" in said
    assert {"real.train": "train.labels", "synthetic": "images.labels"}.get(whose, "'far'.labels") in said
    for generator, rows in expected.items():
        assert rows_of(mini, generator).equals(rows)
    assert not len(rows_of(mini, evaluator="vandal"))
    assert side_entries(mini) == []


def test_what_happens_by_accident_raises_at_its_line(mini):
    add(mini, GENERATOR.format(harm="train.labels[:] = 1 - train.labels"))
    mini.write("Vandal", "MeanNoise")
    assert mini.run() == 1
    (traceback,) = mini.out.glob("trials/vandal/**/error.txt")
    assert "train.labels[:] = 1 - train.labels" in traceback.read_text()
    assert "read-only" in traceback.read_text()


def test_a_change_before_another_failure_is_the_one_that_is_told(mini, capsys):
    harm = HARM["flag"].format(x="train") + "\n        raise RuntimeError('later')"
    add(mini, GENERATOR.format(harm=harm))
    mini.write("Vandal")
    assert mini.run() == 1
    assert "vandal changed what it was given (images.groups)" in capsys.readouterr().out


def test_a_float32_interval_is_kept_to_its_last_digit(mini):
    """And a count of NumPy's stays a whole number."""
    add(
        mini,
        "\n\nclass Ends(Evaluator):\n    name: ClassVar[str] = 'ends'\n"
        "    metrics: ClassVar = {'ratio': 'lower'}\n\n"
        "    def evaluate(self, real, synthetic, ctx):\n"
        "        return Evaluation([Score('ratio', np.float32(0.99), '', np.int64(7),"
        " low=np.float32(0.98), high=np.array(1.25, dtype=np.float32))])\n",
    )
    mini.write("MeanNoise", evaluators=["Ends"], headline="ends.ratio")
    assert mini.run() == 0
    (row,) = mini.scores.to_dict("records")
    assert (row["low"], row["high"], row["n"]) == (float(np.float32(0.98)), 1.25, 7)


WRONG = {
    "n": ("n='many'", "n must be a whole number, found 'many'"),
    "n too large": ("n=10**30", "n must be a whole number"),
    "note": ("note=3", "note must be a text"),
    "surrogate": ("note=chr(0xD800)", "note must be a text that can be encoded"),
    "low": ("low='0.1'", "low must be a number or None, found '0.1'"),
    "value": ("value=[1.0]", "value must be a number, found [1.0]"),
    "classifier_seed": ("classifier_seed=1.5", "classifier_seed must be a whole number or None, found 1.5"),
    "metric": ("metric=7", "metric must be a text"),
}


def test_an_evaluator_that_returns_another_kind_of_thing_fails_and_nothing_is_stored(mini):
    text = """

class Wrong(Evaluator):
    name: ClassVar[str] = "wrong"
    metrics: ClassVar = {"ratio": "lower"}
    how: str

    def evaluate(self, real, synthetic, ctx):
        if self.how == "no evaluation":
            return [Score("ratio", 1.0, "test", 8)]
        if self.how == "no score":
            return Evaluation([("ratio", 1.0, "test", 8)])
        about = {"metric": "ratio", "value": 1.0, "test_set": "test", "n": 8}
        return Evaluation([Score(**{**about, **eval(f"dict({self.how})")})])
"""
    add(mini, text)
    hows = {**WRONG, "scores": ("no score", "Evaluation: scores must be a list of Score, found tuple")}
    hows["evaluation"] = ("no evaluation", "evaluate must return synthbench.Evaluation, found list")
    evaluators = [{"use": "Wrong", "label": label, "how": how} for label, (how, _) in hows.items()]
    mini.write("MeanNoise", evaluators=["Distance", *evaluators])
    assert mini.run() == 1
    note = mini.board.loc["meannoise", "note"]
    for label, (_, message) in hows.items():
        assert f"{label}: TypeError: " in note
        assert message in note
    assert set(mini.scores["evaluator"]) == {"distance"}
    assert len(list(mini.cache.glob("scores/*"))) == 1


def test_declarations_of_another_kind_are_named_in_the_file(mini, capsys):
    add(mini, "\n\nclass Lists(Distance):\n    name: ClassVar[str] = 'lists'\n    metrics: ClassVar = ['gap']\n")
    mini.write("MeanNoise", evaluators=["Lists"])
    assert mini.run() == 2
    assert "evaluators.0: what mini.py:Lists declares cannot be read: ValueError" in capsys.readouterr().err


EDITED = """

class Edited(MeanNoise):
    name: ClassVar[str] = "edited"
    LEVEL: ClassVar[int] = 90

    def fit(self, train, ctx):
        from synthbench.api.registry import load_registry
        file = HERE / "mini.py"
        file.write_text(file.read_text().replace("LEVEL: ClassVar[int] = 90", "LEVEL: ClassVar[int] = 200"))
        level = self.LEVEL
        return lambda labels, rng: np.full((len(labels), *train.shape), level, np.uint8)
"""


def test_a_file_saved_while_a_run_goes_on_is_the_next_runs(mini):
    """Both seeds are made by the code that their keys name, though each stage has a process of its own."""
    mini.plugin.write_text(mini.plugin.read_text() + EDITED)
    mini.write("Edited", seeds=2)
    assert mini.run() == 0
    first = mini.scores.groupby(["metric", "test_set", "seen"], dropna=False).value
    assert "= 200" in mini.plugin.read_text()
    assert (first.nunique() == 1).all()
    assert mini.run() == 0
    assert set(mini.scores.value).isdisjoint(first.first())


LISTED = """

from synthbench import GeneratorField, NestedGenerator, fit_nested


class Inner(MeanNoise):
    name: ClassVar[str] = "inner"

    def inputs(self):
        return {"level": (HERE / "level.txt").read_text()}

    def fit(self, train, ctx):
        level = int((HERE / "level.txt").read_text())
        return lambda labels, rng: np.full((len(labels), *train.shape), level, np.uint8)


class Mix(Generator):
    name: ClassVar[str] = "mix"
    bases: tuple[GeneratorField, ...]

    def fit(self, train, ctx):
        return fit_nested(self.bases[0], train, ctx)[0]
"""


def test_plugins_within_a_list_count(mini):
    mini.plugin.write_text(mini.plugin.read_text() + LISTED)
    (mini.folder / "level.txt").write_text("50")
    mini.write({"use": "Mix", "bases": [{"use": "mini.py:Inner"}]})
    assert mini.run() == 0
    before = mini.scores.value.tolist()
    (mini.folder / "level.txt").write_text("210")
    assert mini.run() == 0
    assert mini.scores.value.tolist() != before
