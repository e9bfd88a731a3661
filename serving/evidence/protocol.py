"""What a piece of evidence looks like, kind by kind; every text in it is safe to show."""

from typing import Annotated, Literal

from pydantic import Field

from agent.assessment import RESEARCH_USE
from knowledge.model import Frozen


class Piece(Frozen):
    """Some characters of a line, marked where the evidence is."""

    text: str
    marked: bool = False


class Row(Frozen):
    """One named value.

    Args:
        name: What it is.
        value: As written at its source.
        marked: Whether it is what the evidence points to.
    """

    name: str
    value: str
    marked: bool = False


class NoteShown(Frozen):
    """A span of free text, with what stands around it.

    Args:
        document: Title of the note.
        time: When it was written, as shown; empty where it is not known.
        lines: The text, line by line.
        cut: Whether text before or after is left out.
    """

    kind: Literal["note"] = "note"
    document: str
    time: str = ""
    lines: tuple[tuple[Piece, ...], ...]
    cut: bool = False


class FieldShown(Frozen):
    """An element of a FHIR resource.

    Args:
        resource: Relative reference.
        path: The element.
        rows: What the resource says, the element marked.
    """

    kind: Literal["fhir"] = "fhir"
    resource: str
    path: str
    rows: tuple[Row, ...]


class LeadShown(Frozen):
    """An ECG, with the lead highlighted where one is named.

    Args:
        lead: The lead; empty where the whole recording is meant.
        time: When it was recorded, as shown.
        picture: Address of the picture.
        rows: What was measured in the lead, by our tool.
        headline: What the tool says of the recording.
        notes: What limits it.
    """

    kind: Literal["ecg"] = "ecg"
    lead: str = ""
    time: str = ""
    picture: str
    rows: tuple[Row, ...] = ()
    headline: str
    notes: tuple[str, ...] = ()


class ImageShown(Frozen):
    """An image or slide of the case.

    Args:
        picture: Address of a small picture of it.
        viewer: Address of the viewer at this image.
        title: Of its study, in words.
        time: When it was made, as shown.
        frame: Which picture of the file is meant, from 1; 0 for the file as a whole.
        region: Pixel bounds that are meant; empty where the whole picture is.
    """

    kind: Literal["image"] = "image"
    picture: str
    viewer: str
    title: str
    time: str = ""
    frame: int = 0
    region: tuple[int, ...] = ()


class RecordShown(Frozen):
    """Lines of a file, or an answer that a person gave.

    Args:
        record: Where in the file.
        rows: Named values, for an answer.
        lines: Numbered lines, the record marked.
    """

    kind: Literal["record"] = "record"
    record: str
    rows: tuple[Row, ...] = ()
    lines: tuple[Row, ...] = ()


class StatementShown(Frozen):
    """A statement of guideline knowledge, or a source that is cited.

    Args:
        statement: The statement; empty where only the source is cited.
        wording: How it is to be read, for example ``Epicrisis summary of ..., not verbatim``.
        source: Title of the source.
        year: Of its publication; empty where not known.
        doi: Where known.
        url: Where there is no DOI.
        strength: As the source grades it.
        review: The review state in words.
        licence: What the source may be used for.
        superseded_by: What replaced it.
    """

    kind: Literal["statement"] = "statement"
    statement: str = ""
    wording: str
    source: str
    year: str = ""
    doi: str = ""
    url: str = ""
    strength: str = ""
    review: str
    licence: str
    superseded_by: str = ""


class TableShown(Frozen):
    """A row of our reference data.

    Args:
        table: The file below ``knowledge/data``.
        row: Its path in the file.
        title: Of the table.
        rows: What it says.
        sources: Where its numbers are from, with the review state.
    """

    kind: Literal["reference"] = "reference"
    table: str
    row: str
    title: str
    rows: tuple[Row, ...]
    sources: tuple[StatementShown, ...] = ()


class InputShown(Frozen):
    """One finding a tool was given, with where it comes from."""

    label: str
    said: str
    evidence: tuple["Link", ...] = ()


class ToolShown(Frozen):
    """An output of one of our tools.

    Args:
        tool: Its name.
        version: Of the tool.
        output: Which output.
        statement: The result in words, where it states one.
        stated: The findings that rest on this output, each with what else they rest on.
        inputs: What it was given, as far as the assessment lists it.
        rows: The arithmetic, where there is one.
        caveats: What must be read with it.
        sources: The publications.
    """

    kind: Literal["tool"] = "tool"
    tool: str
    version: str
    output: str
    statement: str = ""
    stated: tuple[InputShown, ...] = ()
    inputs: tuple[InputShown, ...] = ()
    rows: tuple[Row, ...] = ()
    caveats: tuple[str, ...] = ()
    sources: tuple[StatementShown, ...] = ()


class NotShown(Frozen):
    """It cannot be shown; the reason is said, and nothing is shown in its place."""

    kind: Literal["unavailable"] = "unavailable"
    reason: str
    way_out: str = ""


class Link(Frozen):
    """A way to a piece of evidence.

    Args:
        id: Its id.
        kind: Which sort of place it is.
        place: The place in words.
        href: The page that shows it.
    """

    id: str
    kind: str
    place: str
    href: str


Shown = Annotated[
    NoteShown
    | FieldShown
    | LeadShown
    | ImageShown
    | RecordShown
    | StatementShown
    | TableShown
    | ToolShown
    | NotShown,
    Field(discriminator="kind"),
]


class EvidenceView(Frozen):
    """One piece of evidence as it is shown.

    Args:
        id: Its id.
        case: Id of the case.
        place: The place in words.
        file: The file it is in; empty for knowledge and tools.
        version: The assessment it belongs to; None for an answer of the chat between two.
        shown: The place itself.
        notice: What this product is.
    """

    id: str
    case: str
    place: str
    file: str = ""
    version: int | None = None
    shown: Shown
    notice: str = RESEARCH_USE
