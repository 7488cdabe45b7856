"""Terminals that cannot show a text, schedulers that end a job, folders that cannot be made."""

import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from synthbench.cli import commands, main


def test_sigterm_ends_a_command_with_its_own_exit_code_and_the_handler_is_put_back(monkeypatch, capsys):
    def work(arguments):
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(5)

    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(commands, "COMMANDS", {"plugins": work})
    assert main(["plugins"]) == 143
    assert "ended from outside (SIGTERM); what was finished is kept" in capsys.readouterr().err
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_what_a_terminal_cannot_show_is_replaced(mini, monkeypatch, encoding):
    mini.write({"use": "MeanNoise", "label": "Größe – 数"})
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding=encoding) for _ in range(2))
    monkeypatch.setattr("sys.stdout", out)
    monkeypatch.setattr("sys.stderr", err)
    assert mini.run() == 0
    out.flush()
    assert b" ? " in out.buffer.getvalue()


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs a folder in which nobody can make one")
@pytest.mark.parametrize("command", ["run", "audit", "stress", "leaderboard", "export"])
def test_a_folder_that_cannot_be_made_is_one_message(mini, capsys, command):
    mini.write("MeanNoise")
    if command in ("leaderboard", "export"):
        assert mini.run() == 0
    arguments = {
        "leaderboard": [str(mini.out), "--out", "/proc/nope/x"],
        "export": [str(mini.out), "/proc/nope/x.zip"],
    }.get(command, [str(mini.file), "--out", "/proc/nope/x"])
    capsys.readouterr()
    assert main([command, *arguments]) == 2
    assert "/proc/nope" in capsys.readouterr().err


def test_without_a_home_the_store_has_no_place_and_no_folder_is_named_so(mini, monkeypatch, capsys, tmp_path):
    mini.write("MeanNoise")
    monkeypatch.chdir(tmp_path)
    for home in (None, "odd"):
        monkeypatch.delenv("SYNTHBENCH_CACHE", raising=False)
        monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
        monkeypatch.setattr("pwd.getpwuid", lambda uid: (_ for _ in ()).throw(KeyError(uid)))
        monkeypatch.delenv("HOME", raising=False)
        if home:
            monkeypatch.setenv("HOME", home)
        assert mini.run() == 2
        assert "there is no home folder here" in capsys.readouterr().err
        monkeypatch.setenv("SYNTHBENCH_CACHE", "~nobody-of-this-name/cache")
        assert mini.run() == 2
        assert "SYNTHBENCH_CACHE is '~nobody-of-this-name/cache', and there is no home" in capsys.readouterr().err
    assert not (tmp_path / "~").exists()
    assert not (tmp_path / "odd").exists()
    monkeypatch.setenv("SYNTHBENCH_CACHE", str(mini.cache))
    monkeypatch.delenv("HOME", raising=False)
    assert mini.run() == 0
    assert main(["export", str(mini.out), str(tmp_path / "bundle.zip")]) == 0


def test_control_characters_of_labels_do_not_reach_the_terminal(mini, capsys, tmp_path):
    mini.write({"use": "MeanNoise", "label": "mean"})
    assert mini.run() == 0
    for file in mini.out.glob("*.csv"):
        file.write_text(file.read_text().replace("mean", "m\x1b[2J\x07n"))
    record = (mini.out / "run.json").read_text()
    (mini.out / "run.json").write_text(record.replace('"mean"', '"m\\u001b[2J\\u0007n"'))
    capsys.readouterr()
    for command in (["leaderboard", str(mini.out)], ["diff", str(mini.out), str(mini.out)]):
        assert main([*command, "--plugins", str(mini.folder)]) == 0
        said = capsys.readouterr()
        assert not {"\x1b", "\x07"} & set(said.out + said.err)
    assert main(["validate", str(tmp_path / "\x1b[2J.yaml")]) == 2
    assert "\x1b" not in capsys.readouterr().err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_an_output_that_takes_no_more_is_named(mini, monkeypatch, unbuffered):
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    mini.write("MeanNoise")
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "synthbench.cli", "validate", str(mini.file)]
        ended = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert ended.returncode == 2
    assert ended.stderr.startswith("synthbench: standard output: No space left on device; ")
    assert len(ended.stderr.splitlines()) == 1
