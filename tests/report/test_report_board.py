"""The leaderboard's cells: bars, reference lines, what stands for a missing number, flags, order of columns."""

import pytest

from synthbench.report.bars import number_cells, shown_number
from synthbench.report.board import MOST_CELLS, board_tables
from synthbench.report.folder import estimate, number, read_run
from synthbench.report.theme import COLOURS, styles

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
    [(0.12345, "0.123"), (-0.5, "-0.500"), (9.9999, "10.000"), (41.53, "41.5"), (1234.5, "1,234"), (None, "")],
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


def test_the_headline_stands_beside_the_rank_and_costs_at_the_end(finished):
    main, others, left_out = board_tables(read_run(finished))
    assert [head.title for head in main.heads] == [
        *("rank", "tstr.auroc", "status", "utility", "fit, s", "draw, s", "score, s", "memory, MB")
    ]
    assert [head.sorted for head in main.heads][:3] == ["", "descending", ""]
    assert [table.title for table in others] == ["far"]
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
    _, others, _ = board_tables(read_run(out))
    assert [table.title for table in others] == ["train [seen]", "test [50 images]"]
    assert others[0].notes[0].startswith("Seen")


def test_a_huge_board_names_what_it_leaves_out(made_up, tmp_path, monkeypatch):
    assert MOST_CELLS > 1000
    monkeypatch.setattr("synthbench.report.board.MOST_CELLS", 3)
    run = read_run(made_up.run(tmp_path / "run"))
    _, others, left_out = board_tables(run)
    assert (others, left_out) == ([], ["far"])


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
    ],
)
def test_copying_is_flagged(made_up, tmp_path, copying, flag):
    out = made_up.run(tmp_path / "run", {"good": "candidate"})
    made_up.rows(out / "leaderboard.csv", [{**made_up.board_row("good", "candidate", "1"), "copying": copying}])
    status = board_tables(read_run(out))[0].lines[0].cells[2]
    assert ([one for one in status.flags if one.startswith("copying")] or [None])[0] == flag


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
