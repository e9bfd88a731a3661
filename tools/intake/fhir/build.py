"""Facts built from parts that were checked already: the hot path of a long chart.

A pydantic model checks every part again when it is made. Here each part comes from a typed reading
(`value`, `coded`, `source`), so that the objects are put together directly; a test validates the
facts of real bundles again in full.
"""

from typing import Any, TypeVar

from pydantic import BaseModel

from knowledge.clinical_time import ClinicalTime
from knowledge.codes import Concept
from knowledge.evidence import FhirEvidence
from knowledge.finding import Finding
from knowledge.timeline import Category, Fact
from tools.intake.fhir.value import Reading

M = TypeVar("M", bound=BaseModel)

_set = object.__setattr__
_EVIDENCE = set(FhirEvidence.model_fields)
_FINDING = set(Finding.model_fields)
_FACT = set(Fact.model_fields)


def observed(
    reading: Reading,
    *,
    concept: Concept,
    category: Category,
    time: ClinicalTime | None,
    end: ClinicalTime | None,
    body_site: str | None,
    method: str | None,
    reported: str | None,
    flags: tuple[str, ...],
    evidence: FhirEvidence,
) -> Fact:
    """Return the fact of one reading; the arguments are those of `Finding` and `Fact`."""
    finding = _put_together(
        Finding,
        _FINDING,
        concept=concept,
        state=reading.state,
        not_assessed=reading.not_assessed,
        value=reading.value,
        time=time,
        body_site=body_site,
        method=method,
        reported=reported,
        flags=flags,
        evidence=(evidence,),
    )
    return _put_together(Fact, _FACT, category=category, finding=finding, period_end=end)


def evidence(file: str, resource: str, path: str) -> FhirEvidence:
    """Return the place of one element."""
    return _put_together(
        FhirEvidence, _EVIDENCE, kind="fhir", file=file, resource=resource, path=path
    )


def _put_together(model: type[M], names: set[str], **fields: Any) -> M:
    """Return a model with all its fields set, as `model_construct` does, without its loops."""
    made = model.__new__(model)
    _set(made, "__dict__", fields)
    _set(made, "__pydantic_fields_set__", names)
    _set(made, "__pydantic_extra__", None)
    _set(made, "__pydantic_private__", None)
    return made
