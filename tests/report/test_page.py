"""report.html from a run's folder: what stands in it, what is escaped, what may be missing."""

import io
import itertools
import json
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from synthbench import cli
from synthbench.errors import DataError
from synthbench.report import report_or_warning, write_report
from synthbench.report.album import Album
from synthbench.report.provenance_tables import data_part
from synthbench.report.theme import in_plot, legend_below
from synthbench.report.training import _confusion, _draw_confusions, _matrix
from synthbench.results.folder import RunFolder, read_folder

EVIL = "<script>alert(1)</script>\"&'$x_1$"
LIMIT = 10_000_000


class Page(HTMLParser):
    """Tags with their attributes in order, the text of the page, what stands in captions."""

    def __init__(self, path):
        super().__init__()
        self.tags, self.words = [], []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())

    def all(self, *names):
        return [attributes for tag, attributes in self.tags if tag in names]


@pytest.fixture(scope="module")
def page(finished):
    return Page(finished / "report.html")


SECTIONS = ["leaderboard", "cost", "sizes", "answers", "generators", "data", "setup", "again"]


def test_every_section_is_there_and_listed(page):
    assert [a["id"] for a in page.all("h2")] == SECTIONS
    assert {f"#{name}" for name in SECTIONS} <= {a["href"] for a in page.all("a")}


@pytest.mark.parametrize(
    "said",
    [
        "0.750",  # the headline of `good`
        "0.700 to 0.790",
        "1–2",  # a shared rank
        "1/2 seeds",  # what stands in place of a number
        "ceiling real of 20 images; floor 0.5 (chance)",
        "adults, one hospital",
        "NORMAL/cut.png",
        "b.png",
        "broken: loss is NaN",
        "RuntimeError: <b>loss</b> is NaN",
        "synthbench run 'toy bench.yaml'",
        "git checkout 0123abc",
        "The checkout differed",
        "headline: tstr.auroc",
        "AUROC, F1, recall and AUPRC are of the positive class PNEUMONIA",
        "images of 60 patients; 2 seeds (weak)",
    ],
)
def test_the_page_says(page, said):
    assert said in page.text


def test_a_run_is_read_with_care(bare_plots, made_up, tmp_path):
    sets = {"train": {"counts": {"NORMAL": 1, "ILL": 1}}, "holdout": {"images": 3}}
    out = made_up.run(
        tmp_path / "run",
        {"good": "candidate", "real": "ceiling"},
        data={"sets": sets, "positive": "ILL", "quarantined": 0},
    )
    rows = [
        made_up.board_row("good", "candidate", "1", utility_low="1.1", copying="no"),
        made_up.board_row("real", "ceiling", "2", copying="yes"),
    ]
    made_up.rows(out / "leaderboard.csv", rows)
    (out / "quarantine.csv").write_text("path,reason\n")
    pair = {"a": "good", "b": "real", "test": "bootstrap", "difference": 0.1, "low": 0, "high": 1}
    made_up.rows(out / "comparisons.csv", [{**pair, "p": 1e-5, "p_holm": 1e-5, "better": "good"}])
    text = Page(write_report(out)).text
    for said in (
        *("Above 1: better than as many real images", "another seed may turn them", "copying (by design)"),
        *("< 0.001", "ROC of class ILL", "Quarantine: 0 files.", "Hold-out: patients cut off", "higher is better"),
    ):
        assert said in text


def test_leaks_between_parts_come_first_and_are_counted(made_up, tmp_path):
    out = made_up.run(tmp_path / "run", {"good": "candidate"})
    within = {"test_set": "train", "image": "a", "seen_in": "train", "kind": "exact"}
    between = {"test_set": "far", "image": "b", "seen_in": "train", "kind": "patient"}
    made_up.rows(out / "audit.csv", [within, between, between])
    tables = {table.caption: table.rows for table in data_part(read_folder(out)).tables}
    counts = [["far", "train", "patient", "2"], ["train", "train", "exact", "1"]]
    assert tables["Matches within and between parts of the data"] == counts
    assert [row[0] for row in tables["Images that two parts of the data share"]] == ["far", "far", "train"]


def test_a_signature_stands_once_with_its_metrics(page):
    assert page.text.count("224x224 bicubic") == 1
    assert "tstr.auroc, tstr.f1 N 60 | extractor" in page.text


def test_the_plots_are_on_the_page_and_in_files(finished, page):
    stems = {path.stem for path in (finished / "figures").glob("*.svg")}
    expected = {"leaderboard", "cost", "size-tstr-auroc", "roc-tstr-test", "calibration-tstr-far", "losses-good"}
    assert expected | {"curves-good-tstr", "confusion-noise-tstr"} <= stems
    assert {path.stem for path in (finished / "figures").glob("*.png")} == stems
    assert all(f"figures/{stem}.svg" in page.text for stem in stems)
    plots = [a for a in page.all("div") if a.get("class") == "plot"]
    assert len(plots) == len(stems)


def test_samples_stand_beside_real_images_and_their_neighbours(page):
    alts = [a["alt"] for a in page.all("img")]
    assert sum(alt.startswith("Samples of") for alt in alts) == 4
    assert sum("training image nearest to it" in alt for alt in alts) == 4
    drawn = [a for a in page.all("svg") if a.get("role") == "img"]
    assert sum(a["aria-label"].startswith("Real training images") for a in drawn) == 4


def test_tables_and_pictures_can_be_read_aloud(page):
    assert len(page.all("caption")) == len(page.all("table"))
    assert all(a.get("scope") in ("col", "row") for a in page.all("th"))
    assert all(a.get("alt") for a in page.all("img"))
    assert all(a.get("aria-label") for a in page.all("div") if a.get("role") in ("img", "region"))
    assert page.all("html")[0]["lang"] == "en"
    assert page.all("a")[0] == {"class": "skip", "href": "#content"}
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert max(b - a for a, b in itertools.pairwise(levels)) <= 1, "a heading level is left out"


def test_ids_are_there_once_and_links_lead_to_them(page):
    ids = [a["id"] for _, a in page.tags if "id" in a]
    assert len(set(ids)) == len(ids)
    assert {a["href"][1:] for a in page.all("a")} <= set(ids)


def test_nothing_is_loaded_from_anywhere(finished, page):
    named = [
        (tag, a[key])
        for tag, a in page.tags
        for key in ("src", "href", "xlink:href", "srcset", "action")
        if key in a
    ]
    assert [pair for pair in named if not pair[1].startswith(("#", "data:image/png;base64,"))] == []
    assert not page.all("link", "iframe", "object", "embed", "form", "base")
    text = (finished / "report.html").read_text(encoding="utf-8")
    assert "@import" not in text
    assert {target[0] for target in re.findall(r"url\(([^)]+)\)", text)} <= {"#"}, "clip paths of plots alone"


def test_the_page_forbids_itself_every_request(page):
    policy = next(a["content"] for a in page.all("meta") if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'; img-src data:;")
    assert "unsafe-inline" not in policy.partition("script-src")[2]


def test_every_fold_says_what_is_in_it(finished):
    html = (finished / "report.html").read_text(encoding="utf-8")
    summaries = [
        re.sub(r"<.*?>", "", found).strip() for found in re.findall(r"<summary>(.*?)</summary>", html, re.S)
    ]
    assert summaries
    assert all(summaries)


@pytest.fixture(scope="module")
def evil(made_up, tmp_path_factory):
    """A run whose every text is an attack."""
    out = made_up.run(
        tmp_path_factory.mktemp("evil") / "run",
        {EVIL: "candidate", "real": "ceiling"},
        hardware={EVIL: EVIL},
        data={"domain": EVIL, "sets": {EVIL: {"images": EVIL, "counts": {EVIL: EVIL}}}},
        command=["run", EVIL],
    )
    made_up.rows(
        out / "leaderboard.csv",
        [made_up.board_row(EVIL, "candidate", "1", note=EVIL, judges=EVIL, status=EVIL, copying=EVIL)],
    )
    made_up.rows(out / "scores.csv", [made_up.score_row(EVIL, note=EVIL), made_up.score_row(EVIL, EVIL)])
    made_up.rows(
        out / "intervals.csv", [made_up.interval_row(EVIL), made_up.interval_row(EVIL, EVIL, 0.5, note=EVIL)]
    )
    made_up.rows(out / "quarantine.csv", [{"path": EVIL, "reason": EVIL}])
    (next(out.glob("trials/*/seed-0")) / "e").mkdir()
    (next(out.glob("trials/*/seed-0")) / "e" / "signature.txt").write_text(f"{EVIL} | {EVIL}")
    write_report(out)
    return out


def test_what_users_wrote_is_text_not_markup(evil):
    page = Page(evil / "report.html")
    assert len(page.all("script")) == 1
    assert page.text.count("<script>alert(1)</script>") >= 10
    assert not [a for _, a in page.tags if any(name.startswith("on") for name in a)]


def test_plots_show_a_label_as_it_is(evil):
    svg = (evil / "figures" / "leaderboard.svg").read_text(encoding="utf-8")
    assert "<script" not in svg
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in svg
    assert "$x_1$" in svg


def test_markdown_and_latex_are_escaped(evil):
    markdown = (evil / "leaderboard.md").read_text(encoding="utf-8")
    assert "<script>" not in markdown
    assert "&lt;script&gt;" in markdown
    table = markdown.partition("\n\n")[0].splitlines()
    assert {line.count(" | ") for line in table} == {table[0].count(" | ")}
    latex = (evil / "leaderboard.tex").read_text(encoding="utf-8")
    assert r"\&" in latex
    assert r"\$x\_1\$" in latex


def test_the_board_for_papers(finished):
    heads, _, first, *_ = (finished / "leaderboard.md").read_text(encoding="utf-8").splitlines()
    assert heads.startswith("| generator | role | flags | tstr.auroc | rank | tstr.auroc on far | utility |")
    assert first.startswith("| good | candidate |  | 0.750 (0.700 to 0.790) | 1–2 |")
    latex = (finished / "leaderboard.tex").read_text(encoding="utf-8")
    assert latex.splitlines()[1] == r"\begin{tabular}{@{}lrrrr@{}}"
    table, _, notes = latex.partition(r"\end{tabular}")
    assert table.count(r"\\") == 1 + 5, "a heading and the generators"
    assert "leaked: training knows 3 of them" in notes


def test_the_same_folder_gives_the_same_files_wherever_it_lies(finished, tmp_path):
    copy = tmp_path / "elsewhere" / "run"
    shutil.copytree(finished, copy)
    (copy / "figures" / "gone.png").touch()
    write_report(copy)
    files = sorted(path.relative_to(finished) for path in finished.rglob("*") if path.is_file())
    assert sorted(path.relative_to(copy) for path in copy.rglob("*") if path.is_file()) == files
    assert [str(file) for file in files if (finished / file).read_bytes() != (copy / file).read_bytes()] == []


MISSING = [
    *(
        "run.json",
        "scores.csv",
        "intervals.csv",
        "comparisons.csv",
        "test_sets.csv",
        "audit.csv",
        "quarantine.csv",
    ),
    *("data", "trials", "trials/good", "trials/good/seed-0/tstr", "trials/good/seed-0/tstr/predictions.csv"),
    *("trials/good/seed-0/generator/nearest.csv", "trials/good/seed-0/generator"),
]


@pytest.mark.parametrize("missing", MISSING)
def test_a_page_is_made_whatever_is_missing(bare_plots, made_up, tmp_path, missing):
    out = made_up.run(tmp_path / "run", {"good": "candidate", "real": "ceiling"})
    path = out / missing
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    text = Page(write_report(out)).text
    assert "0.750" in text or missing == "intervals.csv"
    assert "real" in text


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("run.json", "{"),
        ("scores.csv", "evaluator\n"),
        ("trials/good/seed-0/tstr/predictions.csv", "test_set,id\ntest,1\n"),
        ("trials/good/seed-0/tstr/classifier-0/confusion.csv", "test_set,true,A\ntest,A,x\n"),
        ("trials/good/seed-0/tstr/classifier-0/history.csv", "epoch,train_loss\n1,\n"),
        ("trials/good/seed-0/tstr/classifier-0/report.csv", "\xff\xfe"),
        ("trials/good/seed-0/generator/losses.csv", "step\n1\n2\n"),
        ("trials/good/seed-0/generator/samples.png", "no picture"),
        ("data/real.png", ""),
    ],
)
def test_a_page_is_made_whatever_is_damaged(bare_plots, made_up, tmp_path, file, content):
    out = made_up.run(tmp_path / "run", {"good": "candidate", "real": "ceiling"})
    (out / file).write_bytes(content.encode("latin-1"))
    assert "0.750" in Page(write_report(out)).text


def test_what_could_not_be_read_is_said(bare_plots, made_up, tmp_path):
    out = made_up.run(tmp_path / "run", {"good": "candidate"})
    (out / "run.json").write_text("{")
    assert "What could not be read run.json: JSONDecodeError" in Page(write_report(out)).text


def test_an_evaluator_that_nobody_knows_has_its_numbers_and_pictures(bare_plots, made_up, tmp_path):
    out = made_up.run(tmp_path / "run", {"good": "candidate"})
    made_up.rows(out / "leaderboard.csv", [made_up.board_row("good", "candidate", "1", copying="yes")])
    foreign = {"evaluator": "fd[x]", "metric": "fid"}
    made_up.rows(
        out / "intervals.csv", [made_up.interval_row("good"), made_up.interval_row("good", value=41.5, **foreign)]
    )
    score = made_up.score_row("good", **foreign, direction="lower")
    made_up.rows(out / "scores.csv", [made_up.score_row("good"), score])
    folder = out / "trials/good/seed-0" / made_up.safe_name("fd[x]")
    folder.mkdir()
    Image.new("L", (64, 32)).save(folder / "pairs.png")
    (folder / "signature.txt").write_text("fid | N 60, inception\n")
    page = Page(write_report(out))
    assert "41.5" in page.text
    assert "good under fd[x]" in page.text
    assert "pairs.png" in page.text
    assert "copying" in page.text
    assert "fd[x].fid N 60, inception" in page.text
    html = (out / "report.html").read_text(encoding="utf-8")
    assert re.search(r'data-first="ascending">fd[^ ]*fid<span class="detail"> lower is better</span>', html)


@pytest.mark.full
def test_a_large_run_stays_below_10_mb(bare_plots, made_up, tmp_path):
    roles = {f"generator {k}": "candidate" for k in range(6)}
    out = made_up.run(tmp_path / "run", roles)
    noise = Image.effect_noise((1100, 550), 90)
    for path in (out / "trials").glob("*/seed-0/generator"):
        shutil.rmtree(path.parent / "tstr")
        for name in ("samples.png", "nearest.png", *(f"grid-{k}.png" for k in range(6))):
            noise.save(path / name)
    page = write_report(out)
    assert page.stat().st_size < LIMIT
    text = page.read_text(encoding="utf-8")
    assert text.count('src="data:image/png') == 6 * 6
    assert "Left out" not in text


def test_a_page_without_room_says_what_it_leaves_out(bare_plots, made_up, tmp_path, monkeypatch):
    monkeypatch.setattr("synthbench.report.album.PLOTS", 50)
    out = made_up.run(tmp_path / "run", {"good": "candidate", "noise": "floor"})
    text = write_report(out).read_text(encoding="utf-8")
    assert "Left out to keep this page below 10 MB: ROC curves of tstr on" in text


def test_a_folder_that_is_no_run_is_refused(tmp_path, capsys):
    with pytest.raises(DataError, match=r"no leaderboard\.csv"):
        write_report(tmp_path)
    assert cli.main(["report", str(tmp_path)]) == 2
    assert "synthbench run" in capsys.readouterr().err


def test_the_command_writes_the_page_and_says_where(bare_plots, made_up, tmp_path, capsys):
    out = made_up.run(tmp_path / "run", {"good": "candidate"})
    assert cli.main(["report", str(out)]) == 0
    assert capsys.readouterr().out == f"{out / 'report.html'}\n"
    assert (out / "report.html").is_file()


def test_a_report_that_cannot_be_made_is_a_line_not_an_error(tmp_path, monkeypatch):
    line = report_or_warning(tmp_path / "nothing\nhere")
    assert line.startswith("warning: no report (")
    assert "\n" not in line


def test_matplotlib_and_jinja_wait_for_a_report():
    code = "import sys, synthbench.report, synthbench.runner.pictures; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"matplotlib", "jinja2", "pandas", "sklearn"} & {name.partition(".")[0] for name in loaded}


def test_a_class_without_images_has_no_figures_and_what_was_seen_is_named(bare_plots, made_up, tmp_path):
    out = made_up.run(tmp_path / "run", {"good": "candidate"})
    made_up.rows(out / "scores.csv", [made_up.score_row("good", "train", seen="generator")])
    confusion = [
        {"true": "NORMAL", "NORMAL": 0, "PNEUMONIA": 0},
        {"true": "PNEUMONIA", "NORMAL": 1, "PNEUMONIA": 9},
    ]
    figures = {"precision": 0.111, "recall": 0.222, "f1": 0.333}
    report = [("NORMAL", 0), ("PNEUMONIA", 10), ("macro avg", 10)]
    for folder in (out / "trials/good/seed-0/tstr").glob("classifier-*"):
        made_up.rows(
            folder / "confusion.csv", [{"test_set": s, **row} for s in ("train", "far") for row in confusion]
        )
        rows = [{"test_set": "far", "class": name, **figures, "support": n} for name, n in report]
        made_up.rows(folder / "report.csv", rows)
    page = Page(write_report(out))
    assert "train (seen): NORMAL none, PNEUMONIA 90% right of 10; far (leaked: 3 of 60):" in str(page.all("div"))
    assert page.text.count("0.111") == 1, "only the class that has images"


def test_a_class_called_as_a_heading_has_its_confusion_matrix(tmp_path):
    lines = ["test_set,true,true,noise", "test,true,9,1", "test,noise,2,8"]
    (tmp_path / "confusion.csv").write_text("\n".join(lines))
    table = _confusion(RunFolder(tmp_path, {}, {}).cells(tmp_path / "confusion.csv"))
    assert _matrix(table, "test", table.classes).tolist() == [[9, 1], [2, 8]]


def test_a_long_label_leaves_room_for_the_plot():
    label = "select around " + "acgan-" * 60 + "policy=margin"
    assert in_plot(label) == "select around acgan-…-acgan-policy=margin"
    assert in_plot("_x") == "\u200b_x"
    assert in_plot("pca-gaussian") == "pca-gaussian"


@pytest.mark.parametrize(("label", "columns"), [("acgan", 2), ("select-acgan-oversample=4,policy=coverage", 1)])
def test_a_legend_stays_within_its_plot(label, columns):
    figure = Figure(figsize=(5.2, 3.5), layout="constrained")
    axes = figure.subplots()
    for k in range(6):
        axes.plot([0, 1], [k, k], label=in_plot(f"{label}{k}"))
    legend_below(figure)
    figure.savefig(io.BytesIO())
    (legend,) = figure.legends
    assert legend._ncols == columns
    box = legend.get_window_extent()
    assert box.x0 >= 0
    assert box.x1 <= figure.bbox.x1


def test_confusion_matrices_of_many_classes_have_room():
    """Shares alone in the cells, names cut short, upright below."""
    figure, classes = Figure(), [f"class number {'long ' * 5}{k}" for k in range(11)]
    counts = np.eye(11) * 60 + 1
    counts[4] = 0
    _draw_confusions(figure, {"test": counts}, classes, 1)
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert (texts[0], texts[1], texts[44]) == ("86", "1", "none")
    assert {len(label.get_text()) for label in figure.axes[0].get_xticklabels()} == {16}
    assert {label.get_rotation() for label in figure.axes[0].get_xticklabels()} == {90}


def test_metrics_of_many_classes_are_called_macro_means(bare_plots, made_up, tmp_path):
    sets = {"train": {"counts": dict.fromkeys("ABC", 3)}}
    out = made_up.run(tmp_path / "run", {"good": "candidate"})
    record = json.loads((out / "run.json").read_text())
    record["data"] |= {"sets": sets, "positive": None}
    (out / "run.json").write_text(json.dumps(record))
    assert "AUROC, F1, recall and AUPRC are macro means over 3 classes" in Page(write_report(out)).text


def drawn_again(out, monkeypatch):
    """The plots that making the report once more draws."""
    stems = []
    draw = Album._draw
    with monkeypatch.context() as patch:
        patch.setattr(Album, "_draw", lambda self, *args: stems.append(args[-1].stem) or draw(self, *args))
        write_report(out)
    return stems


@pytest.mark.full
def test_a_plot_is_drawn_again_only_where_something_changed(finished, tmp_path, monkeypatch):
    out = tmp_path / "run"
    shutil.copytree(finished, out)
    page, names = (out / "report.html").read_bytes(), {path.name for path in (out / "figures").iterdir()}
    assert drawn_again(out, monkeypatch) == []
    assert (out / "report.html").read_bytes() == page
    assert {path.name for path in (out / "figures").iterdir()} == names
    (out / "figures" / "cost.svg").write_text("<svg/>")
    (out / "figures" / "leaderboard.png").unlink()
    assert drawn_again(out, monkeypatch) == ["leaderboard", "cost"]
    assert (out / "report.html").read_bytes() == page
    board = out / "leaderboard.csv"
    board.write_text(board.read_text().replace(",12.5,", ",14.5,", 1))
    assert drawn_again(out, monkeypatch) == ["cost"], "the one that shows seconds"
    (out / "figures" / "drawn.json").write_text("{broken")
    assert len(drawn_again(out, monkeypatch)) > 4
