"""Rows that several parts of the ECG criteria share: a row with its source, a height, a share.

Amplitudes are in mV, times in ms.
"""

from knowledge.model import Frozen


class Row(Frozen):
    """A row with the key of its source and its review tag."""

    source: str
    review: str


class Slope(Row):
    """Largest slope that is still horizontal."""

    below_mv_per_s: float


class Level(Row):
    """A height that counts, reached at the value itself."""

    from_mv: float


class Share(Row):
    """A limit on a share or ratio."""

    share: float


class Count(Row):
    """How many of several are needed."""

    count: int
