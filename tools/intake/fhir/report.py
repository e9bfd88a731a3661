"""DiagnosticReport and DocumentReference: a fact, and their plain text as a document."""

import base64
import binascii
import hashlib
from collections.abc import Iterator

from knowledge.clinical_time import ClinicalTime
from knowledge.finding import State
from knowledge.quantity import Text
from knowledge.timeline import Category, Document, Fact
from tools.intake.fhir.build import fact
from tools.intake.fhir.markup import text_of_html
from tools.intake.fhir.resources import Attachment, DocumentResource, ReportResource
from tools.intake.fhir.source import MAX_TEXT, Source, concept, validated, words

_FLAGGED = frozenset({"preliminary", "partial", "amended", "corrected", "appended", "unknown"})
_HTML = "text/html"
_READ = ("text/plain", _HTML)


def facts_of_report(source: Source) -> Iterator[Fact | Document]:
    """Yield the fact that there is a report, with its conclusion, and its text forms."""
    resource = validated(source.entry, ReportResource, source.problems)
    if resource is None:
        return
    start, end = source.period(resource.effectivePeriod)
    time = start or source.time(resource.effectiveDateTime)
    conclusion = (resource.conclusion or "").strip()
    flags: tuple[str, ...] = (
        (resource.status,) if resource.status in _FLAGGED and resource.status else ()
    )
    if len(conclusion) > MAX_TEXT:
        flags += ("text-truncated",)
    yield fact(
        Category.REPORT,
        concept(resource.code, default="report without a name"),
        State.PRESENT,
        place=source.evidence(f"DiagnosticReport.{'conclusion' if conclusion else 'code'}"),
        value=Text(text=conclusion[:MAX_TEXT]) if conclusion else None,
        time=time,
        flags=flags,
        end=end,
    )
    title = words(resource.code) or "report"
    for index, form in enumerate(resource.presentedForm):
        path = f"DiagnosticReport.presentedForm[{index}]"
        yield from _document(source, form, path=path, title=title, time=time)


def documents_of_reference(source: Source) -> Iterator[Document]:
    """Yield the plain-text contents of a DocumentReference."""
    resource = validated(source.entry, DocumentResource, source.problems)
    if resource is None:
        return
    title = resource.description or words(resource.type) or "document"
    for index, content in enumerate(resource.content):
        path = f"DocumentReference.content[{index}].attachment"
        time = source.time(content.attachment.creation or resource.date)
        yield from _document(source, content.attachment, path=path, title=title, time=time)


def _document(
    source: Source, form: Attachment, *, path: str, title: str, time: ClinicalTime | None
) -> Iterator[Document]:
    """Yield the document of one attachment, or note why it has none; nothing is fetched."""
    kind, _, parameters = (form.contentType or "").partition(";")
    kind = kind.strip().lower()
    name = f"{source.entry.name}: {path.partition('.')[2]}"
    if kind not in _READ:
        kinds = " and ".join(_READ)
        source.problems.append(f"{name}: {kind or 'no content type'} is not read, only {kinds}")
        return
    if form.data is None:
        source.problems.append(f"{name}: the text is elsewhere and is not fetched")
        return
    charset = parameters.partition("charset=")[2].strip().strip('"') or "utf-8"
    try:
        text = base64.b64decode(form.data, validate=True).decode(charset)
    except (binascii.Error, ValueError, LookupError):
        source.problems.append(f"{name}: the attached text cannot be decoded")
        return
    if kind == _HTML:
        text = text_of_html(text)
    yield Document(
        id="d-" + hashlib.sha256(f"{source.entry.name}|{path}|{text}".encode()).hexdigest()[:12],
        title=(form.title or title)[:200],
        text=text,
        time=time,
        evidence=source.evidence(path),
    )
