"""Everything an ECG rule may read: the recording, its measurements, the patient, the criteria."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from knowledge.ecg_accuracy import ecg_accuracy
from knowledge.ecg_criteria import SEXES, EcgCriteria, ecg_criteria
from knowledge.finding import Finding, NotAssessed, Why
from knowledge.patient import Sex
from knowledge.quantity import Interval
from tools.ecg.amplitudes import st_level
from tools.ecg.model import EcgMeasurements, EcgRecording, LeadMeasurement


@dataclass(frozen=True, kw_only=True, eq=False)
class Reading:
    """One recording, measured, of one patient.

    Args:
        recording: As read from the file.
        m: What was measured on it.
        age: Possible ages in years; from the adult limit upwards where the age is not known.
        age_known: Whether an age was given at all.
        sexes: Possible sexes: one, or both where the sex is not known.
        criteria: The limits.
    """

    recording: EcgRecording
    m: EcgMeasurements
    age: Interval
    age_known: bool
    sexes: tuple[Sex, ...]
    criteria: EcgCriteria

    @classmethod
    def of(
        cls, recording: EcgRecording, m: EcgMeasurements, *, age_years: Finding, sex: Finding
    ) -> "Reading":
        """Return a reading with the packaged criteria."""
        criteria = ecg_criteria()
        age = age_years.interval
        return cls(
            recording=recording,
            m=m,
            age=age or Interval(low=criteria.contract.adult_from_years),
            age_known=age is not None,
            sexes=tuple(s for s in SEXES if sex.choice in (None, s)),
            criteria=criteria,
        )

    @cached_property
    def st_error_mv(self) -> float:
        """Return our mean error of ST at J, mV: a verdict that turns within it is borderline."""
        return ecg_accuracy()["st_j"].value / 1000  # the table states uV

    def error_ms(self, interval: Literal["pr", "qrs", "qt"]) -> float:
        """Return our mean error of an interval, ms."""
        return ecg_accuracy()[interval].value

    @cached_property
    def outside_contract(self) -> NotAssessed | None:
        """Return why the adult criteria do not apply, where they do not or may not."""
        limit = self.criteria.contract.adult_from_years
        if self.age.compare("ge", limit) is True:
            return None
        detail = f"the criteria are for adults; the age is {self.age} years, limit {limit:g}"
        return NotAssessed(why=Why.OUTSIDE_CONTRACT, detail=detail)

    def blocked(self, *kinds: str, lead: str | None = None) -> NotAssessed | None:
        """Return why statements of these kinds must not be made, where a defect forbids them.

        Args:
            kinds: ``timing``, ``amplitude``, ``rhythm``; ``all`` always counts.
            lead: The lead the statement is about. Without it, a defect of single leads does not
                block.
        """
        if "amplitude" in kinds and self.recording.gain_doubt is not None:
            return NotAssessed(why=Why.QUALITY, detail=f"gain: {self.recording.gain_doubt}")
        for problem in self.m.problems:
            concerns = not problem.leads or (lead is not None and lead in problem.leads)
            if concerns and set(problem.blocks) & {*kinds, "all"}:
                return NotAssessed(why=Why.QUALITY, detail=f"{problem.code}: {problem.detail}")
        return None

    def axis(self) -> float | NotAssessed:
        """Return the frontal axis in degrees, or why it is not to be trusted."""
        for name in (None, "I", "aVF"):
            if (why := self.blocked("amplitude", lead=name)) is not None:
                return why
        degrees = self.m.axis_deg
        return self.not_measured("axis_deg") if degrees is None else degrees

    def lead(self, name: str) -> LeadMeasurement | NotAssessed:
        """Return the amplitudes of one lead, or why there are none to be trusted."""
        missing = NotAssessed(why=Why.MISSING, detail=f"lead {name} is not recorded")
        return self._leads.get(name, missing)

    @cached_property
    def _leads(self) -> dict[str, LeadMeasurement | NotAssessed]:
        return {m.lead: self.blocked("amplitude", lead=m.lead) or m for m in self.m.lead}

    def at_later_j(self) -> "Reading | None":
        """Return the reading with ST read at the end of the QRS, where that lies far behind J.

        The J point for ST is the first of two estimates of the QRS end. None where the two agree
        within the limit of the criteria.
        """
        points = self.m.fiducials
        apart_ms = (points.qrs_off - points.j) * 1000 / self.m.sampling_rate_hz
        if apart_ms <= self.criteria.j_point.apart_above_ms:
            return None
        leads = tuple(self._read_at(points.qrs_off, lead) for lead in self.m.lead)
        marks = points.model_copy(update={"j": points.qrs_off})
        return replace(self, m=replace(self.m, lead=leads, fiducials=marks))

    def _read_at(self, j: int, lead: LeadMeasurement) -> LeadMeasurement:
        level = self.m.beat_mv[:, self.m.leads.index(lead.lead)]
        st = {ms: st_level(level, j, ms, self.m.sampling_rate_hz) for ms in (0, 60, 80)}
        levels = {"st_j_mv": st[0], "st_60_mv": st[60], "st_80_mv": st[80]}
        return lead.model_copy(update={**levels, "st_slope_mv_s": (st[80] - st[0]) / 0.080})

    def recorded(self, *leads: str) -> bool:
        """Return whether any of these leads was measured."""
        return any(self.m.of(lead) is not None for lead in leads)

    def missing_patient_facts(self) -> NotAssessed:
        """Return the reason for a limit that hangs on an unknown age or sex."""
        names = ["sex"] * (len(self.sexes) > 1) + ["age"] * (not self.age_known)
        detail = "the limit depends on " + " and ".join(names or ["the exact age"])
        return NotAssessed(why=Why.MISSING, detail=detail)

    def not_measured(self, *names: str) -> NotAssessed:
        """Return why a measurement is missing, by the names it may be listed under."""
        reasons = (self.m.not_measured.get(name) for name in names)
        detail = next((r for r in reasons if r), f"{names[0]} is not measurable on this recording")
        return NotAssessed(why=Why.QUALITY, detail=detail)


def st_mv(lead: LeadMeasurement) -> float:
    """Return the ST level at the J point, mV, to the 1 uV it is shown with."""
    return round(lead.st_j_mv, 3)


def depth_mv(lead: LeadMeasurement) -> float:
    """Return the depth of the deepest negative QRS wave (S, or Q of a QS complex), mV, >= 0."""
    return max(-lead.s_mv, -lead.q_mv, 0.0)


def upright(lead: LeadMeasurement) -> bool:
    """Return whether the QRS is mainly positive: R at least as high as the deepest wave."""
    return lead.r_mv >= depth_mv(lead)


def mm(mv: float) -> str:
    """Return an amplitude in mm at the standard 10 mm/mV, signed, to 10 uV.

    Examples:
        >>> mm(-0.052), mm(0.25)
        ('-0.52 mm', '+2.50 mm')
    """
    return f"{mv * 10:+.2f} mm"
