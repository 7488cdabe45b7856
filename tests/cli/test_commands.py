"""The command line: what it accepts, what it says, and with which exit code."""

import errno
import os
import signal
import subprocess
import sys
import time

import pytest
import torch

import synthbench
from synthbench import cli
from synthbench.cli.console import board_of, make_console


def refused(capsys, *arguments):
    """What `synthbench` complains of, with exit code 2 and no traceback."""
    assert cli.main([str(argument) for argument in arguments]) == 2
    shown = capsys.readouterr()
    assert shown.err.startswith("synthbench: ")
    assert "Traceback" not in shown.err
    assert shown.out == ""
    return shown.err


def leaves(capsys, *arguments):
    """Exit code and texts of what argparse itself answers."""
    with pytest.raises(SystemExit) as end:
        cli.main(list(arguments))
    shown = capsys.readouterr()
    return end.value.code, shown.out, shown.err


# ---- without a benchmark


def test_version(capsys):
    assert leaves(capsys, "--version")[:2] == (0, f"synthbench {synthbench.__version__}\n")


def test_help_names_every_command(capsys):
    code, out, _ = leaves(capsys, "--help")
    assert code == 0
    assert all(command in out for command in ("run", "validate", "plugins", "check"))


@pytest.mark.parametrize("arguments", [[], ["run"], ["runn", "bench.yaml"], ["run", "bench.yaml", "--fresch"]])
def test_a_misspelled_command_line_is_refused(capsys, arguments):
    code, _, err = leaves(capsys, *arguments)
    assert code == 2
    assert "usage: synthbench" in err


def test_plugins_lists_ours_by_kind_with_a_line_each(capsys):
    assert cli.main(["plugins"]) == 0
    out = capsys.readouterr().out
    datasets, _, rest = out.partition("generators\n")
    generators, _, evaluators = rest.partition("evaluators\n")
    assert {"chest-xray", "image-folder", "phantom"} <= {line.split()[0] for line in datasets.splitlines()[1:]}
    expected = {"acgan", "noise", "shuffled-labels", "resample", "balanced-resample", "pca-gaussian"}
    assert expected <= {line.split()[0] for line in generators.splitlines()}
    assert "tstr" in {line.split()[0] for line in evaluators.splitlines()}
    assert all(len(line.split()) > 2 for line in out.splitlines() if line.startswith("  "))


# ---- validate and --dry-run


def test_validate_counts_and_does_no_work(mini, capsys):
    mini.write("MeanNoise", "Floor", seeds=3)
    assert cli.main(["validate", str(mini.file)]) == 0
    assert capsys.readouterr().out == f"{mini.file}: fine; 1 candidate, 1 floor; 1 evaluator; 8 trials\n"
    assert cli.main(["validate", str(mini.file), "--set", "seeds=1"]) == 0
    assert "6 trials" in capsys.readouterr().out, "five draws of a floor"
    assert not mini.calls()
    assert not mini.cache.exists()


def test_validate_refuses_what_run_would_refuse(mini, capsys):
    mini.write({"use": "MeanNoise", "sigm": 3.0})
    message = refused(capsys, "validate", mini.file)
    assert f"{mini.file}: generators.0.sigm: unknown key. Did you mean 'sigma'?" in message
    assert refused(capsys, "run", mini.file) == message


def test_a_dry_run_prints_the_plan_and_does_nothing(mini, capsys):
    evaluators = ["Distance", {"use": "Twice", "generators": ["meannoise"]}]
    mini.write("MeanNoise", "Floor", seeds=2, evaluators=evaluators, external=[{"use": "Squares", "label": "far"}])
    assert mini.run("--dry-run") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "mini: 7 trials, 10 images each, on squares, far"
    assert lines[1] == "headline: distance.gap"
    assert [line.split()[1] for line in lines[2:]] == ["meannoise"] * 2 + ["floor"] * 5
    assert lines[2].endswith("scored by distance, twice")
    assert "(floor), seed 1 = " in lines[5]
    assert not mini.calls()
    assert not mini.cache.exists()
    assert not mini.out.exists()


def test_a_dry_run_shows_the_seeds_that_a_run_uses(mini, capsys):
    mini.write("MeanNoise", "Floor", seeds=2)
    mini.run("--dry-run")
    planned = [int(line.split(" = ")[1].split(",")[0]) for line in capsys.readouterr().out.splitlines()[2:]]
    mini.run()
    assert [trial["seed"] for trial in mini.record["trials"]] == planned


@pytest.mark.parametrize(
    "asked",
    [
        ("--timeout", "0"),
        ("--require", "tstr.nothing>=1"),
        ("--jobs", "0"),
        ("--unpack", "nowhere"),
        ("--device", "foo"),
        ("--collect", "--fresh"),
        ("--collect", "--jobs", "2"),
        ("--jobs", "2", "--executor", "ray"),
        ("--address", "auto"),
    ],
)
def test_a_dry_run_checks_what_a_run_would_be_told(mini, capsys, asked):
    mini.write()
    assert mini.run(*asked) == 2
    (refused,) = capsys.readouterr().err.strip().splitlines()
    assert mini.run("--dry-run", *asked) == 2
    assert capsys.readouterr().err.strip() == refused


def test_a_dry_run_of_some_rows(mini, capsys):
    mini.write("MeanNoise", "Floor")
    assert mini.run("--dry-run", "--only", "floor") == 0
    assert capsys.readouterr().out.splitlines()[0].startswith("mini: 5 trials")


# ---- mistakes


@pytest.mark.parametrize("command", ["run", "validate"])
def test_a_file_that_is_not_there(capsys, tmp_path, command):
    assert f"{tmp_path / 'none.yaml'}: no such file" in refused(capsys, command, tmp_path / "none.yaml")


@pytest.mark.parametrize("text", ["", "- 1", "name: [", "\x00"])
def test_a_file_that_is_no_benchmark(capsys, tmp_path, text):
    (tmp_path / "bench.yaml").write_text(text)
    assert str(tmp_path / "bench.yaml") in refused(capsys, "run", tmp_path / "bench.yaml")


def test_a_folder_is_no_benchmark(capsys, tmp_path):
    assert str(tmp_path) in refused(capsys, "run", tmp_path)


def test_only_an_unknown_row(mini, capsys):
    mini.write("MeanNoise", "Floor")
    message = refused(capsys, "run", mini.file, "--only", "meannoies")
    assert "--only meannoies: no such generator. Did you mean 'meannoise'?" in message


@pytest.mark.parametrize("wish", ["nonsense", "cuda:x", "gpu", "cuda:-1", ""])
def test_a_device_that_does_not_exist(mini, capsys, wish):
    mini.write("MeanNoise")
    message = refused(capsys, "run", mini.file, "--device", wish)
    assert f"--device {wish}: write auto, cpu, cuda or cuda:N" in message
    assert not mini.calls()


@pytest.mark.parametrize("wish", ["cuda", "cuda:3"])
def test_a_gpu_that_this_machine_has_not(mini, capsys, monkeypatch, wish):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    mini.write("MeanNoise")
    assert f"--device {wish}: torch {torch.__version__} sees 0 CUDA" in refused(
        capsys, "run", mini.file, "--device", wish
    )
    assert cli.main(["check", f"{mini.plugin}:MeanNoise", "--device", wish]) == 2


def test_the_cpu_where_there_is_no_gpu(mini, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    mini.write("MeanNoise")
    assert mini.run("--device", "auto") == 0
    assert mini.record["hardware"]["device"] == "cpu"


def test_a_cache_folder_that_cannot_be_used(mini, capsys, monkeypatch):
    (mini.folder / "file").write_text("")
    monkeypatch.setenv("SYNTHBENCH_CACHE", str(mini.folder / "file"))
    mini.write("MeanNoise")
    message = refused(capsys, "run", mini.file, "--out", mini.out, "--device", "cpu")
    assert f"{mini.folder / 'file'} cannot be written" in message
    assert "set SYNTHBENCH_CACHE to a folder that can" in message


def test_an_out_folder_that_is_a_file(mini, capsys):
    mini.out.write_text("")
    mini.write("MeanNoise")
    assert str(mini.out) in refused(capsys, "run", mini.file, "--out", mini.out, "--device", "cpu")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_results_that_cannot_be_written(mini, capsys, monkeypatch, number):
    def refuse(path, text):
        raise OSError(number, os.strerror(number), str(path))

    mini.write("MeanNoise")
    with monkeypatch.context() as patch:
        patch.setattr("synthbench.results.write.write_atomic", refuse)
        assert mini.run() == 2
    message = capsys.readouterr().err
    full = f"the disk is full: {mini.out / 'scores.csv'}; free some space"
    assert (full if number == errno.ENOSPC else f"{mini.out} cannot be written ({os.strerror(number)})") in message
    mini.calls()
    assert mini.run() == 0
    assert set(mini.calls()) == {"load"}


def test_a_full_disk_stops_the_run_and_is_no_failed_trial(mini, capsys, monkeypatch):
    def full(folder, images):
        raise OSError(errno.ENOSPC, "No space left on device", str(folder / "pixels.npy"))

    monkeypatch.setattr("synthbench.runner.stages.save_images", full)
    mini.write("MeanNoise")
    assert mini.run() == 2
    assert "the disk is full" in capsys.readouterr().err
    assert not (mini.out / "leaderboard.csv").exists()
    assert list(mini.cache.glob("synthetic/*")) == []


def test_a_bug_in_a_data_set_is_one_line_and_its_traceback_a_file(mini, capsys):
    mini.plugin.write_text(mini.plugin.read_text().replace('called("load")', "1 / 0"))
    mini.write("MeanNoise")
    assert mini.run() == 2
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("synthbench:")]
    assert "dataset squares: ZeroDivisionError: division by zero (mini.py, line" in line
    assert "1 / 0" in next(mini.out.glob("data/*/error.txt")).read_text()


# ---- a run


def test_results_go_to_runs_and_the_benchmarks_name_by_default(mini, capsys, monkeypatch):
    monkeypatch.chdir(mini.folder)
    mini.write("MeanNoise")
    assert cli.main(["run", "bench.yaml", "--device", "cpu"]) == 0
    assert (mini.folder / "runs/mini/leaderboard.csv").exists()
    assert "runs/mini/leaderboard.csv" in capsys.readouterr().out


def test_the_board_is_readable_where_it_is_piped(mini, capsys):
    label = "a-generator-with-a-rather-long-name"
    mini.write({"use": "MeanNoise", "label": label}, "Failing", evaluators=["Distance", "Twice"])
    assert mini.run() == 1
    table = capsys.readouterr().out.partition("ranked by distance.gap on test")[2]
    row = next(line for line in table.splitlines() if label in line)
    cells = [cell.strip() for cell in row.strip("│").split("│")]
    assert cells[:4] == ["1", label, "candidate", "done"]
    assert cells[4] == f"{mini.board.loc[label, 'distance_gap']:.3f}"
    assert "distance.closeness" in table
    assert "…" not in table
    assert cells[-3] == "1 x 1"
    assert "20 real images to train on" in table
    assert "1 seed: intervals and order are of these models; another seed may turn them" in table


def test_a_run_is_quiet_on_standard_error(mini, capsys):
    mini.write("MeanNoise", "Failing")
    mini.run()
    assert capsys.readouterr().err == ""


def process(*arguments):
    command = [sys.executable, "-m", "synthbench.cli", *map(str, arguments)]

    def hear_interrupts():  # a shell has its background jobs ignore SIGINT, and children inherit that
        signal.signal(signal.SIGINT, signal.default_int_handler)

    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=hear_interrupts,
    )


def test_a_process_that_is_interrupted_has_reported_its_trials_and_ends_with_130_and_one_line(mini):
    """Each trial is reported when it ends, also into a pipe: the second waits here until the first was read."""
    pause = "(HERE / 'here').write_text(''); __import__('time').sleep(300)"
    mini.plugin.write_text(mini.plugin.read_text().replace('ctx.log.info("fitted")', pause))
    mini.write("Resuming", "Floor")
    running = process("run", mini.file, "--out", mini.out, "--device", "cpu")
    try:
        assert running.stdout.readline().startswith("squares: 1 file put aside")
        assert running.stdout.readline().startswith("[1/6] resuming, seed 0: done")
        until = time.monotonic() + 300
        while not (mini.folder / "here").exists() and time.monotonic() < until:
            time.sleep(0.05)
        running.send_signal(signal.SIGINT)
        _, err = running.communicate(timeout=300)
    finally:
        running.kill()
        running.communicate()
    assert running.returncode == 130
    assert err == "synthbench: interrupted; what was finished is kept, the same command goes on from there\n"
    assert len(list(mini.cache.glob("synthetic/*"))) == 1, "the first trial's"
    assert list(mini.cache.glob("synthetic/.*")) == []


@pytest.mark.parametrize("width", [80, 120])
def test_a_long_label_leaves_the_numbers_on_a_narrow_terminal(mini, capsys, monkeypatch, width):
    monkeypatch.setattr("synthbench.cli.console.WIDE", width)
    label = "select-acgan-oversample=4,policy=coverage"
    mini.write({"use": "MeanNoise", "label": label}, "Floor", seeds=2)
    assert mini.run() == 0
    lines = capsys.readouterr().out.splitlines()
    (heading,) = [line for line in lines if "rank" in line and "seeds" in line]
    assert ("fit s" in heading) == (width >= 100)
    table = [line.split("│") for line in lines if line.startswith("│")]
    assert all(len(line) <= width for line in lines if line.startswith("│"))
    assert table[0][4].split()[0] == "0.434", "the headline"
    shown = [cell.strip() for cell in table[0] if cell.strip()]
    assert shown[-1 - 2 * (width >= 100)] == "2 x 1", "the seeds"
    assert "".join(cells[2].strip() for cells in table if len(cells) == len(table[0])).startswith(label)


NUMBER = "0.839 (0.701 to 0.931; seeds 0.966, 0.712)"
COLUMNS = {
    "rank": ["1", "2-3"],
    "by judge": ["agree: 1", "2 by tstr, 3 by big"],
    "generator": ["a" * 40, "b" * 20],
    "role": ["candidate", "ceiling"],
    **dict.fromkeys(["judges.auroc", "tstr.auroc", "big.auroc"], [NUMBER] * 2),
    "utility": ["0.600", "undefined"],
    "seeds": ["3 x 2"] * 2,
}


@pytest.mark.parametrize(("width", "left_out"), [(60, ["tstr.auroc", "by judge"]), (80, ["big.auroc"]), (200, [])])
def test_a_board_keeps_its_frame_and_says_which_columns_a_narrow_window_leaves_out(monkeypatch, width, left_out):
    monkeypatch.setattr("synthbench.cli.console.WIDE", width)
    console = make_console()
    with console.capture() as shown:
        console.print(board_of("board", "", COLUMNS, ["big.auroc", "tstr.auroc", "by judge", "utility"]))
    rows = [line for line in shown.get().splitlines() if line[0] in "┃│"]
    assert {line[-1] for line in rows} == {"┃", "│"}
    assert max(map(len, rows)) <= width
    said = " ".join(shown.get().partition("no room for ")[2].split())
    assert all(name in said for name in left_out)
    assert bool(said) == bool(left_out)
