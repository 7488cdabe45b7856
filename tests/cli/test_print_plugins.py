"""`synthbench plugins NAME` says what a plugin takes; by path too."""

from importlib import metadata

from synthbench import cli
from synthbench.api.registry import BASES, load_registry


def shown(capsys, *arguments):
    code = cli.main(["plugins", *map(str, arguments)])
    out, err = capsys.readouterr()
    return code, out + err


def row(text, name):
    """Cells of an option's row."""
    line = next(line for line in text.splitlines() if line.startswith(f"│ {name} "))
    return [cell.strip() for cell in line.strip("│").split("│")]


def test_options_stand_with_types_ranges_defaults_and_meanings(capsys):
    code, text = shown(capsys, "acgan")
    assert code == 0
    assert text.startswith("acgan (generator): ")
    name, kind, default, meaning = row(text, "steps")
    cls = load_registry().find("generator", "acgan")
    assert (name, kind) == ("steps", "whole number, ≥ 1")
    assert default == str(cls.model_fields["steps"].default)
    assert meaning.startswith(cls.model_fields["steps"].description.replace("`", "")[:20])
    assert "A candidate, asked for equally many images of each class." in text


def test_every_plugin_can_be_asked_for(capsys):
    for kind in BASES:
        for name, cls in load_registry().names(kind).items():
            code, text = shown(capsys, name)
            assert code == 0
            assert all(row(text, option)[0] == option for option in cls.model_fields), name
    assert "lower is better: fid, fid_infinity." in shown(capsys, "fid")[1]


def test_a_plugin_in_a_file(mini, capsys):
    _, text = shown(capsys, f"{mini.plugin}:Odd")
    assert row(text, "how") == ["how", "text", "required", ""]
    assert "Metrics, higher is better: value." in shown(capsys, f"{mini.plugin}:Picky")[1]
    assert shown(capsys, f"{mini.plugin}:Picky")[1].endswith("No options.\n")


def test_an_unknown_one_is_refused(capsys):
    code, text = shown(capsys, "acgna")
    assert code == 2
    assert "no plugin is called 'acgna'. Did you mean 'acgan'?" in text


def test_each_plugin_says_the_package_that_it_comes_with(capsys):
    package = f"synthbench-medical {metadata.version('synthbench-medical')}"
    _, text = shown(capsys)
    listed = [line for line in text.splitlines() if line.startswith("  ")]
    assert len(listed) > 30
    assert all(f" {package}  " in line for line in listed)
    assert f"It comes with {package}." in shown(capsys, "noise")[1]
