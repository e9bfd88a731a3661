"""A record of a file that is not FHIR: lines of a case file, a text, or an answer somebody gave."""

import re

import yaml

from knowledge.evidence import RecordEvidence
from knowledge.plain_text import visible
from serving.cases.model import StoredAnswer
from serving.evidence.protocol import NotShown, RecordShown, Row

_AROUND, _MOST_LINES, _MOST_CHARACTERS = 3, 60, 400
_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")
_YAML = (".yaml", ".yml")


def show_record(evidence: RecordEvidence, content: bytes) -> RecordShown | NotShown:
    """Return the lines of a file in which a record stands.

    Args:
        evidence: The file and the record.
        content: The bytes of the file.
    """
    text = _text(content)
    if text is None:
        return NotShown(
            reason=f"{visible(evidence.file)} is not text; its record "
            f"{visible(evidence.record)!r} cannot be shown as lines",
            way_out="open the file with a program for its format",
        )
    lines = text.splitlines()
    if evidence.record == "text":
        span: tuple[int, int] | None = (0, len(lines))
    elif evidence.file.lower().endswith(_YAML):
        span = _span(text, evidence.record)
    else:
        span = _containing(lines, evidence.record)
    if span is None:
        return NotShown(
            reason=f"{visible(evidence.record)!r} was not found in {visible(evidence.file)}",
            way_out="open the file; nothing is marked",
        )
    return RecordShown(record=visible(evidence.record), lines=_shown(lines, *span))


def show_answer(evidence: RecordEvidence, answers: tuple[StoredAnswer, ...]) -> RecordShown | None:
    """Return an answer that a person entered; None where the record names none.

    Args:
        evidence: Its record is ``answers.<input> entered by ... at ...``.
        answers: Every answer of the case.
    """
    named = evidence.record.partition(" ")[0].removeprefix("answers.")
    for answer in reversed(answers):
        if answer.input != named:
            continue
        said = answer.answer
        rows = [
            Row(name="answer", value=visible(str(said.get("value"))), marked=True),
            Row(name="unit", value=visible(str(said.get("unit") or ""))),
            Row(name="observed at", value=visible(str(said.get("time") or ""))),
            Row(name="entered by", value=visible(answer.author)),
            Row(name="entered at", value=answer.entered_at.isoformat(timespec="seconds")),
        ]
        shown = tuple(row for row in rows if row.value)
        return RecordShown(record=visible(evidence.record), rows=shown)
    return None


def _text(content: bytes) -> str | None:
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        return None


def _span(text: str, record: str) -> tuple[int, int] | None:
    """Return the half-open lines of a path such as ``facts.pain_abrupt`` or ``notes[0]``."""
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError:
        return None
    start = 0
    for key, index in _STEP.findall(record):
        if isinstance(node, yaml.MappingNode) and key:
            found = next(((k, v) for k, v in node.value if k.value == key), None)
            if found is None:
                return None
            start, node = found[0].start_mark.line, found[1]
        elif isinstance(node, yaml.SequenceNode) and index and int(index) < len(node.value):
            node = node.value[int(index)]
            start = node.start_mark.line
        else:
            return None
    if node is None:
        return None
    end: int = node.end_mark.line + (1 if node.end_mark.column else 0)
    return start, max(end, start + 1)


def _containing(lines: list[str], record: str) -> tuple[int, int] | None:
    """Return the first line that names a record, for text of another format."""
    found = next((n for n, line in enumerate(lines) if record and record in line), None)
    return None if found is None else (found, found + 1)


def _shown(lines: list[str], start: int, end: int) -> tuple[Row, ...]:
    first, last = max(0, start - _AROUND), min(len(lines), end + _AROUND, start + _MOST_LINES)
    return tuple(
        Row(
            name=str(number + 1),
            value=visible(lines[number])[:_MOST_CHARACTERS],
            marked=start <= number < end,
        )
        for number in range(first, last)
    )
