"""What each status of a result or report means here: decided one by one, never taken as final.

HL7 table 0085 (OBX-11) and 0123 (OBR-25), v2.8; the mapping to FHIR follows HL7's v2-to-FHIR
(2023), which leaves B, I, N, O, R, S, U and V of table 0085 open: they are decided here.
"""

from enum import StrEnum

from knowledge.model import Frozen


class Role(StrEnum):
    """What a result does to what was sent before under the same order and code."""

    PLAIN = "plain"
    CORRECTION = "correction"
    WITHDRAWAL = "withdrawal"
    FINALISING = "finalising"


class ResultStatus(Frozen):
    """One status of OBX-11.

    Args:
        fhir: ``Observation.status``; None where it is not stated.
        role: What it does to earlier versions.
        no_result: Why it holds no result, where it never does; what it says is then not read.
    """

    fhir: str | None
    role: Role = Role.PLAIN
    no_result: str = ""


RESULT: dict[str, ResultStatus] = {
    "F": ResultStatus(fhir="final"),
    "V": ResultStatus(fhir="final"),  # verified results (v2.8)
    "P": ResultStatus(fhir="preliminary"),
    "R": ResultStatus(fhir="preliminary"),  # results entered, not verified
    "S": ResultStatus(fhir="preliminary"),  # partial results
    "C": ResultStatus(fhir="corrected", role=Role.CORRECTION),
    "A": ResultStatus(fhir="amended", role=Role.CORRECTION),
    "B": ResultStatus(fhir="amended", role=Role.CORRECTION),  # appended report
    "U": ResultStatus(fhir="final", role=Role.FINALISING),  # final, results not sent again
    "D": ResultStatus(fhir="entered-in-error", role=Role.WITHDRAWAL),
    "W": ResultStatus(fhir="entered-in-error", role=Role.WITHDRAWAL),  # wrong, e.g. wrong patient
    "X": ResultStatus(fhir="cancelled", role=Role.WITHDRAWAL),
    "I": ResultStatus(fhir="registered"),  # specimen in the laboratory, result pending
    "N": ResultStatus(fhir="final", no_result="not asked"),
    "O": ResultStatus(
        fhir="registered", no_result="status O: describes the order, and is not a result"
    ),
}
"""HL7 table 0085."""

NOT_STATED = ResultStatus(fhir=None)

REPORT: dict[str, str] = {
    "O": "registered",
    "I": "registered",
    "S": "registered",
    "N": "registered",
    "A": "partial",
    "P": "preliminary",
    "R": "preliminary",
    "M": "preliminary",  # corrected, not final (v2.8)
    "F": "final",
    "C": "corrected",
    "X": "cancelled",
}
"""HL7 table 0123. Y and Z answer a query that found no order or patient: they are no report."""

CANCELS = frozenset({"CA", "DC", "OC", "OD", "CR", "DR", "UD"})
"""Order control codes (HL7 table 0119) after which no result is to come."""

CANCELS_ALL = frozenset({"CA", "OC", "CR"})
"""Those of `CANCELS` that say of the whole order that it was not carried out; one that was
discontinued (DC, OD, DR) keeps the results it had."""

WAS_CANCELLED = "CA"
"""The one of `CANCELLED_ORDER` that says so of the whole order."""

CANCELLED_ORDER = frozenset({"CA", "DC", "RP"})
"""Order statuses (ORC-5, HL7 table 0038) after which no result is to come."""


def result_status(code: str, report: str | None) -> ResultStatus | None:
    """Return what OBX-11 says; None for a letter that is none of the table.

    Where OBX-11 is empty, a report that is not final makes its results not final either; a final
    report does not make them final.

    Args:
        code: OBX-11.
        report: ``DiagnosticReport.status`` of OBR-25, where it is stated.

    Examples:
        >>> result_status("W", None).fhir, result_status("", "final").fhir
        ('entered-in-error', None)
    """
    if not code:
        pending = {"preliminary": "P", "partial": "S", "registered": "P", "cancelled": "X"}
        return RESULT[pending[report]] if report in pending else NOT_STATED
    found = RESULT.get(code.upper())
    if found is not None and report == "cancelled" and found.role is Role.PLAIN:
        return RESULT["X"]
    return found
