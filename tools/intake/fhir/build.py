"""Facts built from parts that were checked already: the hot path of a long chart.

A pydantic model checks every part again when it is made. Here each part comes from a typed reading
(`value`, `coded`, `source`), so that the objects are put together directly; a test validates the
facts of real bundles again in full.
"""

from knowledge.clinical_time import ClinicalTime
from knowledge.codes import Concept
from knowledge.evidence import FhirEvidence
from knowledge.finding import Finding, MethodKind, NotAssessed, State
from knowledge.model import put_together
from knowledge.quantity import Value
from knowledge.timeline import Category, Fact


def fact(
    category: Category,
    concept: Concept,
    state: State,
    *,
    place: FhirEvidence,
    not_assessed: NotAssessed | None = None,
    value: Value | None = None,
    time: ClinicalTime | None = None,
    end: ClinicalTime | None = None,
    body_site: str | None = None,
    method: str | None = None,
    reported: str | None = None,
    flags: tuple[str, ...] = (),
    specimen: str | None = None,
    method_kind: MethodKind | None = None,
    derived_from: tuple[str, ...] = (),
    note: str = "",
) -> Fact:
    """Return a fact; the arguments are those of `Finding` and `Fact`."""
    finding = {
        "concept": concept,
        "state": state,
        "not_assessed": not_assessed,
        "value": value,
        "time": time,
        "body_site": body_site,
        "method": method,
        "reported": reported,
        "flags": flags,
        "evidence": (place,),
        "specimen": specimen,
        "method_kind": method_kind,
        "derived_from": derived_from,
        "note": note,
    }
    whole = {
        "category": category,
        "finding": put_together(Finding, finding),
        "period_end": end,
    }
    return put_together(Fact, whole)


def evidence(file: str, resource: str, path: str) -> FhirEvidence:
    """Return the place of one element."""
    place = {"kind": "fhir", "file": file, "resource": resource, "path": path}
    return put_together(FhirEvidence, place)
