"""One tracing ready to be compared: its recording, measurements and report, or why not."""

from dataclasses import dataclass

from knowledge.ecg_accuracy import ecg_accuracy
from knowledge.ecg_criteria import ecg_criteria
from knowledge.finding import Finding, NotAssessed, State, Why
from knowledge.quantity import Interval
from tools.ecg.interpretation import interpret
from tools.ecg.measure import measure
from tools.ecg.model import EcgMeasurements, EcgRecording
from tools.ecg.report import EcgReport


@dataclass(frozen=True, kw_only=True, eq=False)
class Tracing:
    """A recording with what was measured and said of it."""

    recording: EcgRecording
    m: EcgMeasurements
    report: EcgReport

    @classmethod
    def of(cls, recording: EcgRecording, *, age_years: Finding, sex: Finding) -> "Tracing":
        """Return a measured tracing.

        Raises:
            ContractError: Nothing can be measured on it.
        """
        m = measure(recording)
        return cls(
            recording=recording,
            m=m,
            report=interpret(recording, m, age_years=age_years, sex=sex),
        )

    def st_j_mm(self, lead: str) -> float | NotAssessed:
        """Return ST at J of a lead in mm, or why it may not be stated."""
        return self._of_lead(lead, "st-j")

    def number(self, code: str) -> float | NotAssessed:
        """Return a measurement by its code, or why there is none."""
        for found in self.report.measurements:
            if found.body_site is None and found.concept.codings[0].code == code:
                return _value(found)
        return NotAssessed(why=Why.MISSING, detail=f"{code} is not measured")

    def state(self, code: str) -> Finding:
        """Return a statement."""
        return self.report.finding(code)

    def _of_lead(self, lead: str, code: str) -> float | NotAssessed:
        for found in self.report.measurements:
            if found.body_site == lead and found.concept.codings[0].code == code:
                value = _value(found)
                return value if isinstance(value, NotAssessed) else round(value * 10, 2)
        return NotAssessed(why=Why.MISSING, detail=f"lead {lead} is not recorded")


def difference_error(row: str, *, z: float | None = None) -> float:
    """Return the limit of our error of a difference of two values, in the unit of the row.

    From the mean absolute error of one value: standard deviation of one, times the square root of
    two for a difference, times z. Errors of two tracings are taken as independent and normal.

    Args:
        row: Of ``ecg_accuracy``, such as ``st_j``.
        z: 1.96 for 95 % where not given.
    """
    rule = ecg_criteria().comparison.error
    one = ecg_accuracy()[row].value * rule.sd_of_mean_absolute
    return (rule.z if z is None else z) * one * 2**0.5


def _value(found: Finding) -> float | NotAssessed:
    if found.state is not State.PRESENT:
        return found.not_assessed or NotAssessed(why=Why.MISSING, detail="not measured")
    interval: Interval | None = found.interval
    if interval is None or interval.low is None:
        return NotAssessed(why=Why.MISSING, detail="no number")
    return float(interval.low)
