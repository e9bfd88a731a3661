"""BNP and NT-proBNP by setting, age and rhythm; each by its own limits, never one for the other."""

from typing import Literal

from knowledge.clinical_time import ClinicalTime
from knowledge.finding import Finding
from knowledge.rules import Answer, answer_of
from tools.labs.markers.report import MarkerReport, for_age, marker_report
from tools.labs.markers.series import series_of
from tools.toolbox import Card, tool

Peptide = Literal["bnp", "nt_probnp"]
Setting = Literal["acute", "non-acute"]


@tool(
    card=Card(
        title="BNP and NT-proBNP by setting and age",
        group="laboratory",
        topic="serial markers",
        on_request=True,
        needs=("BNP or NT-proBNP with unit and collection time", "setting: acute or non-acute"),
        refuses=("BNP read by the limits of NT-proBNP, or the other way round",),
        limits=("adults; NT-proBNP in the acute setting needs the age",),
        sources=("ESC heart failure 2021, doi 10.1093/eurheartj/ehab368", "ICON 2006"),
    ),
    version="1.0.0",
)
def natriuretic_peptide(
    samples: tuple[Finding, ...],
    *,
    peptide: Peptide,
    at: ClinicalTime,
    setting: Setting | None = None,
    age_years: Finding | None = None,
    bmi: Finding | None = None,
    obesity: Finding | None = None,
    ckd: Finding | None = None,
    atrial_fibrillation_known: Finding | None = None,
) -> MarkerReport:
    """Return what a natriuretic peptide says of heart failure: unlikely, likely, or between.

    Args:
        samples: Of one peptide; samples of the other are set aside.
        peptide: Which peptide.
        at: The moment of assessment.
        setting: Acute or non-acute; None where not known: then no limit is applied.
        age_years: Moves the upper limits of NT-proBNP.
        bmi: Obesity (30 kg/m2 or more) lowers the peptide.
        obesity: Where the index is not known.
        ckd: Kidney disease raises it.
        atrial_fibrillation_known: Raises it, and moves the limits of HFpEF.
    """
    series = series_of(peptide, samples, at)
    inputs = {
        "age_years": age_years,
        "bmi": bmi,
        "obesity": obesity,
        "ckd": ckd,
        "atrial_fibrillation_known": atrial_fibrillation_known,
    }
    answers: dict[str, Answer] = {key: answer_of(finding) for key, finding in inputs.items()}
    first = series.compared[0] if series.compared else None
    answers |= {
        "value": answer_of(series.newest),
        "setting": setting,
        "fall_percent": None if first is None else first.fall_percent,
    }
    given = tuple(finding for finding in inputs.values() if finding is not None)
    report = marker_report(peptide, series, answers, given=given)
    return report if age_years is None else for_age(report, answers["age_years"])
