"""Codes of what is written into DICOM objects, as data."""

from collections.abc import Mapping
from functools import cache
from typing import Annotated

from pydantic import Field

from knowledge.errors import ReferenceDataError
from knowledge.model import Frozen
from knowledge.reference import Table, load

FILE = "dicom_codes"


class Code(Frozen):
    """A coded concept of DICOM.

    Args:
        scheme: Coding scheme designator.
        code: Code value, at most 16 characters.
        meaning: In words.
    """

    scheme: str
    code: str
    meaning: str


class OwnScheme(Frozen):
    """The private coding scheme (PS3.16 8.2: its name begins with 99)."""

    designator: str
    name: str
    responsible: str


class OwnWord(Frozen):
    """A concept of the private scheme; its code is the key."""

    meaning: str


class Codes(Frozen):
    """Every concept by our word for it."""

    source: str
    review: str
    rows: Mapping[str, Code]
    own: Mapping[Annotated[str, Field(max_length=16)], OwnWord]


class Units(Frozen):
    """UCUM codes and what they are called."""

    source: str
    review: str
    words: Mapping[str, str]


class DicomCodes(Table):
    """The whole file."""

    own_scheme: OwnScheme
    codes: Codes
    units: Units

    def code(self, word: str) -> Code:
        """Return the concept of one of our words.

        Examples:
            >>> dicom_codes().code("nodule").code
            '27925004'
            >>> dicom_codes().code("laa-950").scheme
            '99EPICRISIS'

        Raises:
            ReferenceDataError: There is no such row.
        """
        found = self.codes.rows.get(word)
        if found is not None:
            return found
        own = self.codes.own.get(word)
        if own is None:
            raise ReferenceDataError(f"{FILE}: {word}", "no such code", "add a row")
        return Code(scheme=self.own_scheme.designator, code=word, meaning=own.meaning)

    def unit(self, ucum: str) -> Code:
        """Return the coded unit.

        Raises:
            ReferenceDataError: There is no such row.
        """
        meaning = self.units.words.get(ucum)
        if meaning is None:
            raise ReferenceDataError(f"{FILE}: unit {ucum!r}", "no such unit", "add a row")
        return Code(scheme="UCUM", code=ucum, meaning=meaning)


@cache
def dicom_codes() -> DicomCodes:
    """Return the packaged codes.

    Raises:
        ReferenceDataError: A row is not valid.
    """
    return load(FILE, DicomCodes)
