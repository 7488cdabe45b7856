"""Plugins are found by name or as file.py:Class; what is wrong with one is said with its name."""

import sys
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import ClassVar

import pytest

from synthbench import hookimpl
from synthbench.api.interfaces import Dataset, Evaluator, Generator
from synthbench.api.registry import Registry, _warn, did_you_mean, load_registry
from synthbench.commands.check import find_any
from synthbench.errors import PluginError


class Alpha(Generator):
    name: ClassVar[str] = "alpha"

    def fit(self, train, ctx):
        raise NotImplementedError


class OtherAlpha(Alpha):
    pass


class Judge(Evaluator):
    name: ClassVar[str] = "judge"
    metrics: ClassVar = {"taste": "higher"}

    def evaluate(self, real, synthetic, ctx):
        raise NotImplementedError


def plugin(**hooks):
    """A plugin module: each hook is given by what it returns."""
    module = ModuleType("made_up")
    for name, value in hooks.items():
        setattr(module, name, hookimpl(lambda value=value: value))
    return module


def registry_of(*classes):
    registry = Registry()
    registry.register(plugin(register_generators=list(classes)), "mine")
    return registry


def test_our_own_plugins_come_through_their_entry_points():
    registry = load_registry()
    assert {"chest-xray", "image-folder", "phantom"} <= registry.names("dataset").keys()
    ours = {"acgan", "noise", "shuffled-labels", "resample", "balanced-resample", "pca-gaussian"}
    assert ours <= registry.names("generator").keys()
    assert "tstr" in registry.names("evaluator")
    assert {"classifier", "efficientnet-lite0", "inception", "timm"} <= registry.names("extractor").keys()
    points = {point.name: point.value for point in metadata.entry_points(group="synthbench")}
    assert points["acgan"] == "synthbench_acgan.plugin"
    assert registry.find("generator", "acgan").__module__ == "synthbench_acgan.plugin"


def test_a_strangers_distribution_is_found_the_same_way(tmp_path, monkeypatch):
    install(tmp_path, monkeypatch, "stranger", "stranger_plugin", GENERATOR)
    assert load_registry().find("generator", "stray").__module__ == "stranger_plugin"


GENERATOR = """
from typing import ClassVar
from synthbench import Generator, hookimpl

class Stray(Generator):
    name: ClassVar[str] = "stray"
    steps: int = 1
    def fit(self, train, ctx):
        return lambda labels, rng: None

class Sibling(Stray):
    name: ClassVar[str] = "sibling"

@hookimpl
def register_generators():
    return [Stray]
"""


def install(folder, monkeypatch, distribution, module, source):
    """What pip leaves behind: a module and the metadata with its entry point."""
    (folder / f"{module}.py").write_text(source)
    info = folder / f"{distribution}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[synthbench]\n{distribution} = {module}\n")
    monkeypatch.syspath_prepend(folder)


def test_a_strangers_name_that_clashes_names_both(tmp_path, monkeypatch):
    install(tmp_path, monkeypatch, "rival", "rival_plugin", GENERATOR.replace('"stray"', '"acgan"'))
    with pytest.raises(PluginError, match="two generators are called 'acgan'") as caught:
        load_registry()
    assert "synthbench_acgan.plugin.ACGAN" in str(caught.value)
    assert "rival_plugin.Stray" in str(caught.value)


def test_two_distributions_with_one_entry_point_name_are_both_named(tmp_path, monkeypatch):
    install(tmp_path, monkeypatch, "acgan", "acgan_again", GENERATOR)
    with pytest.raises(PluginError, match="two entry points are called 'acgan'") as caught:
        load_registry()
    assert "synthbench_acgan.plugin (synthbench-medical)" in str(caught.value)
    assert "acgan_again (acgan)" in str(caught.value)


HOOK = """
from synthbench import hookimpl
from tests.api.test_registry import Alpha

@hookimpl
def register_generators():
    return [type("Stray", (Alpha,), {{"name": "stray"}})]

@hookimpl
def register_evaluators():
    {}
"""


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import nobody", "cannot be imported: ModuleNotFoundError: No module named 'nobody'"),
        ("import sys; sys.exit()", "cannot be imported: SystemExit"),
        ("class Odd(BaseException): ...\nraise Odd('no')", "cannot be imported: Odd: no"),
        (HOOK.format("import sys; sys.exit(0)"), "plugin 'rotten': register_evaluators fails: SystemExit: 0"),
        (HOOK.format("raise RuntimeError('no')"), "register_evaluators fails: RuntimeError: no"),
        (HOOK.format("yield 1; raise RuntimeError('late')"), "register_evaluators fails: RuntimeError: late"),
        ("def register_genrators(): ...", "unknown hook 'register_genrators'"),
    ],
)
def test_anyones_broken_plugin_is_a_warning_and_an_error_where_a_file_wants_it(
    tmp_path, monkeypatch, capsys, source, reason
):
    install(tmp_path, monkeypatch, "rotten", "rotten_plugin", source)
    monkeypatch.delitem(sys.modules, "rotten_plugin", raising=False)
    _warn.cache_clear()
    for _ in range(2):
        registry = load_registry()
    assert "acgan" in registry.names("generator")
    said = capsys.readouterr().err
    assert said.count("synthbench: warning: plugin 'rotten'") == 1
    assert reason in said
    with pytest.raises(PluginError, match=r"no generator is called 'stray'.*plugin 'rotten'"):
        registry.find("generator", "stray")


def test_a_plugin_that_goes_elsewhere_when_it_is_imported_takes_nobody_along(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    install(tmp_path, monkeypatch, "restless", "restless_plugin", "import os; os.chdir('/')")
    monkeypatch.delitem(sys.modules, "restless_plugin", raising=False)
    load_registry()
    assert Path.cwd() == tmp_path
    Path("mine.py").write_text("import os; os.chdir('/')\n")
    with pytest.raises(PluginError, match="has no class 'Mine'"):
        load_registry().find("generator", "mine.py:Mine")
    assert Path.cwd() == tmp_path


def test_names_that_clash_raise_and_name_both():
    registry = registry_of(Alpha)
    with pytest.raises(PluginError, match="two generators are called 'alpha'") as caught:
        registry.register(plugin(register_generators=[OtherAlpha]), "theirs")
    assert f"{__name__}.Alpha" in str(caught.value)
    assert f"{__name__}.OtherAlpha" in str(caught.value)


def test_one_name_may_stand_for_a_generator_and_an_evaluator():
    class Namesake(Judge):
        name: ClassVar[str] = "alpha"

    registry = registry_of(Alpha)
    registry.register(plugin(register_evaluators=[Namesake]), "judges")
    assert registry.find("evaluator", "alpha") is Namesake
    assert registry.find("generator", "alpha") is Alpha
    with pytest.raises(PluginError, match="2 plugins of different kinds"):
        find_any(registry, "alpha")


@pytest.mark.parametrize("hook", ["register_generator", "register_genrators", "register_models"])
def test_misspelled_hooks_are_refused(hook):
    with pytest.raises(PluginError, match=f"plugin 'mine': unknown hook '{hook}'") as caught:
        Registry().register(plugin(**{hook: [Alpha]}), "mine")
    known = "register_datasets, register_evaluators, register_extractors, register_generators"
    assert f"There is: {known}." in str(caught.value)


def test_a_misspelled_hook_gets_a_suggestion():
    with pytest.raises(PluginError, match="Did you mean 'register_generators'"):
        Registry().register(plugin(register_genrators=[Alpha]), "mine")


def test_a_hook_misspelled_at_its_start_is_refused():
    with pytest.raises(PluginError, match=r"plugin 'mine': .*regster_generators"):
        Registry().register(plugin(regster_generators=[Alpha]), "mine")


def test_a_hook_without_its_decorator_is_refused():
    module = plugin()
    module.register_generators = lambda: [Alpha]
    with pytest.raises(PluginError, match="plugin 'mine': register_generators lacks the decorator @hookimpl"):
        Registry().register(module, "mine")


class Nameless(Generator):
    def fit(self, train, ctx):
        raise NotImplementedError


class Unfitting(Generator):
    name: ClassVar[str] = "unfitting"


class Speechless(Evaluator):
    name: ClassVar[str] = "speechless"

    def evaluate(self, real, synthetic, ctx):
        raise NotImplementedError


@pytest.mark.parametrize(
    ("hook", "cls", "message"),
    [
        ("register_generators", Judge, "is not a subclass of synthbench.Generator"),
        ("register_generators", "Alpha", "is not a subclass of synthbench.Generator"),
        ("register_generators", Alpha(), "is not a subclass of synthbench.Generator"),
        ("register_generators", Nameless, "Nameless needs a class variable `name"),
        ("register_generators", Unfitting, "Unfitting does not implement fit"),
        ("register_evaluators", Speechless, "Speechless needs `metrics"),
    ],
)
def test_classes_that_cannot_serve_are_refused(hook, cls, message):
    with pytest.raises(PluginError, match=message) as caught:
        Registry().register(plugin(**{hook: [cls]}), "mine")
    assert "'mine'" in str(caught.value)


def test_a_hook_that_returns_a_class_instead_of_a_list():
    with pytest.raises(PluginError, match=r"plugin 'mine': register_generators must return a list, found .*Alpha"):
        Registry().register(plugin(register_generators=Alpha), "mine")


def test_the_same_plugin_twice_is_refused():
    registry = registry_of(Alpha)
    with pytest.raises(PluginError, match="plugin 'mine'"):
        registry.register(plugin(register_generators=[Alpha]), "mine")


def test_an_unknown_name_gets_a_suggestion():
    with pytest.raises(
        PluginError, match=r"no generator is called 'alhpa'\. Did you mean 'alpha'\? There is: alpha\."
    ):
        registry_of(Alpha).find("generator", "alhpa")
    with pytest.raises(PluginError, match=r"no evaluator is called 'x'\. There is: nothing\."):
        registry_of(Alpha).find("evaluator", "x")


def test_a_name_of_another_kind_says_so():
    with pytest.raises(PluginError, match="'alpha' is of the kind generator, not evaluator"):
        registry_of(Alpha).find("evaluator", "alpha")


def test_did_you_mean():
    assert did_you_mean("setps", ["steps", "latent"]) == " Did you mean 'steps'? There is: latent, steps."
    assert did_you_mean("zzz", ["steps"]) == " There is: steps."


def test_a_class_in_a_file_seen_from_the_folder_of_the_yaml(tmp_path, monkeypatch):
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "own.py").write_text(GENERATOR)
    monkeypatch.chdir(tmp_path.parent)
    cls = Registry().find("generator", "plugins/own.py:Stray", tmp_path)
    assert cls.name == "stray"
    assert cls(steps=3).steps == 3
    assert Registry().find("generator", f"{tmp_path}/plugins/own.py:Stray") is cls, "imported once"


def test_a_file_that_lies_in_the_current_folder_alone_gets_the_path_to_write(tmp_path, monkeypatch):
    (tmp_path / "here.py").write_text(GENERATOR)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(PluginError, match=r"lies in the current folder, .*: write \.\./here\.py$"):
        Registry().find("generator", "here.py:Stray", elsewhere)
    assert Registry().find("generator", "../here.py:Stray", elsewhere).name == "stray"
    assert Registry().find("generator", "here.py:Stray").name == "stray"


def test_the_folder_of_the_yaml_goes_before_here(tmp_path, monkeypatch):
    for place in ("yaml", "here"):
        (tmp_path / place).mkdir()
        (tmp_path / place / "both.py").write_text(GENERATOR.replace('"stray"', f'"{place}"'))
    monkeypatch.chdir(tmp_path / "here")
    assert Registry().find("generator", "both.py:Stray", tmp_path / "yaml").name == "yaml"


def test_a_missing_file_says_where_it_was_looked_for(tmp_path, monkeypatch):
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    with pytest.raises(PluginError, match=r"gone\.py:Stray: no such file") as caught:
        Registry().find("generator", "gone.py:Stray", tmp_path)
    assert str(tmp_path / "gone.py") in str(caught.value)


def test_a_missing_class_gets_a_suggestion(tmp_path):
    (tmp_path / "own.py").write_text(GENERATOR)
    with pytest.raises(
        PluginError, match=r"own\.py has no class 'Stary'\. Did you mean 'Stray'\? There is: Sibling, Stray\."
    ):
        Registry().find("generator", "own.py:Stary", tmp_path)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import nobody_has_this", "ModuleNotFoundError"),
        ("def broken(:", "SyntaxError"),
        ("1 / 0", "ZeroDivisionError"),
        ("import sys; sys.exit(2)", "SystemExit: 2"),
    ],
)
def test_a_file_that_cannot_be_imported_says_why(tmp_path, source, reason):
    file = tmp_path / "broken.py"
    file.write_text(source)
    for _ in range(2):  # the failed module must not stay behind as if it were fine
        with pytest.raises(PluginError, match=rf"broken\.py cannot be imported: {reason}"):
            Registry().find("generator", "broken.py:Stray", tmp_path)


def test_a_class_of_the_wrong_kind_in_a_file(tmp_path):
    (tmp_path / "own.py").write_text(GENERATOR)
    with pytest.raises(PluginError, match=r"own\.py:Stray: .* is not a subclass of synthbench\.Dataset"):
        Registry().find("dataset", "own.py:Stray", tmp_path)
    with pytest.raises(PluginError, match=r"own\.py:hookimpl: .* is not a subclass"):
        Registry().find("generator", "own.py:hookimpl", tmp_path)


def test_any_kind_is_found_in_a_file(tmp_path):
    (tmp_path / "own.py").write_text(GENERATOR + "\nimport os\n")
    assert Registry().find_file("own.py:Sibling", tmp_path).name == "sibling"
    with pytest.raises(
        PluginError, match=r"no subclass of synthbench\.Dataset, Generator, Evaluator or Extractor"
    ):
        Registry().find_file("own.py:os", tmp_path)


def test_kinds_do_not_mix():
    assert not issubclass(Generator, Dataset | Evaluator)
    assert registry_of(Alpha).names("dataset") == {}


def test_a_file_without_its_class_is_told_so(tmp_path):
    with pytest.raises(PluginError, match=r"mine.py is a file; which of its classes\? Write mine.py:Class"):
        load_registry().find("generator", "mine.py", tmp_path)
