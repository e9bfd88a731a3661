"""What an administrator and a reviewer do with documents; each act has an author and a time."""

import hashlib
from datetime import datetime
from pathlib import Path

from pydantic import ValidationError

from knowledge.errors import InvalidValueError
from knowledge.ingest.chunks import Chunk
from knowledge.ingest.document import Act, Deed, Document, DocumentFacts, State
from knowledge.ingest.read import READER, bytes_of, read
from knowledge.ingest.store import Reading, Writing, reading, writing
from knowledge.model import Frozen
from knowledge.plain_text import visible
from knowledge.settings import Settings

_ID = 16
"""Characters of the hash that name a document: 64 bits, unique among any hospital's documents."""

_LONGEST = 2000


class Ingested(Frozen):
    """What came of one file.

    Args:
        document: As it stands now.
        new: Whether the collection changed; False for bytes that are there already.
    """

    document: Document
    new: bool


def folder(settings: Settings) -> Path:
    """Return where the collection is kept."""
    return settings.data_dir / "documents"


def ingest(
    path: Path, facts: DocumentFacts, *, by: str, at: datetime, settings: Settings
) -> Ingested:
    """Take a file into quarantine and return the document.

    Bytes that are there already are the same document: nothing is added, unless it was withdrawn;
    then it goes back into quarantine.

    Args:
        path: The file.
        facts: What is stated about it.
        by: The administrator.
        at: Now, with its zone.
        settings: Limits, and where the collection is.

    Raises:
        UnreadableError: Damaged, protected, without text, or no such file.
        UnsupportedError: Not a PDF, HTML, DOCX or Markdown file.
        TooLargeError: Over a limit.
        InvalidValueError: `facts` differ from those stated before, or supersede what is not there.
        UnavailableError: The collection cannot be used.
    """
    name = visible(path.name)
    content = bytes_of(path, settings=settings)
    sha256 = hashlib.sha256(content).hexdigest()
    document_id = sha256[:_ID]
    before = _existing(document_id, settings)
    found = None if before is not None else read(content, name=name, settings=settings)
    with writing(folder(settings)) as store:
        before = next((d for d in store.documents() if d.id == document_id), None)
        _check_facts(store, document_id, facts, before)
        if before is not None and before.state is not State.WITHDRAWN:
            return Ingested(document=before, new=False)
        if before is None and found is not None:
            store.add_document(
                row=(document_id, name, sha256, found.extracted.format.value, READER),
                notes=found.extracted.notes,
                flags=found.flags,
                pages=found.extracted.pages,
                passages=found.passages,
            )
        _act(store, document_id, Deed.INGESTED, by=by, at=at, facts=facts)
        return Ingested(document=store.document(document_id), new=True)


def review(
    document_id: str, *, approve: bool, by: str, at: datetime, note: str = "", settings: Settings
) -> Document:
    """Approve or reject a document and return it; only an approved one is found by a search.

    Args:
        document_id: The document.
        approve: True to approve, False to reject.
        by: The reviewer.
        at: Now, with its zone.
        note: Required to reject, and to approve text that addresses an AI.
        settings: Where the collection is.

    Raises:
        InvalidValueError: There is no such document, it is withdrawn, it is in that state already,
            or a note is missing.
        UnavailableError: The collection cannot be used.
    """
    deed = Deed.APPROVED if approve else Deed.REJECTED
    item = f"document {visible(document_id)}"
    with writing(folder(settings)) as store:
        document = store.document(document_id)
        if document.state is State.WITHDRAWN:
            raise InvalidValueError(item, "is withdrawn", "ingest it again to review it again")
        if document.state.value == deed.value:
            raise InvalidValueError(item, f"is {deed} already")
        if approve and document.flags and not note.strip():
            raise InvalidValueError(
                item,
                f"{len(document.flags)} passages address an AI",
                "look at them, and say in --note why it is approved all the same",
            )
        if not approve and not note.strip():
            raise InvalidValueError(item, "is rejected without a reason", "give it by --note")
        _act(store, document_id, deed, by=by, at=at, text=note)
        return store.document(document_id)


def withdraw(
    document_id: str, *, by: str, at: datetime, reason: str, settings: Settings
) -> Document:
    """Withdraw a document and return it; it stays in the collection and is no longer found.

    Raises:
        InvalidValueError: There is no such document, it is withdrawn already, or no reason is
            given.
        UnavailableError: The collection cannot be used.
    """
    item = f"document {visible(document_id)}"
    if not reason.strip():
        raise InvalidValueError(item, "is withdrawn without a reason", "give it by --reason")
    with writing(folder(settings)) as store:
        if store.document(document_id).state is State.WITHDRAWN:
            raise InvalidValueError(item, "is withdrawn already")
        _act(store, document_id, Deed.WITHDRAWN, by=by, at=at, text=reason)
        return store.document(document_id)


def documents(settings: Settings) -> tuple[Document, ...]:
    """Return every document with its state and history; none where nothing was ever ingested.

    Raises:
        UnavailableError: The collection cannot be used.
    """
    with reading(folder(settings)) as store:
        return () if store is None else store.documents()


def to_review(
    document_id: str, settings: Settings
) -> tuple[Document, tuple[tuple[Chunk, str], ...]]:
    """Return a document in any state with its passages, for the eyes of a reviewer only.

    Raises:
        InvalidValueError: There is no such document.
        UnavailableError: The collection cannot be used.
    """
    with reading(folder(settings)) as store:
        if store is None:
            raise InvalidValueError(f"document {visible(document_id)}", "nothing was ever ingested")
        return store.document(document_id), texts(store, document_id)


def texts(store: Reading, document_id: str) -> tuple[tuple[Chunk, str], ...]:
    """Return each passage's span and its text, which is the text of the page at that span."""
    pages = store.pages(document_id)
    return tuple((c, pages[c.page].text[c.start : c.end]) for c in store.chunks(document_id))


def stated(**values: object) -> DocumentFacts:
    """Return the facts of a document from what was typed.

    Raises:
        InvalidValueError: One of them is empty or impossible; the message names the option.
    """
    try:
        return DocumentFacts.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        field = "date" if first["loc"][0] == "published" else str(first["loc"][0])
        raise InvalidValueError(f"--{field}", first["msg"], "correct it") from error


def _existing(document_id: str, settings: Settings) -> Document | None:
    return next((d for d in documents(settings) if d.id == document_id), None)


def _check_facts(
    store: Reading, document_id: str, facts: DocumentFacts, before: Document | None
) -> None:
    if facts.supersedes is not None:
        if facts.supersedes == document_id:
            raise InvalidValueError("--supersedes", "names the document itself")
        store.document(facts.supersedes)
    if before is None or before.state is State.WITHDRAWN or before.facts == facts:
        return
    mine, theirs = facts.model_dump(), before.facts.model_dump()
    names = ", ".join(name for name in mine if mine[name] != theirs[name])
    raise InvalidValueError(
        f"document {document_id}",
        f"is there already with another {names}",
        "withdraw it first to ingest it with other facts",
    )


def _act(
    store: Writing,
    document_id: str,
    deed: Deed,
    *,
    by: str,
    at: datetime,
    text: str = "",
    facts: DocumentFacts | None = None,
) -> None:
    author = " ".join(visible(by).split())[:_LONGEST]
    if not author:
        raise InvalidValueError("author", f"a document is not {deed} without a name", "give it")
    before = store.acts()
    store.add_act(
        Act(
            number=before[-1].number + 1 if before else 1,
            document=document_id,
            deed=deed,
            by=author,
            at=at,
            text=visible(text).strip()[:_LONGEST],
            facts=facts,
        )
    )
