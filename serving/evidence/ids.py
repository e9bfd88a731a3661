"""Ids of evidence: derived from what it points to, so that every page and client agrees on them."""

import hashlib
from collections.abc import Iterator
from typing import Any

import orjson
from pydantic import TypeAdapter, ValidationError

from knowledge.evidence import Evidence
from knowledge.reference import Citation

EVIDENCE: TypeAdapter[Evidence] = TypeAdapter(Evidence)
_KINDS = frozenset({"fhir", "dicom", "record", "note", "reference", "guideline", "tool"})
_CITATION = frozenset({"id", "label", "review", "licence"})
_LENGTH = 20


def evidence_id(evidence: Evidence) -> str:
    """Return the id of one piece of evidence: equal places have equal ids.

    Examples:
        >>> from knowledge.evidence import ReferenceEvidence
        >>> evidence_id(ReferenceEvidence(table="ecg_criteria", row="axis"))
        'e-b4bd082d107054382a67'
    """
    payload = orjson.dumps(evidence.to_json(), option=orjson.OPT_SORT_KEYS)
    return "e-" + hashlib.sha256(payload).hexdigest()[:_LENGTH]


def source_id(citation: str) -> str:
    """Return the id under which a citation is shown.

    Args:
        citation: Id of the `Citation`.
    """
    return "s-" + hashlib.sha256(citation.encode()).hexdigest()[:_LENGTH]


def evidence_in(body: Any) -> Iterator[Evidence]:
    """Yield every piece of evidence in plain JSON, wherever it stands."""
    if isinstance(body, dict):
        if body.get("kind") in _KINDS and (found := _evidence(body)) is not None:
            yield found
            return
        for value in body.values():
            yield from evidence_in(value)
    elif isinstance(body, list):
        for value in body:
            yield from evidence_in(value)


def citations_in(body: Any) -> Iterator[Citation]:
    """Yield every citation in plain JSON, wherever it stands."""
    if isinstance(body, dict):
        if body.keys() >= _CITATION and (found := _citation(body)) is not None:
            yield found
            return
        for value in body.values():
            yield from citations_in(value)
    elif isinstance(body, list):
        for value in body:
            yield from citations_in(value)


def _evidence(body: dict[str, Any]) -> Evidence | None:
    """Return it as evidence; None for something else that happens to have a kind."""
    try:
        return EVIDENCE.validate_python(body)
    except ValidationError:
        return None


def _citation(body: dict[str, Any]) -> Citation | None:
    try:
        return Citation.model_validate(body)
    except ValidationError:
        return None
