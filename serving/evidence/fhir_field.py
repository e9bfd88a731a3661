"""An element of a FHIR resource, or of what HL7 v2 segments say, beside what else it says."""

from collections.abc import Iterator
from typing import Any

from knowledge.evidence import FhirEvidence
from knowledge.plain_text import visible
from serving.evidence.protocol import FieldShown, NotShown, Row
from tools.intake.fhir.bundle import Entry, contained, parse
from tools.intake.hl7v2.link import PREFIX
from tools.intake.hl7v2.reader import entry as hl7_entry
from tools.intake.hl7v2.wire import is_hl7v2
from tools.intake.sniff import HEAD

_HIDDEN = frozenset({"resourceType", "meta", "text", "contained"})
"""Left out: the machine's own words, and what is listed under its own name."""
_MOST_ROWS, _MOST_CHARACTERS, _DEEP = 80, 400, 6


def show_field(evidence: FhirEvidence, content: bytes) -> FieldShown | NotShown:
    """Return the resource field by field, the element of the evidence marked.

    Args:
        evidence: The file, the resource and the path.
        content: The bytes of the file.

    Raises:
        InputError: The file cannot be read as FHIR.
    """
    entry = _entry(content, evidence)
    if entry is None:
        return NotShown(
            reason=f"{visible(evidence.resource)} is not in {visible(evidence.file)}",
            way_out="open the file",
        )
    path = evidence.path.partition(".")[2]
    came = entry.resource.get("meta", {}).get("segments", ()) if _is_hl7(entry) else ()
    rows = [Row(name="HL7 v2 segment", value=visible(s)[:_MOST_CHARACTERS]) for s in came] + [
        Row(name=name, value=value, marked=_within(name, path))
        for name, value in _rows(entry.resource, "", 0)
    ]
    marked = [row for row in rows if row.marked]
    if path and not marked:
        missing = Row(name=path, value="(not in the resource)", marked=True)
        rows = [missing, *rows]
    ordered = [r for r in rows if r.marked] + [r for r in rows if not r.marked]
    return FieldShown(
        resource=visible(evidence.resource),
        path=visible(evidence.path),
        rows=tuple(ordered[:_MOST_ROWS]),
    )


def _entry(content: bytes, evidence: FhirEvidence) -> Entry | None:
    if is_hl7v2(content[:HEAD]):
        return hl7_entry(content, evidence.file, evidence.resource)
    for entry in parse(content, evidence.file).entries:
        for one in (entry, *contained(entry)):
            if one.name == evidence.resource:
                return one
    return None


def _is_hl7(entry: Entry) -> bool:
    return (entry.id or "").startswith(PREFIX)


def _rows(value: Any, path: str, depth: int) -> Iterator[tuple[str, str]]:
    """Yield every leaf as FHIRPath and text; deeper than anybody reads is said to be so."""
    if isinstance(value, dict):
        if depth > _DEEP:
            yield path, "(more, nested)"
            return
        for key, inner in value.items():
            if depth or key not in _HIDDEN:
                yield from _rows(inner, f"{path}.{key}" if path else visible(key), depth + 1)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _rows(inner, f"{path}[{index}]", depth + 1)
    else:
        text = {True: "true", False: "false", None: "null"}.get(value) if _is_word(value) else None
        yield path, visible(str(value) if text is None else text)[:_MOST_CHARACTERS]


def _is_word(value: Any) -> bool:
    return value is None or isinstance(value, bool)


def _within(name: str, path: str) -> bool:
    """Return whether a leaf is the element or lies within it.

    Examples:
        >>> _within("component[0].valueQuantity.value", "component[0].valueQuantity")
        True
        >>> _within("component[10].code", "component[1]")
        False
    """
    return bool(path) and (name == path or name.startswith((f"{path}.", f"{path}[")))
