"""What the view of the laboratory is made of: parts of lines, panels of rows."""

from dataclasses import dataclass

from knowledge.evidence import Evidence
from knowledge.reference import Citation

MARK = "*"
"""After a line that holds only under the note of its part."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """One sentence.

    Args:
        text: In the language of the report.
        english: What is only held in English; empty where nothing is.
        evidence: What it rests on.
        citations: Where its numbers come from.
        details: What stands below it, a line each.
    """

    text: str
    english: str = ""
    evidence: tuple[Evidence, ...] = ()
    citations: tuple[Citation, ...] = ()
    details: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Row:
    """One result of the table.

    Args:
        name: Of the test, in the language of the report where we have it.
        english: The English name, where `name` is another one.
        value: As the laboratory reported it.
        converted: In the unit of the interval, where that is another one.
        time: When the specimen was collected; says so where that is not stated.
        flag: In words; why there is none otherwise.
        tone: ``critical``, ``out``, ``in`` or ``none``.
        past: Whether a newer result of the test is there.
        sign: A sign beside the word.
        interval: What it was compared with, and whose interval that is.
        before: The result before, and the change.
        notes: What must be read with it.
        evidence: Where it comes from.
    """

    name: str
    english: str
    value: str
    converted: str
    time: str
    flag: str
    tone: str
    past: bool
    sign: str
    interval: str
    before: str
    notes: tuple[Line, ...]
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, kw_only=True)
class Panel:
    """Results of one panel."""

    name: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, kw_only=True)
class Part:
    """One part of the report.

    Args:
        key: Of the part, for facts and links.
        title: Heading.
        lines: What it says.
        none: What it means that there is no line; empty where the part is then left out.
        note: What holds of the lines that are marked.
        citations: Where the numbers of all lines come from.
    """

    key: str
    title: str
    lines: tuple[Line, ...]
    none: str = ""
    note: str = ""
    citations: tuple[Citation, ...] = ()


@dataclass(frozen=True, kw_only=True)
class LaboratoryView:
    """The whole part.

    Args:
        title: Heading.
        intro: Of which results it is.
        parts: What is urgent, what changed, what may be an artefact, what to add, in this order.
        columns: Headings of the table.
        panels: Every result of now.
        after: Indices, blood group, older tests.
    """

    title: str
    intro: str
    parts: tuple[Part, ...]
    columns: tuple[str, ...]
    panels: tuple[Panel, ...]
    after: tuple[Part, ...]
