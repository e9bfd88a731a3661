"""One message taken apart by `hl7types`, losslessly: every segment in order, unknown ones too.

The typed models of the library are not used: they refuse most real messages for one field that is
too long, and put placeholders where a required field, such as the status of a result, is missing.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from knowledge.errors import TooLargeError, UnreadableError
from knowledge.plain_text import visible
from tools.intake.hl7v2.charset import decoded
from tools.intake.hl7v2.wire import RawMessage

if TYPE_CHECKING:
    from hl7types.codecs.er7.generic import GenericSegment

MAX_DELIMITERS = 1_000_000
"""Delimiters in one message: a 3 MB message of 30,000 results has 700,000."""

NULL = '""'
"""Two quotes: "delete what was there" (HL7 v2.5.1, 2.5.3). It states no value."""

_SEGMENT = re.compile(r"[A-Z][A-Z0-9]{2}(?:\W|$)")
_RUN_TOGETHER = re.compile(
    r"[ \t\n](?:(EVN)\|[A-Z]\d\d\||(MSH)\|\^|(ORC)\|[A-Z]{2}\||"
    r"(PID|PV1|NK1|OBR|OBX|NTE|TXA|SPM|AL1|DG1|PR1|GT1|IN1)\|\d{0,4}\|)"
)
"""A segment inside another one's line; a word of a text that is followed by a bar is none."""

_ENCODING = "^~\\&"
_MINIMUM = 4
_SIZES = (4, 5)
_LONGEST = 60


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment; fields, components and subcomponents count from 1 as in the standard.

    Args:
        position: In the message, from 1.
        name: Its three letters.
        raw: The line as it came.
    """

    position: int
    name: str
    raw: str
    parsed: "GenericSegment"
    escape: str
    delimiters: tuple[str, str, str, str]

    def repetitions(self, field: int) -> int:
        """Return how many repetitions a field has; 0 for one that is empty."""
        found = self.parsed.get_field(field)
        return 0 if found is None or not found.value else len(found.repetitions)

    def get(self, field: int, component: int = 1, sub: int = 1, *, rep: int = 1) -> str:
        """Return one value without its escapes; empty where there is none, also for a null."""
        found = self.parsed.get_field(field)
        if found is None or rep > len(found.repetitions):
            return ""
        components = found.repetitions[rep - 1].components
        if component > len(components):
            return ""
        values = components[component - 1].subcomponents
        value = values[sub - 1] if sub <= len(values) else ""
        return "" if value == NULL else self.unescaped(value).strip()

    def whole(self, field: int, *, rep: int | None = None) -> str:
        """Return a field as text: what is printed, with the delimiters inside as they came."""
        found = self.parsed.get_field(field)
        if found is None or found.value == NULL:
            return ""
        if rep is None:
            return self.unescaped(found.value)
        parts = found.value.split(self.delimiters[2])
        return self.unescaped(parts[rep - 1]) if rep <= len(parts) else ""

    def parts(self, field: int) -> list[list[int]]:
        """Return where the first repetition of a field says something.

        For each component, up to the last that says something, the places of its subcomponents
        from 0: ``[[0]]`` for one plain value.
        """
        found = self.parsed.get_field(field)
        components = found.repetitions[0].components if found and found.repetitions else ()
        said = [[n for n, text in enumerate(c.subcomponents) if text] for c in components]
        while said and not said[-1]:
            said.pop()
        return said

    def is_null(self, field: int) -> bool:
        """Return whether a field says that what was there is deleted."""
        found = self.parsed.get_field(field)
        return found is not None and found.value == NULL

    def unescaped(self, text: str) -> str:
        """Return text with its escape sequences read (HL7 v2.5.1, 2.7)."""
        mark, text = self.escape, text.replace("\v", "\n")
        if not mark or mark not in text:
            return text
        return re.sub(
            rf"{re.escape(mark)}([^{re.escape(mark)}]{{1,200}}){re.escape(mark)}",
            lambda found: self._meaning(found[1], found[0]),
            text,
        )

    def _meaning(self, code: str, whole: str) -> str:
        field, component, repetition, subcomponent = self.delimiters
        plain = {
            "F": field,
            "S": component,
            "R": repetition,
            "T": subcomponent,
            "E": self.escape,
            "P": "#",
            "H": "",
            "N": "",
            ".br": "\n",
            ".BR": "\n",
            ".ce": "\n",
        }
        if code in plain:
            return plain[code]
        if code[0] == "X" and re.fullmatch(r"X(?:[0-9A-Fa-f]{2})+", code):
            return bytes.fromhex(code[1:]).decode("ascii", "replace")
        if re.fullmatch(r"\.(?:sp|in|ti|sk)[+-]?\d*", code):
            return "\n" if code.startswith(".sp") else " "
        return "" if code in (".fi", ".nf") else whole


@dataclass(frozen=True)
class Message:
    """One message.

    Args:
        raw: As it came.
        segments: In order, MSH first.
        problems: What was odd about its form, and was read nevertheless.
    """

    raw: RawMessage
    segments: tuple[Segment, ...]
    problems: tuple[str, ...]

    @property
    def head(self) -> Segment:
        """MSH."""
        return self.segments[0]

    @cached_property
    def code(self) -> str:
        """Message code of MSH-9, for example ``ORU``."""
        return self.head.get(9).upper()

    @cached_property
    def trigger(self) -> str:
        """Trigger event, for example ``R01``; from EVN-1 where MSH-9 does not say."""
        event = next((s.get(1) for s in self.segments if s.name == "EVN"), "")
        return (self.head.get(9, 2) or event).upper()

    @property
    def type(self) -> str:
        """Message code and trigger event, as they are written."""
        return "^".join(part for part in (self.code, self.trigger) if part) or "no type"

    @property
    def control_id(self) -> str:
        """MSH-10."""
        return self.head.get(10)

    @property
    def name(self) -> str:
        """What evidence and messages call it: its number, type and control id."""
        told = visible(self.control_id)[:_LONGEST]
        return f"message {self.raw.number} ({visible(self.type)[:20]}{f', {told}' if told else ''})"

    @property
    def facility(self) -> str:
        """Sending facility, else application: who gives numbers that name no authority."""
        return self.head.get(4) or self.head.get(3) or self.head.get(4, 2) or self.head.get(3, 2)

    @property
    def clock(self) -> str:
        """Whose clock times without an offset are read from."""
        parts = (self.head.get(3), self.head.get(4))
        return " ".join(p for p in parts if p) or f"the sender of {self.name}"


def parse_message(raw: RawMessage, *, only: Collection[str] | None = None) -> Message:
    """Return a message taken apart.

    Args:
        raw: The message.
        only: Names of the segments wanted beside MSH, where what it is and whose is enough.

    Raises:
        UnsupportedError: Its character set is not taken.
        UnreadableError: Not its character set, no encoding characters, lines run together.
        TooLargeError: More than `MAX_DELIMITERS`.
    """
    from hl7types.codecs.er7.generic import decode_er7_generic  # a quarter of a second

    item = f"message {raw.number}"
    text = decoded(raw, item)
    if not text.startswith("MSH") or len(text) < _MINIMUM:
        raise UnreadableError(item, "does not begin with an MSH segment", "export it again")
    separator = text[3]
    problems: list[str] = []
    lines = _lines(text, problems)
    head, encoding = _head(lines[0], separator, item, problems)
    if sum(text.count(mark) for mark in (separator, *encoding)) > MAX_DELIMITERS:
        raise TooLargeError(item, f"over {MAX_DELIMITERS} fields", "send it in parts")
    together = next((m for line in lines if (m := _RUN_TOGETHER.search(line))), None)
    if together is not None and separator == "|":
        name = together[together.lastindex or 0]
        reason = f"segments run together: {name} stands inside another segment's line"
        raise UnreadableError(item, reason, "its line ends were lost; export it again")
    wanted = (line for line in lines[1:] if only is None or line[:3] in only)
    generic = decode_er7_generic("\r".join((head, *(one.replace("\n", "\v") for one in wanted))))
    delimiters = (separator, encoding[0], encoding[1], encoding[3])
    segments = tuple(
        Segment(
            position=position,
            name=one.name,
            raw=one.raw.replace("\v", "\n"),
            parsed=one,
            escape=encoding[2],
            delimiters=delimiters,
        )
        for position, one in enumerate(generic.segments, start=1)
    )
    return Message(raw=raw, segments=segments, problems=tuple(problems))


def _lines(text: str, problems: list[str]) -> list[str]:
    """Return the segments; a line that begins with no segment's name goes on with the one before.

    A line end inside a field is a mistake of the sender: nothing of the text is lost by it.
    """
    found: list[str] = []
    joined = 0
    for line in re.split(r"\r\n|\r|\n", text.replace("\v", " ").replace("\f", " ")):
        if not line.strip():
            continue
        if _SEGMENT.match(line) or not found:
            found.append(line)
        else:
            joined += 1
            found[-1] += f"\n{line}"
    if joined:
        problems.append(
            f"{joined} lines begin with no segment's name and were read on with the line before"
        )
    return found


def _head(line: str, separator: str, item: str, problems: list[str]) -> tuple[str, str]:
    """Return MSH with encoding characters that can be used, and these.

    Raises:
        UnreadableError: There are none.
    """
    stated, _, rest = line[4:].partition(separator)
    line = line.replace("\n", "\v")
    if stated == "^~\\\\&":
        problems.append("MSH-2 repeats the escape character; read as ^~\\&")
        return f"MSH{separator}{_ENCODING}{separator}{rest}".replace("\n", "\v"), _ENCODING
    if len(stated) not in _SIZES or len(set(stated) | {separator}) <= len(stated):
        raise UnreadableError(
            item, "MSH-2 names no four different encoding characters", "export it again"
        )
    if any(mark.isalnum() or mark.isspace() for mark in (*stated, separator)):
        raise UnreadableError(item, "MSH-2 holds letters or digits", "export it again")
    return line, stated
