"""A section of a report made of things with lines, whatever form the report has."""

from dataclasses import dataclass

from knowledge.evidence import Evidence


@dataclass(frozen=True, kw_only=True)
class Item:
    """One thing.

    Args:
        heading: What it is.
        lines: What is said of it.
        open: That something of it is not assessed, and why; empty where nothing is open.
        evidence: Where it comes from.
    """

    heading: str
    lines: tuple[str, ...]
    open: str = ""
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Section:
    """One section.

    Args:
        id: Its anchor.
        title: What it is about.
        note: What a reader must know of all of it.
        items: The things.
        small: What follows in small print.
    """

    id: str
    title: str
    note: str
    items: tuple[Item, ...]
    small: tuple[str, ...] = ()
