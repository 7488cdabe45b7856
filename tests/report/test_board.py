"""The leaderboard's cells: bars, reference lines, what stands for a missing number, flags, order of columns."""

import pytest

from synthbench.leaderboard.few_seeds import ONE_SEED
from synthbench.report import fold as module
from synthbench.report.album import Album
from synthbench.report.bars import number_cells, shown_number, value_cells
from synthbench.report.board import MOST_CELLS, WEAK, board_tables
from synthbench.report.export import as_latex, as_markdown
from synthbench.report.fidelity import fidelity
from synthbench.report.headline_plots import by_size
from synthbench.report.page import make_report
from synthbench.report.subgroups import subgroups
from synthbench.report.theme import COLOURS, styles
from synthbench.results.folder import StoredEstimate, estimate, number, read_folder

ROLES = ["candidate", "candidate", "floor", "ceiling"]
COLUMN = [
    StoredEstimate(0.6, (0.5, 0.8)),
    StoredEstimate(text="too few: 3 images"),
    StoredEstimate(0.3),
    StoredEstimate(0.9, (0.7, 1.3)),
]


def test_bars_share_the_columns_scale():
    a, b, noise, real = number_cells(COLUMN, ROLES)
    assert (noise.bar.value, real.bar.high) == (2.0, 98.0), "from the least to the greatest number"
    assert (a.bar.low, a.bar.value, a.bar.high) == (21.2, 30.8, 50.0)  # 2 + 96 (x - .3)
    assert (noise.bar.low, noise.bar.high) == (2.0, 2.0), "no interval, no width"
    assert b.bar is None


def test_floors_and_ceilings_are_lines_in_every_bar():
    for cell in number_cells(COLUMN, ROLES):
        if cell.bar:
            assert (cell.bar.floors, cell.bar.ceilings) == ([2.0], [59.6])


def test_a_text_stands_in_place_of_a_number():
    for cells in (number_cells(COLUMN, ROLES), value_cells(COLUMN)):
        assert (cells[1].text, cells[1].value, cells[1].bar) == ("too few: 3 images", None, None)


def test_values_alone_have_neither_bar_nor_interval():
    cell = value_cells(COLUMN)[0]
    assert (cell.text, cell.value, cell.detail, cell.bar) == ("0.600", 0.6, "", None)


def test_a_column_of_one_number_stands_in_the_middle():
    assert number_cells([StoredEstimate(0.5)], ROLES[:1])[0].bar.value == 50.0
    assert number_cells([None], ROLES[:1])[0].text == ""


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


TWO = {"value": "0.471", "low": "0.244", "high": "0.698", "by_seed": "0.435, 0.507"}
UNKNOWN = {"value": "0.62", "low": "0.1", "high": "0.9", "wide": "True", "by_seed": "0.4, 0.84"}


def test_an_estimate_of_few_seeds_shows_them():
    assert str(StoredEstimate.of_row(TWO)) == "0.471 (0.244 to 0.698; seeds 0.435, 0.507)"
    assert str(StoredEstimate.of_row(UNKNOWN)) == "0.620 (unknown; seeds 0.4, 0.84)"
    floor = {**TWO, "check": "chance 0.500; 5 draws: 0.471, sd 0.110"}
    assert str(StoredEstimate.of_row(floor)) == "chance 0.500; 5 draws: 0.471, sd 0.110"
    assert str(StoredEstimate.of_row({"value": "", "note": "1/2 seeds"})) == "1/2 seeds"


def test_cells_of_few_seeds_and_of_floors():
    column = [
        StoredEstimate.of_row(UNKNOWN),
        StoredEstimate.of_row(
            {"value": "0.4", "low": "0.3", "high": "0.6", "check": "chance 0.500; 5 draws: 0.4"}
        ),
        StoredEstimate(0.9, (0.8, 1.0)),
    ]
    roles = ["candidate", "floor", "ceiling"]
    wide, floor, _ = number_cells(column, roles, chance=0.5)
    assert (wide.text, wide.detail) == ("0.620", "unknown; seeds 0.4, 0.84")
    assert (floor.text, floor.detail, floor.value) == ("chance 0.500", "5 draws: 0.4", 0.4)
    assert wide.bar.floors == [29.4], "chance, and not what a floor happened to reach: 2 + 96 (.5 - .3) / .7"
    assert number_cells(column, roles)[0].bar.floors == [15.7]


def test_what_holds_for_every_row_is_said_once_and_in_every_form_of_the_board(made_up, tmp_path):
    out = made_up.run(tmp_path / "run", {"good": "candidate", "noise": "floor"})
    doubtful = "differs from chance (p = 0.001), look at the pipeline: chance 0.500; 5 draws: 0.7, sd 0.01"
    rows = [made_up.board_row("good", "candidate", "1"), made_up.board_row("noise", "floor", "", note=doubtful)]
    made_up.rows(out / "leaderboard.csv", rows)
    main = board_tables(read_folder(out))[0][0]
    assert [note for note in main.notes if note in (f"{ONE_SEED}.", WEAK)] == [f"{ONE_SEED}.", WEAK]
    assert "60 images of 45 patients; leaked: training knows 3 of them." in main.notes
    tests = read_folder(out).tables["test_sets"]
    made_up.rows(out / "test_sets.csv", [{**row, "patients": row["images"]} for row in tests])
    alone = board_tables(read_folder(out))[0][0]
    assert "60 images, patients unknown or one each; leaked: training knows 3 of them." in alone.notes
    assert [line.flags for line in main.lines] == [[], ["differs from chance"]]
    assert ONE_SEED in as_latex(main, read_folder(out))
    assert ONE_SEED in as_markdown(main)


def test_the_number_to_quote_stands_first(finished):
    first, folded, left_out = board_tables(read_folder(finished))
    (main,) = first
    titles = ["tstr.auroc", "rank", "tstr.auroc on far", "utility", "seeds", "fit, s"]
    assert [head.title for head in main.heads] == titles
    assert [head.sorted for head in main.heads][:3] == ["descending", "", ""]
    assert main.lines[0].cells[4].text == "1 × 2"
    assert [line.flags for line in main.lines if line.flags] == [["failed"]]
    assert [table.title for table in folded] == ["Utility and costs", "On test: tstr", "On far", *SIZES]
    assert left_out == []


SIZES = ["On test [50 images]", "On test [100 images]"]


def test_marks_of_seen_images_and_variants_make_tables_of_their_own(made_up, tmp_path):
    out = made_up.run(tmp_path / "run", {"good": "candidate"})
    seen = made_up.interval_row("good", test_set="train", seen="generator")
    made_up.rows(
        out / "intervals.csv", [made_up.interval_row("good"), seen, made_up.interval_row("good", "x", 0.6)]
    )
    tables = board_tables(read_folder(out))[1]
    assert [table.title for table in tables][1:] == ["On test: tstr", "On train [seen]", "On test [x]"]
    assert tables[2].notes[0].startswith("Seen")


WIDE = [
    *("tstr.accuracy", "tstr.balanced_accuracy", "tstr.f1", "tstr.recall", "vgg.accuracy", "vgg.auroc"),
    *("kid.kid[x]", "kid.kid_place[x]", "vendi.vendi", "vendi.more"),
]


@pytest.fixture
def wide(made_up, tmp_path):
    """A run of many metrics, whose ceiling copies; the fidelity ones are on no test set."""
    roles = {"good": "candidate", "real": "ceiling"}
    out = made_up.run(tmp_path / "run", roles)
    rows = [made_up.board_row(label, role, "1", copying="no") for label, role in roles.items()]
    made_up.rows(out / "leaderboard.csv", [rows[0], {**rows[1], "copying": "yes"}])
    names = [dict(zip(("evaluator", "metric"), name.split("."), strict=True)) for name in WIDE]
    further = [
        made_up.interval_row(
            label, value=0.5, test_set="test" if one["evaluator"] in ("tstr", "vgg") else "", **one
        )
        for label in roles
        for one in names
    ]
    made_up.rows(out / "intervals.csv", [*made_up.interval_rows(roles), *further])
    return out


def test_the_first_table_is_narrow_and_the_rest_stands_below_or_folded(wide):
    (main, others), folded, _ = board_tables(read_folder(wide))
    titles = ["tstr.auroc", "rank", "tstr.auroc on far", "utility", "seeds", "fit, s"]
    assert [head.title for head in main.heads] == titles
    assert [(head.title, head.hint) for head in others.heads] == [
        *(("vgg.auroc", "vgg.auroc"), ("kid.kid", "kid.kid[x]"), ("vendi.vendi", "vendi.vendi"))
    ]
    assert {cell.detail for line in others.lines for cell in line.cells} == {""}, "values alone"
    tables = {table.title: {head.title for head in table.heads} for table in folded}
    assert set(WIDE) <= set().union(*tables.values())
    assert tables["Of the synthetic images: kid"] == {"kid.kid[x]", "kid.kid_place[x]"}


def test_a_wide_board_fits_a_paper_and_keeps_its_flags(wide):
    run = read_folder(wide)
    main = board_tables(run)[0][0]
    latex = as_latex(main, run)
    assert latex.startswith("% needs \\usepackage{booktabs}")
    rows = [line for line in latex.splitlines() if " & " in line]
    assert max(row.count(" & ") for row in rows) < 6
    assert "(0.700--0.790)" in latex
    assert "copying" in latex.partition("bottomrule")[2]
    assert "copying" in next(line for line in as_markdown(main).splitlines() if line.startswith("| real"))


UNDEFINED = "undefined: ceiling - floor is 0.353 ± 0.7: not clearly above 0; ceiling real of 120 images"


def utility_row(made_up, label, **numbers):
    about = {"evaluator": "", "metric": "utility", "test_set": ""}
    return made_up.interval_row(label, value=0.6) | about | {"note": "by real"} | numbers


def test_an_undefined_utility_is_a_word_in_its_cell_and_no_note_where_another_is_defined(made_up, tmp_path):
    out = made_up.run(tmp_path / "run", {"good": "candidate", "poor": "candidate"})
    lacking = utility_row(made_up, "poor", value="", low="", high="", note=UNDEFINED)
    made_up.rows(out / "intervals.csv", [utility_row(made_up, "good"), lacking])
    run = read_folder(out)
    main = board_tables(run)[0][0]
    place = [head.title for head in main.heads].index("utility")
    assert [line.cells[place].text for line in main.lines] == ["0.600", "undefined"]
    assert [note for note in main.notes if "tility" in note] == ["Utility: by real."]
    assert UNDEFINED not in as_latex(main, run) + as_markdown(main)
    made_up.rows(out / "intervals.csv", [lacking])
    assert f"Utility: {UNDEFINED}." in board_tables(read_folder(out))[0][0].notes, "of nobody's: why"


@pytest.mark.parametrize("label", ["[sm]_ote", "*star"])
def test_a_row_in_latex_begins_with_no_argument_of_the_line_before(made_up, tmp_path, label):
    out = made_up.run(tmp_path / "run", {"good": "candidate", label: "candidate"})
    run = read_folder(out)
    rows = [line for line in as_latex(board_tables(run)[0][0], run).splitlines() if " & " in line]
    assert rows[2].startswith(f"{{{label[0]}}}{label[1:3]}")


@pytest.mark.parametrize(("test_set", "said"), [("test", "tstr.auroc on test"), ("", "tstr.auroc")])
def test_latex_names_a_test_set_only_where_there_is_one(made_up, tmp_path, test_set, said):
    out = made_up.run(tmp_path / "run", {"good": "candidate"})
    made_up.rows(out / "intervals.csv", [made_up.interval_row("good", test_set=test_set)])
    run = read_folder(out)
    assert f"Ranked by {said}; 95" in as_latex(board_tables(run)[0][0], run)


def test_subgroups_and_sizes_have_the_ends_that_the_board_has(made_up, tmp_path):
    out = made_up.run(tmp_path / "run", {"good": "candidate"})
    apart = {"wide": "True", "by_seed": "0.966, 0.712"}
    group = made_up.interval_row("good", value=0.839, test_set="test/sex=F", **apart)
    size = made_up.interval_row("good", "50 images", 0.839, **apart)
    made_up.rows(out / "intervals.csv", [made_up.interval_row("good"), group, size])
    run = read_folder(out)
    shown = "0.839 (unknown; seeds 0.966, 0.712)"
    assert [row[-1] for row in subgroups(run).rows] == [shown]
    (plot,) = by_size(run, Album(out / "figures", 0))
    assert shown in plot.alt


def test_references_stand_beside_the_generators_in_one_table(made_up, tmp_path):
    out = made_up.run(tmp_path / "run", {"good": "candidate"})
    values = {"": 0.5, "noise": 9, "real against real": 0.2, "copy of train": -0.0001}
    values |= {"NORMAL": 0.6, "NORMAL, real": 0.3}
    about = {"evaluator": "kid", "metric": "kid"}
    rows = [made_up.interval_row("good", v, value, **about, test_set="") for v, value in values.items()]
    made_up.rows(out / "intervals.csv", rows)
    made_up.rows(
        out / "scores.csv", [made_up.score_row("good", "", v, **about, direction="lower") for v in values]
    )
    run = read_folder(out)
    assert fidelity(run).rows == [
        ["kid.kid", "lower is better", "9.000", "0.200", "-1.0e-4", "0.500"],
        ["kid.kid [NORMAL]", "lower is better", "", "0.300", "", "0.600"],
    ]
    titles = [table.title for table in board_tables(run)[1]]
    assert titles == ["Utility and costs", "Of the synthetic images: kid", "Of synthetic images [NORMAL]"]


def test_what_training_knows_of_a_test_set_stands_in_its_fold(finished):
    run = read_folder(finished)
    assert [table.leaked for table in board_tables(run)[1] if table.title == "On far"] == ["leaked: 3 of 60"]
    assert run.leaked("test") == "leaked: 3 of 60"
    first, folded, _ = board_tables(run)
    on_test = [table for table in (*first, *folded) if table.title.startswith("On test")]
    assert len(on_test) > 1
    assert {table.leaked for table in on_test} == {"leaked: 3 of 60"}
    html = (finished / "report.html").read_text(encoding="utf-8")
    mark = '<span class="tag flag">leaked: 3 of 60</span>'
    assert f"<summary>On far {mark}</summary>" in html
    assert f"tstr on far {mark}</h3>" in html


def test_a_huge_board_names_what_it_leaves_out(made_up, tmp_path, monkeypatch):
    assert MOST_CELLS > 1000
    monkeypatch.setattr("synthbench.report.board.MOST_CELLS", 6)
    run = read_folder(made_up.run(tmp_path / "run"))
    _, folded, left_out = board_tables(run)
    assert [table.title for table in folded] == ["Utility and costs", "On test: tstr"]
    assert left_out == ["On far", *SIZES]


@pytest.mark.parametrize(
    ("copying", "flags"),
    [("", []), ("no", []), ("yes", ["copying"]), ("cannot be told", ["copying cannot be told"])],
)
def test_copying_is_flagged(made_up, tmp_path, copying, flags):
    out = made_up.run(tmp_path / "run", {"good": "candidate"})
    made_up.rows(out / "leaderboard.csv", [made_up.board_row("good", "candidate", "1", copying=copying)])
    assert board_tables(read_folder(out))[0][0].lines[0].flags == flags


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
    out = made_up.run(tmp_path / "run", {"good": "candidate", "odd": "candidate", "late": "candidate"})
    rows = [
        made_up.board_row("good", "candidate", "1", judges="agree: 1"),
        made_up.board_row("odd", "candidate", "2", note="labels: a probe finds 50%", judges=TURNED),
        made_up.board_row("late", "candidate", "2", note="x: 1/2 seeds; seeds 0, 2: labels: a probe finds 50%"),
    ]
    made_up.rows(out / "leaderboard.csv", rows)
    pair = dict(zip(("a", "b", "metric", "candidates"), ("tstr", "big", "auroc", 7), strict=True))
    made_up.rows(out / "judges.csv", [{**pair, "kendall_tau": 0.5, "p": 0.2, "note": ""}])
    main = board_tables(read_folder(out))[0][0]
    assert ["labels do not fit the images" in line.flags for line in main.lines] == [False, True, True]
    assert [head.title for head in main.heads][1:3] == ["rank", "by judge"]
    assert [line.cells[2].text for line in main.lines] == ["agree: 1", "1 by tstr, 2 by big", ""]
    assert "The rank of odd depends on the judge: 1 by tstr, 2 by big." in main.notes
    assert "tstr and big: Kendall's tau 0.50 (p = 0.2) over 7 candidates." in main.notes


TURNED = "depends on the judge: 1 by tstr, 2 by big"


def test_of_very_many_generators_the_best_are_shown_in_full_and_the_others_folded(made_up, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "IN_FULL", 2)
    roles = {"chance": "floor", **{f"g{k}": "candidate" for k in range(5)}, "real": "ceiling"}
    out = tmp_path / "run"
    made_up.rows(out / "leaderboard.csv", [made_up.board_row(label, role, "1") for label, role in roles.items()])
    made_up.rows(out / "intervals.csv", list(made_up.interval_rows(roles)))
    run, others = module.fold(read_folder(out))
    assert list(run.roles) == ["chance", "g0", "g1", "real"]
    assert {row["generator"] for row in run.tables["intervals"]} == set(run.roles)
    assert [row[0] for row in others.rows] == ["g2", "g3", "g4"]
    text = make_report(out, out / "report.html").read_text(encoding="utf-8")
    assert text.count('<section aria-labelledby="generator-') == 4
    assert "Candidates from place 3 on: 3" in text
    assert "g4" in (out / "leaderboard.md").read_text(encoding="utf-8"), "the table for papers has all"
