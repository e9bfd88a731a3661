"""Codes: which system, which code, what it says."""

from knowledge.model import Frozen

LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
ICD10 = "http://hl7.org/fhir/sid/icd-10"
ICD10CM = "http://hl7.org/fhir/sid/icd-10-cm"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
ATC = "http://www.whocc.no/atc"
_AS_ICD10 = {
    "http://fhir.de/CodeSystem/bfarm/icd-10-gm": ICD10,
    "http://fhir.de/CodeSystem/dimdi/icd-10-gm": ICD10,
    "urn:oid:2.16.840.1.113883.6.3": ICD10,
    "urn:oid:2.16.840.1.113883.6.90": ICD10CM,
    ICD10: ICD10,
    ICD10CM: ICD10CM,
}
"""Systems whose codes begin with those of ICD-10: the German modification, and the OIDs."""
_SHORT = {LOINC: "LOINC", SNOMED: "SNOMED", ICD10: "ICD-10", ICD10CM: "ICD-10-CM"}
_CATEGORY = 3
"""Characters of an ICD-10 code before its dot."""

ANALYTE = "urn:epicrisis:analyte"
"""Keys of the analyte table, added beside the laboratory's own codes."""
EPICRISIS = "urn:epicrisis:clinical-input"
"""Our own concepts: the ids of the clinical-input catalogue."""

LABORATORY_SECTIONS = frozenset(
    {"LAB", "CH", "HM", "CUS", "MB", "SR", "IMM", "TX", "BG", "CP", "PHY", "SP", "TOX", "VR"}
)
"""Diagnostic service sections (HL7 table 0074) of a laboratory."""

LABORATORY_CATEGORIES = LABORATORY_SECTIONS | {"laboratory"}
"""Codes of a category that say that a resource is of a laboratory."""


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


def as_icd10(system: str, code: str) -> Coding | None:
    """Return the ICD-10 coding that a code stands for, where it is not written as one already.

    Examples:
        >>> as_icd10("http://fhir.de/CodeSystem/bfarm/icd-10-gm", "I71.01").code
        'I71.01'
        >>> as_icd10("http://hl7.org/fhir/sid/icd-10", "I7101").code
        'I71.01'
        >>> as_icd10("http://hl7.org/fhir/sid/icd-10", "I71.01") is None
        True
    """
    known = _AS_ICD10.get(system)
    if known is None:
        return None
    bare = code.strip().upper()
    if "." not in bare and len(bare) > _CATEGORY and bare[:1].isalpha():
        bare = f"{bare[:_CATEGORY]}.{bare[_CATEGORY:]}"
    return None if (known, bare) == (system, code) else Coding(system=known, code=bare)


def in_short(coding: Coding) -> str:
    """Return a code with its system in a few words.

    Examples:
        >>> in_short(Coding(system="http://snomed.info/sct", code="59282003"))
        'SNOMED 59282003'
    """
    system = _SHORT.get(coding.system) or coding.system.rstrip("/").rpartition("/")[2]
    return f"{system} {coding.code}".strip()


def clinical_input(input_id: str, label: str) -> Concept:
    """Return the concept of an entry in the clinical-input catalogue."""
    return Concept(text=label, codings=(Coding(system=EPICRISIS, code=input_id),))
