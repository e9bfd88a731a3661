"""A finding of the chart as a result that can be compared over time.

What its source states of the specimen and the method comes first; what the test's LOINC code fixes
fills in. A code and a statement that contradict each other settle nothing.
"""

from knowledge.codes import LOINC
from knowledge.finding import Finding, MethodKind, NotAssessed, Why
from knowledge.result_sources import result_sources
from tools.labs.paired_result import LabResult, result_of


def comparable_result(
    finding: Finding, *, laboratory: str | None = None
) -> LabResult | NotAssessed:
    """Return a finding with its specimen and kind of method, or why it cannot be compared.

    Args:
        finding: A laboratory finding in canonical units.
        laboratory: Who measured; None where not stated.
    """
    specimen = specimen_of(finding)
    if isinstance(specimen, NotAssessed):
        return finding.not_assessed or specimen
    method = method_of(finding)
    if isinstance(method, NotAssessed):
        return finding.not_assessed or method
    return result_of(finding, method_kind=method, specimen=specimen, laboratory=laboratory)


def specimen_of(finding: Finding) -> str | NotAssessed | None:
    """Return what a result was measured in; None where neither its source nor its code says."""
    table = result_sources()
    by_code = {s for code in _loinc(finding) if (s := table.specimen_of_loinc(code)) is not None}
    stated = finding.specimen
    if len(by_code) != 1:
        return stated
    (code,) = by_code
    if stated is None:
        return code
    if stated not in table.specimens:
        return stated
    if table.is_within(stated, code):
        return stated
    if table.is_within(code, stated):
        return code
    return _contradiction("specimen", code, stated)


def method_of(finding: Finding) -> MethodKind | NotAssessed | None:
    """Return the kind of method; None where neither the source nor the code says."""
    table = result_sources()
    by_code = {m for code in _loinc(finding) if (m := table.method_of_loinc(code)) is not None}
    if len(by_code) != 1:
        return finding.method_kind
    (code,) = by_code
    if finding.method_kind not in (None, code):
        return _contradiction("method", code, str(finding.method_kind))
    return code


def _loinc(finding: Finding) -> list[str]:
    return [c.code for c in finding.concept.codings if c.system == LOINC]


def _contradiction(what: str, code: str, stated: str) -> NotAssessed:
    detail = f"the {what} is {code} by the code of the test and {stated} by its source"
    return NotAssessed(why=Why.CONFLICTING, detail=detail)
