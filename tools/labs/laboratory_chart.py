"""Every laboratory result of a case with its flag, by analyte: what patterns and reports read."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from knowledge.analytes import analytes
from knowledge.clinical_time import ClinicalTime, elapsed
from knowledge.codes import ANALYTE, LOINC, clinical_input
from knowledge.finding import Finding, State, Why, not_assessed
from knowledge.interference import interferences
from knowledge.laboratory_site import LaboratoryReference
from knowledge.laboratory_tests import laboratory_tests
from knowledge.patient import Patient
from knowledge.rules import Answer, answer_of
from knowledge.timeline import SUPERSEDED, Category, Fact, Timeline
from tools.labs.chart_result import ChartResult
from tools.labs.interval import flag_result
from tools.labs.interval_model import Subject
from tools.labs.newest_result import Newest, newest_result
from tools.labs.result_source import specimen_of
from tools.labs.specimen import Specimen

__all__ = ["SUBJECT_INPUTS", "ChartResult", "LaboratoryChart", "test_key"]

_PREGNANT = "pregnant_now"
_PREGNANT_OR_AFTER = "pregnancy"
_SMOKES_OR_DID = "smoking_current"

_SPECIMENS: Mapping[str | None, str] = {
    "serum": "serum",
    "plasma": "plasma",
    "whole blood": "whole-blood",
}
"""Specimens as findings name them, to those of the interference table."""

SUBJECT_INPUTS = (_PREGNANT, _PREGNANT_OR_AFTER, _SMOKES_OR_DID)
"""Clinical inputs that say of whom a result is."""


@dataclass(frozen=True, kw_only=True, eq=False)
class LaboratoryChart:
    """The laboratory results of one patient as they were known at a moment.

    Args:
        patient: Whose they are.
        at: The moment of assessment.
        results: By analyte or worded test, oldest first; undated ones come first. Nothing that
            was collected after the moment.
        unknown: Laboratory results of tests that we do not hold, oldest first.
        answers: The clinical inputs by id.
        reference: Intervals and critical limits, the site's first.
        later: Results that were collected after the moment, oldest first: never read, only named.
        newest: By analyte or worded test, the newest result, or what may be it.
        of_specimen: By time of collection, what its results together say of the specimen.
    """

    patient: Patient
    at: ClinicalTime
    results: Mapping[str, tuple[ChartResult, ...]]
    unknown: tuple[ChartResult, ...]
    answers: Mapping[str, Finding]
    reference: LaboratoryReference
    later: tuple[ChartResult, ...] = ()
    newest: Mapping[str, Newest] = field(default_factory=dict)
    of_specimen: Mapping[ClinicalTime, Mapping[str, Answer]] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        timeline: Timeline,
        *,
        at: ClinicalTime,
        answers: Mapping[str, Finding],
        reference: LaboratoryReference | None = None,
    ) -> "LaboratoryChart":
        """Return the laboratory results of a timeline with their flags.

        Args:
            timeline: Of one patient.
            at: The moment of assessment; a result collected after it is kept apart.
            answers: The clinical inputs by id, as the chart and people answer them.
            reference: Intervals and critical limits; None for the packaged ones.
        """
        rows = reference or LaboratoryReference()
        by_key: dict[str, list[ChartResult]] = {}
        unknown: list[ChartResult] = []
        later: list[ChartResult] = []
        subject_at = _subjects(timeline.patient, answers)
        for fact in timeline.facts:
            key = test_key(fact)
            if key is None and fact.category is not Category.LABORATORY:
                continue
            finding = fact.finding
            flag = flag_result(finding, subject_at(finding.time), rows)
            result = ChartResult(finding=finding, analyte=key, flag=flag)
            if _later(fact, at):
                later.append(result)
                continue
            (unknown if key is None else by_key.setdefault(key, [])).append(result)
        return cls(
            patient=timeline.patient,
            at=at,
            results={key: tuple(by_key[key]) for key in sorted(by_key)},
            unknown=tuple(unknown),
            answers=answers,
            reference=rows,
            later=tuple(later),
            newest={key: newest_result(held) for key, held in by_key.items()},
        )

    def usable(self, analyte: str) -> tuple[ChartResult, ...]:
        """Return the results of an analyte that have a value and hold, oldest first."""
        return tuple(
            result
            for result in self.results.get(analyte, ())
            if result.usable and SUPERSEDED not in result.finding.flags
        )

    def latest(self, analyte: str) -> ChartResult | None:
        """Return the newest result of an analyte, usable or not; None where there is none.

        The newest is meant even where it cannot be used: an older value does not stand in for it.
        Where it is not known which is the newest, it spans what it may be, or is not assessed.
        """
        newest = self.newest.get(analyte)
        if newest is None or newest.why is None:
            return None if newest is None else newest.contenders[-1]
        finding = newest.finding
        flag = flag_result(finding, self.subject(finding.time), self.reference)
        return ChartResult(finding=finding, analyte=analyte, flag=flag)

    def answer(self, input_id: str) -> Finding:
        """Return what is known of a clinical input; not assessed where nothing is."""
        found = self.answers.get(input_id)
        if input_id == _PREGNANT and (found is None or found.not_assessed is not None):
            found = self._not_pregnant() or found
        if found is not None:
            return found
        return not_assessed(
            clinical_input(input_id, input_id), Why.MISSING, "nothing in the record says it"
        )

    def _not_pregnant(self) -> Finding | None:
        """Return that a man is not pregnant, where nothing says that he is; else None."""
        sex = self.answers.get("sex")
        if sex is None or sex.choice != "male":
            return None
        concept = clinical_input(_PREGNANT, _PREGNANT)
        return Finding(concept=concept, state=State.ABSENT, evidence=sex.evidence)

    @cached_property
    def _specimens(self) -> Mapping[ClinicalTime, Specimen]:
        """What is known of each specimen, by the moment of its collection."""
        drawn: dict[ClinicalTime, list[Finding]] = {}
        for result in self:
            if result.finding.time is not None:
                drawn.setdefault(result.finding.time, []).append(result.finding)
        return {time: Specimen.of(findings) for time, findings in drawn.items()}

    def specimen(self, finding: Finding) -> Specimen:
        """Return what the results collected with a finding say; only itself of unknown time."""
        held = None if finding.time is None else self._specimens.get(finding.time)
        return held or Specimen.of((finding,))

    def signals(self, finding: Finding) -> dict[str, Answer]:
        """Return what is known of the specimen of a finding and of what the patient takes."""
        found = dict(self.specimen(finding).said)
        measured_in = specimen_of(finding)
        if isinstance(measured_in, str) and measured_in in _SPECIMENS:
            found.setdefault("specimen", _SPECIMENS[measured_in])
        if finding.time is not None:
            found.update(self.of_specimen.get(finding.time, {}))
        return {**self._taken, **found}

    @cached_property
    def _taken(self) -> Mapping[str, Answer]:
        """What is known of the patient that interferes: what is taken or was given."""
        answers = {
            key: answer_of(self.answer(signal.input))
            for key, signal in interferences().signals.items()
            if signal.input is not None
        }
        return {key: answer for key, answer in answers.items() if isinstance(answer, bool)}

    def subject(self, time: ClinicalTime | None = None) -> Subject:
        """Return what is known of the patient at a time; at the moment itself for None."""
        return _subjects(self.patient, self.answers)(time or self.at)

    def __iter__(self) -> Iterator[ChartResult]:
        """Yield every result, those of tests we hold first."""
        for results in self.results.values():
            yield from results
        yield from self.unknown


def test_key(fact: Fact) -> str | None:
    """Return the analyte or worded test a fact is a laboratory result of, or None."""
    known = analytes().analytes
    concept = fact.finding.concept
    table = laboratory_tests()
    if fact.category in (Category.VITAL_SIGN, Category.DEVICE_SAID):
        return None
    for coding in concept.codings:
        if coding.system == ANALYTE and coding.code in known and coding.code in table.tests:
            return coding.code
    if fact.category is not Category.LABORATORY:
        return None
    codes = (coding.code for coding in concept.codings if coding.system == LOINC)
    return next((key for code in codes if (key := table.worded_test(code)) is not None), None)


def _subjects(
    patient: Patient, answers: Mapping[str, Finding]
) -> Callable[[ClinicalTime | None], Subject]:
    pregnant = _known(answers.get(_PREGNANT))
    if _known(answers.get(_PREGNANT_OR_AFTER)) is False:
        pregnant = False
    circumstances = {"smoker": False} if _known(answers.get(_SMOKES_OR_DID)) is False else {}

    def subject(time: ClinicalTime | None) -> Subject:
        return Subject.of(patient, time, pregnant=pregnant, circumstances=circumstances)

    return subject


def _known(finding: Finding | None) -> bool | None:
    if finding is None or finding.state is State.NOT_ASSESSED:
        return None
    return finding.state is State.PRESENT


def _later(fact: Fact, at: ClinicalTime) -> bool:
    """Return whether a result was certainly collected after the moment."""
    minutes = elapsed(fact.finding.time, at).minutes
    return minutes is not None and minutes.compare("lt", 0) is True
