"""PV1, PV2 and DG1 to Encounter and Condition; AL1 is named as not read, MRG is told."""

from typing import Any

from knowledge.errors import InvalidValueError
from tools.intake.hl7v2.admit_reason import complaint_of, complaint_taken_back
from tools.intake.hl7v2.coded import concept
from tools.intake.hl7v2.collected import read_time
from tools.intake.hl7v2.item import Context, Item, Key
from tools.intake.hl7v2.message import Segment
from tools.intake.hl7v2.moment import moment
from tools.intake.hl7v2.patient import assigner

_CLASS = {"I": "IMP", "O": "AMB", "E": "EMER", "P": "PRENC", "R": "AMB", "B": "IMP"}
"""Patient class (HL7 table 0004) as v3 ActCode, by HL7's v2-to-FHIR."""

_DISCHARGED, _PLANNED = frozenset({"A03"}), frozenset({"A05", "A14", "A15", "A16"})
_CANCELLED = frozenset({"A11", "A27", "A38"})
"""Trigger events that cancel an admission, a pending one, or a pre-admission."""

MERGES = frozenset({"A18", "A30", "A34", "A35", "A36", "A39", "A40", "A41", "A42", "A43", "A44"})
"""Trigger events that say that two numbers are of one patient, or move data between patients."""

_VERIFIED = {"F": "confirmed", "W": "provisional", "A": "provisional"}
"""Diagnosis type (HL7 table 0052): final, working, admitting."""


def items_of_visit(pid: Segment | None, segment: Segment, context: Context) -> list[Item]:
    """Return what one PV1, PV2, DG1, AL1 or MRG says."""
    if segment.name == "PV1":
        found = [_encounter(pid, segment, context)]
        if _is_cancelled(context):
            found += complaint_taken_back(pid, segment, visit_number(segment, context), context)
        return found
    if segment.name == "PV2":
        if _is_cancelled(context):
            return []
        return complaint_of(pid, segment, _visit_of(segment, context), context)
    if segment.name == "DG1":
        stated = _condition(pid, segment, context)
        return [stated] if stated is not None else []
    if segment.name == "AL1":
        made = {"resourceType": "AllergyIntolerance", "code": concept(segment, 3, context.message)}
        return [context.item(made, f"AL1 {segment.get(1)}", segment, pid=pid)]
    context.problem(
        "says that two numbers are of one patient (MRG); nothing was merged: a person decides"
    )
    return []


def visit_number(pv1: Segment, context: Context) -> str:
    """Return the number of a visit (PV1-19) with who gave it; empty where there is none."""
    number = pv1.get(19)
    return f"{assigner(pv1, 19, context.message)}|{number}" if number else ""


def _visit_of(pv2: Segment, context: Context) -> str:
    """Return the number of the visit of a PV2: of the PV1 before it, else of the first."""
    visits = [one for one in context.message.segments if one.name == "PV1"]
    before = [one for one in visits if one.position < pv2.position]
    own = before[-1:] or visits[:1]
    return visit_number(own[0], context) if own else ""


def _is_cancelled(context: Context) -> bool:
    return context.message.code == "ADT" and context.message.trigger in _CANCELLED


def _encounter(pid: Segment | None, pv1: Segment, context: Context) -> Item:
    trigger = context.message.trigger if context.message.code == "ADT" else ""
    start, end = (read_time(pv1, field, "PV1", context) for field in (44, 45))
    status = "finished" if end is not None or trigger in _DISCHARGED else "in-progress"
    if trigger in _CANCELLED:
        status = "cancelled"
    elif trigger in _PLANNED:
        status = "planned"
    resource: dict[str, Any] = {"resourceType": "Encounter", "status": status}
    kind = _CLASS.get(pv1.get(2).upper())
    if kind is not None:
        resource["class"] = {
            "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode",
            "code": kind,
        }
    if start or end:
        resource["period"] = {k: v for k, v in (("start", start), ("end", end)) if v}
    item = context.item(resource, "PV1", pv1, pid=pid)
    item.mentioned = context.message.code != "ADT"
    number = visit_number(pv1, context)
    if number:
        item.key = Key("Encounter", number, words=pv1.get(19))
    return item


def _condition(pid: Segment | None, dg1: Segment, context: Context) -> Item | None:
    """Return the Condition of a DG1; one that does not say how sure it is, is a suspicion."""
    code = concept(dg1, 3, context.message)
    words = dg1.get(4)
    if not code and not words:
        context.problem(f"DG1 {dg1.get(1)}: states no diagnosis")
        return None
    if words and "text" not in code:
        code["text"] = words
    kind = dg1.get(6).upper()
    resource: dict[str, Any] = {
        "resourceType": "Condition",
        "verificationStatus": {"coding": [{"code": _VERIFIED.get(kind, "unconfirmed")}]},
        "code": code,
    }
    try:
        time = moment(dg1.get(5), context.offset) if dg1.get(5) else None
    except InvalidValueError as error:
        context.problem(f"DG1-5: {error.reason}")
        time = None
    if time is not None:
        resource["recordedDate"] = time
    return context.item(resource, f"DG1 {dg1.get(1)}", dg1, pid=pid)
