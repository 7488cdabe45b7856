"""`synthbench audit`: the table on the terminal, audit.csv, and what it does not do."""

import pandas as pd
import pytest

from synthbench import cli

LEAKY = """

class Leaky(Squares):
    \"\"\"Its external test set holds three of the training images.\"\"\"

    name: ClassVar[str] = "leaky"

    def load(self, ctx):
        train = self.make(20, 0)
        far = self.make(6, 3)
        pixels = far.pixels.copy()
        pixels[:3] = train.pixels[4:7]
        names = np.array([f"far/{i}" for i in range(6)])
        return Splits(train, {"test": Images(pixels, far.labels, far.classes, names)})
"""


@pytest.fixture
def leaky(mini):
    mini.plugin.write_text(mini.plugin.read_text() + LEAKY)
    mini.write("MeanNoise", external=["Leaky"])
    return mini


def audit(mini, *arguments):
    return cli.main(["audit", str(mini.file), *map(str, arguments)])


def cells(text, part):
    """A row of the table, without its frame."""
    line = next(line for line in text.splitlines() if line.strip("│ ").startswith(f"{part} "))
    return [cell.strip() for cell in line.strip("│").split("│")]


def test_the_summary_counts_by_part_and_names_the_file(leaky, capsys):
    assert audit(leaky, "--out", leaky.out) == 1
    out, err = capsys.readouterr()
    assert err == ""
    assert cells(out, "train") == ["train", "20", "", "", "", "", "", "", "0"]
    assert cells(out, "test") == ["test", "8", "0", "0", "0", "0 (0.0%)", "8", "0", "0"]
    assert cells(out, "leaky") == ["leaky", "6", "3", "0", "0", "3 (50.0%)", "3", "0", "0"]
    assert "distance at most 0.13 (0: one picture, 1: unrelated)" in out
    assert f"every pair: {leaky.out / 'audit.csv'}" in out


def test_a_test_set_that_training_knows_ends_with_1_and_a_line_that_says_so(leaky, capsys):
    assert audit(leaky) == 1
    assert (
        "leak: training knows 50.0% of leaky, more than max_leak = 1.0%: cut the data" in capsys.readouterr().out
    )
    assert audit(leaky, "--set", "max_leak=.5") == 0
    assert "leak: " not in capsys.readouterr().out


def test_every_pair_is_in_the_file(leaky):
    audit(leaky, "--out", leaky.out)
    table = pd.read_csv(leaky.out / "audit.csv", dtype=str)
    assert list(table)[:6] == ["test_set", "image", "seen_in", "match", "kind", "distance"]
    assert table.image.tolist() == ["far/0", "far/1", "far/2"]
    assert table.match.tolist() == ["000004", "000005", "000006"]
    assert set(table.kind) == {"exact"}
    assert set(table.distance.astype(float)) == {0}


def test_results_go_beside_the_runs_by_default(leaky, monkeypatch, capsys):
    monkeypatch.chdir(leaky.folder)
    assert audit(leaky) == 1
    assert (leaky.folder / "runs/mini-audit/audit.csv").exists()
    assert "every pair: runs/mini-audit/audit.csv" in capsys.readouterr().out


def test_it_trains_and_scores_nothing_and_looks_once(leaky, monkeypatch):
    audit(leaky, "--out", leaky.out)
    assert set(leaky.calls()) == {"load"}
    monkeypatch.setattr("synthbench.data.audit.table.audit", lambda *_: pytest.fail("looked again"))
    assert audit(leaky, "--out", leaky.out) == 1


def test_a_value_can_be_overridden(leaky, capsys):
    assert audit(leaky, "--out", leaky.out, "--set", "external=[]") == 0
    assert "leaky" not in capsys.readouterr().out
    assert len(pd.read_csv(leaky.out / "audit.csv")) == 0


def test_it_asks_for_no_positive_class(leaky, capsys):
    unnamed = "dataset.positive=null"
    assert audit(leaky, "--out", leaky.out, "--set", unnamed) == 1, "it leaks"
    capsys.readouterr()
    assert cli.main(["run", str(leaky.file), "--out", str(leaky.out), "--set", unnamed, "--device", "cpu"]) == 2
    assert "which of its classes DARK and LIGHT is the positive one" in capsys.readouterr().err


def test_a_mistake_is_refused(leaky, capsys):
    assert audit(leaky, "--set", "samplse=3") == 2
    assert "samplse: unknown key. Did you mean 'samples'?" in capsys.readouterr().err
    leaky.out.write_text("")
    assert audit(leaky, "--out", leaky.out) == 2
    assert str(leaky.out) in capsys.readouterr().err


def test_a_runs_own_table_is_not_written_over(leaky, capsys):
    assert leaky.run() == 0
    before = (leaky.out / "audit.csv").read_bytes()
    assert audit(leaky, "--out", leaky.out) == 2
    assert "holds a run, whose audit.csv would be lost; give another --out" in capsys.readouterr().err
    assert (leaky.out / "audit.csv").read_bytes() == before


def test_a_data_set_that_goes_elsewhere_while_it_loads(leaky, monkeypatch):
    monkeypatch.chdir(leaky.folder)
    restless = leaky.plugin.read_text().replace(
        "        train = self.make(20, 0)", "        os.chdir('/')\n        train = self.make(20, 0)"
    )
    leaky.plugin.write_text(f"import os\n{restless}")
    assert cli.main(["audit", str(leaky.file), "--out", "here"]) == 1  # it leaks
    assert (leaky.folder / "here/audit.csv").is_file()
