"""One hand-entered answer to one clinical input, to a finding."""

from difflib import get_close_matches

from pydantic import FiniteFloat

from knowledge.analytes import Converted, analytes, convert
from knowledge.clinical_inputs import COMPLETED_YEARS, ClinicalInput, catalogue
from knowledge.clinical_time import ClinicalTime, parse_fhir
from knowledge.errors import InvalidValueError
from knowledge.evidence import RecordEvidence
from knowledge.finding import Finding, NotAssessed, State, Why
from knowledge.model import Frozen
from knowledge.plain_text import quotation, visible
from knowledge.quantity import Choice, Interval, Value, format_number, measured
from knowledge.units import parse_stated

_MONTH, _DAY = 1 / 12, 1 / 365.25
_YEARS_OF = {
    **dict.fromkeys(("mo", "mos", "month", "months"), _MONTH),
    **dict.fromkeys(("wk", "wks", "week", "weeks"), 7 * _DAY),
    **dict.fromkeys(("d", "day", "days"), _DAY),
}
"""Years in a unit of an infant's age (UCUM: a year of 365.25 days, a month its twelfth)."""
_YES = frozenset({"yes", "y", "true", "present"})
_NO = frozenset({"no", "n", "false", "absent"})
_LONGEST = 60
"""Characters of a misspelt word that are looked at and shown."""

_UNKNOWN = frozenset({"unknown", "not assessed", "not_assessed", "?", ""})


class Answer(Frozen):
    """An answer with what belongs to it.

    Args:
        value: yes/no/unknown, a choice's id, a number, ``"110 /min"``, or a time.
        unit: Unit of a number, where it is not written with it.
        time: When it was measured or observed.
        by: Who stated it (a role or initials).
        note: Free text, shown nowhere but kept in the file.
        items: Mark of the list that was read, where the answer is about a list of the report.
        typed: A number as a person typed it into a form, where `value` is what was read from it.
    """

    value: bool | int | FiniteFloat | str | None
    unit: str | None = None
    time: str | None = None
    by: str | None = None
    note: str | None = None
    items: str | None = None
    typed: str | None = None


Stated = Answer | bool | int | FiniteFloat | str | None
"""An answer as it may be written: bare, or as a mapping."""


def stated_finding(
    input_id: str,
    stated: Stated,
    *,
    file: str = "case.yaml",
    record: str | None = None,
    zone: str | None = None,
    hint: bool = True,
) -> Finding:
    """Return what an answer says; unknown, impossible and unit-less answers are not assessed.

    Args:
        input_id: Id in the clinical-input catalogue.
        stated: The answer.
        file: Where it stands.
        record: Where in the file; ``facts.<id>`` unless given.
        zone: IANA zone declared for times without an offset.
        hint: Whether an unknown id is answered with near ones, which takes a moment each.

    Raises:
        InvalidValueError: No such input, or not an answer to it; the message says what would be.

    Examples:
        >>> stated_finding("heart_rate", "110 /min").value
        Quantity(kind='quantity', value=110.0, unit='/min')
        >>> stated_finding("diaphoresis", "unknown").state.value
        'not_assessed'
    """
    answer = stated if isinstance(stated, Answer) else Answer(value=stated)
    entry = known_input(input_id, hint=hint)
    evidence = (RecordEvidence(file=file, record=record or f"facts.{input_id}"),)
    time = _time(answer.time, input_id, file, zone)
    said = _understood(input_id, entry, answer, file, zone)
    happened = said if isinstance(said, ClinicalTime) else time
    return Finding(
        concept=catalogue().concept(input_id),
        state=said if isinstance(said, State) else _state(said),
        not_assessed=said if isinstance(said, NotAssessed) else None,
        value=_value(said),
        time=happened,
        method=f"stated by {answer.by}" if answer.by else None,
        reported=_reported(answer) if entry.kind in ("quantity", "time") else answer.items,
        flags=said.flags if isinstance(said, Converted) else (),
        evidence=evidence,
    )


def known_input(input_id: str, *, hint: bool = True) -> ClinicalInput:
    """Return a catalogue entry.

    Args:
        input_id: Its id.
        hint: Whether an unknown id is answered with near ones.

    Raises:
        InvalidValueError: There is none of that id; the message offers near matches.
    """
    found = catalogue().every.get(input_id)
    if found is None:
        near = get_close_matches(input_id[:_LONGEST], catalogue().every, n=3) if hint else []
        raise InvalidValueError(
            f"{input_id[:_LONGEST]!r}",
            "not a clinical input of the catalogue",
            f"did you mean {', '.join(near)}?" if near else "",
        )
    return found


Understood = State | NotAssessed | Converted | Choice | ClinicalTime


def _understood(
    input_id: str, entry: ClinicalInput, answer: Answer, file: str, zone: str | None
) -> Understood:
    value = answer.value
    word = value.strip().casefold() if isinstance(value, str) else value
    if word is None or word in _UNKNOWN:
        return NotAssessed(why=Why.MISSING, detail="stated as unknown")
    match entry.kind:
        case "boolean":
            return _boolean(input_id, entry, word)
        case "choice":
            return _choice(input_id, entry, word)
        case "quantity":
            return _quantity(input_id, entry, answer)
        case "time":
            if not isinstance(value, str):
                raise _refused(input_id, entry)
            try:
                return parse_fhir(value, clock=file, zone=zone)
            except InvalidValueError as error:
                raise InvalidValueError(input_id, error.reason, error.way_out) from error


def _boolean(input_id: str, entry: ClinicalInput, word: object) -> State:
    if word is True or word in _YES:
        return State.PRESENT
    if word is False or word in _NO:
        return State.ABSENT
    raise _refused(input_id, entry)


def _choice(input_id: str, entry: ClinicalInput, word: object) -> Choice:
    for key in entry.choices:
        if isinstance(word, str) and key.casefold() == word:
            return Choice(choice=key)
    near = get_close_matches(str(word)[:_LONGEST], entry.choices, n=2)
    raise _refused(input_id, entry, f"did you mean {', '.join(near)}? " if near else "")


def _quantity(input_id: str, entry: ClinicalInput, answer: Answer) -> Converted | NotAssessed:
    value, unit = answer.value, answer.unit
    if isinstance(value, bool) or value is None:
        raise _refused(input_id, entry)
    if isinstance(value, str):
        stated = parse_stated(value)
        if stated is None or (stated[1] is not None and unit is not None and stated[1] != unit):
            raise _refused(input_id, entry)
        interval, unit = stated[0], stated[1] or unit
    else:
        interval = Interval.exact(float(value))
    result = _converted(input_id, entry, interval, unit)
    if isinstance(result, NotAssessed):
        return result
    if not _possible(result.value.interval, entry):
        limits = f"{_bound(entry.low)} and {_bound(entry.high)} {entry.unit}"
        return NotAssessed(
            why=Why.VALUE_IMPOSSIBLE,
            detail=f"value impossible: {entry.label} lies between {limits}",
        )
    return result


def _converted(
    input_id: str, entry: ClinicalInput, interval: Interval, unit: str | None
) -> Converted | NotAssessed:
    key = entry.analyte or input_id
    if key in analytes().analytes:
        return convert(key, interval, unit)
    canonical = entry.unit or "1"
    if canonical == COMPLETED_YEARS and unit in _YEARS_OF:
        return Converted(value=measured(interval.scaled(_YEARS_OF[unit]), canonical), changed=True)
    if unit is None or unit == canonical or unit in analytes().spellings.get(canonical, ()):
        return Converted(value=measured(interval, canonical), changed=False)
    detail = f"unit not recognised: {quotation(unit)} for {entry.label}"
    return NotAssessed(why=Why.UNIT_NOT_RECOGNISED, detail=detail)


def _possible(interval: Interval, entry: ClinicalInput) -> bool:
    above = entry.low is None or interval.high is None or interval.high >= entry.low
    below = entry.high is None or interval.low is None or interval.low <= entry.high
    return above and below


def _bound(limit: float | None) -> str:
    return "any" if limit is None else format_number(limit)


def _value(said: Understood) -> Value | None:
    if isinstance(said, Converted):
        return said.value
    return said if isinstance(said, Choice) else None


def _state(said: NotAssessed | Converted | Choice | ClinicalTime) -> State:
    return State.NOT_ASSESSED if isinstance(said, NotAssessed) else State.PRESENT


def _reported(answer: Answer) -> str | None:
    if answer.value is None:
        return None
    said = answer.value if answer.typed is None else visible(answer.typed)
    return f"{said} {answer.unit or ''}".strip()[:200]


def _time(text: str | None, input_id: str, file: str, zone: str | None) -> ClinicalTime | None:
    if text is None:
        return None
    try:
        return parse_fhir(text, clock=file, zone=zone)
    except InvalidValueError as error:
        raise InvalidValueError(f"{input_id}.time", error.reason, error.way_out) from error


def _refused(input_id: str, entry: ClinicalInput, near: str = "") -> InvalidValueError:
    return InvalidValueError(input_id, "not an answer to it", f"{near}give {entry.how}")
