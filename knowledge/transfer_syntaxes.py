"""Transfer syntaxes of images, and which are decoded here, as data."""

from collections.abc import Mapping
from functools import cache

from knowledge.model import Frozen
from knowledge.reference import Table, load

FILE = "transfer_syntaxes"


class Decoded(Frozen):
    """A syntax that is decoded.

    Args:
        exact: What was coded comes back bit by bit.
        bits_max: More stored bits cannot be decoded; None for no such limit.
    """

    exact: bool
    bits_max: int | None = None


class DecodedRows(Frozen):
    """The syntaxes by UID."""

    source: str
    review: str
    rows: Mapping[str, Decoded]


class TransferSyntaxes(Table):
    """The whole file."""

    decoded: DecodedRows
    way_out: str

    def why_not(self, uid: str, bits: int) -> str:
        """Return why pixels cannot be decoded; empty where they can.

        Args:
            uid: Transfer syntax.
            bits: Bits stored of a sample.

        Examples:
            >>> transfer_syntaxes().why_not("1.2.840.10008.1.2.4.51", 12)
            'samples of 12 bits; the decoder takes up to 8'
            >>> transfer_syntaxes().why_not("1.2.840.10008.1.2.4.90", 12)
            ''
        """
        row = self.decoded.rows.get(uid)
        if row is None:
            return "no decoder is carried for it"
        if row.bits_max is not None and bits > row.bits_max:
            return f"samples of {bits} bits; the decoder takes up to {row.bits_max}"
        return ""


@cache
def transfer_syntaxes() -> TransferSyntaxes:
    """Return the packaged syntaxes.

    Raises:
        ReferenceDataError: A row is not valid.
    """
    return load(FILE, TransferSyntaxes)
