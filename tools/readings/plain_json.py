"""JSON from outside: no key twice, no infinity, no size without end."""

import json
from typing import Any, NoReturn

from knowledge.errors import TooLargeError, UnreadableError

MAX_BYTES = 32 << 20
"""A reading with a thousand entries is below 2 MiB."""


def strict_json(content: bytes, *, name: str) -> Any:
    """Return plain data.

    Raises:
        TooLargeError: Above the limit.
        UnreadableError: Not JSON, a key twice, or a number that is none.
    """
    if len(content) > MAX_BYTES:
        raise TooLargeError(name, f"is above {MAX_BYTES >> 20} MiB", "give one reading")
    try:
        return json.loads(content.decode("utf-8"), object_pairs_hook=_once, parse_constant=_refused)
    except (ValueError, RecursionError) as error:
        raise UnreadableError(
            name, f"is not JSON: {str(error)[:120]}", "export it again"
        ) from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key is given twice")
    return found


def _refused(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number")
