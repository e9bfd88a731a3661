"""Facts from the free text of notes: the language model points, code checks, nothing is overridden.

The model names a clinical input, says present or absent, and copies the words. A quote that is not
in the note is dropped; so is one whose sentence denies, doubts, or says it of somebody else or of
another time. Numbers are never taken from a note.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from agent.llm.errors import LLMIncoherentError
from agent.llm.seam import LLM, ChatRequest, Message
from agent.note_reading.check import MAX_QUOTE, checked
from agent.note_reading.merge import NoteMerge, merge_note_facts
from agent.note_reading.model import DroppedFact, NoteFact, NoteReading, UnreadNote
from agent.prompts import load_prompt
from agent.untrusted import fenced, one_line
from knowledge.clinical_inputs import catalogue
from knowledge.clinical_time import ClinicalTime
from knowledge.note_terms import note_terms
from knowledge.passages import Language
from knowledge.timeline import Document

__all__ = [
    "DroppedFact",
    "NoteFact",
    "NoteMerge",
    "NoteReading",
    "UnreadNote",
    "merge_note_facts",
    "read_notes",
]

PURPOSE = "notes"

MAX_NOTES = 5
"""Notes read in one case, the newest first: one call each."""

NOTE_LIMIT = 6000
"""Characters of a note that are read: three pages, about 1500 tokens."""

MAX_FACTS = 12
"""Facts of one note: more of them than that and a small model begins to repeat itself."""

_TOKENS = 640
_TIMEOUT_S = 180.0
_TITLE = 60


async def read_notes(
    llm: LLM,
    notes: Sequence[Document],
    *,
    at: ClinicalTime,
    language: Language,
    timeout_s: float = _TIMEOUT_S,
) -> NoteReading:
    """Return the facts that stand in the notes, and what was dropped with the reason.

    Args:
        llm: The model.
        notes: Of this patient.
        at: The moment of assessment.
        language: Of the prompt; a note may be in either language.
        timeout_s: Most seconds for one note.

    Raises:
        LLMError: The model is down, too slow or over its budget. A single reply that is not in the
            form asked for leaves that note unread, with the reason.
    """
    ordered = sorted(notes, key=lambda n: (_when(n), n.id), reverse=True)
    unread = [
        UnreadNote(note=n.id, reason=f"only the newest {MAX_NOTES} notes are read")
        for n in ordered[MAX_NOTES:]
    ]
    facts: list[NoteFact] = []
    dropped: list[DroppedFact] = []
    keys: list[str] = []
    for note in ordered[:MAX_NOTES]:
        request = note_request(note, language=language, timeout_s=timeout_s)
        keys.append(request.key)
        if len(note.text) > NOTE_LIMIT:
            more = f"the text after {NOTE_LIMIT} characters was not read"
            unread.append(UnreadNote(note=note.id, reason=more))
        try:
            claims = _claims((await llm.chat(request)).data)
        except LLMIncoherentError as error:
            unread.append(UnreadNote(note=note.id, reason=error.reason))
            continue
        for claim in claims:
            found = checked(claim, note, at=at)
            (facts if isinstance(found, NoteFact) else dropped).append(found)  # type: ignore[arg-type]
    kept, contradicted = _consistent(facts)
    return NoteReading(
        facts=kept,
        dropped=(*dropped, *contradicted),
        unread=tuple(unread),
        exchange_keys=tuple(keys),
    )


def note_request(
    note: Document, *, language: Language, timeout_s: float = _TIMEOUT_S
) -> ChatRequest:
    """Return the request for one note: rules and inputs first, then the note as data."""
    prompt = load_prompt(PURPOSE, language)
    title = one_line(note.title, limit=_TITLE)
    return ChatRequest(
        purpose=PURPOSE,
        prompt=prompt.id,
        messages=(
            Message(role="system", content=prompt.render(inputs=", ".join(note_terms().inputs))),
            Message(
                role="user",
                content=fenced(note.text, label=f"note {title}", limit=NOTE_LIMIT),
            ),
        ),
        json_schema=facts_schema(),
        max_tokens=_TOKENS,
        timeout_s=timeout_s,
    )


def facts_schema() -> dict[str, Any]:
    """Return the schema of a reply: words copied first, then what they answer."""
    yes_no = [key for key, row in note_terms().inputs.items() if not row.choices]
    shapes = [_shape({"enum": yes_no}, {"enum": ["present", "absent"]})]
    for key, row in note_terms().inputs.items():
        if row.choices:
            shapes.append(_shape({"const": key}, {"const": "present"}, list(row.choices)))
    return {
        "type": "object",
        "properties": {
            "facts": {"type": "array", "maxItems": MAX_FACTS, "items": {"anyOf": shapes}}
        },
        "required": ["facts"],
        "additionalProperties": False,
    }


def _shape(key: object, state: object, choices: Sequence[str] = ()) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "quote": {"type": "string", "maxLength": MAX_QUOTE},
        "input": key,
        "state": state,
    }
    if choices:
        fields["choice"] = {"enum": list(choices)}
    return {
        "type": "object",
        "properties": fields,
        "required": list(fields),
        "additionalProperties": False,
    }


def _claims(data: object) -> Iterator[Any]:
    """Yield the claims of a reply, each once.

    Raises:
        LLMIncoherentError: There is no list of facts.
    """
    listed = data.get("facts") if isinstance(data, dict) else None
    if not isinstance(listed, list):
        raise LLMIncoherentError(PURPOSE, "the reply holds no list of facts")
    seen: list[Any] = []
    for claim in listed[:MAX_FACTS]:
        if claim not in seen:
            seen.append(claim)
    return iter(seen)


def _consistent(
    facts: Iterable[NoteFact],
) -> tuple[tuple[NoteFact, ...], tuple[DroppedFact, ...]]:
    """Return the facts on which the notes agree, one for each input and note, and the others."""
    once = {(f.input, f.note, f.state, f.choice): f for f in reversed(list(facts))}
    said: dict[str, set[tuple[str, str | None]]] = {}
    for fact in once.values():
        said.setdefault(fact.input, set()).add((fact.state, fact.choice))
    order = list(catalogue().inputs)
    ranked = sorted(
        once.values(), key=lambda f: (order.index(f.input), f.note, f.state, f.choice or "")
    )
    kept = tuple(f for f in ranked if len(said[f.input]) == 1)
    against = tuple(
        DroppedFact(
            reason="the notes say both",
            quote=one_line(f.quote, limit=MAX_QUOTE),
            input=f.input,
            note=f.note,
        )
        for f in ranked
        if len(said[f.input]) > 1
    )
    return kept, against


def _when(note: Document) -> str:
    return "" if note.time is None else str(note.time.sort_key[0])
