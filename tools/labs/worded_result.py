"""The flag of a test that is answered in words, or by a count that may be a span."""

from knowledge.evidence import ReferenceEvidence
from knowledge.finding import Finding, NotAssessed, State, Why
from knowledge.laboratory_tests import FILE, Answer, Bounds, WordedTest, laboratory_tests
from knowledge.quantity import Interval, Text
from knowledge.units import parse_stated
from tools.labs.interval_model import Flag, ResultFlag
from tools.labs.laboratory_flag import flag_conflict, laboratory_flags
from tools.labs.printed_interval import parse_interval, printed_words

_NONE = Interval.exact(0.0)


def worded_flag(finding: Finding, key: str) -> ResultFlag:
    """Return the flag of a worded result, or why it is not assessed.

    Args:
        finding: With words, a number or a bound as its value.
        key: Key of the worded test.
    """
    test = laboratory_tests().worded[key]
    found = _flags(finding, test)
    said = laboratory_flags(finding.flags)
    evidence = (*finding.evidence, ReferenceEvidence(table=FILE, row=key))
    why: NotAssessed | None = None
    possible: tuple[Flag, ...] = ()
    if isinstance(found, NotAssessed):
        why = found
    else:
        possible = tuple(sorted(found, key=list(Flag).index))
    if len(possible) > 1:
        detail = f"the count is a span: {finding.value} lies on both sides of the normal count"
        why = NotAssessed(why=Why.CENSORED, detail=detail)
    return ResultFlag(
        analyte=key,
        finding=finding.id,
        flag=possible[0] if why is None else None,
        not_assessed=why,
        possible=possible,
        laboratory=said,
        conflict=flag_conflict(
            finding.concept.text, said, possible, by="the expected answer", evidence=evidence
        ),
        evidence=evidence,
    )


def _flags(finding: Finding, test: WordedTest) -> frozenset[Flag] | NotAssessed:
    normal = _normal(finding, test)
    if isinstance(normal, NotAssessed):
        return normal
    count, unit = _count(finding, test)
    if count is not None and normal is not None:
        return _of_count(count, unit, test, normal)
    answer = _answer(finding)
    if answer is not None and test.expect is not None:
        return frozenset({Flag.NORMAL if answer == test.expect else _abnormal(test)})
    if answer == "negative" and normal is not None and normal.is_below(_NONE) is False:
        return frozenset({Flag.NORMAL})
    if names_organism(finding, test):
        return frozenset({_abnormal(test)})
    return NotAssessed(
        why=Why.UNREADABLE, detail="the answer is none of the words or counts that are known"
    )


def names_organism(finding: Finding, test: WordedTest) -> bool:
    """Return whether the answer of a culture or smear names what grew or was seen."""
    if not test.organisms or not isinstance(finding.value, Text):
        return False
    return laboratory_tests().organisms.reported(finding.value.text)


def _answer(finding: Finding) -> Answer | None:
    if finding.value is None:
        return "negative" if finding.state is State.ABSENT else "positive"
    return laboratory_tests().answer(str(finding.value))


def _count(finding: Finding, test: WordedTest) -> tuple[Interval | None, str | None]:
    """Return a number, a bound or a span with its unit; nothing where the answer is words."""
    if test.count is None:
        return None, None
    if finding.quantity is not None:
        return finding.quantity.interval, finding.quantity.unit
    if not isinstance(finding.value, Text):
        return None, None
    text = finding.value.text
    stated = parse_stated(text)
    if stated is not None:
        return stated
    span = parse_interval(text)
    if isinstance(span, str):
        return None, None
    bounds, unit = span
    return Interval(low=bounds.low, high=bounds.high), unit


def _of_count(
    count: Interval, unit: str | None, test: WordedTest, normal: Bounds
) -> frozenset[Flag] | NotAssessed:
    if not _known(unit, test):
        return NotAssessed(
            why=Why.UNIT_NOT_RECOGNISED, detail="the count is in a unit that is not known"
        )
    below, above = normal.is_below(count), normal.is_above(count)
    flags = set()
    if below is not False or above is not False:
        flags.add(_abnormal(test))
    if below is not True and above is not True:
        flags.add(Flag.NORMAL)
    return frozenset(flags)


def _normal(finding: Finding, test: WordedTest) -> Bounds | NotAssessed | None:
    """Return the normal count: the laboratory's own where it printed one, else the table's."""
    words = printed_words(finding)
    table = laboratory_tests()
    if words is None or (table.answer(words) or "") in ("negative", test.expect):
        return test.count
    span = parse_interval(words)
    if test.count is not None and not isinstance(span, str) and _known(span[1], test):
        return span[0]
    detail = "the laboratory printed its own normal answer, which is not certain"
    return NotAssessed(why=Why.UNREADABLE, detail=detail)


def _known(unit: str | None, test: WordedTest) -> bool:
    return unit in (None, "") or (test.count is not None and unit in test.count.units)


def _abnormal(test: WordedTest) -> Flag:
    return Flag.CRITICAL_ABNORMAL if test.critical else Flag.ABNORMAL
