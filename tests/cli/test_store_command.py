"""`synthbench store`."""

import os

import pytest

from synthbench.cli import main


def test_a_store_is_listed_checked_and_emptied(mini, capsys):
    mini.write("MeanNoise")
    mini.run()
    capsys.readouterr()
    assert main(["store", "ls"]) == 0
    listed = capsys.readouterr().out
    assert all(kind in listed for kind in ("synthetic", "scores", "replicates"))
    assert main(["store", "verify"]) == 0
    assert "0 damaged" in capsys.readouterr().out
    (file,) = mini.cache.glob("synthetic/*/pixels.npy")
    file.write_bytes(file.read_bytes()[:-1])
    assert main(["store", "verify"]) == 1
    assert f"{file.parent} is damaged: pixels.npy has" in capsys.readouterr().out
    (file.parent.parent / f".{file.parent.name}-01234567").mkdir()
    assert main(["store", "gc", "--older-than", "1"]) == 0
    assert "0 entries removed, 0.0 MB freed; 1 half-built ones" in capsys.readouterr().out
    meta = file.with_name("meta.json")
    os.utime(meta, (0, 0))
    assert main(["store", "gc", "--older-than", "1"]) == 0
    assert f"removed {file.parent}" in capsys.readouterr().out
    assert main(["store", "gc", "--max-size", "0"]) == 0
    capsys.readouterr()
    assert main(["store", "ls"]) == 0
    assert "0.0 MB in 0 entries" in capsys.readouterr().out


@pytest.mark.parametrize("number", ["-1", "x", "nan", "inf"])
def test_an_amount_is_a_number(number, capsys):
    with pytest.raises(SystemExit):
        main(["store", "gc", "--older-than", number])
    assert f"'{number}' is no number of 0 or more" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [("ls", "--max-size", "1"), ("verify", "--older-than", "0")])
def test_options_of_gc_alone_are_not_passed_over(arguments, capsys):
    assert main(["store", *arguments]) == 2
    action, option, _ = arguments
    said = f"synthbench: {option}: only with `store gc`, `store {action}` removes nothing\n"
    assert capsys.readouterr().err == said
