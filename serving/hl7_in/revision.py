"""Which orders a message takes back or corrects, so that it reaches the cases that hold them."""

from knowledge.errors import InputError
from knowledge.model import Frozen
from tools.intake.hl7v2.item import Item
from tools.intake.hl7v2.reader import parse
from tools.intake.hl7v2.status import Role

_REVISES = (Role.WITHDRAWAL, Role.CORRECTION)


class Revision(Frozen):
    """What a message says of results that were sent before.

    Args:
        orders: Order numbers of what it takes back or corrects, whoever gave them.
        in_error: Whether it says of a result that it was wrong (OBX-11 D or W).
        corrects: Whether it corrects a result.
        new: Whether it also has something that is not a revision.
    """

    orders: frozenset[str]
    in_error: bool
    corrects: bool
    new: bool


def revision_of(content: bytes) -> Revision | None:
    """Return what a message takes back or corrects; None for nothing, or for one that is not read.

    Args:
        content: Of one message.
    """
    items = _items(content)
    revising = [item for item in items if item.role in _REVISES]
    if not revising:
        return None
    return Revision(
        orders=frozenset(number for item in revising for number in _numbers(item)),
        in_error=any(item.resource.get("status") == "entered-in-error" for item in revising),
        corrects=any(item.role is Role.CORRECTION for item in revising),
        new=any(item.kind == "Observation" and item.role not in _REVISES for item in items),
    )


def orders_in(content: bytes) -> frozenset[str]:
    """Return the numbers of the orders that messages hold results of; none where it is not read."""
    results = (item for item in _items(content) if item.kind == "Observation")
    return frozenset(number for item in results for number in _numbers(item))


def _items(content: bytes) -> tuple[Item, ...]:
    try:
        return parse(content, "message").items
    except InputError:
        return ()


def _numbers(item: Item) -> list[str]:
    stated = (item.filler, item.placer)
    return [number.partition("|")[2].upper() for number in stated if number]
