"""What the documents show works: their plugins, benchmark files, commands, options and links."""

import json
import os
import re
import subprocess
import sys

import pandas as pd
import pytest

from synthbench import cli
from synthbench.api.interfaces import Context
from synthbench.api.registry import Registry, load_registry
from synthbench.benchmark.config import load_benchmark
from synthbench.cli.arguments import make_parser
from synthbench.results.write import SCORE_COLUMNS
from synthbench.testing import run_checks, tiny_splits
from synthbench.testing.cases import Case
from tests.helpers.places import ROOT
from tests.helpers.reports import no_report

README = (ROOT / "README.md").read_text(encoding="utf-8")
PLUGINS = (ROOT / "docs/plugins.md").read_text(encoding="utf-8")
DOCUMENTS = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CLASS = re.compile(r"^class (\w+)\((?:Dataset|Generator|Evaluator|Extractor)\)", re.MULTILINE)


def blocks(text, language):
    return [body for found, body in FENCE.findall(text) if found == language]


def named_files():
    """The blocks that begin with `# file: <name>`, by name."""
    found = [body for text in (README, PLUGINS) for body in blocks(text, "python") + blocks(text, "yaml")]
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
    unnamed = [body for text in (README, PLUGINS) for body in blocks(text, "python") if "# file: " not in body]
    assert not unnamed
    known = {"ClassMean", "Blend", "Digits", "NearestMean", "Codebook", "Coarse", "FeatureGap"}
    assert known == {cls for _, cls in CLASSES}


@pytest.mark.parametrize(("file", "cls"), CLASSES)
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


def test_documented_benchmark_ranks_its_generators(run_folder):
    board = pd.read_csv(run_folder / "first/leaderboard.csv").set_index("generator")
    assert set(board.index[board["rank"].notna()]) == {"blend-half", "blend-tenth", "codebook"}
    assert (board["status"] == "done").all()
    assert board["nearest-mean.accuracy"]["balanced-resample"] > board["nearest-mean.accuracy"]["noise"]


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


def test_readme_benchmark_file_is_valid(tmp_path):
    (body,) = blocks(README, "yaml")
    file = tmp_path / "readme.yaml"
    file.write_text(body)
    bench = load_benchmark(file, load_registry())
    assert [e.label for e in bench.evaluators] == ["tstr", "tstr-vgg16", "memorisation", "kid"]


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
    calls = re.findall(r"\bsynthbench (\w+)([^\n&#]*)", lines)
    for command, rest in calls:
        assert command in OPTIONS, f"{document.name}: synthbench {command}"
        assert set(re.findall(r"--[a-z-]+", rest)) <= OPTIONS[command], f"{document.name}: {command}{rest}"


def test_readme_names_every_option_of_run():
    named = {m for span in re.findall(r"`(--[^`\n]+)`", README) for m in re.findall(r"^--[a-z-]+", span)}
    assert named == {o for o in OPTIONS["run"] if o.startswith("--")} - {"--help"}


def test_readme_names_every_result_column(run_folder):
    spans = set(re.findall(r"`([^`\n]+)`", README))
    assert set(SCORE_COLUMNS) <= spans
    board = pd.read_csv(run_folder / "first/leaderboard.csv", nrows=0).columns
    plain = {c.replace("nearest-mean_", "<evaluator>_") for c in board if not c.startswith("nearest-mean.")}
    plain = {c.replace("@test", "@<test set>") for c in plain}
    assert plain <= spans


@pytest.mark.parametrize(
    ("kind", "document"), [("dataset", "data.md"), ("evaluator", "metrics.md"), ("extractor", "extractors.md")]
)
def test_every_option_of_our_plugins_is_described(kind, document):
    spans = set(re.findall(r"`([^`\n]+)`", (ROOT / "docs" / document).read_text(encoding="utf-8")))
    ours = {n: c for n, c in load_registry().names(kind).items() if c.__module__.startswith("synthbench_")}
    metrics = {metric for c in ours.values() if kind == "evaluator" for metric in c().metrics}
    wanted = {name for n, c in ours.items() for name in (n, *c.model_fields)}
    wanted |= {re.sub(r"\[.*\]", "[..]", metric) for metric in metrics}  # whatever the extractor
    assert not wanted - spans


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
