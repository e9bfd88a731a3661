"""A mask that was given for one measurement: by its name not of something else, and whose it is."""

import re
from dataclasses import dataclass

from knowledge.ct_measurements import MaskOf, ct_measurements
from knowledge.errors import ContractError
from tools.imaging.contours.model import Structure
from tools.imaging.contours.read import is_dicom
from tools.imaging.ct.mask_file import read_structure
from tools.imaging.ct.model import Mask, Volume

_ASKED: dict[MaskOf, str] = {"calcium": "the coronaries", "aorta": "the aorta"}
_STEM = 4
"""Letters from which on a word of the table may begin a longer word."""


@dataclass(frozen=True, kw_only=True, eq=False)
class MaskGiven:
    """A mask for one measurement.

    Args:
        mask: (slices, rows, columns) bool.
        mask_of: File and structure, and how it was outlined, for the record.
        notes: What must be known of it.
    """

    mask: Mask
    mask_of: str
    notes: tuple[str, ...] = ()


def given_mask(
    content: bytes, volume: Volume, *, file: str, of: MaskOf, structure: str = ""
) -> MaskGiven:
    """Return a mask on the voxels of a series for one measurement.

    Args:
        content: NIfTI, RTSTRUCT or SEG.
        volume: The series.
        file: Its name.
        of: What is to be measured in it.
        structure: Name of the structure, or number of the label; empty for the only one.

    Raises:
        ContractError: It is named for something else; see `read_structure` for the others.
    """
    found = read_structure(content, volume, file=file, label=structure)
    named_for_another(found.name if is_dicom(content) else "", of=of, file=file)
    if not is_dicom(content) and not structure:
        _file_named_for_another(file, of)
    return MaskGiven(
        mask=found.mask,
        mask_of=_words(found, file),
        notes=tuple(f"{file}: {note}" for note in found.notes),
    )


def named_for_another(name: str, *, of: MaskOf, file: str) -> None:
    """Refuse a structure whose name says that it is of something else.

    Raises:
        ContractError: It does.
    """
    rows = ct_measurements().mask_names.rows[of]
    if not _says(name, rows.own) and _says(name, rows.other):
        raise ContractError(
            file, f"its structure {name[:60]!r} is not of {_ASKED[of]}", f"give one of {_ASKED[of]}"
        )


def _file_named_for_another(file: str, of: MaskOf) -> None:
    """Refuse a file that is named for another structure and nothing else, as models write them."""
    table = ct_measurements().mask_names
    stem = file.split(".")[0]
    rows = table.rows[of]
    words = _parts(stem)
    other = [word for word in words if _says(word, rows.other)]
    if other and all(word in other or word in table.sides for word in words):
        raise ContractError(
            file, f"by its name it is not of {_ASKED[of]}", f"give a mask of {_ASKED[of]}"
        )


def _says(name: str, table: tuple[str, ...]) -> bool:
    return any(
        word in name if not word.isascii() else any(_is(part, word) for part in _parts(name))
        for word in table
    )


def _is(part: str, word: str) -> bool:
    if word.endswith("=") or len(word) < _STEM:
        return part == word.rstrip("=")
    return part.startswith(word)


def _parts(name: str) -> list[str]:
    """Return the words of a name, those written together in capitals and small letters too."""
    return [word.casefold() for word in re.findall(r"[A-Z]?[^\W\d_A-Z]+|[A-Z]+", name)]


def _words(found: Structure, file: str) -> str:
    """Return file, structure, and how and by what it was outlined as far as stated."""
    how = " by ".join(part for part in (found.origin.lower(), found.maker) if part)
    name = found.name if found.name.startswith("label ") else f"structure {found.name!r}"
    parts = (file, name if found.name else "", f"outlined: {how}" if how else "")
    return ", ".join(part for part in parts if part)
