"""The leaderboard's cells: bars, reference lines, what stands for a missing number, flags, order of columns."""

import pytest

from synthbench.report.bars import number_cells, shown_number
from synthbench.report.board import MOST_CELLS, board_tables
from synthbench.report.export import as_latex, as_markdown
from synthbench.report.fidelity import fidelity
from synthbench.report.theme import COLOURS, styles
from synthbench.results.folder import estimate, number, read_folder

BOARD = [
    {"generator": "a", "role": "candidate", "m": "0.6", "m_low": "0.5", "m_high": "0.8"},
    {"generator": "b", "role": "candidate", "m": "too few: 3 images", "m_low": "", "m_high": "", "m_note": "why"},
    {"generator": "noise", "role": "floor", "m": "0.3", "m_low": "", "m_high": ""},
    {"generator": "real", "role": "ceiling", "m": "0.9", "m_low": "0.7", "m_high": "1.3"},
]


def test_bars_share_the_columns_scale():
    a, b, noise, real = number_cells(BOARD, "m")
    assert (noise.bar.value, real.bar.high) == (2.0, 98.0), "from the least to the greatest number"
    assert (a.bar.low, a.bar.value, a.bar.high) == (21.2, 30.8, 50.0)  # 2 + 96 (x - .3)
    assert (noise.bar.low, noise.bar.high) == (2.0, 2.0), "no interval, no width"
    assert b.bar is None


def test_floors_and_ceilings_are_lines_in_every_bar():
    for cell in number_cells(BOARD, "m"):
        if cell.bar:
            assert (cell.bar.floors, cell.bar.ceilings) == ([2.0], [59.6])


def test_a_text_stands_in_place_of_a_number():
    cell = number_cells(BOARD, "m")[1]
    assert (cell.text, cell.detail, cell.value) == ("too few: 3 images", "why", None)


def test_a_column_of_one_number_stands_in_the_middle():
    assert number_cells(BOARD[:1], "m_low")[0].bar.value == 50.0
    assert number_cells(BOARD, "nothing")[0].text == ""


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.12345, "0.123"),
        (-0.5, "-0.500"),
        (9.9999, "10.000"),
        (41.53, "41.5"),
        (1234.5, "1,234"),
        (None, ""),
        (-0.00012, "-1.2e-4"),
        (3e-12, "3.0e-12"),
        (-0.0, "0.000"),
    ],
)
def test_numbers_as_shown(value, text):
    assert shown_number(value) == text


@pytest.mark.parametrize("text", ["", None, "2/3 seeds", "nan", "inf", "-inf"])
def test_what_is_no_number(text):
    assert number(text) is None
    assert estimate({"x": text}, "x") is None


def test_an_estimate_reads_as_on_the_board():
    row = {"x": "0.6", "x_low": "0.5", "x_high": "0.75"}
    assert str(estimate(row, "x")) == "0.600 (0.500 to 0.750)"
    assert str(estimate({"x": "0.6"}, "x")) == "0.600"


def test_an_estimate_of_few_seeds_shows_them():
    two = {"x": "0.471", "x_low": "0.244", "x_high": "0.698", "x_by_seed": "0.435, 0.507"}
    assert str(estimate(two, "x")) == "0.471 (0.244 to 0.698; seeds 0.435, 0.507)"
    wide = {"x": "0.62", "x_low": "unknown", "x_high": "unknown", "x_by_seed": "0.4, 0.84"}
    assert str(estimate(wide, "x")) == "0.620 (unknown; seeds 0.4, 0.84)"
    floor = {**two, "x_check": "chance 0.500; 5 draws: 0.471, sd 0.110"}
    assert str(estimate(floor, "x")) == "chance 0.500; 5 draws: 0.471, sd 0.110"


def test_cells_of_few_seeds_and_of_floors():
    board = [
        {"role": "candidate", "m": "0.62", "m_low": "unknown", "m_high": "unknown", "m_by_seed": "0.4, 0.84"},
        {"role": "floor", "m": "0.4", "m_low": "0.3", "m_high": "0.6", "m_check": "chance 0.500; 5 draws: 0.4"},
        {"role": "ceiling", "m": "0.9", "m_low": "0.8", "m_high": "1.0"},
    ]
    wide, floor, _ = number_cells(board, "m", chance=0.5)
    assert (wide.text, wide.detail) == ("0.620", "unknown; seeds 0.4, 0.84")
    assert (floor.text, floor.detail, floor.value) == ("chance 0.500", "5 draws: 0.4", 0.4)
    assert wide.bar.floors == [29.4], "chance, and not what a floor happened to reach: 2 + 96 (.5 - .3) / .7"
    assert number_cells(board, "m")[0].bar.floors == [15.7]


def test_one_seed_is_said_in_every_form_of_the_board(made_up, tmp_path):
    said = "1 seed: intervals and order of these models; another seed may turn it"
    out = made_up.run(tmp_path / "run", {"good": "candidate", "noise": "floor"})
    doubtful = "differs from chance (p = 0.001), look at the pipeline: chance 0.500; 5 draws: 0.7, sd 0.01"
    rows = [
        made_up.board_row("good", "candidate", "1", rank_basis=said),
        made_up.board_row("noise", "floor", "", reason=doubtful, interval_basis="2 seeds (weak); of this model"),
    ]
    made_up.rows(out / "leaderboard.csv", rows)
    run = read_folder(out)
    main, _, _ = board_tables(run)
    assert f"{said}." in main.notes
    good, noise = main.lines
    assert said in good.flags
    assert noise.flags[-2:] == ["1 seed: intervals of this model", "differs from chance"]
    assert said in as_latex(main, run.headline)
    assert said in as_markdown(main)


def test_the_headline_stands_beside_the_rank_and_costs_at_the_end(finished):
    main, others, left_out = board_tables(read_folder(finished))
    assert [head.title for head in main.heads] == [
        *("rank", "tstr.auroc", "utility", "status", "fit, s", "score, s", "memory, MB")
    ]
    assert [head.sorted for head in main.heads][:3] == ["", "descending", ""]
    assert [table.title for table in others] == ["test: utility and costs", "far"]
    assert left_out == []


def test_marks_of_seen_images_and_variants_make_tables_of_their_own(made_up, tmp_path):
    out = made_up.run(tmp_path / "run", {"good": "candidate"})
    names = ["tstr.auroc@train[seen]", "tstr.auroc[50 images]"]
    further = {name + end: "0.5" for name in names for end in ("", "_low", "_high", "_sd")}
    made_up.rows(out / "leaderboard.csv", [{**made_up.board_row("good", "candidate", "1"), **further}])
    seen = made_up.score_row("good", "train", seen="generator")
    made_up.rows(
        out / "scores.csv", [made_up.score_row("good"), seen, made_up.score_row("good", variant="50 images")]
    )
    _, others, _ = board_tables(read_folder(out))
    assert [table.title for table in others] == ["test: utility and costs", "train [seen]", "test [50 images]"]
    assert others[1].notes[0].startswith("Seen")


WIDE = [
    *("tstr.accuracy", "tstr.balanced_accuracy", "tstr.f1", "tstr.recall", "vgg.accuracy", "vgg.auroc"),
    *("kid.kid[x]", "kid.kid_place[x]", "vendi.vendi", "vendi.more"),
]


@pytest.fixture
def wide(made_up, tmp_path):
    """A run of many metrics, whose ceiling copies."""
    out = made_up.run(tmp_path / "run", {"good": "candidate", "real": "ceiling"})
    further = {name + end: "0.5" for name in WIDE for end in ("", "_low", "_high", "_sd")}
    rows = [
        made_up.board_row("good", "candidate", "1", copying="no", **further),
        made_up.board_row("real", "ceiling", "2", copying="yes", **further),
    ]
    made_up.rows(out / "leaderboard.csv", rows)
    scores = [dict(zip(("evaluator", "metric"), name.split("."), strict=True)) for name in WIDE]
    made_up.rows(out / "scores.csv", [made_up.score_row("good", **one) for one in [{}, *scores]])
    return out


def test_the_main_board_is_narrow_and_the_rest_folded(wide):
    main, others, _ = board_tables(read_folder(wide))
    assert [head.title for head in main.heads] == [
        *("rank", "tstr.auroc", "tstr.balanced_accuracy", "tstr.accuracy", "tstr.f1", "utility"),
        *("vgg.auroc", "kid.kid_place[x]", "vendi.vendi", "status", "fit, s", "score, s", "memory, MB"),
    ]
    folded = {table.title: {head.title for head in table.heads} for table in others}
    assert set(WIDE) <= set().union(*folded.values())
    assert folded["test: kid"] == {"kid.kid[x]", "kid.kid_place[x]"}


def test_a_wide_board_fits_a_paper_and_keeps_its_flags(wide):
    run = read_folder(wide)
    main, _, _ = board_tables(run)
    latex = as_latex(main, run.headline)
    assert latex.startswith("% needs \\usepackage{booktabs}")
    rows = [line for line in latex.splitlines() if " & " in line]
    assert max(row.count(" & ") for row in rows) < 6
    assert "(0.700--0.790)" in latex
    assert "copying" in latex.partition("bottomrule")[2]
    assert "copying" in next(line for line in as_markdown(main).splitlines() if line.startswith("| real"))


def test_references_stand_beside_the_generators_in_one_table(made_up, tmp_path):
    out = made_up.run(tmp_path / "run", {"good": "candidate"})
    values = {"": "0.5", "noise": "9", "real against real": "0.2", "copy of train": "-0.0001"}
    values |= {"NORMAL": "0.6", "NORMAL, real": "0.3"}
    names = {variant: f"kid.kid{f'[{variant}]' if variant else ''}" for variant in values}
    cells = {names[v] + end: x for v, x in values.items() for end, x in (("", x), ("_sd", ""))}
    made_up.rows(out / "leaderboard.csv", [made_up.board_row("good", "candidate", "1", **cells)])
    about = {"evaluator": "kid", "metric": "kid", "direction": "lower"}
    made_up.rows(out / "scores.csv", [made_up.score_row("good", "", v, **about) for v in values])
    run = read_folder(out)
    assert fidelity(run).rows == [
        ["kid.kid", "lower is better", "9.000", "0.200", "-1.0e-4", "0.500"],
        ["kid.kid [NORMAL]", "lower is better", "", "0.300", "", "0.600"],
    ]
    titles = [table.title for table in board_tables(run)[1]]
    assert titles == ["test: utility and costs", "test [NORMAL]"]


def test_what_training_knows_of_a_test_set_stands_in_its_fold(finished):
    run = read_folder(finished)
    assert [table.leaked for table in board_tables(run)[1] if table.title == "far"] == ["leaked: 3 of 60"]
    html = (finished / "report.html").read_text(encoding="utf-8")
    mark = '<span class="tag flag">leaked: 3 of 60</span>'
    assert f"Leaderboard on far {mark}</summary>" in html
    assert f"tstr on far {mark}</h3>" in html


def test_a_huge_board_names_what_it_leaves_out(made_up, tmp_path, monkeypatch):
    assert MOST_CELLS > 1000
    monkeypatch.setattr("synthbench.report.board.MOST_CELLS", 3)
    run = read_folder(made_up.run(tmp_path / "run"))
    _, others, left_out = board_tables(run)
    assert ([table.title for table in others], left_out) == (["test: utility and costs"], ["far"])


@pytest.mark.parametrize(
    ("copying", "flag"),
    [
        ("", None),
        ("0", None),
        ("no", None),
        ("False", None),
        ("yes", "copying"),
        ("1", "copying"),
        ("3 of 8", "copying: 3 of 8"),
        ("cannot be told", "copying cannot be told"),
    ],
)
def test_copying_is_flagged(made_up, tmp_path, copying, flag):
    out = made_up.run(tmp_path / "run", {"good": "candidate"})
    made_up.rows(out / "leaderboard.csv", [{**made_up.board_row("good", "candidate", "1"), "copying": copying}])
    flags = board_tables(read_folder(out))[0].lines[0].flags
    assert ([one for one in flags if one.startswith("copying")] or [None])[0] == flag


def test_no_two_generators_look_alike():
    """Colour, dash and marker together; without colour, dash and marker still tell the first eight apart."""
    looks = styles({f"g{k}": "candidate" for k in range(16)})
    assert len({(look["color"], look["linestyle"]) for look in looks.values()}) == 16
    assert len({look["marker"] for look in list(looks.values())[:8]}) == 8


def luminance(colour):
    channels = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("background", ["#ffffff", "#14161a"])
@pytest.mark.parametrize("colour", COLOURS)
def test_every_colour_shows_on_white_and_on_dark(colour, background):
    """WCAG 2.1, 1.4.11: graphics need a contrast of 3."""
    light, dark = sorted([luminance(colour), luminance(background)], reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 3


def test_labels_that_fit_no_images_are_flagged_and_ranks_by_judge_stand_beside_the_rank(made_up, tmp_path):
    out = made_up.run(tmp_path / "run", {"good": "candidate", "odd": "candidate"})
    by_judge = {"rank_low@big": "2", "rank_high@big": "2", "judges": "depends on the judge: 1 by tstr, 2 by big"}
    muddled = made_up.board_row("odd", "candidate", "2", reason="labels: a probe finds 50%", **by_judge)
    good = made_up.board_row("good", "candidate", "1", **{**by_judge, "judges": "agree"})
    made_up.rows(out / "leaderboard.csv", [good, muddled])
    pair = dict(zip(("a", "b", "metric", "candidates"), ("tstr", "big", "auroc", 7), strict=True))
    made_up.rows(out / "judges.csv", [{**pair, "kendall_tau": 0.5, "p": 0.2, "note": ""}])
    main, _, _ = board_tables(read_folder(out))
    assert ["labels do not fit the images" in line.flags for line in main.lines] == [False, True]
    assert [head.title for head in main.heads][:2] == ["rank", "rank by big"]
    assert "The rank of odd depends on the judge: 1 by tstr, 2 by big." in main.notes
    assert "tstr and big: Kendall's tau 0.50 (p = 0.2) over 7 candidates." in main.notes
