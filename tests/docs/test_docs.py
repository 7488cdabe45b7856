"""What the documents show works: their plugins, benchmark files, commands, options and links."""

import json
import os
import re
import subprocess
import sys
from importlib import metadata

import pandas as pd
import pytest

import synthbench
from synthbench import cli
from synthbench.api.interfaces import Context
from synthbench.api.registry import Registry, load_registry
from synthbench.benchmark.config import load_benchmark
from synthbench.cli.arguments import make_parser
from synthbench.testing import run_checks, tiny_splits
from synthbench.testing.cases import Case
from tests.helpers.places import ROOT
from tests.helpers.reports import no_report

README = (ROOT / "README.md").read_text(encoding="utf-8")
FIRST_HOUR = (ROOT / "docs/first-hour.md").read_text(encoding="utf-8")
PLUGINS = "".join((ROOT / "docs" / name).read_text("utf-8") for name in ("plugins.md", "plugin-reference.md"))
DOCUMENTS = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CLASS = re.compile(r"^class (\w+)\((?:Dataset|Generator|Evaluator|Extractor)\)", re.MULTILINE)


def blocks(text, language):
    return [body for found, body in FENCE.findall(text) if found == language]


def named_files():
    """The blocks that begin with `# file: <name>`, by name."""
    texts = (README, FIRST_HOUR, PLUGINS)
    found = [body for text in texts for body in blocks(text, "python") + blocks(text, "yaml")]
    return {m[1]: body for body in found if (m := re.match(r"# file: (\S+)\n", body))}


FILES = named_files()
CLASSES = [(name, cls) for name, body in FILES.items() for cls in CLASS.findall(body)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """All the files of the documents in one folder, and an empty store."""
    folder = tmp_path_factory.mktemp("docs")
    for name, body in FILES.items():
        (folder / name).write_text(body, encoding="utf-8")
    yield folder
    for module in [m for m in sys.modules if m.startswith("synthbench_file_")]:
        del sys.modules[module]


def in_folder(folder, *command):
    """Run Python in the folder, as a user would."""
    environment = {**os.environ, "SYNTHBENCH_CACHE": str(folder / "cache"), "PYTHONPATH": str(folder)}
    return subprocess.run(
        [sys.executable, *command], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_every_python_block_is_a_file_that_is_run():
    unnamed = [
        body for text in (README, FIRST_HOUR, PLUGINS) for body in blocks(text, "python") if "# file: " not in body
    ]
    assert not unnamed
    known = {"ClassMean", "Blend", "Digits", "NearestMean", "Codebook", "Coarse", "FeatureGap"}
    assert known == {cls for _, cls in CLASSES}


@pytest.mark.parametrize(
    ("file", "cls"),
    # FeatureGap's features take 10 s.
    [pytest.param(*one, marks=[pytest.mark.full] * (one[1] == "FeatureGap")) for one in CLASSES],
)
def test_documented_plugins_pass_the_conformance_suite(folder, file, cls):
    findings = run_checks(Registry().find_file(f"{folder / file}:{cls}", folder)())
    assert not [str(f) for f in findings if not f.ok or f.warning]


def test_readme_plugin_has_twelve_lines():
    lines = [line for line in FILES["class_mean.py"].splitlines() if line and not line.startswith("# file")]
    assert len(lines) == 12


@pytest.fixture(scope="module")
def run_folder(folder):
    """The benchmark file of docs/plugins.md, run as a user would, and again in this process, without the page."""
    done = in_folder(folder, "-m", "synthbench.cli", "run", "mine.yaml", "--out", "first", "--device", "cpu")
    assert done.returncode == 0, done.stdout + done.stderr
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SYNTHBENCH_CACHE", str(folder / "cache"))
        patch.chdir(folder)
        no_report(patch)
        assert cli.main(["run", "mine.yaml", "--out", "again", "--device", "cpu"]) == 0
    return folder


@pytest.mark.full
def test_documented_benchmark_ranks_its_generators(run_folder):
    board = pd.read_csv(run_folder / "first/leaderboard.csv").set_index("generator")
    assert set(board.index[board["rank"].notna()]) == {"blend-half", "blend-tenth", "codebook"}
    assert (board["status"] == "done").all()
    assert board["nearest_mean_accuracy"]["balanced-resample"] > board["nearest_mean_accuracy"]["noise"]


@pytest.mark.full
def test_documented_benchmark_run_again_does_no_work(run_folder):
    record = json.loads((run_folder / "again/run.json").read_text())
    assert all(trial["from_store"] for trial in record["trials"])


def test_documented_codebook_goes_on_where_it_was_killed(folder):
    cls = Registry().find_file(f"{folder / 'codebook.py'}:Codebook", folder)
    train = tiny_splits().train
    case = Case(cls(), tiny_splits(), "cpu", folder)
    short, whole = case.context(seed=3), case.context(seed=3)
    cls(rounds=2).fit(train, short)  # what a kill after two rounds leaves behind
    cls(rounds=5).fit(train, short)
    cls(rounds=5).fit(train, whole)
    resumed, straight = ((ctx.workdir / "books.npy").read_bytes() for ctx in (short, whole))
    assert resumed == straight


def test_documented_input_file_counts_by_content(folder):
    cls = Registry().find_file(f"{folder / 'codebook.py'}:Codebook", folder)
    noise = folder / "noise.npy"
    digests = []
    for content in (b"one", b"two"):
        noise.write_bytes(content)
        digests.append(cls(noise=noise).inputs()["noise"])
    assert digests[0] != digests[1]
    assert cls().inputs() == {}


@pytest.mark.full
def test_documented_pytest_file_passes(folder):
    done = in_folder(folder, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_my_plugins.py")
    assert done.returncode == 0, done.stdout
    assert "4 passed" in done.stdout


def test_documented_entry_point_is_found(folder):
    about = folder / "my_plugins-0.1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: my-plugins\nVersion: 0.1\n")
    table = blocks(PLUGINS, "toml")[0].replace("project.entry-points.", "").replace('"', "")
    (about / "entry_points.txt").write_text(table)
    listed = in_folder(folder, "-m", "synthbench.cli", "plugins")
    assert {"blend", "coarse", "digits", "nearest-mean"} <= set(listed.stdout.split()), listed.stderr


def test_readme_is_short_and_shows_its_results_early():
    lines = README.splitlines()
    assert len(lines) <= 120
    assert len(README.split()) <= 900
    top = "\n".join(lines[:45])
    assert "![The report of the quickstart](docs/images/report.png)" in top
    assert "<!-- generated: board -->" in top
    assert "<!-- end -->" in top


def test_readme_names_every_command_and_every_page():
    named = set(re.findall(r"^\| `([\w-]+)", README, re.MULTILINE))
    assert named >= OPTIONS.keys() - {""}
    pages = {path.name for path in (ROOT / "docs").glob("*.md")} - {"index.md"}
    assert pages <= set(re.findall(r"\]\(docs/([\w-]+\.md)", README))


@pytest.mark.parametrize(
    ("document", "labels"),
    [
        ("README.md", ["tstr", "memorisation"]),
        ("docs/benchmark-file.md", ["tstr-vgg16", "tstr-cnn", "memorisation", "kid"]),
    ],
)
def test_documented_benchmark_file_is_valid(tmp_path, document, labels):
    (body,) = blocks((ROOT / document).read_text("utf-8"), "yaml")
    file = tmp_path / "documented.yaml"
    file.write_text(body)
    bench = load_benchmark(file, load_registry())
    assert [e.label for e in bench.evaluators] == labels


def test_readme_benchmark_file_has_twelve_lines():
    (body,) = blocks(README, "yaml")
    assert len(body.splitlines()) == 12


@pytest.mark.full
def test_the_first_hour_ends_with_a_generator_of_ones_own(folder):
    """Its images, its benchmark file and the line that is added; the check of that generator is a test above."""
    made = in_folder(folder, "make_images.py")
    assert made.returncode == 0, made.stderr
    file = folder / "my.yaml"
    (line,) = [body for body in blocks(FIRST_HOUR, "yaml") if "class_mean.py" in body]
    file.write_text(file.read_text().replace("evaluators:", f"{line}evaluators:"))
    bench = load_benchmark(file, load_registry())
    assert [g.label for g in bench.generators if g.plugin.role == "candidate"] == ["pca-gaussian", "class-mean"]
    audited = in_folder(folder, "-m", "synthbench.cli", "audit", "my.yaml")
    assert audited.returncode == 0, audited.stderr
    assert re.search(r"train\W+240 .*test\W+60 ", audited.stdout, re.DOTALL)


def options_of(parser):
    """{command: its long options}, "" for the program itself."""
    (commands,) = [a for a in parser._actions if hasattr(a, "choices") and isinstance(a.choices, dict)]
    parsers = {"": parser, **commands.choices}
    return {name: {o for a in p._actions for o in a.option_strings} for name, p in parsers.items()}


OPTIONS = options_of(make_parser())


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_documented_commands_exist(document):
    text = document.read_text(encoding="utf-8")
    lines = "\n".join(blocks(text, "sh")) + "\n".join(re.findall(r"`([^`\n]+)`", text))
    calls = re.findall(r"(?<!from )(?<!import )\bsynthbench (\w[\w-]*)([^\n&#]*)", lines)
    for command, rest in calls:
        assert command in OPTIONS, f"{document.name}: synthbench {command}"
        assert set(re.findall(r"--[a-z-]+", rest)) <= OPTIONS[command], f"{document.name}: {command}{rest}"


def sections(page):
    """{heading: its text} of a page's second-level sections, headings without code marks."""
    parts = re.split(r"^## (.+)$", (ROOT / "docs" / page).read_text("utf-8"), flags=re.MULTILINE)[1:]
    return {title.replace("`", ""): text for title, text in zip(parts[::2], parts[1::2], strict=True)}


@pytest.mark.full
def test_every_table_of_a_run_is_described_column_by_column(run_folder):
    described = sections("results.md")
    tables = sorted((run_folder / "first").glob("*.csv"))
    assert {"leaderboard.csv", "scores.csv", "intervals.csv", "comparisons.csv", "costs.csv"} < {
        file.name for file in tables
    }
    for file in tables:
        columns = pd.read_csv(file, nrows=0).columns
        plain = {re.sub(r"^nearest_mean_accuracy", "<headline>", column) for column in columns}
        spans = set(re.findall(r"`([^`\n]+)`", described[file.name]))
        assert plain <= spans, file.name


@pytest.mark.full
def test_everything_in_a_run_folder_is_described(run_folder):
    text = (ROOT / "docs/results.md").read_text("utf-8")
    named = {
        name.rpartition("/")[2] or name for span in re.findall(r"`([^`\n]+)`", text) for name in [span.rstrip("/")]
    }
    for path in (run_folder / "first").rglob("*"):
        if path.is_file() and path.parent.name not in ("figures", "evidence"):
            assert path.name in named or path.name == "books.npy", path  # the last is what the example keeps

    assert {path.name for path in (run_folder / "first").iterdir() if path.is_dir()} <= named


@pytest.mark.full
def test_every_key_of_run_json_is_described(run_folder):
    record = json.loads((run_folder / "first/run.json").read_text())
    assert record.keys() <= set(re.findall(r"`([^`\n]+)`", sections("results.md")["run.json"]))


@pytest.mark.parametrize(
    ("kind", "document"), [("dataset", "data.md"), ("evaluator", "metrics.md"), ("extractor", "extractors.md")]
)
def test_every_plugin_and_metric_of_ours_is_explained(kind, document):
    spans = set(re.findall(r"`([^`\n]+)`", (ROOT / "docs" / document).read_text(encoding="utf-8")))
    ours = {n: c for n, c in load_registry().names(kind).items() if c.__module__.startswith("synthbench_")}
    metrics = {metric for c in ours.values() if kind == "evaluator" for metric in c().metrics}
    wanted = set(ours) | {re.sub(r"\[.*\]", "[..]", metric) for metric in metrics}  # whatever the extractor
    assert not wanted - spans


def test_every_public_name_has_its_line():
    table = PLUGINS.partition("## Public names")[2]
    names = [
        name for row in re.findall(r"^\| (.+?) \|", table, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)
    ]
    assert sorted(names) == sorted(synthbench.__all__)


def test_the_version_counters_are_named():
    from synthbench.storage import versions

    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    assert set(versions.__all__) <= set(re.findall(r"`(\w+)`", text))


def test_every_context_field_is_described():
    assert not [name for name in Context.__dataclass_fields__ if f"`ctx.{name}" not in PLUGINS]


def slug(heading):
    return re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_relative_links_resolve(document):
    text = FENCE.sub("", document.read_text(encoding="utf-8"))
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        path, _, anchor = target.partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        file = document.parent / path if path else document
        assert file.exists(), f"{document.name}: {target}"
        if anchor:
            headings = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in map(slug, headings), f"{document.name}: {target}"


# ---- the name


def test_the_distribution_has_a_name_of_its_own():
    assert metadata.version("synthbench-medical") == synthbench.__version__


def test_nobody_is_told_to_install_the_strangers_package():
    """The `synthbench` of the Python package index is not ours."""
    sources = [*ROOT.glob("synthbench/**/*.py"), *ROOT.glob("plugins/**/*.py"), *ROOT.glob("benchmarks/**/*.*")]
    hint = re.compile(r"(pip install|uv add|uv pip install|uvx)[^\n`&]*[\s'\"]synthbench(?!-medical)\b")
    texts = {
        path: path.read_text("utf-8") for path in [*DOCUMENTS, *sources] if path.suffix in (".md", ".py", ".yaml")
    }
    assert [str(path) for path, text in texts.items() if hint.search(text) or "synthbench[" in text] == []


def test_documented_metrics_on_arrays_run():
    """The block of docs/python.md that needs no benchmark; the rest the notebook shows, which .ci/run runs."""
    text = (ROOT / "docs/python.md").read_text("utf-8")
    (block,) = [body for body in blocks(text, "python") if "functional" in body]
    exec(compile(block, "docs/python.md", "exec"), {})


def test_the_notebook_was_committed_as_it_ran():
    notebook = json.loads((ROOT / "docs/notebook.ipynb").read_text("utf-8"))
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    kinds = {output["output_type"] for cell in cells for output in cell["outputs"]}
    assert kinds == {"stream", "execute_result"}, "no error, no widget that shows nothing"
    assert (ROOT / "docs/notebook.ipynb").stat().st_size < 50_000
