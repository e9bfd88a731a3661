"""FHIR R4 JSON to its resources: a Bundle of any type, one resource, or NDJSON."""

import codecs
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson
from msgspec import Struct

from knowledge.errors import UnreadableError, UnsupportedError
from knowledge.plain_text import visible
from tools.intake.fhir.searchset import HINTS, is_harmless

MAX_NESTED_BUNDLES = 4
"""A bundle in a bundle occurs (batch of searches); deeper nesting is not clinical data."""

MAX_DEPTH = 254
"""Levels of lists and objects that orjson can write again."""

_LONGEST_REASON = 300
"""Characters of a server's reason that are shown."""

_READS = 1024
"""Levels that orjson reads: in as many lists as are left over, what is too deep is refused."""

_OPEN, _CLOSE = b"[" * (_READS - MAX_DEPTH), b"]" * (_READS - MAX_DEPTH)
_TOO_DEEP = "nested too deep for FHIR"


class Entry(Struct, eq=False, gc=False):
    """One resource and where it stands; never changed after it was made.

    Args:
        file: The file.
        type: ``resourceType``.
        id: Logical id, where there is one.
        full_url: ``Bundle.entry.fullUrl``, where there is one.
        name: How evidence names it: ``Observation/7``, or its place for one without an id.
        resource: The plain JSON object.
        within: For a contained resource, the entry that contains it.
        conflicting: Stated with different contents, and nothing tells which is newer.
        clock: Whose clock its times without an offset are read from; None for the file's own.
        doubt: Why it is `conflicting`, where its source says more than that.
    """

    file: str
    type: str
    id: str | None
    full_url: str | None
    name: str
    resource: dict[str, Any]
    within: "Entry | None" = None
    conflicting: bool = False
    clock: str | None = None
    doubt: str = ""


@dataclass(frozen=True, slots=True)
class Deletion:
    """A resource that a history or transaction bundle says was deleted."""

    file: str
    type: str
    id: str
    at: str | None


@dataclass(frozen=True, slots=True)
class FhirFile:
    """The resources of one file, with what could not be taken apart."""

    file: str
    entries: tuple[Entry, ...]
    deletions: tuple[Deletion, ...] = ()
    problems: tuple[str, ...] = ()


@dataclass(slots=True)
class _Collected:
    file: str
    entries: list[Entry] = field(default_factory=list)
    deletions: list[Deletion] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def parse(content: bytes, file: str) -> FhirFile:
    """Return the resources of a FHIR JSON or NDJSON file.

    Raises:
        UnreadableError: Not JSON: truncated, corrupted, not UTF-8, too deep, a number too large.
        UnsupportedError: JSON, but not FHIR.
    """
    found = _Collected(file)
    text = as_utf8(content, file)
    try:
        document = _load(text)
    except _TooDeepError as error:
        raise UnreadableError(file, _TOO_DEEP, "export it again") from error
    except orjson.JSONDecodeError as error:
        if not _is_ndjson(text):
            raise UnreadableError(
                file, f"not JSON: {error.msg} (line {error.lineno})", "export it again"
            ) from error
        _collect_lines(text, found)
    else:
        if not isinstance(document, dict) or not isinstance(document.get("resourceType"), str):
            raise UnsupportedError(file, "JSON, but not a FHIR resource (no resourceType)")
        _collect(document, found, place="", full_url=None, depth=0)
    return FhirFile(
        file=file,
        entries=tuple(found.entries),
        deletions=tuple(found.deletions),
        problems=tuple(found.problems),
    )


def as_utf8(content: bytes, file: str) -> bytes:
    """Return text without its byte order mark, from UTF-16 where the mark says so.

    Raises:
        UnreadableError: Marked as UTF-16, but is not.
    """
    if content.startswith(codecs.BOM_UTF8):
        return content[len(codecs.BOM_UTF8) :]
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        try:
            return content.decode("utf-16").encode()
        except UnicodeError as error:
            raise UnreadableError(file, "not valid UTF-16", "export it as UTF-8") from error
    return content


def contained(entry: Entry) -> Iterator[Entry]:
    """Yield the resources contained in a resource."""
    inner = entry.resource.get("contained")
    if not isinstance(inner, list):
        return
    for index, resource in enumerate(inner):
        if not isinstance(resource, dict) or not isinstance(resource.get("resourceType"), str):
            continue
        own = resource.get("id")
        own_id = own.removeprefix("#") if isinstance(own, str) else None
        yield Entry(
            file=entry.file,
            type=resource["resourceType"],
            id=own_id,
            full_url=None,
            name=f"{entry.name}#{own_id or index}",
            resource=resource,
            within=entry,
        )


class _TooDeepError(Exception):
    """JSON that is nested deeper than `MAX_DEPTH`."""


def _load(text: bytes) -> Any:
    """Return JSON of at most `MAX_DEPTH` levels.

    The reader counts the levels anyway: read in a number of lists, it refuses what is too deep, and
    nothing has to be walked again.

    Raises:
        JSONDecodeError: Not JSON.
        _TooDeepError: Deeper.
    """
    try:
        document = orjson.loads(b"".join((_OPEN, text, _CLOSE)))
        for _ in _OPEN:
            (document,) = document  # two where the text closes a list itself, and is not JSON
    except ValueError:
        orjson.loads(text)
        raise _TooDeepError from None
    return document


def _is_ndjson(text: bytes) -> bool:
    first, _, rest = text.lstrip().partition(b"\n")
    if not rest.strip():
        return False
    try:
        return isinstance(orjson.loads(first), dict)
    except orjson.JSONDecodeError:
        return False


def _collect_lines(text: bytes, found: _Collected) -> None:
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            resource = _load(line)
        except _TooDeepError:
            found.problems.append(f"line {number}: {_TOO_DEEP}")
            continue
        except orjson.JSONDecodeError as error:
            found.problems.append(f"line {number}: not JSON: {error.msg}")
            continue
        _collect(resource, found, place=f"line {number}", full_url=None, depth=0)


def _collect(
    resource: Any, found: _Collected, *, place: str, full_url: str | None, depth: int
) -> None:
    kind = resource.get("resourceType") if isinstance(resource, dict) else None
    if not isinstance(kind, str):
        found.problems.append(f"{place}: not a FHIR resource (no resourceType)")
        return
    if kind == "Bundle":
        _collect_bundle(resource, found, place=place, depth=depth)
        return
    if kind == "OperationOutcome":
        found.problems.extend(_reported(resource))
    given = resource.get("id")
    own_id = given if isinstance(given, str) and given else None
    name = f"{kind}/{own_id}" if own_id else f"{kind} ({place})" if place else kind
    found.entries.append(
        Entry(
            file=found.file, type=kind, id=own_id, full_url=full_url, name=name, resource=resource
        )
    )


def _reported(outcome: dict[str, Any]) -> Iterator[str]:
    """Yield what a server reports in place of data: what it did not give is not absent.

    A warning counts too where it says that data were left out.
    """
    issues = outcome.get("issue")
    for issue in issues if isinstance(issues, list) else ():
        if not isinstance(issue, dict) or is_harmless(issue):
            continue
        details = issue.get("details")
        texts = (issue.get("diagnostics"), details.get("text") if isinstance(details, dict) else "")
        code = issue.get("code")
        said = next(
            (t for t in (*texts, code) if isinstance(t, str) and t.strip()), "no reason given"
        )
        hint = issue.get("severity") in HINTS
        what = "that data are missing" if hint else "an error"
        yield f"the source reports {what}: {visible(said)[:_LONGEST_REASON]}"


def _collect_bundle(bundle: dict[str, Any], found: _Collected, *, place: str, depth: int) -> None:
    if depth >= MAX_NESTED_BUNDLES:
        found.problems.append(f"{place}: bundles nested too deep")
        return
    entries = bundle.get("entry", [])
    if not isinstance(entries, list):
        found.problems.append(f"{place or 'Bundle'}.entry: not a list")
        return
    prefix = f"{place}." if place else ""
    for index, entry in enumerate(entries):
        where = f"{prefix}Bundle.entry[{index}]"
        if not isinstance(entry, dict):
            found.problems.append(f"{where}: not an object")
            continue
        full_url = entry.get("fullUrl")
        resource = entry.get("resource")
        if resource is not None:
            _collect(
                resource,
                found,
                place=where,
                full_url=full_url if isinstance(full_url, str) else None,
                depth=depth + 1,
            )
        else:
            _note_deletion(entry, found)


def _note_deletion(entry: dict[str, Any], found: _Collected) -> None:
    request = entry.get("request")
    if not isinstance(request, dict) or request.get("method") != "DELETE":
        return
    url = request.get("url")
    parts = url.split("?")[0].strip("/").split("/") if isinstance(url, str) else []
    response = entry.get("response")
    at = response.get("lastModified") if isinstance(response, dict) else None
    if len(parts) >= 2:
        found.deletions.append(
            Deletion(found.file, parts[-2], parts[-1], at if isinstance(at, str) else None)
        )
