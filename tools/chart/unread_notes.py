"""Free text of the case: kept, and not read without a language model.

A note of this presentation may hold anything, so it stays in sight until a person has read it. Of
earlier ones, only those that name something important do, together as one item. What a report says
is looked at like its conclusion: only what it names without denying it counts.
"""

from collections.abc import Iterator, Sequence

from knowledge.chart_items import ChartItemTable, Term
from knowledge.clinical_time import ClinicalTime, elapsed
from knowledge.codes import Concept
from knowledge.evidence import FhirEvidence
from knowledge.finding import Finding, Why, not_assessed
from knowledge.timeline import Document, Timeline

_HOUR = 60.0
_SHOWN = 5
UNREAD_NOTE = "unread-note"
"""Flag of a text of this presentation: no answer to a question settles what it may hold."""
UNREAD = "its text is not read without a language model"
_EARLIER = "their text is not read without a language model"


def unread_notes(
    timeline: Timeline, table: ChartItemTable, *, at: ClinicalTime
) -> Iterator[tuple[Finding, tuple[Term, ...]]]:
    """Yield each text nobody has read, with the important things it names.

    Args:
        timeline: The patient's facts and texts.
        table: The words that matter.
        at: The moment of assessment; a later text is of no concern to it.
    """
    earlier: list[tuple[Document, tuple[Term, ...]]] = []
    for note in timeline.documents:
        since = elapsed(note.time, at).minutes
        if not note.text.strip() or (since and since.high is not None and since.high < 0):
            continue
        terms = table.terms_left_open(note.text)
        limit = table.windows.report_hours * _HOUR
        if since is not None and since.low is not None and since.low > limit:
            if any(term.deniable for term in terms):
                earlier.append((note, terms))
        elif terms or not _is_report(note):
            item = _item(note.title or "note", note.because or UNREAD, terms, (note,))
            yield item.model_copy(update={"flags": (UNREAD_NOTE,)}), terms
    if earlier:
        named = tuple(dict.fromkeys(t for _, terms in earlier for t in terms if t.deniable))
        notes = [note for note, _ in earlier]
        label = notes[0].title if len(notes) == 1 else f"{len(notes)} earlier documents"
        yield _item(label, _EARLIER if len(notes) > 1 else UNREAD, named, notes), named


def _item(label: str, why: str, terms: Sequence[Term], notes: Sequence[Document]) -> Finding:
    named = ", ".join(term.label for term in terms)
    return not_assessed(
        Concept(text=label),
        Why.UNREADABLE,
        f"{why}; it names {named}" if named else why,
        evidence=tuple(note.evidence for note in notes[:_SHOWN]),
        time=notes[0].time if len(notes) == 1 else None,
    )


def _is_report(note: Document) -> bool:
    place = note.evidence
    return note.report or (
        isinstance(place, FhirEvidence) and place.resource.startswith("DiagnosticReport")
    )
