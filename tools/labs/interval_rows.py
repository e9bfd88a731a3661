"""What a result is by the interval its laboratory printed, or by the rows of site and package."""

from collections.abc import Iterable
from typing import NamedTuple

from knowledge.analytes import analytes
from knowledge.codes import LOINC
from knowledge.evidence import Evidence, ReferenceEvidence
from knowledge.finding import Finding, NotAssessed, Why
from knowledge.laboratory_site import SITE_FILE, LaboratoryReference
from knowledge.laboratory_tests import FILE, Bounds, IntervalRow, LabTest, laboratory_tests
from knowledge.quantity import Interval
from tools.labs.interval_choice import Choice, choose
from tools.labs.interval_model import Flag, IntervalUsed, OtherInterval, Subject
from tools.labs.printed_interval import Printed, printed_words, reported_value

_NOT_PREGNANT = "The interval holds for people who are not pregnant; pregnancy is not stated."
_ORDER = tuple(Flag)


class Judged(NamedTuple):
    """What the intervals say, before critical limits and the laboratory's flag."""

    flags: frozenset[Flag]
    refused: NotAssessed | None = None
    missing: tuple[str, ...] = ()
    intervals: tuple[IntervalUsed, ...] = ()
    others: tuple[OtherInterval, ...] = ()
    notes: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()


def by_printed(
    finding: Finding, key: str | None, value: Interval, printed: Printed | None
) -> Judged | None:
    """Return what the printed interval says; None where none was printed."""
    if printed is None:
        return None
    if printed.bounds is None:
        detail = f"the laboratory printed its own interval, which is not certain: {printed.refused}"
        note = f"{detail}: {printed.words}"
        return Judged(frozenset(), NotAssessed(why=Why.UNREADABLE, detail=detail), notes=(note,))
    unit = unit_of(finding, key)
    used = IntervalUsed(
        bounds=printed.bounds,
        unit=unit,
        words=_words(printed.bounds, unit),
        origin="printed",
        note=f"printed: {printed.words}",
        stated=printed.stated,
        converted=printed.converted,
    )
    return Judged(_flags(printed.bounds, value), intervals=(used,))


def by_rows(
    finding: Finding,
    key: str | None,
    value: Interval,
    subject: Subject,
    reference: LaboratoryReference,
) -> Judged:
    """Return what the site's rows and the packaged ones say."""
    words = printed_words(finding)
    notes = () if words is None else (f"The laboratory printed no interval, but: {words}",)
    own = None if key is None else reference.site_test(key)
    packaged = None if key is None else reference.test(key)
    if key is None or (own is None and packaged is None):
        why = NotAssessed(why=Why.OUTSIDE_CONTRACT, detail="no reference interval for this test")
        return Judged(frozenset(), why, notes=notes)
    reason = (own or packaged or LabTest(no_interval="")).no_interval
    if reason is not None:
        why = NotAssessed(why=Why.OUTSIDE_CONTRACT, detail=f"no reference interval: {reason}")
        return Judged(frozenset(), why, notes=notes)
    told = _with_code(finding, subject, packaged)
    choice = choose(told, own.intervals if own else (), packaged.intervals if packaged else ())
    judged = _of_choice(finding, key, value, choice, reference)
    return judged._replace(notes=notes + judged.notes)


def ordered(flags: Iterable[Flag]) -> tuple[Flag, ...]:
    """Return flags from low to high."""
    return tuple(sorted(flags, key=_ORDER.index))


def unit_of(finding: Finding, key: str | None) -> str:
    """Return the unit of a result: the analyte's, or as stated for a test we do not hold."""
    if key is not None:
        return analytes().analytes[key].unit
    return "" if finding.quantity is None else finding.quantity.unit


def _of_choice(
    finding: Finding,
    key: str,
    value: Interval,
    choice: Choice,
    reference: LaboratoryReference,
) -> Judged:
    unit = analytes().analytes[key].unit
    flags: set[Flag] = set()
    certain = True
    for row, _ in choice.rows:
        one = _row_flags(finding, key, row, value)
        certain = certain and len(one) == 1
        flags |= one
    refused: NotAssessed | None = None
    if choice.nobody or not choice.rows:
        detail = "no reference interval holds for this person"
        if choice.missing:
            detail = f"which reference interval holds is not known: {_lacking(choice.missing)}"
        why = Why.MISSING if choice.missing else Why.OUTSIDE_CONTRACT
        refused = NotAssessed(why=why, detail=detail)
    elif len(flags) > 1 and certain:
        detail = f"the possible intervals differ: {_lacking(choice.missing)} not known"
        refused = NotAssessed(why=Why.MISSING, detail=detail)
    others = (
        ()
        if any(site for _, site in choice.rows)
        else tuple(_others(finding, key, value, choice.later, frozenset(flags), reference))
    )
    return Judged(
        flags=frozenset() if choice.nobody else frozenset(flags),
        refused=refused,
        missing=choice.missing if refused is not None or len(flags) > 1 else (),
        intervals=tuple(_used(row, unit, reference, site=site) for row, site in choice.rows),
        others=others,
        notes=(_NOT_PREGNANT,) if choice.if_not_pregnant else (),
        evidence=tuple(
            ReferenceEvidence(table=SITE_FILE if site else FILE, row=key)
            for site in sorted({site for _, site in choice.rows})
        ),
    )


def _others(
    finding: Finding,
    key: str,
    value: Interval,
    later: Iterable[IntervalRow],
    ours: frozenset[Flag],
    reference: LaboratoryReference,
) -> Iterable[OtherInterval]:
    unit = analytes().analytes[key].unit
    for row in later:
        flags = _row_flags(finding, key, row, value)
        if flags != ours:
            used = _used(row, unit, reference, site=False)
            yield OtherInterval(interval=used, flags=ordered(flags))


def _row_flags(finding: Finding, key: str, row: IntervalRow, value: Interval) -> frozenset[Flag]:
    """Return the flags by one row, in the unit that the result was reported in where it has it."""
    if row.si is not None:
        stated = reported_value(finding)
        if stated is not None and stated[1] is not None:
            units = {unit.unit for unit in analytes().rows(key, stated[1])}
            if row.si.unit in units:
                return _flags(row.si, stated[0])
    return _flags(row, value)


def _flags(bounds: Bounds, value: Interval) -> frozenset[Flag]:
    """Return every side of an interval that a value may be on."""
    below, above = bounds.is_below(value), bounds.is_above(value)
    if below is True:
        return frozenset({Flag.LOW})
    if above is True:
        return frozenset({Flag.HIGH})
    flags = {Flag.NORMAL}
    if below is None:
        flags.add(Flag.LOW)
    if above is None:
        flags.add(Flag.HIGH)
    return frozenset(flags)


def _used(
    row: IntervalRow, unit: str, reference: LaboratoryReference, *, site: bool
) -> IntervalUsed:
    return IntervalUsed(
        bounds=Bounds(low=row.low, high=row.high, low_open=row.low_open, high_open=row.high_open),
        unit=unit,
        words=_words(row, unit),
        origin="site" if site else "fallback",
        kind=row.kind,
        citation=reference.cite(row.source, row.review, site=site, table=FILE),
        note=row.note,
    )


def _words(bounds: Bounds, unit: str) -> str:
    return bounds.words() if unit in ("1", "") else f"{bounds.words()} {unit}"


def _with_code(finding: Finding, subject: Subject, test: LabTest | None) -> Subject:
    """Return what is known, with what the LOINC code of the result states about the sample."""
    if test is None:
        return subject
    told: dict[str, bool] = {}
    for coding in finding.concept.codings:
        if coding.system == LOINC:
            told.update(test.loinc_means.get(coding.code, {}))
    if not told:
        return subject
    return subject.model_copy(update={"circumstances": {**subject.circumstances, **told}})


def _lacking(missing: tuple[str, ...]) -> str:
    """Return what would have to be known of the person or sample, in words."""
    held = laboratory_tests().circumstances
    return ", ".join(held[key].label if key in held else key for key in missing)
