"""The conformance suite, on generators: a good one passes; each way of being bad is named, with what to change."""

import os
import random
import re
import sys
from types import ModuleType
from typing import ClassVar

import numpy as np
import pytest
from pydantic import ConfigDict, Field

from synthbench.api.interfaces import Generator
from synthbench.api.process_state import process_state
from synthbench.api.registry import _check_class, load_registry
from synthbench.errors import DataError, PluginError, Skipped
from synthbench.testing import Finding, check_evaluator, check_generator, run_checks, tiny_splits
from synthbench.types import Images


class Means:
    """Each class's mean image with noise."""

    def __init__(self, train: Images) -> None:
        self.means = np.stack([train.pixels[train.labels == k].mean(axis=0) for k in range(len(train.classes))])

    def __call__(self, labels, rng):
        values = self.means[labels] + rng.normal(0, 9, size=(len(labels), *self.means.shape[1:]))
        return np.clip(values, 0, 255).astype(np.uint8)


class GoodGenerator(Generator):
    name: ClassVar[str] = "good-generator"
    depth: int = 3
    sizes: tuple[int, ...] = (1, 2)

    def fit(self, train, ctx):
        return Means(train)


def failed(findings: list[Finding]) -> dict[str, Finding]:
    return {finding.check: finding for finding in findings if not finding.ok}


def warned(findings: list[Finding]) -> dict[str, Finding]:
    return {finding.check: finding for finding in findings if finding.warning}


# ---- what it is examined with


def test_the_embedded_pictures_are_always_the_same_and_show_their_class():
    splits = tiny_splits()
    train, test = splits.train, splits.tests["test"]
    assert train.counts() == {"PLAIN": 18, "BLOB": 30}
    assert test.counts() == {"PLAIN": 12, "BLOB": 12}
    assert train.shape == (32, 32, 1)
    assert train.digest == tiny_splits().train.digest
    assert len(set(train.groups)) == 16
    assert tiny_splits(size=16, channels=3).train.shape == (16, 16, 3)
    brightest = test.pixels.reshape(24, -1).max(axis=1)
    assert brightest[test.labels == 1].mean() > brightest[test.labels == 0].mean() + 20


# ---- a generator that keeps the contract


def test_a_good_generator_passes_without_a_warning():
    findings = check_generator(GoodGenerator())
    assert len(findings) == 22
    assert all(finding.ok and finding.found for finding in findings)
    assert warned(findings) == {}


def test_real_images_can_be_passed_in():
    shapes = []

    class Curious(GoodGenerator):
        def fit(self, train, ctx):
            shapes.append(train.shape)
            return Means(train)

    run_checks(Curious(), real=tiny_splits(size=8, channels=3))
    assert set(shapes) == {(8, 8, 3)}


def test_every_fit_gets_folders_of_its_own_that_are_gone_afterwards():
    folders = []

    class Writer(GoodGenerator):
        def fit(self, train, ctx):
            (ctx.workdir / "curve.txt").write_text("1", encoding="utf-8")
            folders.append(ctx.workdir)
            return Means(train)

    assert set(failed(run_checks(Writer()))) == {"pickling"}  # a class inside a function
    assert len(folders) == 4
    assert len(set(folders)) == 3  # one of them goes on where it was
    assert not any(folder.exists() for folder in folders)


# ---- generators that break it


class MutatesTrain(GoodGenerator):
    def fit(self, train, ctx):
        sampler = Means(train)
        if train.pixels.flags.writeable:
            train.pixels[0] = 0
        return sampler


class MutatesInPlace(GoodGenerator):
    def fit(self, train, ctx):
        np.subtract(255, train.pixels, out=train.pixels)
        return Means(train)


class SortsTheLabelsAsked:
    def __init__(self, means):
        self.means = means

    def __call__(self, labels, rng):
        labels.sort()
        return self.means(labels, rng)


class MutatesLabels(GoodGenerator):
    def fit(self, train, ctx):
        return SortsTheLabelsAsked(Means(train))


class AsFloats(Means):
    def __call__(self, labels, rng):
        return super().__call__(labels, rng) / np.float32(255)


class WrongType(GoodGenerator):
    def fit(self, train, ctx):
        return AsFloats(train)


class AsList(Means):
    def __call__(self, labels, rng):
        return super().__call__(labels, rng).tolist()


class NoArray(GoodGenerator):
    def fit(self, train, ctx):
        return AsList(train)


class WithoutChannels(Means):
    def __call__(self, labels, rng):
        return super().__call__(labels, rng)[..., 0]


class WrongShape(GoodGenerator):
    def fit(self, train, ctx):
        return WithoutChannels(train)


class OneForAll(Means):
    def __call__(self, labels, rng):
        return super().__call__(np.zeros_like(labels), rng)


class HalfOfThem(Means):
    def __call__(self, labels, rng):
        return super().__call__(labels[::2], rng)


class TooFew(GoodGenerator):
    def fit(self, train, ctx):
        return HalfOfThem(train)


class IgnoresLabels(GoodGenerator):
    def fit(self, train, ctx):
        return OneForAll(train)


class ByClass(Means):
    """First all of one class, then all of the next, whatever the order asked for."""

    def __call__(self, labels, rng):
        return super().__call__(np.sort(labels), rng)


class Backwards(Means):
    def __call__(self, labels, rng):
        return super().__call__(labels[::-1], rng)


class Swapped(Means):
    def __call__(self, labels, rng):
        return super().__call__(1 - labels, rng)


class DrawsByClass(GoodGenerator):
    def fit(self, train, ctx):
        return ByClass(train)


class DrawsBackwards(GoodGenerator):
    def fit(self, train, ctx):
        return Backwards(train)


class SwapsClasses(GoodGenerator):
    def fit(self, train, ctx):
        return Swapped(train)


class Weak(Means):
    """Noise in which the class hardly shows."""

    def __call__(self, labels, rng):
        noise = rng.normal(100, 40, size=(len(labels), *self.means.shape[1:]))
        return np.clip(noise + 0.05 * self.means[labels], 0, 255).astype(np.uint8)


class DrawsWeakly(GoodGenerator):
    def fit(self, train, ctx):
        return Weak(train)


class OwnLabels(Means):
    def __call__(self, labels, rng):
        return Images(super().__call__(labels, rng), np.sort(labels), ("PLAIN", "BLOB"))


class OtherLabels(GoodGenerator):
    def fit(self, train, ctx):
        return OwnLabels(train)


class OtherFitEachTime(GoodGenerator):
    def fit(self, train, ctx):
        sampler = Means(train)
        sampler.means = sampler.means + np.random.default_rng().normal(0, 20)
        return sampler


class OwnRandomness(Means):
    def __call__(self, labels, rng):
        return super().__call__(labels, np.random.default_rng())


class UnseededSampler(GoodGenerator):
    def fit(self, train, ctx):
        return OwnRandomness(train)


class Unpicklable(GoodGenerator):
    def fit(self, train, ctx):
        sampler = Means(train)
        return lambda labels, rng: sampler(labels, rng)


class ForgetsToResume(GoodGenerator):
    def fit(self, train, ctx):
        sampler = Means(train)
        mark = ctx.resume / "steps"
        sampler.means = sampler.means + 20 * mark.exists()
        mark.touch()
        return sampler


class WrongRole(GoodGenerator):
    role: ClassVar[str] = "best"


class BadName(GoodGenerator):
    name: ClassVar[str] = "my generator"


class Open(GoodGenerator):
    model_config = ConfigDict(frozen=False, extra="allow")


class NoJson(GoodGenerator):
    model_config = ConfigDict(arbitrary_types_allowed=True, ser_json_inf_nan="null")
    rate: float = float("inf")


@pytest.mark.parametrize(
    ("plugin", "check", "found", "advice"),
    [
        (MutatesTrain(), "inputs unchanged", "train.pixels changed", "work on a copy"),
        (MutatesInPlace(), "read-only inputs", "read-only", "work on a copy"),
        (MutatesLabels(), "inputs unchanged", "labels asked for changed", "work on a copy"),
        (WrongType(), "type and shape", "float32 (80, 32, 32, 1)", "uint8"),
        (WrongShape(), "type and shape", "uint8 (80, 32, 32)", "(N, H, W, C)"),
        (
            TooFew(),
            "type and shape",
            "uint8 (40, 32, 32, 1), asked for uint8 (80, 32, 32, 1)",
            "one image a label",
        ),
        (NoArray(), "type and shape", "returned a list", "uint8"),
        (IgnoresLabels(), "labels matter", "whatever the label", "role = floor"),
        (DrawsByClass(), "labels shown", "images of 0, 0, 1, 1", "np.argsort"),
        (DrawsBackwards(), "labels shown", "100% of the images, for mixed labels in 50%", "image i for labels[i]"),
        (SwapsClasses(), "labels shown", "in 0% of the images, fewer than by chance", "image i for labels[i]"),
        (OtherLabels(), "labels kept", "of 80 labels are not those asked for", "in the order"),
        (OtherFitEachTime(), "same seed", "80 of 80 images differ between two fits", "ctx.seed"),
        (UnseededSampler(), "same draw", "80 of 80 images differ", "rng passed in"),
        (Unpicklable(), "sampler pickled", "cannot be pickled", "no lambda"),
        (ForgetsToResume(), "resumed", "80 of 80 images differ", "ctx.resume"),
        (WrongRole(), "declarations", "'best'", "candidate, floor or ceiling"),
        (BadName(), "name", "'my generator'", "letters, digits"),
        (Open(), "configuration", "frozen=False", "model_config"),
        (NoJson(), "configuration", "null", "JSON"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Generator) else None,
)
def test_a_broken_generator_is_told_what_to_change(plugin, check, found, advice):
    findings = failed(run_checks(plugin))
    assert check in findings
    assert found in findings[check].found
    assert advice in findings[check].advice


@pytest.mark.parametrize(
    ("plugin", "checks"),
    [
        (MutatesTrain(), {"inputs unchanged"}),
        (IgnoresLabels(), {"labels matter"}),
        (DrawsByClass(), {"labels shown"}),
        (DrawsWeakly(), set()),
        (Unpicklable(), {"sampler pickled"}),
        (ForgetsToResume(), {"resumed"}),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Generator) else None,
)
def test_one_fault_gives_one_finding(plugin, checks):
    assert set(failed(run_checks(plugin))) == checks


def test_the_assertion_lists_everything_that_failed():
    class Twice(IgnoresLabels):
        name: ClassVar[str] = "no name!"

    with pytest.raises(AssertionError) as caught:
        check_generator(Twice())
    text = str(caught.value)
    assert "Twice broke 3 checks" in text
    assert "FAILED: name: name is 'no name!'" in text
    assert "FAILED: labels matter" in text
    assert "to change: define its class at the top level of a module" in text


class FixedPictures(Means):
    def __call__(self, labels, rng):
        return self.means[labels].astype(np.uint8)


class Deterministic(GoodGenerator):
    def fit(self, train, ctx):
        return FixedPictures(train)


def test_a_deterministic_generator_is_allowed_and_told_so():
    findings = check_generator(Deterministic())
    assert set(warned(findings)) == {"other seed"}
    assert "fine where it means to be" in warned(findings)["other seed"].advice


class GlobalRandom(GoodGenerator):
    def fit(self, train, ctx):
        np.random.seed(ctx.seed)  # noqa: NPY002 - what the check is for
        random.seed(ctx.seed)
        return Means(train)


def test_use_of_the_global_random_numbers_is_a_warning():
    findings = check_generator(GlobalRandom())
    assert "numpy.random and random" in warned(findings)["global random numbers"].found


class Raises(GoodGenerator):
    def fit(self, train, ctx):
        raise ZeroDivisionError("no epochs")


class NeedsColour(GoodGenerator):
    def fit(self, train, ctx):
        raise Skipped("needs 3 channels")


class NeedsData(GoodGenerator):
    def fit(self, train, ctx):
        raise DataError("no weights given; set `weights:`")


@pytest.mark.parametrize("plugin", [TooFew(), NoArray()])
def test_what_cannot_be_looked_at_further_is_the_last_finding(plugin):
    last = run_checks(plugin)[-1]
    assert last.check == "type and shape"
    assert not last.ok
    assert last.advice.endswith("the checks after this one were left out")


def test_what_a_plugin_raises_is_its_last_finding():
    last = run_checks(Raises())[-1]
    assert last.check == "fit and sample"
    assert not last.ok
    assert "ZeroDivisionError: no epochs (test_generators.py:" in last.found
    assert "left out" in last.advice
    last = run_checks(NeedsData())[-1]
    assert (last.ok, last.found) == (False, "DataError: no weights given; set `weights:`")
    last = run_checks(NeedsColour())[-1]
    assert last.warning
    assert "needs 3 channels" in last.found


SLOW_MODULE = """
from typing import ClassVar
import {library}
from synthbench import Generator

class Slow(Generator):
    name: ClassVar[str] = "slow"
    def fit(self, train, ctx):
        return Sampler(train.shape)

class Sampler:
    def __init__(self, shape):
        self.shape = shape
    def __call__(self, labels, rng):
        return rng.integers(0, 100, (len(labels), *self.shape)).astype("uint8")
"""


@pytest.mark.parametrize(("library", "ok"), [("torch", False), ("pandas", True)])
def test_slow_imports_are_seen_in_a_file_named_by_its_path(tmp_path, monkeypatch, library, ok):
    # an empty stand-in: what counts is that the plugin's module imports something of that name
    (tmp_path / f"{library}.py").touch()
    file = tmp_path / "slow.py"
    file.write_text(SLOW_MODULE.format(library=library), encoding="utf-8")
    registry = load_registry()
    with monkeypatch.context() as here:
        here.setitem(sys.modules, library, ModuleType(library))
        cls = registry.find("generator", f"{file}:Slow")
    monkeypatch.syspath_prepend(tmp_path)
    finding = next(f for f in run_checks(cls()) if f.check == "import")
    assert finding.ok is ok
    assert f"imports {library}" in finding.found
    assert "inside the functions" in finding.advice


def test_only_instances_of_plugins_are_examined():
    with pytest.raises(PluginError, match=r"pass MyPlugin\(...\)"):
        run_checks(GoodGenerator)
    with pytest.raises(AssertionError, match="not an instance of a Evaluator"):
        check_evaluator(GoodGenerator())


# ---- what would touch other rows


class LeavesState(GoodGenerator):
    how: str = "chdir"

    def fit(self, train, ctx):
        import torch

        match self.how:
            case "chdir":
                os.chdir(ctx.workdir)
            case "dtype":
                torch.set_default_dtype(torch.float64)
            case "grad":
                torch.set_grad_enabled(False)
            case "threads":
                torch.set_num_threads(torch.get_num_threads() + 1)
            case "deterministic":
                torch.use_deterministic_algorithms(True)
            case "exit":
                sys.exit(0)
        return Means(train)


@pytest.mark.parametrize(
    ("how", "left"),
    [("chdir", "working folder"), ("dtype", "default dtype"), ("grad", "grad mode"), ("threads", "threads")],
)
def test_what_a_plugin_leaves_behind_is_named_and_put_back(how, left):
    pytest.importorskip("torch")
    before = process_state()
    findings = failed(run_checks(LeavesState(how=how)))
    assert set(findings) == {"process state"}
    assert findings["process state"].found.startswith(f"left behind: {left}: ")
    assert {name: value for name, value in process_state().items() if name in before} == before


def test_determinism_may_stay_switched_on_and_is_put_back():
    torch = pytest.importorskip("torch")
    torch.use_deterministic_algorithms(False)
    assert failed(run_checks(LeavesState(how="deterministic"))) == {}
    assert not torch.are_deterministic_algorithms_enabled()


def test_a_plugin_that_calls_exit_is_a_finding():
    (finding,) = failed(run_checks(LeavesState(how="exit"))).values()
    assert (finding.check, finding.found[:13]) == ("fit and sample", "SystemExit: 0")
    assert "sys.exit ends a process" in finding.advice


class Flat(GoodGenerator):
    top: int = 0

    def fit(self, train, ctx):
        def sampler(labels, rng):
            pixels = Means(train)(labels, rng)
            return (pixels > 100).astype(np.uint8) if self.top else np.zeros_like(pixels)

        return sampler


@pytest.mark.parametrize(
    ("top", "found"), [(0, "every image holds one single value"), (1, "all values lie in 0..1")]
)
def test_images_that_lost_their_values_are_named(top, found):
    assert failed(run_checks(Flat(top=top)))["contents"].found == found


def test_a_name_that_the_harness_uses_is_named_wherever_it_is_met():
    class Value(GoodGenerator):
        files: ClassVar = ["a.txt"]

    class Arguments(GoodGenerator):
        def inputs(self, folder):
            return {}

    with pytest.warns(UserWarning, match="shadows"):

        class Option(GoodGenerator):
            files: tuple[str, ...] = ()

    class RowKey(GoodGenerator):
        label: str = "mine"

    class Alias(GoodGenerator):
        start: int = Field(1, alias="checkpoints")

    for cls, words in (
        (RowKey, "its option `label` could not be set"),
        (Alias, "its option `checkpoints` could not be set"),
        (Option, "its option `files` hides the hook files()"),
        (Value, "its `files` hides the hook files()"),
        (Arguments, "its method inputs takes other arguments than the hook inputs()"),
    ):
        last = run_checks(cls())[-1]
        assert (last.check, last.ok) == ("names", False)
        assert words in last.found
        with pytest.raises(PluginError, match=re.escape(words)):
            _check_class("generator", cls, "mine.py:Mine")
