"""All of a report put together: its parts into the template, its files into the run's folder."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from synthbench.benchmark.declared import counted_roles
from synthbench.report.album import Album
from synthbench.report.board import board_tables
from synthbench.report.export import as_latex, as_markdown
from synthbench.report.fidelity import fidelity
from synthbench.report.fold import fold
from synthbench.report.generator_sections import count_photos, generator_parts, real_photo
from synthbench.report.headline_plots import against_cost, by_checkpoint, by_size, standings
from synthbench.report.provenance_tables import comparisons, data_part, setup_part
from synthbench.report.roc_plots import answer_plots
from synthbench.report.subgroups import subgroups
from synthbench.results.folder import RunFolder, dig, read_folder
from synthbench.storage.store import write_atomic
from synthbench.version import __version__

__all__ = ["make_report"]

TEMPLATES = Path(__file__).parent / "templates"


def make_report(out: Path, target: Path) -> Path:
    """Read the run in `out`, write the page to `target`, figures and tables beside the run's results."""
    whole = read_folder(out)
    run, others_folded = fold(whole)
    first, others, left_out = board_tables(run)
    album = Album(out / "figures", count_photos(run))
    parts = {
        "first": first,
        "others": others,
        "folded": others_folded,
        "left_out": left_out,
        "fidelity": fidelity(run),
        "standings": standings(run, album),
        "cost": against_cost(run, album),
        "answers": answer_plots(run, album),
        "sizes": by_size(run, album),
        "checkpoints": by_checkpoint(run, album),
        "subgroups": subgroups(run),
        "real": real_photo(run, album),
        "generators": generator_parts(run, album),
        "data": data_part(run),
        "setup": setup_part(whole),
        "comparisons": comparisons(whole),
    }
    album.finish()
    complete = first[0] if run is whole else board_tables(whole)[0][0]
    write_atomic(out / "leaderboard.md", as_markdown(complete))
    write_atomic(out / "leaderboard.tex", as_latex(complete, whole))
    write_atomic(target, _page(whole, parts))
    return target


def _page(run: RunFolder, parts: dict[str, object]) -> str:
    """The HTML. Everything is escaped but our own style and script and the plots, whose text matplotlib escapes.

    The page forbids itself, by its content security policy, to load anything and to run any script but this one.
    """
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    environment.filters["breakable"] = _breakable
    script = (TEMPLATES / "sort.js").read_text(encoding="utf-8")
    style = (TEMPLATES / "style.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
    return environment.get_template("report.html").render(
        run=run,
        summary=_summary(run),
        version=__version__,
        script=Markup(script),
        style=Markup(style),
        script_digest=digest,
        **parts,
    )


def _breakable(name: str) -> Markup:
    """A column's name that may go on in the next line after any of ._@- and at brackets."""
    return Markup("<wbr>").join(re.split(r"(?<=[._@\]-])|(?=\[)", name))


def _summary(run: RunFolder) -> str:
    """What was ranked by what, how many, when: as far as run.json knows."""
    samples, seeds, finished = (
        run.bench.get("samples"),
        run.bench.get("seeds"),
        dig(run.record, "finished", default=""),
    )
    trained_on = dig(run.record, "data", "sets", "train", "images", default=None)
    positive = dig(run.record, "data", "positive", default=None)
    facts = [
        f"Ranked by {run.ranked_by}" if run.headline else "",
        f"AUROC, F1, recall and AUPRC are of the positive class {positive}" if positive else "",
        f"AUROC, F1, recall and AUPRC are macro means over {len(run.classes)} classes"
        if len(run.classes) > 2
        else "",
        counted_roles(list(run.roles.values())),
        f"{_counted(trained_on, 'real image')} to train on" if trained_on else "",
        f"{samples} images drawn of each" if samples else "",
        f"{_counted(seeds, 'seed')} of each candidate" if seeds else "",
        f"finished {finished}" if finished else "",
    ]
    return f"{'; '.join(filter(None, facts))}."


def _counted(count: int, noun: str) -> str:
    """ "1 floor", "2 floors"."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
