"""Every element of an object, in sequences too, and its texts."""

from collections.abc import Iterator
from typing import Any

TEXT = frozenset({"AE", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT"})
"""Value representations that hold free words (PS3.5 6.2)."""


def elements(ds: Any) -> Iterator[Any]:
    """Yield every element, those of sequences after the sequence."""
    for element in ds:
        yield element
        if element.VR == "SQ":
            for item in element.value or ():
                yield from elements(item)


def texts(element: Any) -> list[str]:
    """Return the values of an element as texts; none for binary ones."""
    value = element.value
    if value is None or element.VR == "SQ" or isinstance(value, bytes | bytearray):
        return []
    if isinstance(value, str) or not hasattr(value, "__iter__"):
        return [str(value)]
    if element.VR == "PN" and not isinstance(value, list | tuple) and not hasattr(value, "append"):
        return [str(value)]
    return [str(one) for one in value]
