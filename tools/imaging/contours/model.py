"""A structure: the voxels of a series that belong to something, and who outlined it."""

from dataclasses import dataclass, field
from typing import Literal

from knowledge.errors import ContractError, InvalidValueError
from tools.imaging.ct.model import Mask

Origin = Literal["AUTOMATIC", "SEMIAUTOMATIC", "MANUAL", ""]
"""How it was outlined, as DICOM writes it (PS3.3 C.8.8.5 and C.8.20.4); empty where not stated."""

ORIGINS: tuple[Origin, ...] = ("AUTOMATIC", "SEMIAUTOMATIC", "MANUAL", "")


@dataclass(frozen=True, kw_only=True, eq=False)
class Structure:
    """One outlined structure on the voxels of a series.

    Args:
        number: Of the region or segment in its file.
        name: As the file names it.
        mask: (slices, rows, columns) bool.
        origin: How it was outlined.
        maker: Name of the algorithm or the person, as stated; empty where not.
        notes: What must be known of it.
    """

    number: int
    name: str
    mask: Mask = field(repr=False)
    origin: Origin = ""
    maker: str = ""
    notes: tuple[str, ...] = ()


def origin_of(text: object) -> Origin:
    """Return how something was outlined, by the word in a file."""
    word = str(text or "").strip().upper()
    return next((one for one in ORIGINS if one == word), "")


def chosen(structures: tuple[Structure, ...], *, name: str, file: str) -> Structure:
    """Return the structure with a name; the only one where no name is given.

    Args:
        structures: Of one file.
        name: As the file names it, upper and lower case alike; empty for the only one.
        file: Its name, for messages.

    Raises:
        ContractError: Several structures and no name.
        InvalidValueError: None, or several, of this name.
    """
    known = ", ".join(repr(one.name) for one in structures[:20])
    if not name:
        if len(structures) == 1:
            return structures[0]
        raise ContractError(file, f"holds {len(structures)} structures", f"name one of {known}")
    found = [one for one in structures if one.name.strip().casefold() == name.strip().casefold()]
    if len(found) != 1:
        how = "has no" if not found else f"has {len(found)} times the"
        raise InvalidValueError(file, f"{how} structure {name!r}", f"it has {known}")
    return found[0]
