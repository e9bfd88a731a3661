"""Guideline statements beside the pathway's own, each with what it has to do with this patient."""

from collections.abc import Iterator, Mapping, Sequence

from pydantic import Field

from agent.chat.question import Question
from agent.chat.terms import holds
from agent.chat.wording import (
    APPLYING,
    GENERAL,
    NO_GUIDELINE,
    NOTHING_FOUND,
    OTHER_CATEGORY,
    left_out,
)
from agent.fact_sheet import with_hits
from agent.facts import Fact, FactSheet
from knowledge.chat_terms import chat_terms
from knowledge.errors import InvalidValueError, UnavailableError
from knowledge.model import Frozen
from knowledge.passages import Filter, Hit, Language, Searcher
from knowledge.pathways import pathway

MOST_HITS = 3
_LOOKED_AT = 12
_PATHWAY = "chest_pain"
_KEY = "recommendation."


class Guidance(Frozen):
    """What guideline knowledge says on a question.

    Args:
        facts: The statements, each with its label.
        labels: Passage id to how its wording is to be read.
        notes: What could not be searched, and what is not shown.
    """

    facts: tuple[Fact, ...] = ()
    labels: Mapping[str, str] = Field(default_factory=dict)
    notes: tuple[str, ...] = ()


def guidance(
    question: Question, sheet: FactSheet, searcher: Searcher | None, language: Language
) -> Guidance:
    """Return the statements for a question about what to do.

    A statement for another category of patients than this one is in by the pathway is not shown
    where it would read as leave to discharge, and is marked as such elsewhere.
    """
    if searcher is None:
        return Guidance(notes=(NO_GUIDELINE[language],))
    hits: list[Hit] = []
    try:
        for query, topics, terms in _queries(question, language):
            only = Filter(languages=(language,), topics=topics)
            hits += _relevant(searcher.search(query, k=_LOOKED_AT, only=only), terms)
    except UnavailableError as error:
        return Guidance(notes=(f"{NO_GUIDELINE[language]}: {error}",))
    except InvalidValueError:
        return Guidance()  # a question without a word to search for
    unique = list({hit.passage.id: hit for hit in hits}.values())
    applying = _applying(sheet)
    away = [hit for hit in unique if _is_withheld(hit, applying)]
    shown = [hit for hit in unique if hit not in away]
    wider = with_hits(sheet, shown)
    said = {hit.passage.id: _standing(hit, applying, language) for hit in shown}
    facts = tuple(
        f.model_copy(update={"label": f"{said[f.passage]}; {f.label}"})
        for f in wider.facts
        if f.kind == "guideline" and f.passage in said
    )
    return Guidance(
        facts=facts,
        labels={h.passage.id: f"{said[h.passage.id]}; {h.passage.label}" for h in shown},
        notes=_notes(away, shown, language),
    )


def _notes(away: Sequence[Hit], shown: Sequence[Hit], language: Language) -> tuple[str, ...]:
    if away:
        return (left_out([hit.passage.title for hit in away], language),)
    return () if shown else (NOTHING_FOUND[language],)


def _queries(
    question: Question, language: Language
) -> Iterator[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    """Yield what is searched for: query, topics, and words that a statement must hold."""
    rows = [row for row in question.rows() if row.query is not None]
    for row in rows[:2]:
        if row.query is not None:
            query = row.query.zh if language == "zh" else row.query.en
            yield query, row.topics, row.terms if row.does == "remedy" else ()
    if not rows:
        yield question.text, (), ()


def _relevant(hits: Sequence[Hit], terms: Sequence[str]) -> list[Hit]:
    """Return the best hits that are about it, not those that are only near in meaning."""
    near = [hit for hit in hits if hit.lexical_rank is not None or hit.dense_rank is None]
    about = [
        hit for hit in near if not terms or holds(f"{hit.passage.title} {hit.passage.text}", terms)
    ]
    return about[:MOST_HITS]


def _applying(sheet: FactSheet) -> frozenset[str]:
    """Return the ids of the recommendations that apply to this patient."""
    keys = (f.key for f in sheet.facts if f.kind == "recommendation")
    return frozenset(key.removeprefix(_KEY) for key in keys)


def _is_withheld(hit: Hit, applying: frozenset[str]) -> bool:
    needs = chat_terms().only_for.topics
    return any(topic in needs and not applying & set(needs[topic]) for topic in hit.passage.topics)


def _standing(hit: Hit, applying: frozenset[str], language: Language) -> str:
    """Return what a statement has to do with this patient."""
    card = hit.passage.id.partition(":")[2].partition("#")[0]
    rows = {key for key, row in pathway(_PATHWAY).recommendations.items() if card in row.cards}
    if rows & applying:
        return APPLYING[language]
    return (OTHER_CATEGORY if rows else GENERAL)[language]
