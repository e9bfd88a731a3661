"""Results of comparing tracings: changes by lead with their error, statements in three states."""

from knowledge.clinical_time import ClinicalTime
from knowledge.finding import Finding, NotAssessed
from knowledge.model import Frozen
from knowledge.reference import Citation


class StChange(Frozen):
    """ST at J of one lead in two tracings, mm at 10 mm/mV.

    Args:
        lead: The lead.
        before_mm, after_mm: Level in the earlier and the later tracing; None where not assessed.
        change_mm: Their difference.
        error_mm: 95 % limit of our error of such a difference.
        beyond_error: Whether the change is larger than that; None where there is no difference.
        not_assessed: Why there is no difference.
    """

    lead: str
    before_mm: float | None = None
    after_mm: float | None = None
    change_mm: float | None = None
    error_mm: float
    beyond_error: bool | None = None
    not_assessed: NotAssessed | None = None


class NumberChange(Frozen):
    """A rate, interval or axis in two tracings.

    Args:
        code: ``heart-rate``, ``pr``, ``qrs``, ``qt``, ``qtcf`` or ``axis``.
        label, unit: To show.
        before, after, change: The numbers; None where one is not assessed.
        error: 95 % limit of our error of the difference; None where it was not measured.
        not_assessed: Why there is no difference.
    """

    code: str
    label: str
    unit: str
    before: float | None = None
    after: float | None = None
    change: float | None = None
    error: float | None = None
    not_assessed: NotAssessed | None = None


class EcgComparison(Frozen):
    """What changed from an earlier to a later tracing of one patient.

    Args:
        earlier, later: Ids of the recordings.
        earlier_time, later_time: When they were recorded.
        headline: The one thing to know.
        findings: `st-rise`, `st-fall`, `new-<statement>` and `gone-<statement>`, `qtc-longer`, each
            present, absent or not assessed with the reason.
        st: ST at J lead by lead.
        numbers: Rate, intervals and axis.
        cautions: What must be read with it.
        source: Publications behind the limits.
    """

    earlier: str
    later: str
    earlier_time: ClinicalTime | None = None
    later_time: ClinicalTime | None = None
    headline: str
    findings: tuple[Finding, ...]
    st: tuple[StChange, ...]
    numbers: tuple[NumberChange, ...]
    cautions: tuple[str, ...] = ()
    source: tuple[Citation, ...] = ()

    def finding(self, code: str) -> Finding:
        """Return one statement by its code.

        Raises:
            KeyError: There is no such statement.
        """
        for found in self.findings:
            if found.concept.codings[0].code == code:
                return found
        raise KeyError(code)


class LeadTrend(Frozen):
    """ST at J of one lead over a series.

    Args:
        lead: The lead.
        levels_mm: One level for each tracing; None where not assessed.
        range_mm: Largest less smallest; None with fewer than two levels.
        error_mm: 95 % limit of our error of that range, over all pairs of the series.
        course: ``rising``, ``falling``, ``rise and fall``, ``fall and rise``, ``stable`` or
            ``not assessed``: a step counts where it is beyond the error.
    """

    lead: str
    levels_mm: tuple[float | None, ...]
    range_mm: float | None
    error_mm: float
    course: str


class EcgTrend(Frozen):
    """ST, rate and QTc over three or more tracings of one patient, oldest first.

    Args:
        recordings, times: Ids and times.
        headline: The one thing to know.
        leads: ST lead by lead.
        heart_rates_per_min, qtcf_ms: One number for each tracing; None where not assessed.
        findings: `st-dynamic` and, for each step, what a comparison says of it.
        steps: Each tracing compared with the one before.
        cautions: What must be read with it.
    """

    recordings: tuple[str, ...]
    times: tuple[ClinicalTime | None, ...]
    headline: str
    leads: tuple[LeadTrend, ...]
    heart_rates_per_min: tuple[float | None, ...]
    qtcf_ms: tuple[float | None, ...]
    findings: tuple[Finding, ...]
    steps: tuple[EcgComparison, ...]
    cautions: tuple[str, ...] = ()
