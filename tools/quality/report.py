"""The data-quality report of a path: which cases it holds, and what is to be said of each."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from knowledge.clinical_time import ClinicalTime
from knowledge.data_quality import QualityKind, data_quality
from knowledge.errors import IdentityConflictError, InputError, UnreadableError
from knowledge.reference import table_hash
from knowledge.settings import Settings
from tools.intake.folder import read_case
from tools.intake.result import CaseFiles, InputFile
from tools.intake.walk import shown
from tools.labs.printed_interval import printed_words
from tools.quality.model import CaseQuality, NotLookedFor, QualityItem, QualityReport
from tools.quality.of_files import conflict_items, file_items, identity_items
from tools.quality.of_results import MEASURED, result_items

_REFUSED = ("identity conflict", "not used: the case is refused")
"""What intake says of the files of a case that is refused; the conflict itself is told apart."""

_TABLES = ("analytes", "data_quality", "laboratory_tests", "laboratory_vocabulary")


def quality_report(
    path: Path,
    *,
    settings: Settings,
    each: bool = False,
    at: ClinicalTime | None = None,
    now: ClinicalTime | None = None,
) -> QualityReport:
    """Return the data quality of the cases under a path.

    A file, and a folder with files in it, is one case. A folder that holds nothing but folders is a
    folder of cases, one each.

    Args:
        path: A file or folder.
        settings: Limits of intake, and the site's time zone.
        each: Take every file and folder directly below the path as a case of its own.
        at: Moment of assessment; else the one each ``case.yaml`` states, else `now`.
        now: The current moment, to tell what is in the future.

    Raises:
        UnreadableError: The path does not exist, cannot be listed, or holds nothing.
    """
    found = cases_of(path, each=each)
    cases = tuple(
        case_quality(item, name=name, settings=settings, at=at, now=now) for name, item in found
    )
    counts: Counter[QualityKind] = Counter()
    unseen: Counter[QualityKind] = Counter()
    for case in cases:
        counts.update(case.counts)
        unseen.update(missing.kind for missing in case.not_assessed)
    return QualityReport(
        at=str(at or now) if (at or now) is not None else None,
        cases=cases,
        counts={kind: counts[kind] for kind in data_quality().kinds if kind in counts},
        not_assessed={kind: unseen[kind] for kind in data_quality().kinds if unseen[kind]},
        tables={name: table_hash(name) for name in _TABLES},
    )


def cases_of(path: Path, *, each: bool = False) -> list[tuple[str, Path]]:
    """Return the cases under a path, by name.

    Raises:
        UnreadableError: The path does not exist, cannot be listed, or holds nothing.
    """
    name = shown(path.name) or "path"
    try:
        if not path.exists():
            raise UnreadableError(name, "no such file or folder", "check the path")
        if not path.is_dir():
            return [(name, path)]
        below = sorted(p for p in path.iterdir() if not p.name.startswith("."))
    except OSError as error:
        raise UnreadableError(name, f"cannot be listed: {error.strerror}", "check it") from error
    if not below:
        raise UnreadableError(name, "an empty folder", "name a folder with a case")
    if each or not any(p.is_file() for p in below):
        return [(shown(p.name), p) for p in below]
    return [(name, path)]


def case_quality(
    path: Path,
    *,
    name: str,
    settings: Settings,
    at: ClinicalTime | None = None,
    now: ClinicalTime | None = None,
) -> CaseQuality:
    """Return the data quality of one case; one that cannot be read says so, and what of it.

    Args:
        path: Its folder or file.
        name: What the report calls it.
        settings: Limits of intake.
        at: As of `quality_report`.
        now: As of `quality_report`.
    """
    try:
        case = read_case([path], at=at, settings=settings, now=now)
    except IdentityConflictError as error:
        inputs = tuple(item for item in error.inputs if isinstance(item, InputFile))
        kept = [item for item in inputs if item.reason not in _REFUSED]
        items = (*conflict_items(error), *file_items(kept))
        return _built(name, items, files=len(inputs), results=None, why="the case is refused")
    except InputError as error:
        item = QualityItem(
            kind="unread-file", file=name, what=f"{error.item}: {error.reason}"[:300]
        )
        return _built(name, (item,), files=0, results=None, why="the case could not be read")
    measured = [f for f in case.timeline.facts if f.category in MEASURED]
    items = (
        *file_items(case.inputs),
        *identity_items(case),
        *result_items(case.timeline.facts, case.documented),
    )
    seen = len(measured) + len(case.documented)
    return _built(name, items, files=len(case.inputs), results=seen, intervals=_has_interval(case))


def _has_interval(case: CaseFiles) -> bool:
    facts = (*case.timeline.facts, *case.documented)
    return any(printed_words(fact.finding) is not None for fact in facts)


def _built(
    name: str,
    items: Sequence[QualityItem],
    *,
    files: int,
    results: int | None,
    intervals: bool = False,
    why: str = "",
) -> CaseQuality:
    """Return the quality of a case; kinds that could not be looked for are not counted as 0."""
    unseen: dict[QualityKind, str] = {}
    for kind, row in data_quality().kinds.items():
        if row.needs != "files" and results is None:
            unseen[kind] = why
        elif row.needs != "files" and not results:
            unseen[kind] = "the case holds no result that was read"
        elif row.needs == "intervals" and not intervals:
            unseen[kind] = "no result has a printed interval"
    counts: Counter[QualityKind] = Counter()
    for item in items:
        counts[item.kind] += item.times
    order = list(data_quality().kinds)
    return CaseQuality(
        case=name,
        files=files,
        results=results or 0,
        counts={kind: counts[kind] for kind in order if kind not in unseen or counts[kind]},
        items=tuple(
            item.model_copy(update={"way_out": data_quality().kinds[item.kind].way_out.en})
            for item in sorted(items, key=lambda i: (order.index(i.kind), i.file, i.where, i.what))
        ),
        not_assessed=tuple(NotLookedFor(kind=k, reason=r) for k, r in unseen.items()),
    )
