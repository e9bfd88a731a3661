"""Research use, said by each resource itself: in a record it stands alone."""

from typing import Any

from agent.assessment import RESEARCH_USE

TAG = {"system": "urn:epicrisis:use", "code": "research-use", "display": RESEARCH_USE}

_NOTED = frozenset({"Observation", "RiskAssessment", "Device"})
"""Of the types written here, those that have a ``note`` in FHIR R4; a report says it in its
conclusion, and of a Provenance only the tag can."""


def with_notice(resource: dict[str, Any], *tags: dict[str, str]) -> dict[str, Any]:
    """Return a resource that says that it is for research: as a tag, and as its first note.

    Args:
        resource: The resource.
        tags: Further tags of its ``meta``.
    """
    said: dict[str, Any] = {**resource, "meta": {"tag": [*tags, TAG]}}
    if resource["resourceType"] in _NOTED:
        notes = [one for one in resource.get("note", ()) if one.get("text") != RESEARCH_USE]
        said["note"] = [{"text": RESEARCH_USE}, *notes]
    return said
