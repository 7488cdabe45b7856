"""A benchmark with two judges, from the file to the board, the page, the bundle and a merge."""

from __future__ import annotations

import html

import pandas as pd
import pytest
import yaml

from synthbench import cli
from synthbench.progress import Progress
from synthbench.results.bundle import export
from synthbench.results.merge import merge
from synthbench.results.verify import verify

pytestmark = pytest.mark.full  # `tests/leaderboard/test_judges.py` has the parts, in the default run

QUICK = {"use": "tstr", "backbone": "cnn", "epochs": 2, "batch_size": 16, "seeds": 2}
HEADLINES = pytest.mark.parametrize("headline", ["judges.auroc", "firm.auroc"])


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """(headline) -> a finished run's folder: two linear generators, two small CNNs of unlike dropout."""
    folder = tmp_path_factory.mktemp("judges")
    content = {
        "name": "two-judges",
        "samples": 60,
        "judges": ["firm", "loose"],
        "baselines": False,
        "dataset": {"use": "phantom", "image_size": 32, "train_images": 80, "test_images": 60},
        "generators": [{"use": "pca-gaussian", "label": f"pca-{k}", "components": k} for k in (2, 20)],
        "evaluators": [{**QUICK, "label": "firm"}, {**QUICK, "label": "loose", "dropout": 0.8}],
    }

    def run(headline):
        out = folder / headline
        if not out.exists():
            file = folder / f"{headline}.yaml"
            file.write_text(yaml.safe_dump({**content, "headline": headline}))
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("SYNTHBENCH_CACHE", str(folder / "cache"))
                assert cli.main(["run", str(file), "--out", str(out), "--device", "cpu"]) == 0
        return out

    return run


@HEADLINES
def test_ranks_by_judge_from_end_to_end(run, headline):
    out = run(headline)
    board = pd.read_csv(out / "leaderboard.csv").set_index("generator")
    assert board["judges"].str.match("agree: |depends on the judge: ").all()
    assert board[headline.replace(".", "_")].is_monotonic_decreasing
    pairs = pd.read_csv(out / "judges.csv")
    assert pairs.note.tolist() == ["too few candidates for a rank correlation: 2 (6 needed)"]
    mean = board[["firm_auroc", "loose_auroc"]].mean(axis=1)
    if headline == "judges.auroc":
        assert board["judges_auroc"].to_numpy() == pytest.approx(mean.to_numpy())
        low, high = board["judges_auroc_low"], board["judges_auroc_high"]
        known = low.notna()  # two seeds far apart have no interval
        assert known.any()
        assert ((low < mean) & (mean < high))[known].all()


@HEADLINES
def test_the_page_and_the_terminal_show_them(run, headline, capsys):
    out = run(headline)
    page = html.unescape((out / "report.html").read_text()).replace("<wbr>", "")
    assert ">by judge<" in page
    assert "firm and loose: too few candidates" in page
    assert cli.main(["report", str(out)]) == 0
    capsys.readouterr()


@HEADLINES
def test_a_bundle_verifies(run, headline, tmp_path):
    export(run(headline), tmp_path / "b.zip")
    verified = verify(tmp_path / "b.zip", Progress(False))
    assert verified.holds, verified.mismatches
    tampered = run(headline) / "judges.csv"
    text = tampered.read_text()
    tampered.write_text(text.replace("firm,loose,auroc,2", "firm,loose,auroc,9"))
    try:
        export(run(headline), tmp_path / "tampered.zip")
    finally:
        tampered.write_text(text)
    assert not verify(tmp_path / "tampered.zip", Progress(False)).holds


@pytest.mark.full
def test_a_merge_ranks_by_the_headline_alone(run):
    """Ranks by judge are of one run's candidates: beside a merged rank they would be taken for those of all."""
    for headline in ("firm.auroc", "judges.auroc"):
        merged = merge([run(headline)], Progress(False)).leaderboard
        assert not [name for name in merged if "@firm" in name and name.startswith("rank")]
        board = pd.read_csv(run(headline) / "leaderboard.csv", dtype=str).set_index("generator")
        assert merged.set_index("generator")["rank"].to_dict() == board["rank"].to_dict()
    both = merge([run("firm.auroc"), run("judges.auroc")], Progress(False))
    assert "headline judges.auroc, not firm.auroc" in both.refused[next(iter(both.refused))]
