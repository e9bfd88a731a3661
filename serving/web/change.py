"""One difference between two assessments of a case."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Change:
    """One difference.

    Args:
        key: Of the row it is about, as `RiskView.key`; marks it on the page.
        what: What changed.
        before, after: As it was and as it is; empty where there was or is nothing.
    """

    key: str
    what: str
    before: str
    after: str
