"""The nodes that conclude: guideline passages, the pathway's assessment, sign-off."""

import asyncio
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import orjson
from langgraph.runtime import Runtime
from langgraph.types import interrupt

from agent.assess import assess_case
from agent.assessment import Assessment, Verdict
from agent.graph.events import EventType
from agent.graph.state import Context, RunState, emit
from agent.imaging_step import with_measures
from agent.ledger import Entry
from agent.notes import NoteReading, merge_note_facts
from agent.record import NoteFactRecord, NoteRecord
from agent.untrusted import one_line
from knowledge.cards import card_passages
from knowledge.clinical_time import parse_fhir
from knowledge.errors import InvalidValueError, UnavailableError
from knowledge.evidence import NoteEvidence
from knowledge.finding import Finding
from knowledge.passages import Filter, Hit, Language, Passage, Searcher
from knowledge.plain_text import visible
from knowledge.risk import Risk
from tools.chart.answers import resolve

_SHOWN = 16
"""Passages kept for one case: every recommendation's own, then what the search adds."""

_EACH = 2

_QUOTE = 160
"""Characters of a note that are quoted for one fact."""

_PERSON = 120
"""Characters of the name of who signs."""

_ATTEMPTS = 2
"""Only looking up may help a second time: tools are pure, the model's client retries itself."""


async def retrieve(state: RunState, runtime: Runtime[Context]) -> RunState:
    """Find the guideline sentences behind what applies, those of recommendations first."""
    context = runtime.context
    context.session.observe("node", "retrieve")
    entries = await context.journal.tool_calls()
    outcome = await asyncio.to_thread(context.session.outcome, entries)
    language = context.session.request.language
    found = {p.id: p for p in _of_recommendations(outcome.assessment, language)}
    search = context.session.no_search
    if context.session.searcher is not None:
        hits, search = await asyncio.to_thread(_found, context, outcome.assessment)
        found.update({hit.passage.id: hit.passage for hit in hits if hit.passage.id not in found})
    passages = list(found.values())[:_SHOWN]
    emit(
        runtime,
        EventType.PASSAGES,
        passages=[{"id": p.id, "title": p.title, "label": p.label} for p in passages],
        search=search,
    )
    return {
        "record": {
            "passages": [p.model_dump(mode="json") for p in passages],
            "search": search,
        }
    }


def _of_recommendations(assessment: Assessment, language: Language) -> Iterator[Passage]:
    wanted = [card for row in assessment.recommendations for card in row.cards]
    for passage in card_passages():
        card = passage.id.removeprefix("card:").partition("#")[0]
        if card in wanted and passage.language == language:
            yield passage


def _found(context: Context, assessment: Assessment) -> tuple[tuple[Hit, ...], str]:
    """Return hits and how they were found; a search that fails twice is said, not shown as none."""
    searcher = context.session.searcher
    if searcher is None:
        return (), context.session.no_search
    problem = ""
    for _ in range(_ATTEMPTS):
        try:
            hits = _searched(searcher, context, assessment)
        except UnavailableError as error:
            problem = f"the search failed: {error}"
        else:
            return hits, getattr(searcher, "notice", "") or "words and vectors"
    return (), problem


def _searched(searcher: Searcher, context: Context, assessment: Assessment) -> tuple[Hit, ...]:
    """Return hits for what is supported, and for what could not be told."""
    only = Filter(languages=(context.session.request.language,))
    hits: dict[str, Hit] = {}
    for query in _queries(assessment):
        for hit in searcher.search(query, k=_EACH, only=only):
            hits.setdefault(hit.passage.id, hit)
    return tuple(hits.values())


def _queries(assessment: Assessment) -> Iterator[str]:
    for entry in assessment.differential:
        if entry.verdict is not Verdict.ARGUED_AGAINST:
            yield entry.diagnosis
    for risk in assessment.risks:
        if risk.not_assessed is None:
            yield f"{risk.name} {risk.category}"


async def assess(state: RunState, runtime: Runtime[Context]) -> RunState:
    """Assemble the pathway's assessment from the calls that were made."""
    context = runtime.context
    context.session.observe("node", "assess")
    entries = await context.journal.tool_calls()
    outcome = await asyncio.to_thread(context.session.outcome, entries)
    record: dict[str, Any] = {}
    reading = state.get("record", {}).get("reading")
    if reading is not None:
        notes = await asyncio.to_thread(
            _notes, context, NoteReading.model_validate(reading), outcome.assessment
        )
        record["notes"] = notes.model_dump(mode="json")
    extra = _beyond(entries, state.get("extra", []))
    record["extra"] = [risk.model_dump(mode="json") for risk in extra]
    emit(
        runtime,
        EventType.ASSESSED,
        status=outcome.assessment.status.value,
        headline=outcome.assessment.narrative.headline,
    )
    return {"assessment": outcome.assessment.to_json(), "record": record}


def _notes(context: Context, reading: NoteReading, assessment: Assessment) -> NoteRecord:
    """Return what the notes say beside the record, and what it would change."""
    session = context.session
    known = resolve(session.case().timeline, at=session.at).findings
    merged = merge_note_facts(known, reading.facts)
    fills: dict[str, Finding] = {fact.input: fact.finding for fact in merged.fills}
    texts = {note.id: note.text for note in session.case().notes}
    records = (
        *(_fact(fact, "agrees", texts) for fact in merged.agrees),
        *(_fact(fact, "conflicts", texts) for fact in merged.conflicting),
        *(_fact(fact, "would fill", texts) for fact in merged.fills),
    )
    changes: tuple[Risk, ...] = ()
    if fills:
        without_images = with_measures(session.case(), ())
        what_if = assess_case(
            without_images, at=session.at, settings=session.settings, beside=fills
        )
        before = {risk.name: risk for risk in assessment.risks}
        changes = tuple(_changed(what_if.assessment.risks, before))
    return NoteRecord(
        facts=records,
        dropped=tuple(
            dict.fromkeys(
                (*(d.reason for d in reading.dropped), *(u.reason for u in reading.unread))
            )
        ),
        changes=changes,
    )


def _fact(fact: Any, standing: Any, texts: Mapping[str, str]) -> NoteFactRecord:
    spans = [e for e in fact.finding.evidence if isinstance(e, NoteEvidence)]
    said = [one_line(texts.get(e.document, "")[e.start : e.end], limit=_QUOTE) for e in spans]
    return NoteFactRecord(
        input=fact.input,
        finding=fact.finding,
        standing=standing,
        quote=" ... ".join(text for text in said if text),
    )


def _changed(after: Iterable[Risk], before: dict[str, Risk]) -> Iterator[Risk]:
    for risk in after:
        old = before.get(risk.name)
        if old is None or _said(old) != _said(risk):
            yield risk


def _said(risk: Risk) -> tuple[Any, ...]:
    return risk.category, risk.value, risk.range


def _beyond(entries: Iterable[Entry], names: Iterable[str]) -> Iterator[Risk]:
    """Yield the risks of tools beyond the pathway that came to a result."""
    wanted = set(names)
    for entry in entries:
        if entry.tool in wanted:
            result = entry.called().result
            if isinstance(result, Risk):
                yield result


async def sign_off(state: RunState, runtime: Runtime[Context]) -> RunState:
    """Leave the result unsigned, or wait for a clinician."""
    context = runtime.context
    context.session.observe("node", "sign_off")
    if context.session.request.sign_off == "later":
        return {"signed": ""}
    shown = shown_hash(state)
    answer = interrupt(
        {
            "question": "sign",
            "headline": state["assessment"]["narrative"]["headline"],
            "choices": ["sign", "reject"],
            "shown_sha256": shown,
        }
    )
    return {"signed": _signature(answer, shown)}


def shown_hash(state: RunState) -> str:
    """Return the SHA-256 of what a clinician is shown: the words, and the result behind them."""
    assessment = state["assessment"]
    words = state.get("checked", {}).get("narrative") or assessment["narrative"]
    body = [assessment["provenance"]["result_sha256"], words]
    return hashlib.sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _signature(answer: Any, shown: str) -> str:
    """Return who decided what and when, as it is recorded.

    Raises:
        InvalidValueError: The answer names no person or no decision.
    """
    if not isinstance(answer, dict):
        raise InvalidValueError("sign-off", "is not an object", "give signed_by and decision")
    person = visible(str(answer.get("signed_by") or "")).strip()[:_PERSON]
    decision = answer.get("decision")
    if not person or decision not in ("sign", "reject"):
        raise InvalidValueError(
            "sign-off", "names no person or no decision", "give signed_by, and sign or reject"
        )
    if answer.get("shown_sha256", shown) != shown:
        raise InvalidValueError(
            "sign-off", "is about other words or another result", "read it again, then sign"
        )
    when = f" at {_signed_at(answer['time'])}" if answer.get("time") else ""
    return f"{'signed' if decision == 'sign' else 'rejected'} by {person}{when} ({shown[:12]})"


def _signed_at(text: Any) -> str:
    """Return the time of a signature as it is recorded.

    Raises:
        InvalidValueError: It is no time of day with its zone.
    """
    time = parse_fhir(str(text), clock="sign-off")
    if time.zone == "unknown" or time.precision not in ("minute", "second"):
        raise InvalidValueError("sign-off", "the time has no zone", "give a zoned time of day")
    return visible(str(text))
