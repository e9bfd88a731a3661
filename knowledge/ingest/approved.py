"""The passages of approved documents: the only way from the collection to a search."""

from knowledge.ingest.collection import folder, texts
from knowledge.ingest.document import Act, Deed, Document, State
from knowledge.ingest.store import Reading, reading
from knowledge.passages import Origin, Passage
from knowledge.reference import Citation
from knowledge.settings import Settings


def document_passages(settings: Settings) -> tuple[Passage, ...]:
    """Return every passage of every approved document, in a stable order.

    Nothing that is quarantined, rejected or withdrawn is among them; a passage of a superseded
    version carries `superseded_by`. None where nothing was ever ingested.

    Raises:
        UnavailableError: The collection cannot be used.
    """
    with reading(folder(settings)) as store:
        if store is None:
            return ()
        return tuple(
            passage
            for document in sorted(store.documents(), key=lambda d: d.id)
            if document.state is State.APPROVED
            for passage in _passages(store, document)
        )


def _passages(store: Reading, document: Document) -> tuple[Passage, ...]:
    pages = store.pages(document.id)
    facts = document.facts
    citation = Citation(
        id=f"document/{document.id}",
        label=f"{facts.title}, {facts.body} ({facts.year})",
        doi=facts.doi,
        review=_reviewed([a for a in document.acts if a.deed is Deed.APPROVED][-1]),
        licence=facts.licence,
    )
    found: list[Passage] = []
    for number, (chunk, text) in enumerate(texts(store, document.id), start=1):
        page = pages[chunk.page].number
        found.append(
            Passage(
                id=f"doc:{document.id}#{number}",
                kind="original",
                title=facts.title,
                text=text,
                language=facts.language,
                label=f"Original text of {facts.title}" + (f", page {page}" if page else ""),
                topics=facts.topics,
                population=facts.population,
                citation=citation,
                published=facts.date,
                superseded_by=document.superseded_by,
                origin=Origin(
                    document=document.id,
                    page=page,
                    start=chunk.start,
                    end=chunk.end,
                    heading=chunk.heading,
                ),
            )
        )
    return tuple(found)


def _reviewed(act: Act) -> str:
    return f"taken in from the original; approved by {act.by} on {act.at.date().isoformat()}"
