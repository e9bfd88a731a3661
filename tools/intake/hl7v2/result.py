"""OBR and OBX to DiagnosticReport and Observation; a text of several lines to one document."""

from collections.abc import Iterator, Sequence
from typing import Any

from knowledge.analytes import analytes
from knowledge.codes import LABORATORY_SECTIONS
from knowledge.result_sources import result_sources
from tools.intake.hl7v2.coded import codes_of, concept, key_of, number_of
from tools.intake.hl7v2.collected import collected_at, read_time
from tools.intake.hl7v2.groups import Order, Result
from tools.intake.hl7v2.item import Context, Item, Key
from tools.intake.hl7v2.message import Segment
from tools.intake.hl7v2.status import (
    CANCELLED_ORDER,
    CANCELS,
    CANCELS_ALL,
    NOT_STATED,
    REPORT,
    WAS_CANCELLED,
    ResultStatus,
    Role,
    result_status,
)
from tools.intake.hl7v2.value import ATTACHED, attachment_of, text_attachment, value_of

_LINE = 200
"""Characters of one text result that is shown as a value; a longer one is a document."""

_MEASURED = ("NM", "SN")
"""Types of a value (OBX-2) that is a number."""


def items_of_order(order: Order, context: Context, *, is_request: bool) -> list[Item]:
    """Return the report of one OBR and its results.

    Args:
        order: The OBR with what belongs to it.
        context: Of the message.
        is_request: Whether the message places orders: one without a result is still to come.
    """
    status = _report_status(order, context, is_request=is_request)
    report = _report(order, context, status)
    items: list[Item] = []
    forms: list[dict[str, Any]] = []
    for lines in _runs(order.results):
        if _is_document(lines):
            forms.append(text_attachment("\n".join(r.obx.whole(5) for r in lines)))
            continue
        for result in lines:
            of_report = None if is_request else status  # an order's OBX are not its results
            made = _result(result, order, context, report_status=of_report, forms=forms)
            if made is not None:
                items.append(made)
    for item in items:
        item.patient = report.patient
    cancels = report.role is Role.WITHDRAWAL and not order.results
    if order.obr is None and not forms and not cancels:
        return items
    if forms:
        report.resource["presentedForm"] = forms
    report.members = [item for item in items if item.resource.get("status") != "cancelled"]
    return [report, *items]


def _report(order: Order, context: Context, status: str | None) -> Item:
    """Return the report of an order, without its results."""
    obr, orc, message = order.obr, order.orc, context.message
    source = obr or orc or (order.results[0].obx if order.results else message.head)
    resource: dict[str, Any] = {
        "resourceType": "DiagnosticReport",
        "status": status or "unknown",
        "code": (concept(obr, 4, message) if obr is not None else {})
        or {"text": "report without a name"},
    }
    time = collected_at(order, None, "OBR", context)
    if time is not None:
        resource["effectiveDateTime"] = time
    issued = read_time(obr, 22, "OBR", context)
    resource |= {"issued": issued or context.stamp} if issued or context.stamp else {}
    where = f"OBR {obr.get(1)}".strip() if obr is not None else "results without OBR"
    if obr is None and not order.results:
        where = "ORC"
    item = context.item(resource, where, source, pid=order.patient)
    item.stamp = issued or context.stamp
    filler, placer = item.filler, item.placer = _numbers(order, context)
    item.service = codes_of(obr, 4) if obr is not None else frozenset()
    if status == "cancelled" and _takes_all_back(order):
        item.role = Role.WITHDRAWAL
    code = key_of(obr, 4, message) if obr is not None else ""
    if filler or placer:
        item.key = Key(
            "DiagnosticReport", filler, placer, code, words=obr.get(4) if obr is not None else ""
        )
    return item


def _numbers(order: Order, context: Context) -> tuple[str, str]:
    """Return filler and placer order number: of OBR, else of ORC."""
    found = []
    for field in (3, 2):
        own = number_of(order.obr, field, context.message) if order.obr is not None else ""
        shared = number_of(order.orc, field, context.message) if order.orc is not None else ""
        found.append(own or shared)
    return found[0], found[1]


def _report_status(order: Order, context: Context, *, is_request: bool) -> str | None:
    stated = order.obr.get(25).upper() if order.obr is not None else ""
    control = order.orc.get(1).upper() if order.orc is not None else ""
    progress = order.orc.get(5).upper() if order.orc is not None else ""
    if control in CANCELS or (is_request and progress in CANCELLED_ORDER):
        return "cancelled"
    if stated in REPORT:
        return REPORT[stated]
    if stated:
        context.problem(f"OBR-25: {stated[:3]!r} is no status of a report (HL7 table 0123)")
        return None
    if is_request:
        return "registered" if not order.results else None
    if order.obr is not None:
        context.problem(f"OBR {order.obr.get(1)}: OBR-25 states no status; not taken as final")
    return None


def _takes_all_back(order: Order) -> bool:
    """Return whether a cancelled order has no results, also none that were sent before.

    One that is discontinued keeps those it had.
    """
    stated = order.obr.get(25).upper() if order.obr is not None else ""
    if stated in REPORT and REPORT[stated] == "cancelled":
        return True
    if order.orc is None:
        return False
    return order.orc.get(1).upper() in CANCELS_ALL or order.orc.get(5).upper() == WAS_CANCELLED


def _runs(results: Sequence[Result]) -> Iterator[list[Result]]:
    """Yield the results; lines of one text, which follow one another, together."""
    run: list[Result] = []
    for result in results:
        if run and not (_is_text(result.obx) and _mark(result.obx) == _mark(run[-1].obx)):
            yield run
            run = []
        if not _is_text(result.obx):
            yield [result]
        else:
            run.append(result)
    if run:
        yield run


def _is_text(obx: Segment) -> bool:
    return obx.get(2).upper() in ("TX", "FT") and obx.get(11).upper() not in ("D", "W", "X")


def _mark(obx: Segment) -> tuple[str, ...]:
    return (obx.whole(3), obx.get(11), obx.get(14))


def _is_document(lines: Sequence[Result]) -> bool:
    if not _is_text(lines[0].obx):
        return False
    return len(lines) > 1 or len(lines[0].obx.whole(5)) > _LINE


def _result(
    result: Result,
    order: Order,
    context: Context,
    *,
    report_status: str | None,
    forms: list[dict[str, Any]],
) -> Item | None:
    """Return the Observation of one OBX, or None after noting why there is none."""
    obx, where = result.obx, f"OBX {result.number}"
    stated = obx.get(11).upper()
    status = result_status(stated, report_status)
    if status is None:
        context.problem(f"{where}: OBX-11 {stated[:3]!r} is no status (HL7 table 0085); not used")
        return None
    if stated == "O":
        context.problem(f"{where}: {status.no_result}")
        return None
    if obx.get(2).upper() in ATTACHED:
        form = attachment_of(obx)
        if isinstance(form, str):
            context.problem(f"{where}: {form}")
        elif status.fhir not in ("entered-in-error", "cancelled"):
            forms.append(form)
        return None
    code = concept(obx, 3, context.message)
    if not code and not obx.whole(5).strip() and status.role is not Role.WITHDRAWAL:
        context.problem(f"{where}: neither a name (OBX-3) nor a value (OBX-5)")
        return None
    resource = _observation(result, order, context, status, code)
    item = context.item(resource, where, obx, pid=order.patient)
    item.stamp = read_time(order.obr, 22, "OBR", context) or context.stamp
    item.time, item.role = resource.get("effectiveDateTime"), status.role
    item.codes, item.sub = codes_of(obx, 3), obx.whole(4).strip()
    item.service = codes_of(order.obr, 4) if order.obr is not None else frozenset()
    item.filler, item.placer = _numbers(order, context)
    item.key = _key(obx, order, item, context)
    return item


def _observation(
    result: Result, order: Order, context: Context, status: ResultStatus, code: dict[str, Any]
) -> dict[str, Any]:
    obx, message, where = result.obx, context.message, f"OBX {result.number}"
    resource: dict[str, Any] = {
        "resourceType": "Observation",
        "code": code or {"text": "observation without a name"},
        **_value(obx, status, where, context),
    }
    if status is not NOT_STATED:
        resource["status"] = status.fhir
    if (category := _category(order)) is not None:
        resource["category"] = [{"coding": [{"code": category}]}]
    time = collected_at(order, obx, where, context)
    if time is not None:
        resource["effectiveDateTime"] = time
    if obx.whole(7).strip():
        resource["referenceRange"] = [{"text": obx.whole(7).strip()[:200]}]
    said = [concept(obx, 8, message, rep=r) for r in range(1, obx.repetitions(8) + 1)]
    if any(said):
        resource["interpretation"] = [one for one in said if one]
    if method := concept(obx, 17, message):
        resource["method"] = method
    devices = [obx.get(18, n, rep=r) for r in range(1, obx.repetitions(18) + 1) for n in (1, 2)]
    if any(devices):
        resource["device"] = {"display": " ".join(d for d in devices if d)[:200]}
    if specimen := _specimen(order, context):
        resource["specimen"] = {"display": specimen}
    if notes := _notes(result, order, context):
        resource["note"] = notes
    return resource


def _value(obx: Segment, status: ResultStatus, where: str, context: Context) -> dict[str, Any]:
    if status.no_result:
        return {"dataAbsentReason": {"text": status.no_result}}
    if obx.whole(5).strip() and not obx.get(2):
        context.problem(f"{where}: OBX-2 states no type; the value is read as text")
    return value_of(obx, context.message)


def _specimen(order: Order, context: Context) -> str:
    """Return the type of the one specimen of an order (SPM-4) in words; empty for none or several.

    A code of table 0487 alone is told by the words of that kind.
    """
    if len(order.specimens) != 1:
        return ""
    stated = order.specimens[0]
    by_code = result_sources().specimen_of_code(stated.get(4))
    return by_code or concept(stated, 4, context.message).get("text", "")[:200]


def _notes(result: Result, order: Order, context: Context) -> list[dict[str, str]]:
    """Return the comments on a result, on its report, and on the state of its specimen."""
    texts = [note.whole(3).strip() for note in (*result.notes, *order.notes)]
    for specimen in order.specimens:
        for field in (24, 21):  # SPM-24 specimen condition, SPM-21 reject reason
            for rep in range(1, specimen.repetitions(field) + 1):
                stated = specimen.get(field, rep=rep).upper()
                words = concept(specimen, field, context.message, rep=rep).get("text", "")
                texts.append("specimen haemolysed" if stated == "HEM" else words)
        texts.append(specimen.whole(14).strip())
    return [{"text": text} for text in dict.fromkeys(t for t in texts if t)]


def _category(order: Order) -> str | None:
    """Return what sort of results an order has: by its section (OBR-24), else by what it holds."""
    section = order.obr.get(24).upper() if order.obr is not None else ""
    if section in LABORATORY_SECTIONS or order.specimens:
        return "laboratory"
    if section:
        return "exam"
    lines = [result.obx for result in order.results]
    groups = {_group(line) for line in lines}
    drawn = order.obr is not None and bool(order.obr.whole(15).strip())
    if "laboratory" in groups or drawn:
        return "laboratory"
    if "vital-sign" in groups:
        return "vital-signs"
    return "laboratory" if any(_reads_as_a_result(line) for line in lines) else None


def _reads_as_a_result(obx: Segment) -> bool:
    """Return whether an OBX has an interval (7), a flag (8), or a number with a unit."""
    measured = obx.get(2).upper() in _MEASURED and bool(obx.whole(6).strip())
    return measured or bool(obx.whole(7).strip() or obx.whole(8).strip())


def _group(obx: Segment) -> str | None:
    """Return the group of the analyte that OBX-3 names by a LOINC code, or None."""
    table = analytes()
    keys = (table.for_loinc(obx.get(3, n)) for n in (1, 4))
    return next((table.analytes[key].group for key in keys if key is not None), None)


def _key(obx: Segment, order: Order, item: Item, context: Context) -> Key | None:
    """Return what ties a result to its other versions.

    Without an order number: the sender, the code and the time; None where there is no time either.
    """
    filler, placer = item.filler, item.placer
    code = f"{key_of(obx, 3, context.message) or obx.whole(3)}|{obx.whole(4)}"
    words = obx.get(3)
    if filler or placer:
        return Key("Observation", filler, placer, code, words)
    if item.time is None:
        return None
    return Key("Observation", f"{context.message.facility}|at {item.time}", "", code, words)
