"""Write a report to a FHIR server: each resource once, never over somebody else's change.

Servers differ in what they let be created, so every resource goes by itself: found by our own
identifier, created where it is not there, updated with ``If-Match`` where it changed. What was not
written is named, in the outcome and in the report itself.
"""

import hashlib
from collections.abc import Mapping
from typing import Any, Literal, Protocol
from urllib.parse import quote

from knowledge.errors import EpicrisisError, InputError, UnavailableError
from knowledge.model import Frozen
from serving.access.outbound import OutboundError
from serving.fhir_out.subject import RESULT
from serving.storage.base import canonical

CONTENT = "urn:epicrisis:content"
"""Identifier system of the SHA-256 of what we wrote: equal content is not written again."""

Outcome = Literal["created", "updated", "unchanged", "failed", "not attempted"]
_DONE = ("created", "updated", "unchanged")
_ORDER = ("Device", "Observation", "RiskAssessment", "DiagnosticReport", "Provenance")
_UNAUTHENTICATED, _CHANGED = 401, 412


class Server(Protocol):
    """A FHIR server, with the token of who asks."""

    def get(self, path: str) -> Any:
        """Return what is at a path below the base."""
        ...

    def send(self, method: str, path: str, body: Any, headers: Mapping[str, str]) -> Any:
        """Send a resource and return what the server has kept, or None."""
        ...


class Step(Frozen):
    """What became of one resource.

    Args:
        type: Its type.
        name: Our name of it.
        outcome: What became of it.
        place: Where it is at the server, as ``Type/id``.
        reason: Why it is not there.
    """

    type: str
    name: str
    outcome: Outcome
    place: str = ""
    reason: str = ""


def write_back(server: Server, bundle: Mapping[str, Any]) -> tuple[Step, ...]:
    """Write the resources of a report, and return what became of each.

    Args:
        server: Where to.
        bundle: As `report_bundle` makes it, its references relative to this server.
    """
    places: dict[str, str] = {}
    steps: list[Step] = []
    entries = sorted(bundle["entry"], key=lambda e: _ORDER.index(e["resource"]["resourceType"]))
    stopped = ""
    for entry in entries:
        kind = entry["resource"]["resourceType"]
        resource = _placed(entry["resource"], places)
        if kind == "DiagnosticReport":
            resource = _honest(resource, steps)
        if kind == "Provenance" and not resource.get("target"):
            stopped = stopped or "nothing it is about was written"
        if stopped:
            steps.append(
                Step(type=kind, name=_name(resource), outcome="not attempted", reason=stopped)
            )
            continue
        step, fatal = _write(server, kind, resource)
        steps.append(step)
        if step.place:
            places[entry["fullUrl"]] = step.place
        stopped = fatal
    return tuple(steps)


def is_complete(steps: tuple[Step, ...]) -> bool:
    """Return whether everything is at the server."""
    return all(step.outcome in _DONE for step in steps)


def _write(server: Server, kind: str, resource: dict[str, Any]) -> tuple[Step, str]:
    """Return what became of one resource, and why nothing further can be written."""
    name = _name(resource)
    try:
        if kind == "Provenance":
            return _once(server, resource), ""
        return _upsert(server, kind, name, resource), ""
    except (UnavailableError, InputError) as error:
        reason = _words(error)
        status = error.status if isinstance(error, OutboundError) else None
        lost = isinstance(error, OutboundError) and status is None
        fatal = reason if status == _UNAUTHENTICATED or lost else ""
        return Step(type=kind, name=name, outcome="failed", reason=reason), fatal


def _upsert(server: Server, kind: str, name: str, resource: dict[str, Any]) -> Step:
    token = f"identifier={RESULT}|{quote(name, safe='/')}"
    digest = hashlib.sha256(canonical(resource)).hexdigest()
    stamped = {
        **resource,
        "identifier": [*resource["identifier"], {"system": CONTENT, "value": digest}],
    }
    found = _matches(server.get(f"{kind}?{token}"), kind)
    if any(not _is_ours(one, name, resource) for one in found):
        return _failed(kind, name, "the server answered with another resource; nothing was written")
    if len(found) > 1:
        return _failed(kind, name, "the server has it more than once; nothing was written")
    if not found:
        kept = server.send("POST", kind, stamped, {"If-None-Exist": token})
        kept = kept or next(iter(_matches(server.get(f"{kind}?{token}"), kind)), None)
        return _step(kind, name, "created", kept)
    (there,) = found
    if {"system": CONTENT, "value": digest} in there["identifier"]:
        return _step(kind, name, "unchanged", there)
    version = there.get("meta", {}).get("versionId")
    if not isinstance(version, str) or not version:
        return _failed(kind, name, "the server states no version; it was not overwritten")
    headers = {"If-Match": f'W/"{version}"'}
    body = {**stamped, "id": there["id"]}
    server.send("PUT", f"{kind}/{there['id']}", body, headers)
    return _step(kind, name, "updated", there)


def _once(server: Server, resource: dict[str, Any]) -> Step:
    """Create a Provenance, which has no identifier, unless the same one is there."""
    name = _name(resource)
    target = resource["target"][-1]["reference"]
    report = next(
        (t["reference"] for t in resource["target"] if "DiagnosticReport/" in t["reference"]),
        target,
    )
    for one in _matches(server.get(f"Provenance?target={report}"), "Provenance"):
        same = one.get("entity") == resource.get("entity")
        if same and one.get("recorded") == resource.get("recorded"):
            return _step("Provenance", name, "unchanged", one)
    return _step("Provenance", name, "created", server.send("POST", "Provenance", resource, {}))


def _matches(answer: Any, kind: str) -> list[dict[str, Any]]:
    """Return the resources of a search.

    Raises:
        UnavailableError: It is no search result.
    """
    if not isinstance(answer, dict) or answer.get("resourceType") != "Bundle":
        raise UnavailableError("FHIR server", "did not answer a search with a search result")
    found = []
    for entry in answer.get("entry") or ():
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if isinstance(resource, dict) and resource.get("resourceType") == kind:
            found.append(resource)
    return found


def _is_ours(there: dict[str, Any], name: str, resource: dict[str, Any]) -> bool:
    identifiers = there.get("identifier")
    return (
        isinstance(identifiers, list)
        and {"system": RESULT, "value": name} in identifiers
        and _subject(there) == _subject(resource)
        and isinstance(there.get("id"), str)
    )


def _subject(resource: Mapping[str, Any]) -> str:
    """Return whom a resource is about, as ``Patient/id``, however the server writes references."""
    subject = resource.get("subject")
    reference = subject.get("reference") if isinstance(subject, dict) else None
    return "/".join(reference.split("/")[-2:]) if isinstance(reference, str) else ""


def _step(kind: str, name: str, outcome: Outcome, kept: Any) -> Step:
    own = kept.get("id") if isinstance(kept, dict) else None
    if not isinstance(own, str):
        return _failed(kind, name, "the server does not say where it is kept")
    return Step(type=kind, name=name, outcome=outcome, place=f"{kind}/{own}")


def _failed(kind: str, name: str, reason: str) -> Step:
    return Step(type=kind, name=name, outcome="failed", reason=reason)


def _name(resource: Mapping[str, Any]) -> str:
    for one in resource.get("identifier", ()):
        if one["system"] == RESULT:
            return str(one["value"])
    return "provenance"


def _placed(value: Any, places: Mapping[str, str]) -> Any:
    """Return a resource that points at what is at the server; what is not there is not pointed at.

    A single reference that leads nowhere keeps its words, a list loses it.
    """
    if isinstance(value, list):
        return [_placed(item, places) for item in value if not _leads_nowhere(item, places)]
    if not isinstance(value, dict):
        return value
    made = {key: _placed(item, places) for key, item in value.items()}
    target = made.get("reference")
    if isinstance(target, str) and target.startswith("urn:uuid:"):
        if target in places:
            return {**made, "reference": places[target]}
        rest = {key: item for key, item in made.items() if key != "reference"}
        return rest or {"display": "not in this record"}
    return made


def _leads_nowhere(item: Any, places: Mapping[str, str]) -> bool:
    if not isinstance(item, dict):
        return False
    target = item.get("reference")
    if isinstance(target, str):
        return target.startswith("urn:uuid:") and target not in places
    inner = item.get("extension")
    if not isinstance(inner, list):
        return False
    return any(_leads_nowhere(one.get("valueReference"), places) for one in inner)


def _honest(report: dict[str, Any], steps: list[Step]) -> dict[str, Any]:
    """Return the report with what could not be written beside it named in it."""
    lacking = [f"{s.type} {s.name.partition('/')[2]}" for s in steps if s.outcome not in _DONE]
    if not lacking:
        return report
    line = f"Not in this record, since the server did not take it: {', '.join(lacking)}."
    return {**report, "conclusion": f"{report['conclusion']}\n{line}"}


def _words(error: EpicrisisError) -> str:
    if not isinstance(error, OutboundError) or error.status is None:
        return error.reason
    if error.status == _CHANGED:
        return "it was changed meanwhile by somebody else (412); it was not overwritten"
    return f"the server answered {error.status}"
