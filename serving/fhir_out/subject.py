"""Whom the resources are about, how they are named, and how they point at each other."""

import re
import uuid
from dataclasses import dataclass
from typing import Any

from knowledge.evidence import Evidence, FhirEvidence
from serving.cases.model import Case
from serving.cases.patient import PatientLine
from tools.intake.hl7v2.link import PREFIX as HL7

_SPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:epicrisis:fhir")
_COMPARTMENT = re.compile(r"(?P<base>https?://[^|]+)\|(?P<reference>Patient/[A-Za-z0-9.-]{1,64})")
_ENCOUNTER = re.compile(r"(?P<base>https?://[^|]+)\|(?P<reference>Encounter/[A-Za-z0-9.-]{1,64})")

RESULT = "urn:epicrisis:result"
"""Identifier system of everything we write: one value names one resource of one case for ever."""
CASE = "urn:epicrisis:case"
SOURCE = "urn:epicrisis:source"


def fhir_base(case: Case) -> str | None:
    """Return the base address of the FHIR server a case is of; None for one that is of none."""
    match = _COMPARTMENT.fullmatch(case.patient or "")
    return match["base"] if match else None


@dataclass(frozen=True, kw_only=True)
class Subject:
    """The patient of a case, as resources name them.

    Args:
        case: The case.
        at_base: The FHIR base the resources go to; references to it are relative there. None for
            a bundle that stands alone.
        line: Who the patient is, as the record says; the display of every reference to them.
    """

    case: Case
    at_base: str | None = None
    line: PatientLine | None = None

    def patient(self) -> dict[str, Any]:
        """Return the reference to the patient; by our case where no server is known."""
        found = self._of(self.case.patient, _COMPARTMENT) or {
            "type": "Patient",
            "identifier": {"system": CASE, "value": self.case.id},
        }
        if self.line is None or self.line.is_empty:
            return found
        return {**found, "display": "; ".join(self.line.parts())}

    def encounter(self) -> dict[str, Any] | None:
        """Return the reference to the encounter, where it is known."""
        return self._of(self.case.encounter, _ENCOUNTER)

    def original(self, evidence: Evidence) -> dict[str, Any] | None:
        """Return the reference to the FHIR resource that evidence points at; None for other kinds.

        What was uploaded has no server: it is named by file and id.
        """
        if not isinstance(evidence, FhirEvidence):
            return None
        kind, _, _ = evidence.resource.partition("/")
        base = fhir_base(self.case)
        is_message = evidence.resource.partition("/")[2].startswith(HL7)
        if base is None or is_message or self.case.source not in ("fhir", "cds"):
            place = f"{self.case.id}/{evidence.file}#{evidence.resource}"
            return {"type": kind, "identifier": {"system": SOURCE, "value": place}}
        if base == self.at_base:
            return {"reference": evidence.resource}
        return {"reference": f"{base}/{evidence.resource}"}

    def name(self, key: str) -> str:
        """Return the value of the identifier of one resource of this case."""
        return f"{self.case.id}/{key}"

    def full_url(self, key: str) -> str:
        """Return the address of one resource within a bundle: the same each time."""
        return f"urn:uuid:{uuid.uuid5(_SPACE, self.name(key))}"

    def identifier(self, key: str) -> list[dict[str, Any]]:
        """Return the identifiers of one resource."""
        return [{"system": RESULT, "value": self.name(key)}]

    def _of(self, compartment: str | None, form: re.Pattern[str]) -> dict[str, Any] | None:
        match = form.fullmatch(compartment or "")
        if match is None:
            return None
        if match["base"] == self.at_base:
            return {"reference": match["reference"]}
        return {"reference": f"{match['base']}/{match['reference']}"}
