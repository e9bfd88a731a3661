"""When a specimen was taken or a measurement made: never when it was reported or sent."""

from datetime import datetime

from knowledge.errors import InvalidValueError
from tools.intake.hl7v2.groups import Order
from tools.intake.hl7v2.item import Context
from tools.intake.hl7v2.message import Segment
from tools.intake.hl7v2.moment import moment


def read_time(segment: Segment | None, field: int, where: str, context: Context) -> str | None:
    """Return a time as FHIR dateTime; one that cannot be read is noted."""
    stated = segment.get(field) if segment is not None else ""
    if not stated:
        return None
    try:
        return moment(stated, context.offset)
    except InvalidValueError as error:
        context.problem(f"{where}-{field}: {error.reason}")
        return None


def collected_at(order: Order, obx: Segment | None, where: str, context: Context) -> str | None:
    """Return when the specimen of a result was taken; None where nothing says so.

    OBX-14 is the time of the specimen by the standard (v2.5.1, 7.4.2.14), and overrides OBR-7 where
    the results of one report differ. Some laboratories send the time of analysis in it: one that is
    later than the specimen's arrival (SPM-18, OBR-14) is not the time it was taken, and SPM-17 or
    OBR-7 is.

    Args:
        order: Of the result.
        obx: The result; None for the time of the report.
        where: What problems call it.
        context: Of the message.
    """
    only = order.specimens[0] if len(order.specimens) == 1 else None
    taken = read_time(only, 17, "SPM", context) or read_time(order.obr, 7, "OBR", context)
    own = read_time(obx, 14, where, context)
    if own is None or taken is None:
        return own or taken
    arrived = read_time(only, 18, "SPM", context) or read_time(order.obr, 14, "OBR", context)
    if arrived is not None and _is_later(own, arrived):
        return taken
    return own


def _is_later(one: str, other: str) -> bool:
    """Return whether one time is certainly later; False where the two cannot be compared."""
    try:
        a, b = datetime.fromisoformat(one), datetime.fromisoformat(other)
    except ValueError:
        return False
    return (a.tzinfo is None) == (b.tzinfo is None) and a > b
