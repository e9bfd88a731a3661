"""A result whose stated specimen contradicts its code is no result of that analyte.

A glucose of the cerebrospinal fluid under the code of serum glucose is no blood glucose: it stays
in the chart under its code with its specimen in its name, and nothing reads it as the analyte.
"""

from knowledge.analytes import analytes
from knowledge.codes import ANALYTE, Concept
from knowledge.result_sources import result_sources
from tools.intake.fhir.coded import Coded
from tools.intake.printed_result import fits_specimen

WRONG_SPECIMEN = "specimen-contradicts-code"
"""Flag of a result that is not taken for the analyte of its code."""


def code_in_specimen(code: Coded, specimen: str | None) -> tuple[Coded, bool]:
    """Return a code as it may be read in a specimen, and whether the two contradict each other.

    Args:
        code: Of a result.
        specimen: Stated kind of specimen, or words; None where not stated. Words that name no kind
            that is known contradict nothing.
    """
    if code.analyte is None or specimen is None or specimen not in result_sources().specimens:
        return code, False
    if fits_specimen(code.analyte, specimen) and not _other_blood(code.loinc, specimen):
        return code, False
    label = result_sources().specimens[specimen].label
    name = f"{analytes().analytes[code.analyte].label}, {label}"
    codings = tuple(c for c in code.concept.codings if c.system != ANALYTE)
    concept = Concept(text=name, codings=codings)
    return code._replace(concept=concept, analyte=None, loinc=None), True


def _other_blood(loinc: str | None, specimen: str) -> bool:
    """Return whether code and statement name two kinds of blood, as arterial and venous."""
    table = result_sources()
    by_code = None if loinc is None else table.specimen_of_loinc(loinc)
    if by_code is None or by_code == specimen:
        return False
    kinds = [table.specimens[one].within for one in (by_code, specimen)]
    return kinds == ["whole blood", "whole blood"]
