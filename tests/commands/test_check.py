"""`synthbench check`: by name, by path, with settings; what it says and its exit code."""

import numpy as np
import pytest

from synthbench import Images, cli
from synthbench.api.registry import load_registry
from synthbench.commands.check import find_any
from synthbench.commands.few_images import _of_each_class
from synthbench.errors import PluginError


def check(capsys, *arguments):
    """Exit code and lines of `synthbench check`."""
    code = cli.main(["check", *map(str, arguments)])
    shown = capsys.readouterr()
    return code, (shown.out + shown.err).splitlines()


def test_an_installed_plugin_by_its_name(capsys):
    code, lines = check(capsys, "noise")
    assert code == 0, lines
    assert lines[-1].startswith("noise: ")
    assert lines[-1].endswith(" checks passed, 0 failed")
    assert "ok    name: noise" in lines


def test_a_file_by_its_path_with_what_to_change(mini, capsys):
    code, lines = check(capsys, f"{mini.plugin}:MeanNoise")
    assert code == 1
    failed = [line for line in lines if line.startswith("FAIL")]
    assert len(failed) == 1
    assert "sampler pickled" in failed[0]  # it is a lambda
    advice = lines[lines.index(failed[0]) + 1]
    assert advice.startswith("      what to change: return an object of a class at the top level")
    assert lines[-1].endswith("1 failed")


def test_a_path_is_seen_from_here(mini, capsys, monkeypatch):
    monkeypatch.chdir(mini.folder)
    assert check(capsys, "mini.py:MeanNoise")[0] == 1
    assert check(capsys, "./mini.py:Squares")[1][-1].startswith("./mini.py:Squares: ")


def test_settings_are_passed_on_and_checked(mini, capsys):
    code, lines = check(capsys, f"{mini.plugin}:MeanNoise", "--set", "sigma=3", "--set", "offset=2")
    assert code == 1
    assert any('{"sigma":3.0,"offset":2}' in line for line in lines)
    code, lines = check(capsys, f"{mini.plugin}:MeanNoise", "--set", "sigm=3")
    assert code == 2
    assert lines == ["synthbench: mean-noise: sigm: unknown key. Did you mean 'sigma'? There is: offset, sigma."]
    assert check(capsys, f"{mini.plugin}:Odd")[1] == ["synthbench: odd: how: this key is required"]


def test_a_plugin_that_raises_is_a_finding(mini, capsys):
    code, lines = check(capsys, f"{mini.plugin}:Failing")
    assert code == 1
    assert any(line.startswith("FAIL") and "loss is NaN" in line for line in lines)


@pytest.mark.parametrize("how", ["float", "shape", "labels"])
def test_what_a_run_refuses_the_suite_finds_first(mini, capsys, how):
    code, lines = check(capsys, f"{mini.plugin}:Odd", "--set", f"how={how}")
    assert code == 1
    assert any(line.startswith("FAIL") for line in lines)


def test_an_evaluator_that_declares_more_than_it_delivers(mini, capsys):
    code, lines = check(capsys, f"{mini.plugin}:Untrue")
    assert code == 1
    assert any(line.startswith("FAIL") and "kid" in line for line in lines)


def test_it_leaves_nothing_behind(mini, capsys, monkeypatch):
    monkeypatch.chdir(mini.folder)
    before = set(mini.folder.iterdir())
    check(capsys, "noise")
    assert set(mini.folder.iterdir()) == before


@pytest.mark.parametrize(
    ("use", "message"),
    [
        ("nois", "no plugin is called 'nois'. Did you mean 'noise'?"),
        ("nothing.py:Gan", "nothing.py:Gan: no such file"),
        ("{mini}:MeanNoice", "mini.py has no class 'MeanNoice'. Did you mean 'MeanNoise'?"),
        ("{mini}:called", "is no subclass of synthbench.Dataset, Generator, Evaluator or Extractor"),
    ],
)
def test_a_plugin_that_cannot_be_found(mini, capsys, use, message):
    code, lines = check(capsys, use.replace("{mini}", str(mini.plugin)))
    assert code == 2
    assert len(lines) == 1
    assert message in lines[0]


def test_a_name_of_two_kinds_asks_for_the_path(mini):
    registry = load_registry()
    registry._classes["evaluator"]["noise"] = registry.find("generator", "noise")
    with pytest.raises(PluginError, match="name of 2 plugins of different kinds"):
        find_any(registry, "noise")


def test_it_is_tried_on_a_few_images_of_the_users_own_data(mini, capsys, monkeypatch):
    mini.write("MeanNoise", dataset={"use": "Squares", "n": 400, "size": 24})
    tried = []
    monkeypatch.setattr(
        "synthbench.commands.check.run_checks", lambda plugin, real, device: tried.append(real) or []
    )
    code, lines = check(capsys, f"{mini.plugin}:MeanNoise", "--dataset", mini.file)
    assert code == 0
    assert lines[-2] == "ok    data: 120 training and 8 test images, 24 x 24 x 1, of squares; classes DARK, LIGHT"
    (real,) = tried
    assert real.train.counts() == {"DARK": 60, "LIGHT": 60}
    assert real.positive == "LIGHT"


def test_few_images_come_patient_by_patient():
    groups = np.array([f"p{i // 20:02d}" for i in range(400)])
    images = Images(np.zeros((400, 1, 1, 1), np.uint8), np.arange(400) // 20 % 2, ("A", "B"), groups=groups)
    few = images.subset(_of_each_class(images, 50))
    assert few.counts() == {"A": 50, "B": 50}
    assert len(np.unique(few.groups)) == 6, "two patients whole and a half one of each class"


def test_a_data_set_is_tried_on_its_own_images(mini, capsys):
    code, lines = check(capsys, "phantom", "--dataset", "phantom")
    assert code == 2
    assert "phantom is a data set itself" in lines[0]
    assert "no such file, and no benchmark of that name" in check(capsys, "noise", "--dataset", "phantoms")[1][0]


FEWER = """

from synthbench import Origin


class Fewer(Generator):
    name: ClassVar[str] = "fewer"

    def origin(self):
        return Origin("train", seeds=1, fewer=True)

    def fit(self, train, ctx):
        def draw(labels, rng):
            kept = np.concatenate([np.flatnonzero(labels == k)[:10] for k in np.unique(labels)])
            return train.subset(np.array([np.flatnonzero(train.labels == k)[0] for k in labels[kept]]))

        return draw
"""


def test_a_generator_that_may_draw_fewer_is_not_asked_for_all(mini, capsys):
    mini.plugin.write_text(mini.plugin.read_text() + FEWER)
    _, lines = check(capsys, f"{mini.plugin}:Fewer")
    assert any(line.startswith("ok    type and shape") for line in lines), lines
    assert not [line for line in lines if line.startswith("FAIL") and "pickled" not in line], lines
