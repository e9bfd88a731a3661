"""The numbers of a card's wording, and the numbers of the reference rows it restates.

A sentence of a card may name the rows it restates, ``<file>:<path>``, for example
``troponin_assays:assays.roche-elecsys-hs-ctnt.esc_0_1h``. A part of the path may be ``*`` (every
entry); ``*10`` or ``/60`` at the end converts the unit of the row to the unit of the sentence (mV
to mm, minutes to hours). `disagreements` compares both sides.
"""

import re
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from knowledge.errors import ReferenceDataError
from knowledge.reference import raw

_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_NOT_MEASURED = frozenset({"version", "year", "order", "rank"})
_NAMES = re.compile(
    r"0/[123] h|\bV\d+R?\b|99th|12-lead|Gen 5|CURB-65|CRB-65|BTS \d{4}|S1Q3T3|UDMI-4"
    r"|\b4PEPS\b|\b4Ts\b|CHA2DS2-VA(?:Sc)?\b|NEWS2|ADAMTS13"
    r"|\b(?:19|20)\d{2}\b(?! ?(?:ng|mg))"
)
_SELECTOR = re.compile(r"(?P<table>[\w/]+):(?P<path>[^\s/]+)(?:\s(?P<unit>[*/]\d+(?:\.\d+)?))?")


def numbers(text: str) -> Counter[Decimal]:
    """Return every number written in digits in a text, with how often it stands there.

    Examples:
        >>> sorted(numbers("2.0 mm in V2, below 5 and 5"))
        [Decimal('2'), Decimal('5')]
    """
    return Counter(_plain(found) for found in _NUMBER.findall(text))


def measured(text: str) -> frozenset[Decimal]:
    """Return the numbers of an English text that are not part of a name (``V2``, ``0/1 h``).

    Examples:
        >>> measured("ESC 0/1 h: ST elevation of 2 mm in V3")
        frozenset({Decimal('2')})
    """
    return frozenset(numbers(_NAMES.sub(" ", text)))


def row_numbers(selector: str) -> frozenset[Decimal]:
    """Return the numbers of the reference rows that a selector names, in the sentence's unit.

    Raises:
        ReferenceDataError: The selector has no known form, or names no row or number.
    """
    match = _SELECTOR.fullmatch(selector)
    if match is None:
        raise ReferenceDataError(selector, "not <file>:<path>, with *10 or /60 after a space")
    found = frozenset(
        _converted(number, match["unit"])
        for node in _select(raw(match["table"]), match["path"].split("."), selector)
        for number in _leaves(node, top=True)
    )
    if not found:
        raise ReferenceDataError(selector, "names no number")
    return found


def disagreements(text: str, selectors: tuple[str, ...]) -> tuple[str, ...]:
    """Return what differs between a sentence and the rows it restates; empty where they agree."""
    said = measured(text)
    known = frozenset().union(*(row_numbers(selector) for selector in selectors))
    return tuple(
        [f"{number:f} is in the sentence, not in the rows" for number in sorted(said - known)]
        + [f"{number:f} is in the rows, not in the sentence" for number in sorted(known - said)]
    )


def _plain(number: str) -> Decimal:
    value = Decimal(number)
    return value.quantize(Decimal(1)) if value == value.to_integral_value() else value.normalize()


def _converted(number: Decimal, unit: str | None) -> Decimal:
    if unit is None:
        return number
    factor = Decimal(unit[1:])
    return _plain(str(number * factor if unit[0] == "*" else number / factor))


def _select(node: Any, path: list[str], selector: str) -> Iterator[Any]:
    if not path:
        yield node
        return
    key, *rest = path
    if isinstance(node, dict):
        keys: list[Any] = list(node) if key == "*" else [key] if key in node else []
    elif isinstance(node, list):
        keys = list(range(len(node))) if key == "*" else _index(key, len(node))
    else:
        keys = []
    if not keys:
        raise ReferenceDataError(selector, f"no such row: {key}")
    for each in keys:
        yield from _select(node[each], rest, selector)


def _index(key: str, length: int) -> list[int]:
    return [int(key)] if key.isdigit() and int(key) < length else []


def _leaves(node: Any, *, top: bool) -> Iterator[Decimal]:
    """Yield the numbers under a node; those of a text only where the selector names the text."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key not in _NOT_MEASURED:
                yield from _leaves(value, top=False)
    elif isinstance(node, list):
        for value in node:
            yield from _leaves(value, top=False)
    elif isinstance(node, str):
        if top:
            yield from measured(node)
    elif isinstance(node, int | float) and not isinstance(node, bool):
        yield _plain(str(abs(node)))
