"""Items of the results of a case: codes, units, values, times, doubles, flags against intervals."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from knowledge.analytes import ASSUMED
from knowledge.clinical_time import Precision
from knowledge.codes import ANALYTE, LOINC, in_short
from knowledge.data_quality import QualityKind
from knowledge.evidence import FhirEvidence, NoteEvidence, RecordEvidence
from knowledge.finding import Finding, Why
from knowledge.laboratory_tests import laboratory_tests
from knowledge.timeline import AWAITED, NOT_SENT, Category, Fact
from tools.labs.laboratory_flag import laboratory_flags
from tools.labs.printed_interval import Printed, printed_interval
from tools.quality.model import QualityItem

MEASURED = (Category.LABORATORY, Category.VITAL_SIGN)
_ANNOUNCED = frozenset({AWAITED, NOT_SENT})
_BY_REASON: dict[Why, QualityKind] = {
    Why.UNIT_NOT_RECOGNISED: "unknown-unit",
    Why.VALUE_IMPOSSIBLE: "impossible-value",
    Why.UNREADABLE: "value-not-read",
    Why.CONFLICTING: "value-not-read",
    Why.FUTURE_TIME: "future-result",
}
_ABOVE = frozenset({"lab-high", "lab-critical-high"})
_BELOW = frozenset({"lab-low", "lab-critical-low"})
_ABNORMAL = frozenset({"lab-abnormal", "lab-critical-abnormal"})


def result_items(facts: Sequence[Fact], documented: Sequence[Fact]) -> Iterator[QualityItem]:
    """Yield what is to be said of each result.

    Args:
        facts: Of the timeline.
        documented: Results read from documents, which are not in the timeline.
    """
    measured = [fact.finding for fact in facts if fact.category in MEASURED]
    given = [f for f in measured if not _ANNOUNCED & set(f.flags)]
    from_documents = [fact.finding for fact in documented]
    yield from _unmapped([f.finding for f in facts if f.category is Category.LABORATORY])
    for finding in (*given, *from_documents):
        yield from _of_one(finding)
    yield from _at_one_time(given)
    for finding in from_documents:
        yield _item("from-document", finding, "read from a document")


def _of_one(finding: Finding) -> Iterator[QualityItem]:
    why = finding.not_assessed
    kind = _BY_REASON.get(why.why) if why is not None else None
    if why is not None and kind is not None:
        yield _item(kind, finding, why.detail)
    if ASSUMED in finding.flags:
        yield _item("unit-assumed", finding, "no unit is stated")
    if finding.time is None:
        yield _item("no-collection-time", finding, "no time of collection or measurement")
    elif finding.time.zone == "unknown" and finding.time.precision in (
        Precision.MINUTE,
        Precision.SECOND,
    ):
        yield _item("no-time-zone", finding, "the time has no zone, and none is declared")
    yield from _interval(finding)


def _interval(finding: Finding) -> Iterator[QualityItem]:
    """Yield a printed interval that is not read, or the laboratory's flag that contradicts it."""
    printed = printed_interval(finding, _analyte(finding))
    if printed is None:
        return
    if printed.refused is not None:
        yield _item("interval-not-read", finding, printed.refused)
    elif (what := _against(finding, printed)) is not None:
        yield _item("flag-disagrees", finding, what)


def _against(finding: Finding, printed: Printed) -> str | None:
    """Return how the laboratory's flag contradicts its own interval, or None where it does not.

    A bound that lies partly outside contradicts nothing; a result without a flag was not flagged.
    """
    said, value, bounds = laboratory_flags(finding.flags), finding.interval, printed.bounds
    if not said or value is None or bounds is None:
        return None
    below, above = bounds.is_below(value), bounds.is_above(value)
    inside = below is False and above is False
    wrong = (
        (bool(_ABOVE & set(said)) and above is False)
        or (bool(_BELOW & set(said)) and below is False)
        or (bool(_ABNORMAL & set(said)) and inside)
        or ("lab-normal" in said and (below is True or above is True))
    )
    if not wrong:
        return None
    lies = "inside" if inside else "below" if below else "above"
    return f"flagged {' and '.join(f.removeprefix('lab-') for f in said)}, but {lies} its interval"


def _unmapped(findings: Iterable[Finding]) -> Iterator[QualityItem]:
    """Yield each test that is not known, once for each file, with how often it is there."""
    found: Counter[tuple[str, str]] = Counter()
    for finding in findings:
        if _ANNOUNCED & set(finding.flags) or _is_known(finding):
            continue
        codes = [in_short(c) for c in finding.concept.codings if c.system != ANALYTE]
        name = f"{finding.concept.text[:80]} ({', '.join(codes[:3]) or 'no code'})"
        if "codes-disagree" in finding.flags:
            name += ": its codes name different tests"
        found[(_file(finding), name)] += 1
    for (file, name), times in sorted(found.items()):
        yield QualityItem(kind="unmapped-code", file=file, what=name, times=times)


def _is_known(finding: Finding) -> bool:
    if _analyte(finding) is not None:
        return True
    table = laboratory_tests()
    codes = (c.code for c in finding.concept.codings if c.system == LOINC)
    return any(table.worded_test(code) is not None for code in codes)


def _at_one_time(findings: Sequence[Finding]) -> Iterator[QualityItem]:
    """Yield results of one test at one moment: the same value again, or another one.

    A date without a time of day is no moment: two results of one day may be two samples.
    """
    groups: dict[tuple[str, str, str, str], list[Finding]] = {}
    for finding in findings:
        time = finding.time
        if time is None or finding.value is None:
            continue
        if time.precision not in (Precision.MINUTE, Precision.SECOND):
            continue
        key = (
            _analyte(finding) or _code(finding),
            f"{time.at.isoformat()} {time.clock or ''}",
            finding.specimen or "",
            finding.method_kind or "",
        )
        groups.setdefault(key, []).append(finding)
    for group in groups.values():
        first, *more = sorted(group, key=_place)
        for other in more:
            same = str(other.value) == str(first.value)
            kind: QualityKind = "duplicate-result" if same else "conflicting-result"
            said = "the same value" if same else "another value"
            yield _item(kind, other, f"{said} at the same time as {_file(first)} {_where(first)}")


def _analyte(finding: Finding) -> str | None:
    return next((c.code for c in finding.concept.codings if c.system == ANALYTE), None)


def _code(finding: Finding) -> str:
    first = next(iter(finding.concept.codings), None)
    return f"{first.system}|{first.code}" if first is not None else finding.concept.text


def _item(kind: QualityKind, finding: Finding, what: str) -> QualityItem:
    named = f"{finding.concept.text[:80]}: {what}"
    return QualityItem(kind=kind, file=_file(finding), where=_where(finding), what=named[:300])


def _place(finding: Finding) -> tuple[str, str]:
    return _file(finding), _where(finding)


def _file(finding: Finding) -> str:
    place = next(iter(finding.evidence), None)
    return getattr(place, "file", "") or ""


def _where(finding: Finding) -> str:
    match next(iter(finding.evidence), None):
        case FhirEvidence(resource=resource, path=path):
            part = path.partition(".component[")[2]
            return f"{resource} component {part.partition(']')[0]}" if part else resource
        case RecordEvidence(record=record):
            return record
        case NoteEvidence(start=start, end=end):
            return f"characters {start}-{end}"
    return ""
