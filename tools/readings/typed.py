"""What a person types for one item: ``present;side=left;size_mm=12``, ``spongiform``, ``12 mm``."""

import re
from typing import Any

from knowledge.errors import InvalidValueError
from knowledge.finding import State
from knowledge.reading_items import Item
from tools.readings.check import as_stated
from tools.readings.model import Reading, Said, Stated

_NUMBER = re.compile(r"(-?\d+(?:\.\d+)?)\s*(\S*)")
_DETAILS = ("side", "zones", "size_mm", "certainty", "change", "text", "why", "detail")
_WAY_OUT = "for example effusion='present;side=left;size_mm=12' or not-assessed;why=quality"


def typed_stated(item: Item, text: str, *, path: str, said: Said, before: Stated) -> Stated:
    """Return the state of an item as typed.

    Args:
        item: The item.
        text: ``present``, ``absent``, ``not-assessed``, answers with commas between, a number with
            its unit, or text; then details as ``;key=value``. Entries of a list are
            ``present;n1,n2``.
        path: Of the item, for messages.
        said: By whom.
        before: What stood there: entries of a list that stay keep their items.

    Raises:
        InvalidValueError: It cannot be read.
    """
    head, *rest = [part.strip() for part in text.split(";")] if item.kind != "text" else [text]
    details = dict(_detail(part, path) for part in rest if "=" in part)
    if head in ("not-assessed", State.NOT_ASSESSED.value):
        why = {"why": details.pop("why", "unconfirmed"), "detail": details.pop("detail", "")}
        value: dict[str, Any] = {"state": "not_assessed", "not_assessed": why, **details}
    else:
        value = {"state": "present", **details, **_value(item, head, path)}
    if item.kind == "list" and value["state"] == "present":
        value["entries"] = _entries(rest, before)
    return as_stated({**value, "said": said}, path=path)


def typed_changes(reading: Reading, item: Item, path: str, text: str, said: Said) -> Stated:
    """Return the new state of the item at a path of a reading."""
    return typed_stated(item, text, path=path, said=said, before=reading.at(path))


def _value(item: Item, head: str, path: str) -> dict[str, Any]:
    match item.kind:
        case "choice" | "choices":
            return {"choices": tuple(part.strip() for part in head.split(","))}
        case "number":
            found = _NUMBER.fullmatch(head)
            if found is None:
                raise InvalidValueError(path, f"{head[:40]!r} is no number", f"in {item.unit}")
            return {"number": float(found[1]), "unit": found[2] or item.unit}
        case "text":
            return {"text": head}
        case "sign" | "list":
            if head not in ("present", "absent"):
                raise InvalidValueError(path, f"{head[:40]!r} is no state", _WAY_OUT)
            return {"state": head}


def _detail(part: str, path: str) -> tuple[str, Any]:
    key, _, value = (piece.strip() for piece in part.partition("="))
    if key not in _DETAILS:
        raise InvalidValueError(
            path, f"has no detail {key[:40]!r}", "known: " + ", ".join(_DETAILS)
        )
    if key == "zones":
        return key, tuple(zone.strip() for zone in value.split(","))
    return key, value


def _entries(rest: list[str], before: Stated) -> list[dict[str, Any]]:
    named = [name.strip() for part in rest if "=" not in part for name in part.split(",")]
    held = {entry.id: dict(entry.items) for entry in before.entries}
    return [{"id": name, "items": held.get(name, {})} for name in named if name]
