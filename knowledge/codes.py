"""Codes: which system, which code, what it says."""

from knowledge.model import Frozen

LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
ICD10 = "http://hl7.org/fhir/sid/icd-10"
ICD10CM = "http://hl7.org/fhir/sid/icd-10-cm"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
ATC = "http://www.whocc.no/atc"
ANALYTE = "urn:epicrisis:analyte"
"""Keys of the analyte table, added beside the laboratory's own codes."""
EPICRISIS = "urn:epicrisis:clinical-input"
"""Our own concepts: the ids of the clinical-input catalogue."""


class Coding(Frozen):
    """One code in one system (a FHIR Coding)."""

    system: str
    code: str


class Concept(Frozen):
    """What a statement is about: its codes, and one text to show (a FHIR CodeableConcept)."""

    text: str
    codings: tuple[Coding, ...] = ()

    def has(self, system: str, *codes: str) -> bool:
        """Return whether one of `codes` of `system` is among the codings."""
        return any(c.system == system and c.code in codes for c in self.codings)


def clinical_input(input_id: str, label: str) -> Concept:
    """Return the concept of an entry in the clinical-input catalogue."""
    return Concept(text=label, codings=(Coding(system=EPICRISIS, code=input_id),))
