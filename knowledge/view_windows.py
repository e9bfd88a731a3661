"""Windows that CT images are looked at with, as data."""

from functools import cache

from pydantic import PositiveFloat

from knowledge.model import Frozen
from knowledge.reference import Table, load
from knowledge.words import Words

_FILE = "view_windows"


class Preset(Frozen):
    """One window.

    Args:
        id: In small letters.
        label: Name to show.
        center, width: Hounsfield units.
    """

    id: str
    label: Words
    center: float
    width: PositiveFloat
    source: str
    review: str


class ViewWindows(Table):
    """The whole file."""

    ct: tuple[Preset, ...]


@cache
def view_windows() -> ViewWindows:
    """Return the packaged windows.

    Raises:
        ReferenceDataError: A row is not valid.
    """
    return load(_FILE, ViewWindows)
