"""Is a claimed fact in the note? Code decides; the language model only pointed at the place."""

from collections.abc import Mapping
from typing import Any

from agent.note_reading.model import DroppedFact, NoteFact
from agent.note_reading.polarity import Reading, meaning_at
from agent.note_reading.span import find
from agent.untrusted import one_line
from knowledge.clinical_inputs import catalogue
from knowledge.clinical_time import ClinicalTime, elapsed
from knowledge.evidence import FhirEvidence, NoteEvidence, RecordEvidence
from knowledge.finding import Finding, State
from knowledge.note_terms import InputTerms, note_terms, spans
from knowledge.quantity import Choice
from knowledge.timeline import Document

METHOD = "read from note by a language model, unconfirmed"
FLAG = "from-note"
MAX_QUOTE = 80
"""Characters of a quote: one statement, not a paragraph."""
_SHOWN = 120
_HOUR = 60.0


def checked(claim: Any, note: Document, *, at: ClinicalTime) -> NoteFact | DroppedFact:
    """Return a claim as a fact, or dropped with the first check it fails.

    Args:
        claim: One entry of the model's reply; anything.
        note: The note it was shown.
        at: The moment of assessment: a statement about now needs a note of now.
    """
    key, state, choice, quote = _parts(claim)
    row = note_terms().inputs.get(key)
    reason = _unusable(row, state, choice, quote)
    if reason is None and row is not None:
        reason = _too_old(row, note, at) or _not_said(row, state, choice, quote, note.text)
    if reason is not None:
        return DroppedFact(
            reason=reason,
            quote=one_line(quote, limit=_SHOWN),
            input=key if row is not None else "",
            note=note.id,
        )
    start, end = find(note.text, quote)[0]
    return NoteFact(
        input=key,
        state="present" if state == "present" else "absent",
        choice=choice,
        quote=note.text[start:end],
        note=note.id,
        finding=_finding(key, state, choice, note, start, end),
    )


def _parts(claim: Any) -> tuple[str, str, str | None, str]:
    fields: Mapping[str, Any] = claim if isinstance(claim, dict) else {}
    words = {k: v for k, v in fields.items() if isinstance(v, str)}
    return (
        words.get("input", ""),
        words.get("state", ""),
        words.get("choice") or None,
        words.get("quote", "")[: MAX_QUOTE + 1],
    )


def _unusable(row: InputTerms | None, state: str, choice: str | None, quote: str) -> str | None:
    if row is None:
        return "not an input that notes answer"
    if state not in ("present", "absent"):
        return "neither present nor absent"
    if not quote.strip():
        return "no quote"
    if len(quote) > MAX_QUOTE:
        return "the quote is too long to be one statement"
    if row.choices and (state != "present" or choice not in row.choices):
        return "not one of the choices"
    return None


def _too_old(row: InputTerms, note: Document, at: ClinicalTime) -> str | None:
    """Return why a note cannot speak of now; what holds for good may stand in any note."""
    minutes = elapsed(note.time, at).minutes
    if minutes is not None and minutes.high is not None and minutes.high < 0:
        return "the note is later than the assessment"
    if row.past_counts:
        return None
    if minutes is None:
        return "the time of the note is not known, and the statement is about now"
    limit = note_terms().window.max_age_hours
    if minutes.compare("le", limit * _HOUR) is not True:
        return f"the note is more than {limit:g} h old, and the statement is about now"
    return None


def _not_said(row: InputTerms, state: str, choice: str | None, quote: str, text: str) -> str | None:
    """Return why the note does not say it; every place where the quote stands must say it."""
    places = find(text, quote)
    if not places:
        return "the quote is not in the note"
    for start, end in places:
        reason = _not_said_at(row, state, choice, text, start, end)
        if reason is not None:
            return reason
    return None


def _not_said_at(
    row: InputTerms, state: str, choice: str | None, text: str, start: int, end: int
) -> str | None:
    quote = text[start:end]
    denials = _within(row.denials, quote, start)
    if choice is not None:
        terms = _within(row.choices[choice], quote, start)
    else:
        terms = _within(row.terms, quote, start)
    # of the whole note: a quote must not cut the first word off "gestational diabetes"
    others = spans(row.not_this, text) if row.not_this else []
    plain = [t for t in terms if not _inside(t, denials) and not _overlaps(t, others)]
    if not plain and not denials:
        return "the quote does not speak of it"
    readings = [meaning_at(text, *place, row) for place in plain]
    readings += [_denial(meaning_at(text, *place, row)) for place in denials]
    unclear = next((r for r in readings if r.meaning == "unclear"), None)
    if unclear is not None:
        return unclear.because
    wanted = "said" if state == "present" else "denied"
    if any(r.meaning != wanted for r in readings):
        return f"the note says the opposite of {state}"
    answers = _within(row.for_absent, quote, start) if choice is None else terms
    if state == "absent" and not denials and not answers:
        return "what is denied is only a part of the question"
    return None


def _denial(reading: Reading) -> Reading:
    """Return what a phrase that itself denies means; denied once more, it is unclear."""
    if reading.meaning == "said":
        return Reading(meaning="denied")
    return Reading(meaning="unclear", because=reading.because or "denied twice")


def _inside(place: tuple[int, int], others: list[tuple[int, int]]) -> bool:
    return any(a <= place[0] and place[1] <= b for a, b in others)


def _overlaps(place: tuple[int, int], others: list[tuple[int, int]]) -> bool:
    return any(a < place[1] and place[0] < b for a, b in others)


def _within(words: tuple[str, ...], quote: str, offset: int) -> list[tuple[int, int]]:
    return [(offset + a, offset + b) for a, b in spans(words, quote)] if words else []


def _finding(
    key: str, state: str, choice: str | None, note: Document, start: int, end: int
) -> Finding:
    return Finding(
        concept=catalogue().concept(key),
        state=State(state),
        value=None if choice is None else Choice(choice=choice),
        time=note.time,
        method=METHOD,
        flags=(FLAG,),
        evidence=(NoteEvidence(file=_file(note), document=note.id, start=start, end=end),),
    )


def _file(note: Document) -> str:
    place = note.evidence
    return place.file if isinstance(place, FhirEvidence | RecordEvidence) else note.title
