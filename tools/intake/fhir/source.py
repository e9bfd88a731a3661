"""The surroundings of one resource: its file, its references, the declared zone."""

from collections.abc import Callable, Iterable
from functools import cached_property, lru_cache
from typing import TypeVar

from msgspec import Struct, ValidationError, convert

from knowledge.clinical_time import ClinicalTime, parse_fhir
from knowledge.codes import ANALYTE, LABORATORY_CATEGORIES, Coding, Concept, as_icd10
from knowledge.errors import InvalidValueError
from knowledge.evidence import FhirEvidence
from tools.intake.fhir.build import evidence
from tools.intake.fhir.bundle import Entry, contained
from tools.intake.fhir.resources import NONE, CodeableConcept, Period, Reference, Thin

R = TypeVar("R", bound=Thin)

MAX_TEXT = 4000
"""Characters of a text value that a finding keeps (`knowledge.quantity.Text`)."""


class _Results(Thin, kw_only=True):
    """What a DiagnosticReport says of where its results come from."""

    category: list[CodeableConcept] = NONE
    result: list[Reference] = NONE


_JSON_WORDS = {"str": "string", "int": "integer", "bool": "boolean", "array": "list"}
"""What the types that msgspec names are called in a message."""


class Lookup:
    """Finds the resources that others refer to: by ``Type/id``, full URL, or ``#id`` inside one."""

    def __init__(
        self, entries: Iterable[Entry], everything: Callable[[], frozenset[str]] = frozenset
    ) -> None:
        """Index what other resources point at.

        Args:
            entries: The resources that count.
            everything: Returns the names of all there are, also of those that do not count.
        """
        self._everything = everything
        self._by_name: dict[str, Entry] = {}
        self._reported: set[str] = set()
        for entry in entries:
            if entry.type == "DiagnosticReport":
                self._reported |= _laboratory_results(entry)
            if entry.type in ("Specimen", "Device", "Medication"):
                if entry.id is not None:
                    self._by_name.setdefault(f"{entry.type}/{entry.id}", entry)
                if entry.full_url is not None:
                    self._by_name.setdefault(entry.full_url, entry)

    def find(self, reference: Reference | None, asked_by: Entry) -> Entry | None:
        """Return the resource a reference means, or None where it is not in the case."""
        text = reference.reference if reference is not None else None
        if not text:
            return None
        if text.startswith("#"):
            outer = asked_by.within or asked_by
            return next((e for e in contained(outer) if e.id == text[1:]), None)
        if not self._by_name:
            return None
        return self._by_name.get(text) or self._by_name.get(short_reference(text))

    def holds(self, reference: Reference, asked_by: Entry) -> bool:
        """Return whether the resource a reference means is in the case, used or not."""
        text = reference.reference
        if not text:
            return False
        if text.startswith("#"):
            return self.find(reference, asked_by) is not None
        bare = text.partition("/_history/")[0]
        return bare in self._names or short_reference(text) in self._names

    def is_reported(self, entry: Entry) -> bool:
        """Return whether a report of a laboratory names a resource among its results."""
        return not self._reported.isdisjoint((f"{entry.type}/{entry.id}", entry.full_url))

    @cached_property
    def _names(self) -> frozenset[str]:
        return self._everything()


class Source(Struct, eq=False, gc=False):
    """One resource being mapped; never changed after it was made.

    Args:
        entry: The resource.
        zone: IANA zone declared for times without an offset.
        lookup: Where its references lead.
        problems: Collects what could not be used inside it.
    """

    entry: Entry
    zone: str | None
    lookup: Lookup
    problems: list[str]

    def evidence(self, path: str) -> FhirEvidence:
        """Return the place of one element, for example ``Observation.valueQuantity``."""
        return evidence(self.entry.file, self.entry.name, path)

    def time(self, text: str | None) -> ClinicalTime | None:
        """Return a stated time; one that cannot be read is noted as a problem."""
        if text is None:
            return None
        try:
            return _parse_time(text, self.entry.clock or self.entry.file, self.zone)
        except InvalidValueError as error:
            self.problems.append(f"{self.entry.name}: {error.reason}")
            return None

    def period(self, period: Period | None) -> tuple[ClinicalTime | None, ClinicalTime | None]:
        """Return start and end."""
        if period is None:
            return None, None
        return self.time(period.start), self.time(period.end)


def _laboratory_results(report: Entry) -> set[str]:
    """Return the references to the results of a report; none where it is not a laboratory's."""
    try:
        stated = convert(report.resource, _Results)
    except ValidationError:
        return set()
    codes = {coding.code for kind in stated.category for coding in kind.coding}
    if codes.isdisjoint(LABORATORY_CATEGORIES):
        return set()
    found = {one.reference for one in stated.result if one.reference}
    return found | {short_reference(text) for text in found}


def short_reference(text: str) -> str:
    """Return ``Type/id`` of a relative or absolute reference, without version and server.

    Examples:
        >>> short_reference("https://ehr.example/fhir/Patient/7/_history/2")
        'Patient/7'
    """
    parts = text.partition("/_history/")[0].rstrip("/").split("/")
    return "/".join(parts[-2:])


def validated(entry: Entry, model: type[R], problems: list[str]) -> R | None:
    """Return the thin model of a resource, or None after noting why it is not valid."""
    try:
        return convert(entry.resource, model)
    except ValidationError as error:
        problems.append(f"{entry.name}: {what_is_wrong(error)}")
        return None


def what_is_wrong(error: ValidationError) -> str:
    """Return the path of the element that is not valid and why; never its value.

    Examples:
        >>> what_is_wrong(ValidationError("Expected `str | null`, got `int` - at `$.note[0].text`"))
        'note.0.text: Input should be a valid string'
    """
    fault, _, place = str(error).partition(" - at `$")
    path = place.rstrip("`").lstrip(".").replace("[", ".").replace("]", "")
    quoted = fault.split("`")[1] if "`" in fault else ""
    if fault.startswith("Object missing required field"):
        return f"{f'{path}.{quoted}'.lstrip('.')}: Field required"
    expected = quoted.partition(" | ")[0]
    return f"{path}: Input should be a valid {_JSON_WORDS.get(expected, expected)}"


def concept(
    stated: CodeableConcept | None, *, default: str = "", analyte: str | None = None
) -> Concept:
    """Return a coded concept with its original codes.

    Beside them stand the analyte's key where it is known, and the ICD-10 code of a national one.
    """
    if stated is None:
        return _concept(default, (), analyte)
    codings = tuple([(c.system or "", c.code) for c in stated.coding if c.code])
    return _concept(words(stated) or default, codings, analyte)


def words(stated: CodeableConcept | None) -> str:
    """Return what a coded concept says, in words: its text, else a display, else a code."""
    if stated is None:
        return ""
    if stated.text:
        return stated.text
    for coding in stated.coding:
        if coding.display:
            return coding.display
    return first_code(stated) or ""


def codes(stated: CodeableConcept | None, system: str) -> list[str]:
    """Return the codes of one system."""
    if stated is None:
        return []
    return [c.code for c in stated.coding if c.system == system and c.code]


def first_code(stated: CodeableConcept | None) -> str | None:
    """Return the first code, whatever the system: for the closed sets of FHIR itself."""
    if stated is None:
        return None
    for coding in stated.coding:
        if coding.code:
            return coding.code
    return None


def site_words(sites: list[CodeableConcept]) -> str | None:
    """Return body sites in words."""
    if not sites:
        return None
    named = [words(site) for site in sites]
    return ", ".join(name for name in named if name) or None


@lru_cache(maxsize=8192)
def _parse_time(text: str, file: str, zone: str | None) -> ClinicalTime:
    return parse_fhir(text, clock=file, zone=zone)


@lru_cache(maxsize=8192)
def _concept(text: str, codings: tuple[tuple[str, str], ...], analyte: str | None) -> Concept:
    own = ((ANALYTE, analyte),) if analyte is not None else ()
    told = [Coding(system=s, code=c) for s, c in (*codings, *own)]
    also = [icd for c in told if (icd := as_icd10(c.system, c.code)) is not None]
    return Concept(text=text, codings=tuple(dict.fromkeys((*told, *also))))
