"""The inputs of a score, checked: what is known of each, in the catalogue's own terms."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from knowledge.clinical_inputs import COMPLETED_YEARS, ClinicalInput, OtherForm, catalogue
from knowledge.errors import ContractError, InvalidValueError
from knowledge.finding import Finding, NotAssessed, State, Why
from knowledge.quantity import (
    Choice,
    Interval,
    Quantity,
    QuantityInterval,
    format_number,
    to_digits,
)
from knowledge.rules import Answer, answer_of

_MULTIPLE_DIGITS = 3
"""Significant digits of a quotient of two results, as shown."""


@dataclass(frozen=True, kw_only=True)
class Input:
    """One input of a score.

    Args:
        id: Id in the clinical-input catalogue.
        entry: Its catalogue entry.
        finding: What was given; None where nothing was.
        answer: What it says to a rule: yes/no, a choice, or the numbers possible in
            ``entry.unit`` within the catalogue's limits; None where it is not assessed.
    """

    id: str
    entry: ClinicalInput
    finding: Finding | None
    answer: Answer

    @property
    def whole(self) -> bool:
        """Whether only whole numbers are possible."""
        return self.entry.unit == COMPLETED_YEARS

    @property
    def words(self) -> str:
        """The answer as a report shows it."""
        answer = self.answer
        if answer is None:
            return f"not assessed: {self.why_missing.detail}"
        if isinstance(answer, bool):
            return "yes" if answer else "no"
        if isinstance(answer, str):
            return self.entry.choices.get(answer, answer)
        if self.entry.multiple_of and isinstance(answer, Interval):
            method = self.finding.method if self.finding is not None else None
            multiple = to_digits(answer, _MULTIPLE_DIGITS)
            return f"{multiple} times {self.entry.multiple_of}" + (f" ({method})" if method else "")
        units = {"1": "", COMPLETED_YEARS: " years"}
        unit = units.get(self.entry.unit or "1", f" {self.entry.unit}")
        form = self.other_form
        if form is not None and self.finding is not None:
            said = f"reported {self.finding.reported}, " if self.finding.reported else ""
            return f"{self.finding.interval}{unit} ({said}{form.conversion})"
        return f"{answer}{unit}"

    @property
    def other_form(self) -> OtherForm | None:
        """How the number is read where it was reported in another form; None where it was not."""
        form = self.entry.other_form
        if form is None or self.finding is None or form.flag not in self.finding.flags:
            return None
        return form

    @property
    def not_below(self) -> str:
        """Why no limit above the fixed one is applied to the number; empty where they are."""
        form = self.other_form
        number = None if self.finding is None else self.finding.interval
        if form is None or number is None or number.compare("lt", form.kept_below):
            return ""
        return f"{self.entry.label} {self.words}: {form.reason}"

    @property
    def why_missing(self) -> NotAssessed:
        """Why the input does not decide: nothing given, not assessed, or known within bounds."""
        if self.finding is None:
            return NotAssessed(why=Why.MISSING, detail="not given")
        if self.finding.not_assessed is not None:
            return self.finding.not_assessed
        if self.not_below:
            return NotAssessed(why=Why.OUTSIDE_CONTRACT, detail=self.not_below)
        return NotAssessed(why=Why.CENSORED, detail=f"known only within bounds: {self.words}")


def read_inputs(ids: Iterable[str], findings: Mapping[str, Finding]) -> dict[str, Input]:
    """Return each input with what is known of it; other findings are not looked at.

    Args:
        ids: Clinical-input ids.
        findings: By clinical-input id, in any order.

    Raises:
        InvalidValueError: A value is impossible, or an answer is not one of the choices.
        ContractError: A finding is of another kind or unit than the input asks for.
    """
    return {
        i: Input(id=i, entry=entry, finding=findings.get(i), answer=_answer(i, entry, findings))
        for i in ids
        for entry in (catalogue().get(i),)
    }


def _answer(input_id: str, entry: ClinicalInput, findings: Mapping[str, Finding]) -> Answer:
    finding = findings.get(input_id)
    if finding is None or finding.state is State.NOT_ASSESSED:
        return None
    match entry.kind:
        case "boolean":
            if isinstance(finding.value, Choice | Quantity | QuantityInterval):
                raise ContractError(input_id, "a value was given for a yes/no question", entry.how)
            return answer_of(finding)
        case "choice":
            if finding.choice not in entry.choices:
                raise InvalidValueError(input_id, "the answer is not one of the choices", entry.how)
            return finding.choice
        case "quantity":
            return _numbers(input_id, entry, finding)
        case "time":
            raise ContractError(input_id, "a score takes no time")


def _numbers(input_id: str, entry: ClinicalInput, finding: Finding) -> Interval:
    quantity, interval = finding.quantity, finding.interval
    if quantity is None or interval is None:
        raise ContractError(input_id, "no number was given", entry.how)
    if quantity.unit != entry.unit:
        raise ContractError(
            input_id, f"given in {quantity.unit!r}, not in {entry.unit!r}", "convert it first"
        )
    if entry.unit == COMPLETED_YEARS:
        interval = _completed(interval)
    possible = _clipped(_in_other_form(interval, entry, finding), entry.low, entry.high)
    if possible is None:
        low, high = (format_number(x) if x is not None else "any" for x in (entry.low, entry.high))
        raise InvalidValueError(
            input_id, f"the value is impossible (accepted: {low} to {high} {entry.unit})"
        )
    return possible


def _in_other_form(number: Interval, entry: ClinicalInput, finding: Finding) -> Interval:
    """Return a number of another form: not below the fixed limit, it is below no other one."""
    form = entry.other_form
    if form is None or form.flag not in finding.flags or number.compare("lt", form.kept_below):
        return number
    return Interval(low=number.low, low_closed=number.low_closed)


def _completed(years: Interval) -> Interval:
    """Return the whole years completed at some age inside."""
    high = None if years.high is None else float(math.floor(years.high))
    if high is not None and high == years.high and not years.high_closed:
        high -= 1
    return Interval(low=None if years.low is None else float(math.floor(years.low)), high=high)


def _clipped(interval: Interval, low: float | None, high: float | None) -> Interval | None:
    """Return the part of an interval within limits; None where there is none."""
    above = interval.low is not None and (low is None or interval.low >= low)
    below = interval.high is not None and (high is None or interval.high <= high)
    new_low, low_closed = (interval.low, interval.low_closed) if above else (low, True)
    new_high, high_closed = (interval.high, interval.high_closed) if below else (high, True)
    touching = new_low == new_high and not (low_closed and high_closed)
    if new_low is not None and new_high is not None and (new_low > new_high or touching):
        return None
    return Interval(low=new_low, high=new_high, low_closed=low_closed, high_closed=high_closed)
