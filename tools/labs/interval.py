"""The flag of one laboratory result: low, normal, high or critical, or why it is not assessed.

The interval that the reporting laboratory printed always comes first, then the site's own, then the
packaged fallback with its source. Where it is not known which interval is the right one (sex, age,
pregnancy, a circumstance), a flag is given only if all that are possible agree; a bound (``<6``) is
compared at both ends. The laboratory's own flag is compared, never taken over.
"""

from knowledge.analytes import analytes
from knowledge.codes import ANALYTE, LOINC
from knowledge.conflict import Conflict
from knowledge.evidence import Evidence, ReferenceEvidence
from knowledge.finding import Finding, NotAssessed, State, Why
from knowledge.laboratory_site import SITE_FILE, LaboratoryReference
from knowledge.laboratory_tests import laboratory_tests
from knowledge.quantity import Interval
from tools.labs.critical_limit import critical_limits, held_sides
from tools.labs.interval_model import CriticalLimit, Flag, ResultFlag, Subject
from tools.labs.interval_rows import Judged, by_printed, by_rows, ordered, unit_of
from tools.labs.laboratory_flag import flag_conflict, laboratory_flags
from tools.labs.printed_interval import printed_interval
from tools.labs.worded_result import worded_flag


def flag_result(
    finding: Finding, subject: Subject, reference: LaboratoryReference | None = None
) -> ResultFlag:
    """Return the flag of a laboratory result, or why it is not assessed.

    Args:
        finding: As intake made it: value in the analyte's unit, printed interval in `reported`.
        subject: Whose result it is, as far as it is known.
        reference: The packaged rows with the site's; None for the packaged alone.
    """
    rows = reference or LaboratoryReference()
    key = _analyte(finding)
    if finding.not_assessed is not None and finding.value is None:
        worded = _worded(finding)
        return _refused(finding, key or worded, finding.not_assessed)
    if key is None and (worded := _worded(finding)) is not None:
        return worded_flag(finding, worded)
    value = finding.interval
    if finding.state is not State.PRESENT or value is None:
        why = NotAssessed(why=Why.OUTSIDE_CONTRACT, detail="the result is not a number")
        return _refused(finding, key, why)
    printed = printed_interval(finding, key)
    judged = by_printed(finding, key, value, printed)
    if judged is None:
        judged = by_rows(finding, key, value, subject, rows)
    return _whole(finding, key, value, subject, rows, judged)


def _whole(
    finding: Finding,
    key: str | None,
    value: Interval,
    subject: Subject,
    reference: LaboratoryReference,
    judged: Judged,
) -> ResultFlag:
    """Return the flag with critical limits and the laboratory's own flag beside it."""
    critical: tuple[CriticalLimit, ...] = ()
    if key is not None:
        critical = critical_limits(key, value, unit_of(finding, key), subject, reference)
    reached = _reached(critical)
    possible = frozenset({reached}) if reached is not None else judged.flags
    notes = judged.notes + _against(reached, judged)
    flag = next(iter(possible)) if len(possible) == 1 else None
    refused = None if reached is not None else judged.refused
    if refused is not None:
        flag = None
    elif flag is None:
        detail = f"the value is a bound: {finding.value} is compared at both ends"
        refused = NotAssessed(why=Why.CENSORED, detail=detail)
    said = laboratory_flags(finding.flags)
    return ResultFlag(
        analyte=key,
        finding=finding.id,
        flag=flag,
        not_assessed=refused,
        missing=() if flag is not None else judged.missing,
        possible=ordered(possible),
        intervals=judged.intervals,
        others=judged.others,
        critical=critical,
        laboratory=said,
        conflict=_conflict(
            finding, said, possible, critical, judged, limits=held_sides(key, reference)
        ),
        notes=notes,
        evidence=(*finding.evidence, *judged.evidence, *_rows_of(key, critical)),
    )


def _rows_of(key: str | None, critical: tuple[CriticalLimit, ...]) -> tuple[Evidence, ...]:
    origins = sorted({limit.origin for limit in critical})
    tables = {"site": SITE_FILE, "fallback": "critical_results"}
    return tuple(ReferenceEvidence(table=tables[origin], row=str(key)) for origin in origins)


def _conflict(
    finding: Finding,
    said: tuple[str, ...],
    possible: frozenset[Flag],
    critical: tuple[CriticalLimit, ...],
    judged: Judged,
    *,
    limits: frozenset[str],
) -> Conflict | None:
    """Return the conflict with the laboratory's flag; a limit that may be reached counts too."""
    maybe = {_critical_flag(limit) for limit in critical if not limit.certain}
    return flag_conflict(
        finding.concept.text,
        said,
        ordered(possible | maybe) if possible else (),
        by=", ".join(f"{used.told} ({used.origin})" for used in judged.intervals)
        or "critical limits",
        evidence=finding.evidence,
        limits=limits,
    )


def _reached(critical: tuple[CriticalLimit, ...]) -> Flag | None:
    return next((_critical_flag(limit) for limit in critical if limit.certain), None)


def _critical_flag(limit: CriticalLimit) -> Flag:
    return Flag.CRITICAL_LOW if limit.side == "low" else Flag.CRITICAL_HIGH


def _against(reached: Flag | None, judged: Judged) -> tuple[str, ...]:
    """Return a note where a critical limit is reached that the interval does not call outside."""
    outside = {Flag.CRITICAL_LOW: Flag.LOW, Flag.CRITICAL_HIGH: Flag.HIGH}
    if reached is None or not judged.flags or judged.flags == {outside[reached]}:
        return ()
    said = " or ".join(flag.value for flag in ordered(judged.flags))
    return (f"By its interval the result is {said}; by the critical limit it is {reached.value}.",)


def _analyte(finding: Finding) -> str | None:
    known = analytes().analytes
    return next(
        (c.code for c in finding.concept.codings if c.system == ANALYTE and c.code in known), None
    )


def _worded(finding: Finding) -> str | None:
    table = laboratory_tests()
    codes = (c.code for c in finding.concept.codings if c.system == LOINC)
    return next((key for code in codes if (key := table.worded_test(code)) is not None), None)


def _refused(finding: Finding, key: str | None, why: NotAssessed) -> ResultFlag:
    return ResultFlag(
        analyte=key,
        finding=finding.id,
        not_assessed=why,
        laboratory=laboratory_flags(finding.flags),
        evidence=finding.evidence,
    )
