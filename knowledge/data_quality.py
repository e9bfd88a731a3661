"""What a data-quality report looks for, and the way out of each (``data_quality.yaml``)."""

from collections.abc import Mapping
from functools import cache
from typing import Literal

from knowledge.pathways import Sourced
from knowledge.reference import Table, load
from knowledge.words import Words

QualityKind = Literal[
    "identity-doubt",
    "unread-file",
    "entry-not-used",
    "duplicate-file",
    "unmapped-code",
    "unknown-unit",
    "unit-assumed",
    "impossible-value",
    "value-not-read",
    "no-collection-time",
    "no-time-zone",
    "future-result",
    "duplicate-result",
    "conflicting-result",
    "flag-disagrees",
    "interval-not-read",
    "from-document",
]
"""Every kind of item, in the order of the report."""

Needs = Literal["files", "results", "intervals"]
Severity = Literal["blocks", "doubt", "note"]


class QualityRow(Sourced):
    """One kind of item.

    Args:
        label: Name to show.
        way_out: What a site can do.
        severity: Whether the item is not used, used with a caution, or only to know.
        needs: What must have been readable to look for it.
    """

    label: Words
    way_out: Words
    severity: Severity
    needs: Needs


class DataQuality(Table):
    """The whole file."""

    kinds: Mapping[QualityKind, QualityRow]


@cache
def data_quality() -> DataQuality:
    """Return the packaged rows."""
    return load("data_quality", DataQuality)
