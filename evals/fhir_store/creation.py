"""What a created resource must have; the store refuses the rest with the reason."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

_REFERENCE = re.compile(r"Patient/[A-Za-z0-9.-]{1,64}\Z")

_REQUIRED: Mapping[str, tuple[str, ...]] = {
    "Observation": ("category", "code", "effectiveDateTime", "status", "valueString", "subject"),
    "MedicationRequest": (
        "medicationCodeableConcept",
        "authoredOn",
        "dosageInstruction",
        "status",
        "intent",
        "subject",
    ),
    "ServiceRequest": ("code", "authoredOn", "status", "intent", "priority", "subject"),
}

_CHOICES: Mapping[str, Mapping[str, frozenset[str]]] = {
    "Observation": {"status": frozenset({"final"})},
    "MedicationRequest": {
        "status": frozenset({"active", "draft", "on-hold"}),
        "intent": frozenset({"order", "plan", "proposal"}),
    },
    "ServiceRequest": {
        "status": frozenset({"active", "draft", "on-hold"}),
        "intent": frozenset({"order", "plan", "proposal"}),
        "priority": frozenset({"routine", "urgent", "asap", "stat"}),
    },
}

_LISTS = ("category", "dosageInstruction")
_TIMES = ("effectiveDateTime", "authoredOn", "occurrenceDateTime")
_OBJECTS = ("code", "medicationCodeableConcept", "subject")


class CreationError(ValueError):
    """The resource is not taken; the message is for the caller."""


def checked(kind: str, body: Any) -> dict[str, Any]:
    """Return a resource that may be stored.

    Raises:
        CreationError: It may not.
    """
    if kind not in _REQUIRED:
        raise CreationError(f"{kind} cannot be created")
    if not isinstance(body, dict) or body.get("resourceType") != kind:
        raise CreationError(f"the body is no {kind}")
    missing = [name for name in _REQUIRED[kind] if not body.get(name)]
    if missing:
        raise CreationError(f"{kind} lacks {', '.join(missing)}")
    _check_values(kind, body)
    if not _REFERENCE.match(str(body["subject"].get("reference", ""))):
        raise CreationError(f"{kind}.subject.reference is not Patient/<id>")
    return dict(body)


def _check_values(kind: str, body: dict[str, Any]) -> None:
    for name, choices in _CHOICES[kind].items():
        if body[name] not in choices:
            raise CreationError(f"{kind}.{name} is none of {', '.join(sorted(choices))}")
    for name in body.keys() & set(_LISTS):
        if not isinstance(body[name], list):
            raise CreationError(f"{kind}.{name} is no list")
    for name in body.keys() & set(_OBJECTS):
        if not isinstance(body[name], dict):
            raise CreationError(f"{kind}.{name} is no object")
    for name in body.keys() & set(_TIMES):
        _check_time(f"{kind}.{name}", body[name])


def _check_time(name: str, value: Any) -> None:
    try:
        datetime.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise CreationError(f"{name} is no date and time") from error
