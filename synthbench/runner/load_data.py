"""The data of a run: the data set, and the test parts of the external ones under their labels."""

from __future__ import annotations

import re
import shutil
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from synthbench.api.interfaces import Dataset
from synthbench.api.process_state import ask
from synthbench.benchmark.definition import Benchmark, Entry
from synthbench.benchmark.preflight import check_shapes
from synthbench.benchmark.yaml_traps import as_yaml
from synthbench.data.audit import Audit, cached_audit
from synthbench.data.holdout import with_holdout
from synthbench.errors import ConfigError, DataError, StoreError, SynthbenchError
from synthbench.grey_levels import unscaled
from synthbench.leaderboard.subgroups import unsplit
from synthbench.runner.failure import Failure
from synthbench.runner.load_stage import load
from synthbench.runner.session import Session
from synthbench.seeds import derive_seed
from synthbench.storage.disk import disk_trouble
from synthbench.storage.layout import File, safe_name
from synthbench.types import Images, Quarantined, Splits

__all__ = ["audited_splits", "load_data_set", "load_splits"]

LOOKED_AT = 100
"""Of the training images, whether they use the range of grey levels."""


def audited_splits(bench: Benchmark, session: Session) -> tuple[Splits, Audit]:
    """The data as a run uses it: looked over for leaks, then the hold-out cut off `train`.

    Raises DataError where there are no training images, or too few for the hold-out, and where nobody says which
    of two classes is the positive one; ConfigError where an external set says another one.
    """
    splits = load_splits(bench, session)
    _check_positive(bench.dataset, splits)
    for entry in bench.external:
        _check_same_positive(entry, splits)
    if not len(splits.train):
        raise DataError(f"dataset {bench.dataset.label}: it has no training images; it can only be `external`")
    check_shapes(bench, splits.train.shape)
    audit = cached_audit(splits, session.store, session.progress)
    return with_holdout(splits, audit, bench.holdout, derive_seed(bench.seed, "holdout"))


def load_splits(bench: Benchmark, session: Session) -> Splits:
    """The data set with the test parts of the external ones under their labels, for who scores nothing."""
    own = splits = _load(bench.dataset.plugin, bench.dataset, session)
    for entry in bench.external:
        further = _load(ask(entry.plugin, "as_external", own), entry, session)
        cohort = ask(entry.plugin, "cohort_name") or entry.label
        is_own = cohort == ask(bench.dataset.plugin, "cohort_name")
        splits = _joined(splits, entry.label, further, "" if is_own else cohort)
    return splits


def load_data_set(entry: Entry[Dataset], session: Session) -> Splits:
    """One data set alone. Raises DataError where nobody says which of its two classes is the positive one."""
    splits = _load(entry.plugin, entry, session)
    _check_positive(entry, splits)
    return splits


def _joined(splits: Splits, label: str, further: Splits, cohort: str) -> Splits:
    """`splits` with the test parts of an external set: "test" under the label, others under "<label>/<name>"."""
    if not further.tests:
        raise ConfigError(f"external {label}: this data set has no test part")
    names = {name: label if name == "test" else f"{label}/{name}" for name in further.tests}
    for name, images in further.tests.items():
        _check_external(label, images, splits.train)
        if names[name] in splits.tests:
            raise ConfigError(f"external {label}: there is a test set {names[name]!r} already; add `label:`")
    geometry = {names[name]: facts for name, facts in further.geometry.items() if name in names}
    attributes = {names[name]: columns for name, columns in further.attributes.items() if name in names}
    return replace(
        splits,
        tests={**splits.tests, **{names[name]: images for name, images in further.tests.items()}},
        quarantine=(*splits.quarantine, *further.quarantine),
        domains={**splits.domains, **dict.fromkeys(names.values(), further.domain)},
        geometry={**splits.geometry, **geometry},
        attributes={**splits.attributes, **attributes},
        conversions=dict(Counter(splits.conversions) + Counter(further.conversions)),
        cohorts={**splits.cohorts, **dict.fromkeys(names.values(), cohort)},
    )


def _check_positive(entry: Entry[Dataset], splits: Splits) -> None:
    """Asked, not guessed: were it the last of COVID and NORMAL, "recall" would be the specificity."""
    classes = splits.train.classes
    if len(classes) != 2 or splits.positive is not None:
        return
    if "positive" in type(entry.plugin).model_fields:
        quoted, other = (as_yaml({"positive": name}).strip() for name in reversed(classes))  # 1 would be a number
        remedy, short = f"add `{quoted}` to it, or `{other}`", f"; with `score`: --positive {classes[1]}"
    else:
        remedy, short = f'let it return Splits(..., positive="{classes[1]}"), or "{classes[0]}"', ""
    raise DataError(
        f"dataset {entry.label}: which of its classes {classes[0]} and {classes[1]} is the positive one, of which "
        f"AUROC, F1 and recall speak? {remedy}{short}"
    )


def _check_same_positive(external: Entry[Dataset], splits: Splits) -> None:
    """An external set may leave the option out, and may not contradict the data set."""
    positive = getattr(external.plugin, "positive", None)
    if positive not in (None, splits.positive):
        raise ConfigError(
            f"external {external.label}: positive is {positive}, the data set's is {splits.positive}; that holds "
            "for every test set: take the option away here"
        )


def _load(plugin: Dataset, entry: Entry[Dataset], session: Session) -> Splits:
    """A data set, loaded and told about. Raises DataError for whatever its plugin does instead."""
    workdir = session.scratch / safe_name(entry.label)
    (workdir / File.ERROR).unlink(missing_ok=True)
    try:
        splits = load(plugin, session.key(entry), session, workdir)
    except SynthbenchError:
        raise
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # sys.exit, GeneratorExit: whatever ends a `load` ends it alone
        raise _unloaded(entry, error, workdir) from error
    finally:
        _tidy(workdir)
    if splits.quarantine:
        session.progress.say(f"{entry.label}: {_reasons(splits.quarantine)}")
    if splits.conversions:
        counts = "; ".join(f"{n} {how}" for how, n in splits.conversions.items())
        session.progress.say(f"{entry.label}: files made 8 bits: {counts}")
    if fault := unscaled(splits.train.pixels[:: 1 + len(splits.train) // LOOKED_AT]):
        session.progress.say(f"{entry.label}: of its training images {fault}; were they made for 0..255?")
    for remark in unsplit(splits.attributes):
        session.progress.say(f"{entry.label}: {remark}")
    return splits


def _unloaded(entry: Entry[Dataset], error: BaseException, workdir: Path) -> SynthbenchError:
    """What to tell of a `load` that failed; its traceback is kept in `workdir`."""
    failure = Failure.of(error)
    if failure.for_people:
        return DataError(failure.text)
    if trouble := disk_trouble(error, workdir):
        return StoreError(trouble)
    workdir.mkdir(parents=True, exist_ok=True)
    (workdir / File.ERROR).write_text(failure.trace, encoding="utf-8")
    return DataError(f"dataset {entry.label}: {failure.text}{_line(entry.plugin, failure.trace)}")


def _line(plugin: Dataset, trace: str) -> str:
    """ " (mine.py, line 31)": where its own file stands in a traceback, or in what a crash printed; else ""."""
    file = sys.modules[type(plugin).__module__].__file__ or ""
    lines: list[str] = re.findall(rf'File "{re.escape(file)}", line (\d+)', trace)
    if not lines:
        return ""
    return f" ({Path(file).name}, line {lines[0 if 'most recent call first' in trace else -1]})"


def _reasons(quarantine: Sequence[Quarantined], most: int = 4) -> str:
    """ "98 files put aside: 95 no image by its suffix '.dcm'; 3 empty file": a set may be mostly that."""
    counts = Counter(entry.reason for entry in quarantine).most_common()
    reasons = "; ".join(f"{n} {reason}" for reason, n in counts[:most])
    more = sum(n for _, n in counts[most:])
    files = "1 file" if len(quarantine) == 1 else f"{len(quarantine)} files"
    return f"{files} put aside: {reasons}{f'; {more} for other reasons' if more else ''}"


def _tidy(folder: Path) -> None:
    """Remove the folder where it holds nothing but an empty log."""
    if [(f.name, f.stat().st_size) for f in folder.glob("*")] == [("log.txt", 0)]:
        shutil.rmtree(folder)
        if not any(folder.parent.iterdir()):
            folder.parent.rmdir()


def _check_external(label: str, images: Images, train: Images) -> None:
    if images.classes != train.classes:
        raise ConfigError(f"external {label}: its classes are {images.classes}, the data set's {train.classes}")
    if images.shape != train.shape:
        message = "give both the same image_size and channels"
        raise ConfigError(
            f"external {label}: its images are {images.shape}, the data set's {train.shape}; {message}"
        )
