"""The catalogue of clinical inputs: every question a tool can ask, in one reviewable file.

An input has one id everywhere: in ``case.yaml``, in scores and pathways, in the missing list. The
catalogue says what kind of answer it takes and which coded chart entries may answer it.
"""

from collections.abc import Mapping
from functools import cache, cached_property
from types import MappingProxyType
from typing import Literal, Self

from pydantic import model_validator

from knowledge.answer_units import answer_units
from knowledge.codes import Concept, clinical_input
from knowledge.errors import InvalidValueError
from knowledge.model import Frozen
from knowledge.qt_medicines import qt_medicines
from knowledge.reference import Table, load
from knowledge.rules import Condition

COMPLETED_YEARS = "a"
"""UCUM year. An age is counted in completed years: 50.9 is 50, as every score means it."""

Kind = Literal["boolean", "choice", "quantity", "time"]


class FromCondition(Frozen):
    """Chart conditions that answer the input.

    SNOMED CT codes are not shipped (licence): conditions match by ICD-10 code prefix or by the
    whole concept name in words, compared without case and without the tag in brackets.

    Args:
        icd10: Code prefixes, for example ``I10``.
        names: Whole names, for example ``Essential hypertension``.
        past_counts: Whether a resolved or inactive condition still answers `present`.
        max_age_hours: One charted longer ago does not answer; None for no limit.
    """

    icd10: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    past_counts: bool = False
    max_age_hours: float | None = None


class FromObservation(Frozen):
    """Observations that answer the input.

    Args:
        loinc: Codes of the observation.
        max_age_hours: An older result is stale and does not answer; None for no limit.
        tolerance: Values of one minute that lie further apart than this contradict each other, in
            the input's unit.
        present, absent: For coded answers, the whole answer names that mean yes or no.
    """

    loinc: tuple[str, ...]
    max_age_hours: float | None = None
    tolerance: float = 0.0
    present: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()


class FromMedication(Frozen):
    """Medicines of the chart that answer the input, by a word anywhere in their name.

    Args:
        contains: Words, compared without case; a medicine that has ended does not answer.
        listed_in: A list of medicines with their words, instead of `contains`.
    """

    contains: tuple[str, ...] = ()
    listed_in: Literal["qt_medicines"] | None = None

    @model_validator(mode="after")
    def _one_list(self) -> Self:
        if bool(self.contains) == (self.listed_in is not None):
            raise ValueError("medicines are named by words or by a list, not both")
        return self

    def names(self, text: str) -> bool:
        """Return whether a medicine as charted is one of these."""
        if self.listed_in == "qt_medicines":
            return bool(qt_medicines().named_in(text))
        name = " ".join(text.casefold().split())
        return any(word in name for word in self.contains)


class Derivation(Frozen):
    """Conditions on other inputs that answer this one, where nothing else does."""

    present_when: Condition | None = None
    absent_when: Condition | None = None


class SideDifference(Frozen):
    """Two values of another input, one of each arm, that answer this one by their difference.

    Args:
        of: The other input.
        above: The difference that answers `present`, in its unit.
        within_minutes: How far apart in time the two may be.
        left, right, arm: Words of a body site, one of `arm` with one of a side.
    """

    of: str
    above: float
    within_minutes: float
    left: tuple[str, ...]
    right: tuple[str, ...]
    arm: tuple[str, ...]
    source: str
    review: str


class OtherForm(Frozen):
    """A number that was reported in another form, whose conversion is not exact.

    Limits above `kept_below` were derived in the form of the input: such a number does not lie
    below them, and it is not known to.

    Args:
        flag: Flag that the conversion of the unit sets.
        kept_below: The fixed limit, in the input's unit, below which it is read as it is.
        conversion: In words, to show with the number.
        reason: Why no higher limit is applied.
    """

    flag: str
    kept_below: float
    conversion: str
    reason: str
    source: str
    review: str


class ClinicalInput(Frozen):
    """One question.

    Args:
        label: Short name to show.
        label_zh: The same in Chinese; empty where `verifier_terms.yaml` has it, or nobody.
        kind: `boolean`, `choice`, `quantity` or `time`.
        question: The question as a person is asked it.
        choices: For `choice`: id to wording, mildest first.
        unit: For `quantity`: canonical UCUM unit.
        analyte: For `quantity` from the laboratory: key of the analyte table, whose codes,
            spellings and conversions apply.
        multiple_of: For `quantity` without a unit: what it counts, to show with the number.
        low, high: For `quantity`: values outside are impossible and refused.
        condition, observation, medication: Chart entries that answer it.
        tool: True where a tool's own finding of this id answers it, for example the ECG.
        points_of: The score whose number answers it, where a score is run on request.
        derive: How other inputs answer it; ``lowest.<id>`` and ``highest.<id>`` are the extremes of
            a number in this presentation.
        sides: How a difference between the arms answers it.
        other_form: How a number that was reported in another form is read.
    """

    label: str
    label_zh: str = ""
    kind: Kind
    question: str
    choices: Mapping[str, str] = {}
    unit: str | None = None
    analyte: str | None = None
    multiple_of: str = ""
    low: float | None = None
    high: float | None = None
    condition: FromCondition | None = None
    observation: FromObservation | None = None
    medication: FromMedication | None = None
    tool: bool = False
    points_of: str = ""
    derive: Derivation | None = None
    sides: SideDifference | None = None
    other_form: OtherForm | None = None
    source: str | None = None
    review: str | None = None

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        if (self.kind == "choice") != bool(self.choices):
            raise ValueError("a choice lists its choices, nothing else does")
        if (self.kind == "quantity") != (self.unit is not None):
            raise ValueError("a quantity names its unit, nothing else does")
        return self

    def units(self, input_id: str) -> tuple[str, ...]:
        """Return the units a number may be given in; none for another kind or a bare number.

        Args:
            input_id: Its id in the catalogue.
        """
        return () if self.unit is None else answer_units(self.analyte or input_id, self.unit)

    @property
    def how(self) -> str:
        """How to answer it, in words."""
        match self.kind:
            case "boolean":
                return "yes or no"
            case "choice":
                return "one of: " + "; ".join(f"{k} ({v})" for k, v in self.choices.items())
            case "quantity":
                if self.unit == "1":
                    return "a number"
                units = self.units(self.analyte or "")
                taken = self.unit if self.unit in units else " or ".join(units)
                return f"a number with its unit ({taken})"
            case "time":
                return "a date and time with its zone, for example 2026-11-20T08:10:00+01:00"


class ClinicalInputs(Table):
    """The whole catalogue.

    Args:
        inputs: Questions of the pathway and of what the agent may offer.
        on_request: Questions only of scores that are run by name. The agent neither asks them nor
            counts a chart entry as understood because one of them would read it.
    """

    inputs: Mapping[str, ClinicalInput]
    on_request: Mapping[str, ClinicalInput] = {}

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        twice = set(self.inputs) & set(self.on_request)
        if twice:
            raise ValueError(f"given twice: {', '.join(sorted(twice))}")
        return self

    @cached_property
    def every(self) -> Mapping[str, ClinicalInput]:
        """Every question, those of the pathway first."""
        return MappingProxyType({**self.inputs, **self.on_request})

    @cached_property
    def chinese(self) -> Mapping[str, str]:
        """The labels that have a Chinese wording here."""
        return MappingProxyType({e.label: e.label_zh for e in self.every.values() if e.label_zh})

    def get(self, input_id: str) -> ClinicalInput:
        """Return one entry.

        Raises:
            InvalidValueError: There is no such input; the message offers near matches.
        """
        found = self.every.get(input_id)
        if found is None:
            near = [k for k in self.every if input_id[:5].lower() in k]
            raise InvalidValueError(
                f"clinical input {input_id[:60]!r}",
                "not in the catalogue",
                "did you mean " + ", ".join(near[:5]) if near else "see `epicrisis data check`",
            )
        return found

    def concept(self, input_id: str) -> Concept:
        """Return the concept of one entry."""
        return clinical_input(input_id, self.get(input_id).label)


@cache
def catalogue() -> ClinicalInputs:
    """Return the packaged catalogue."""
    return load("clinical_inputs", ClinicalInputs)
