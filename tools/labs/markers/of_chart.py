"""Every serial marker of which the chart holds a sample, read with what the chart answers."""

from typing import Literal

from knowledge.finding import Finding
from knowledge.rules import answer_of
from tools.labs.laboratory_chart import LaboratoryChart
from tools.labs.markers.ck_mb import ck_mb_serial
from tools.labs.markers.d_dimer import d_dimer_by_age
from tools.labs.markers.lactate import lactate_clearance
from tools.labs.markers.natriuretic_peptide import Peptide, natriuretic_peptide
from tools.labs.markers.natriuretic_peptide import Setting as Onset
from tools.labs.markers.procalcitonin import Setting as Ward
from tools.labs.markers.procalcitonin import procalcitonin_course
from tools.labs.markers.report import MarkerReport, for_age

_PEPTIDES: tuple[Peptide, ...] = ("bnp", "nt_probnp")
MARKER_INPUTS = ("age_years", "bmi", "obesity", "ckd", "atrial_fibrillation_known")
"""Clinical inputs that the markers are read with."""

Marker = Literal["ck_mb", "bnp", "nt_probnp", "d_dimer", "lactate", "procalcitonin"]


def marker_reports(
    chart: LaboratoryChart, *, onset: Onset | None = None, ward: Ward | None = None
) -> tuple[MarkerReport, ...]:
    """Return the report of each marker of which there is a sample, used or set aside.

    Args:
        chart: The laboratory results of one patient at a moment.
        onset: Acute or non-acute, for the natriuretic peptides; None where not known.
        ward: Lower respiratory infection or intensive care, for procalcitonin; None if not known.
    """
    found: list[MarkerReport] = []
    if samples := _samples(chart, "ck_mb"):
        report = ck_mb_serial(
            samples, at=chart.at, subject=chart.subject(), total_ck=_newest(chart, "ck")
        )
        found.append(report)
    for peptide in _PEPTIDES:
        if samples := _samples(chart, peptide):
            found.append(
                natriuretic_peptide(
                    samples,
                    peptide=peptide,
                    at=chart.at,
                    setting=onset,
                    age_years=chart.answer("age_years"),
                    bmi=chart.answer("bmi"),
                    obesity=chart.answer("obesity"),
                    ckd=chart.answer("ckd"),
                    atrial_fibrillation_known=chart.answer("atrial_fibrillation_known"),
                )
            )
    if samples := _samples(chart, "d_dimer"):
        report = d_dimer_by_age(
            samples, at=chart.at, age_years=chart.answer("age_years"), subject=chart.subject()
        )
        found.append(report)
    if samples := _samples(chart, "lactate"):
        found.append(lactate_clearance(samples, at=chart.at))
    if samples := _samples(chart, "procalcitonin"):
        found.append(procalcitonin_course(samples, at=chart.at, setting=ward))
    age = answer_of(chart.answer("age_years"))
    return tuple(for_age(report, age) for report in found)


def _samples(chart: LaboratoryChart, marker: Marker) -> tuple[Finding, ...]:
    return tuple(result.finding for result in chart.results.get(marker, ()))


def _newest(chart: LaboratoryChart, analyte: str) -> Finding | None:
    result = chart.latest(analyte)
    return None if result is None else result.finding
