"""D-dimer by its unit, the assay's own cut-off, and the age.

Fibrinogen-equivalent units (FEU) and D-dimer units (DDU) differ by a factor of about two: a result
whose unit names neither has no value and is refused at intake. The adjustment for age is made only
for an assay whose own printed cut-off is 500 ng/mL FEU.
"""

from knowledge.clinical_time import ClinicalTime
from knowledge.finding import Finding
from knowledge.rules import Answer, answer_of
from tools.labs.interval_model import Subject
from tools.labs.markers.limits import printed_limit, times
from tools.labs.markers.report import MarkerReport, marker_report
from tools.labs.markers.series import series_of
from tools.toolbox import Card, tool

_KEY = "d_dimer"
_FROM_DDU = "converted-ddu-to-feu"
"""Flag that the unit table sets where a result was reported in DDU."""


@tool(
    card=Card(
        title="D-dimer by unit, cut-off and age",
        group="laboratory",
        topic="serial markers",
        on_request=True,
        needs=("D-dimer whose unit says FEU or DDU", "the laboratory's own cut-off", "age"),
        refuses=(
            "a result whose unit says neither FEU nor DDU",
            "the adjustment for age without a printed cut-off of 500 ng/mL FEU",
        ),
        limits=("low or intermediate clinical probability of thromboembolism",),
        sources=("ADJUST-PE 2014, doi 10.1001/jama.2014.2135", "ESC pulmonary embolism 2019"),
    ),
    version="1.0.0",
)
def d_dimer_by_age(
    samples: tuple[Finding, ...],
    *,
    at: ClinicalTime,
    age_years: Finding | None = None,
    subject: Subject | None = None,
) -> MarkerReport:
    """Return whether D-dimer lies below the assay's own cut-off, and below the age-adjusted one.

    Args:
        samples: D-dimer as intake made it, in ng/mL FEU.
        at: The moment of assessment.
        age_years: For the adjustment.
        subject: Whose they are.
    """
    series = series_of(_KEY, samples, at)
    answers: dict[str, Answer] = {"age_years": answer_of(age_years)}
    newest = series.newest
    if newest is not None:
        cutoff = printed_limit(newest, subject or Subject())
        answers |= {
            "value": answer_of(newest),
            "cutoff": cutoff,
            "times_cutoff": times(newest.interval, cutoff),
            "reported_in_ddu": _FROM_DDU in newest.flags,
        }
    given = () if age_years is None else (age_years,)
    return marker_report(_KEY, series, answers, given=given)
