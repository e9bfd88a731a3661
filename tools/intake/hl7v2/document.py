"""TXA and the text that follows it to DocumentReference: a note, its state and what it replaces."""

from collections.abc import Sequence
from typing import Any

from tools.intake.hl7v2.coded import concept, number_of
from tools.intake.hl7v2.collected import read_time
from tools.intake.hl7v2.groups import Order, Result
from tools.intake.hl7v2.item import Context, Item, Key
from tools.intake.hl7v2.message import Segment
from tools.intake.hl7v2.value import ATTACHED, TEXTS, attachment_of, text_attachment

_REPLACES = frozenset({"T09", "T10"})
_CANCELS = frozenset({"T11"})
_UNFINISHED = {"DI": "dictated", "IP": "in progress", "IN": "incomplete", "DO": "not authenticated"}
"""Document completion status (HL7 table 0271) of one that nobody has signed."""

_OBSOLETE = "OB"
"""Document availability status (HL7 table 0273)."""


def items_of_document(
    pid: Segment | None, txa: Segment, orders: Sequence[Order], context: Context
) -> list[Item]:
    """Return the document of a TXA, and the one it replaces as superseded.

    Args:
        pid: Of the patient.
        txa: The segment.
        orders: Where its text stands: every OBX of the message.
        context: Of the message.
    """
    message = context.message
    results = [result for order in orders for result in order.results]
    status = "current"
    if message.trigger in _CANCELS:
        status = "entered-in-error"
    elif txa.get(19).upper() == _OBSOLETE:
        status = "superseded"
    kind = concept(txa, 2, message)
    title = txa.get(25) or kind.get("text") or "document"
    unfinished = _UNFINISHED.get(txa.get(17).upper())
    resource: dict[str, Any] = {
        "resourceType": "DocumentReference",
        "status": status,
        "description": f"{title} ({unfinished})" if unfinished else title,
        "content": [{"attachment": form} for form in _forms(results, context)],
    }
    if kind:
        resource["type"] = kind
    time = read_time(txa, 4, "TXA", context) or read_time(txa, 6, "TXA", context)
    if time is not None:
        resource["date"] = time
    if not resource["content"] and status == "current":
        context.problem("TXA announces a document whose text is not in the message")
    item = context.item(resource, "TXA", txa, pid=pid)
    number, parent = number_of(txa, 12, message), number_of(txa, 13, message)
    if number:
        item.key = Key("DocumentReference", number, words=txa.get(12))
    return [item, *_replaced(item, parent, txa, context)]


def _replaced(item: Item, parent: str, txa: Segment, context: Context) -> list[Item]:
    if not parent or context.message.trigger not in _REPLACES:
        return []
    resource = {"resourceType": "DocumentReference", "status": "superseded", "content": []}
    old = context.item(resource, "TXA-13", txa, pid=None)
    old.patient = item.patient
    old.key = Key("DocumentReference", parent, words=txa.get(13))
    return [old]


def _forms(results: Sequence[Result], context: Context) -> list[dict[str, Any]]:
    """Return the contents: every text in one, each attachment for itself."""
    texts: list[str] = []
    forms: list[dict[str, Any]] = []
    for result in results:
        obx = result.obx
        if obx.get(11).upper() in ("D", "W", "X"):
            context.problem(f"OBX {result.number}: taken back by its sender; not in the text")
        elif obx.get(2).upper() in TEXTS or not obx.get(2):
            texts.append(obx.whole(5))
        elif obx.get(2).upper() in ATTACHED:
            form = attachment_of(obx)
            if isinstance(form, str):
                context.problem(f"OBX {result.number}: {form}")
            else:
                forms.append(form)
        else:
            texts.append(f"{obx.get(3, 2) or obx.get(3)}: {obx.whole(5)} {obx.get(6)}".strip())
    text = "\n".join(texts).strip("\n")
    return [text_attachment(text), *forms] if text.strip() else forms
