"""One event as a FHIR R4 AuditEvent after IHE BALP: who, what, when, to whose data, from where.

Of the patient it names the id alone; details are ids and hashes.
"""

import base64
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from knowledge.plain_text import visible
from serving.access.principal import Principal
from serving.audit.interactions import Interaction, Kind, interaction_of
from serving.audit.origin import Origin
from serving.cases.model import Case
from serving.storage.base import canonical

DCM = "http://dicom.nema.org/resources/ontology/DCM"
EVENT_TYPE = "http://terminology.hl7.org/CodeSystem/audit-event-type"
INTERACTION = "http://hl7.org/fhir/restful-interaction"
LIFECYCLE = "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle"
ENTITY_TYPE = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
OBJECT_ROLE = "http://terminology.hl7.org/CodeSystem/object-role"
PARTICIPATION = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
PROVENANCE = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
SOURCE_TYPE = "http://terminology.hl7.org/CodeSystem/security-source-type"
BALP_ENTITY = "https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType"
OWN = "urn:epicrisis:"

_SOURCE_ROLE = (DCM, "110153", "Source Role ID")
_DESTINATION_ROLE = (DCM, "110152", "Destination Role ID")
_APPLICATION = (DCM, "110150", "Application")
_CUSTODIAN = (PROVENANCE, "custodian", "Custodian")
_SUCCESS, _REFUSED = "0", "4"
_LONGEST = 200
_COLUMN = 80
_DETAIL = 500
_MEMBERS = 200

Coded = tuple[str, str, str]


def event(
    principal: Principal | None,
    action: str,
    *,
    at: datetime,
    site: str,
    origin: Origin | None,
    case: Case | str | None = None,
    detail: Mapping[str, Any] | None = None,
    refused: bool = False,
) -> dict[str, Any]:
    """Return the AuditEvent, without the id that its place in the chain gives it.

    Args:
        principal: Who; None where nobody was named.
        action: What, see `serving.audit.seam.Audit.used`.
        at: When, zoned.
        site: Address of this service, as others know it.
        origin: Of the request; None for what the service does by itself.
        case: To which; its id alone where it was asked for and not given.
        detail: Ids and hashes.
        refused: Whether it was refused.
    """
    what = interaction_of(action)
    patient = case.patient if isinstance(case, Case) else None
    entities = _entities(what, case, patient, action, origin, detail or {})
    made: dict[str, Any] = {
        "resourceType": "AuditEvent",
        "type": _event_type(what, refused=refused),
        "subtype": _subtypes(what, action),
        "action": what.action,
        "recorded": at.isoformat(),
        "outcome": _REFUSED if refused else _SUCCESS,
        "agent": _agents(what, principal, site=site, origin=origin),
        "source": {
            "site": site,
            "observer": {"display": site},
            "type": [_coding((SOURCE_TYPE, "4", "Application Server"))],
        },
        "entity": entities,
    }
    if refused:
        made["outcomeDesc"] = "refused"
    else:
        profile = what.profile_url(patient=patient is not None)
        if profile is not None and (case is not None or what.kind is Kind.QUERY):
            made["meta"] = {"profile": [profile]}
    return made


def action_of(body: Mapping[str, Any]) -> str:
    """Return the action of an event, as it was named."""
    system = f"{OWN}action"
    return next((str(s["code"]) for s in body["subtype"] if s.get("system") == system), "")


def subject_of(body: Mapping[str, Any]) -> str:
    """Return the subject of who did it; empty where nobody was named."""
    users = [agent for agent in body["agent"] if agent["requestor"]]
    return str(users[0]["who"]["identifier"]["value"])[:_LONGEST] if users else ""


def case_of(body: Mapping[str, Any]) -> str | None:
    """Return the id of the case an event is about, or None."""
    for entity in body["entity"]:
        identifier = entity.get("what", {}).get("identifier", {})
        if identifier.get("system") == f"{OWN}case":
            return str(identifier["value"])[:_COLUMN]
    return None


def _event_type(what: Interaction, *, refused: bool) -> dict[str, str]:
    if what.kind is Kind.DISCLOSE and not refused:
        return _coding((DCM, "110106", "Export"))
    if what.kind in (Kind.LOGIN, Kind.LOGOUT):
        return _coding((DCM, "110114", "User Authentication"))
    return _coding((EVENT_TYPE, "rest", "Restful Operation"))


def _subtypes(what: Interaction, action: str) -> list[dict[str, str]]:
    own = {"system": f"{OWN}action", "code": visible(action)[:_COLUMN]}
    match what.kind:
        case Kind.LOGIN:
            standard = [(DCM, "110122", "Login")]
        case Kind.LOGOUT:
            standard = [(DCM, "110123", "Logout")]
        case Kind.DISCLOSE:
            standard = [(LIFECYCLE, "disclose", "Disclose Record Lifecycle Event")]
        case _:
            standard = [(INTERACTION, what.kind.value, what.kind.value)]
    return [*(_coding(one) for one in standard), own]


def _agents(
    what: Interaction, principal: Principal | None, *, site: str, origin: Origin | None
) -> list[dict[str, Any]]:
    if what.kind is Kind.DELETE:
        client_role, server_role = _APPLICATION, _CUSTODIAN
    elif what.server_is_source:
        client_role, server_role = _DESTINATION_ROLE, _SOURCE_ROLE
    else:
        client_role, server_role = _SOURCE_ROLE, _DESTINATION_ROLE
    via = "nobody named" if principal is None else principal.via
    where = (
        {"address": "localhost", "type": "1"}
        if origin is None
        else {"address": visible(origin.address)[:_LONGEST], "type": "2"}
    )
    agents: list[dict[str, Any]] = [
        {
            "type": _concept(client_role),
            "who": {"display": f"client ({via})"},
            "requestor": False,
            "network": where,
        },
        {
            "type": _concept(server_role),
            "who": {"display": site},
            "requestor": False,
            "network": {"address": site, "type": "5" if "://" in site else "1"},
        },
    ]
    if principal is not None:
        agents.append(_user(what, principal))
    return agents


def _user(what: Interaction, principal: Principal) -> dict[str, Any]:
    words = {"IRCP": "information recipient", "AUT": "author (originator)"}
    user: dict[str, Any] = {
        "type": _concept((PARTICIPATION, what.user, words[what.user])),
        "who": {
            "identifier": {
                "system": f"{OWN}subject:{principal.via}",
                "value": visible(principal.subject),
            }
        },
        "requestor": True,
        "name": visible(principal.name)[:_LONGEST],
    }
    roles = [{"coding": [{"system": f"{OWN}role", "code": r.value}]} for r in principal.roles]
    if roles:
        user["role"] = sorted(roles, key=str)
    return user


def _entities(
    what: Interaction,
    case: Case | str | None,
    patient: str | None,
    action: str,
    origin: Origin | None,
    detail: Mapping[str, Any],
) -> list[dict[str, Any]]:
    details = [
        {"type": visible(key)[:_COLUMN], "valueString": text}
        for key, value in detail.items()
        for text in _texts(value)
    ]
    identity = case.id if isinstance(case, Case) else case
    entities: list[dict[str, Any]] = []
    if patient is not None:
        entities.append(
            {
                "what": _patient(patient),
                "type": _coding((ENTITY_TYPE, "1", "Person")),
                "role": _coding((OBJECT_ROLE, "1", "Patient")),
            }
        )
    if what.kind is Kind.QUERY:
        asked = action if origin is None else origin.asked
        query: dict[str, Any] = {
            "type": _coding((ENTITY_TYPE, "2", "System Object")),
            "role": _coding((OBJECT_ROLE, "24", "Query")),
            "query": base64.b64encode(asked.encode()).decode(),
        }
        entities.append(query)
    if what.kind is not Kind.QUERY or identity is not None or details:
        entities.append(_object(what, identity, details))
    if origin is not None and what.kind is not Kind.DELETE:
        entities.append(
            {
                "what": {"identifier": {"value": origin.trace}},
                "type": {"system": BALP_ENTITY, "code": "XrequestId"},
            }
        )
    return entities


def _object(
    what: Interaction, identity: str | None, details: list[dict[str, str]]
) -> dict[str, Any]:
    """Return what it was done to: the case, or the service itself.

    A query has no object in BALP: what it found is a part of the event under a type of our own.
    """
    named = {"system": f"{OWN}case" if identity else f"{OWN}service", "value": identity or "all"}
    found: dict[str, Any] = {
        "what": {"identifier": {**named, "value": visible(named["value"])[:_LONGEST]}},
        "type": _coding((ENTITY_TYPE, "2", "System Object"))
        if what.kind is not Kind.QUERY
        else {"system": f"{OWN}entity", "code": "found"},
        "role": _coding(_ROLES[what.object_role]),
    }
    if details and what.kind is not Kind.DELETE:
        found["detail"] = details
    return found


_ROLES: dict[str, Coded] = {
    "3": (OBJECT_ROLE, "3", "Report"),
    "4": (OBJECT_ROLE, "4", "Domain Resource"),
    "20": (OBJECT_ROLE, "20", "Job"),
}


def _patient(compartment: str) -> dict[str, Any]:
    """Return the reference: to the server's Patient, else the hash that stands for the patient."""
    base, bar, relative = compartment.partition("|")
    if bar and relative.startswith("Patient/"):
        return {"reference": f"{base.rstrip('/')}/{relative}", "type": "Patient"}
    return {"type": "Patient", "identifier": {"system": f"{OWN}patient", "value": compartment}}


def _texts(value: object) -> list[str]:
    """Return a detail as strings: each member of a list is one of its own, up to `_MEMBERS`."""
    if isinstance(value, list | tuple):
        found = [_text(one) for one in value[:_MEMBERS]]
        return found if len(value) <= _MEMBERS else [*found, f"and {len(value) - _MEMBERS} more"]
    if isinstance(value, set | frozenset):
        return _texts(sorted(value, key=str))
    return [_text(value)]


def _text(value: object) -> str:
    said = canonical(value).decode() if isinstance(value, Mapping) else str(value)
    return visible(said)[:_DETAIL] or "-"


def _coding(code: Coded) -> dict[str, str]:
    system, value, display = code
    return {"system": system, "code": value, "display": display}


def _concept(code: Coded) -> dict[str, Any]:
    return {"coding": [_coding(code)]}
