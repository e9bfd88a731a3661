"""What became of a series that arrived."""

from dataclasses import dataclass, field
from typing import Any

from tools.dicom_out.report import StructuredReport


@dataclass(frozen=True, kw_only=True, eq=False)
class Analysed:
    """What became of a series.

    Args:
        rule: The rule that started the analysis; empty where none fits.
        reason: Why nothing was analysed; empty where something was.
        report: What the report says; None where there is none.
        objects: DICOM objects by kind: ``sr``, ``seg``, ``sc``, ``pr``; of several the further ones
            with a number.
        left_out: Kinds that were not made, and why.
        fhir: The same as a FHIR R4 Bundle; None where there is no report.
    """

    rule: str = ""
    reason: str = ""
    report: StructuredReport | None = None
    objects: dict[str, bytes] = field(default_factory=dict, repr=False)
    left_out: dict[str, str] = field(default_factory=dict)
    fhir: dict[str, Any] | None = field(default=None, repr=False)
