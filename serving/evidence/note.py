"""A span of a note, marked where it stands."""

from knowledge.plain_text import visible
from knowledge.timeline import Document
from serving.evidence.protocol import NoteShown, NotShown, Piece

_AROUND = 1500
"""Characters shown before and after: a screenful each."""


def show_span(
    document: Document, start: int, end: int, *, time_zone: str | None
) -> NoteShown | NotShown:
    """Return the span of a note with its surroundings.

    A span that the text does not have is said to be so: the wrong words are never marked.

    Args:
        document: The note.
        start: First character of the span.
        end: First character after it.
        time_zone: Of the case, for the time of the note.
    """
    text = document.text
    if not start < end <= len(text):
        return NotShown(
            reason=f"the note has {len(text)} characters, not the span {start}-{end}",
            way_out="open the note itself; nothing is marked",
        )
    first, last = max(0, start - _AROUND), min(len(text), end + _AROUND)
    return NoteShown(
        document=visible(document.title),
        time=document.time.show(time_zone) if document.time is not None else "",
        lines=_lines(text, first, start, end, last),
        cut=first > 0 or last < len(text),
    )


def _lines(text: str, first: int, start: int, end: int, last: int) -> tuple[tuple[Piece, ...], ...]:
    """Return the part of a text line by line, each cut where the mark begins and ends."""
    parts = ((text[first:start], False), (text[start:end], True), (text[end:last], False))
    lines: list[list[Piece]] = [[]]
    for part, marked in parts:
        for number, line in enumerate(part.replace("\r\n", "\n").replace("\r", "\n").split("\n")):
            if number:
                lines.append([])
            if shown := visible(line):
                lines[-1].append(Piece(text=shown, marked=marked))
    return tuple(tuple(line) for line in lines)
