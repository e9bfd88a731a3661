"""Age and sex as a CT's headers state them, against what a person states of the same patient."""

from collections.abc import Mapping

from knowledge.clinical_inputs import catalogue
from knowledge.clinical_time import Precision
from knowledge.ct_measurements import limit
from knowledge.evidence import RecordEvidence
from knowledge.finding import Finding, State, Why, not_assessed
from knowledge.quantity import Choice, Quantity, Value
from tools.imaging.ct.model import SeriesFacts

AGE, SEX = "age_years", "sex"
_MONTH_DAY = 100


def with_header(
    facts: SeriesFacts, answers: Mapping[str, Finding]
) -> tuple[dict[str, Finding], tuple[str, ...]]:
    """Return the answers with age and sex of the header, and every conflict in words.

    What the header states and nobody contradicts is used. Where an answer differs from the header,
    neither is used: the input is not assessed, so that what needs it is a range over both or none.

    Args:
        facts: What the headers say.
        answers: What a person states, by clinical-input id.
    """
    found, conflicts = dict(answers), []
    ages = _ages(facts)
    if len(ages) == 2 and abs(ages[0] - ages[1]) > limit("age_difference"):
        words = f"Age: the header says {ages[0]:g}, and {ages[1]:g} by the date of birth"
        conflicts.append(_conflict(AGE, words, facts, found))
    elif ages:
        given = answers.get(AGE)
        given = None if given is None or given.interval is None else given
        if given is not None and not _agrees(given, ages[0]):
            words = f"Age: the header says {ages[0]:g}, the answer {given.value}"
            conflicts.append(_conflict(AGE, words, facts, found))
        elif given is None:
            found[AGE] = _finding(AGE, Quantity(value=ages[0], unit="a"), facts)
    sex = facts.identity.sex
    if sex is not None:
        said = answers.get(SEX)
        given_sex = None if said is None else said.choice
        if given_sex is not None and given_sex != sex:
            words = f"Sex: the header says {sex}, the answer {given_sex}"
            conflicts.append(_conflict(SEX, words, facts, found))
        elif given_sex is None:
            found[SEX] = _finding(SEX, Choice(choice=sex), facts)
    return found, tuple(conflicts)


def _ages(facts: SeriesFacts) -> tuple[float, ...]:
    """Return the age as stated, and the completed years by the dates, as far as they are there."""
    stated = () if facts.age_years is None else (float(int(facts.age_years)),)
    born = facts.identity.birth_date
    if born is None or facts.time is None or born.precision in (Precision.YEAR, Precision.MONTH):
        return stated
    day, then = facts.time.at, born.at
    before = (day.month * _MONTH_DAY + day.day) < (then.month * _MONTH_DAY + then.day)
    years = day.year - then.year - int(before)
    return (*stated, float(years)) if years >= 0 else stated


def _agrees(given: Finding, age: float) -> bool:
    """Return whether a stated age may be that of the header: less than a year from it."""
    span, reach = given.interval, limit("age_difference")
    if span is None:
        return False
    low = span.low is None or span.low < age + reach
    return low and (span.high is None or span.high > age - reach)


def _conflict(key: str, words: str, facts: SeriesFacts, found: dict[str, Finding]) -> str:
    found[key] = not_assessed(
        catalogue().concept(key), Why.CONFLICTING, words, evidence=_evidence(facts)
    )
    return f"{words}: they conflict, so neither is used"


def _finding(key: str, value: Value, facts: SeriesFacts) -> Finding:
    return Finding(
        concept=catalogue().concept(key),
        state=State.PRESENT,
        value=value,
        time=facts.time,
        evidence=_evidence(facts),
    )


def _evidence(facts: SeriesFacts) -> tuple[RecordEvidence, ...]:
    return (RecordEvidence(file=facts.identity.source, record="DICOM header"),)
