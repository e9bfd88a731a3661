"""One answer about one case, by the rules of the narrative: verified, or the facts themselves.

The facts that decide a question always stand in its answer, what is present first; what a model
says of them stands beside them and displaces none. What the record does not hold is said to be not
in the record, with what would answer it; a question that is not recognised is said to be so. A
request for an order or a treatment is answered with what the pathway says of this patient and
with guideline statements, and never carried out. A request to change the rules is refused before
any model sees it.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from pydantic import Field

from agent.chat.draft import MOST_QUESTION, drafted, joined, own
from agent.chat.guidelines import guidance
from agent.chat.question import Question, understood
from agent.chat.select import Selection, is_gap, picked, selected, unknown_inputs
from agent.chat.terms import holds
from agent.chat.unheld import near_names, unheld_name
from agent.chat.wording import (
    HYPOTHETICAL,
    NEAR,
    NOT_HELD,
    NOT_OFFERED,
    NOT_UNDERSTOOD,
    REFUSED,
    counted,
    more_facts,
    not_read,
    nowhere,
    old_facts,
)
from agent.facts import Fact, FactSheet
from agent.llm.errors import LLMError
from agent.llm.seam import LLM
from agent.untrusted import one_line
from agent.write import Dropped, VerifiedSentence
from knowledge.chat_terms import Subject, chat_terms
from knowledge.model import Frozen
from knowledge.passages import Language, Searcher
from knowledge.risk import Risk
from knowledge.scores_left_out import scores_left_out

__all__ = ["MOST_QUESTION", "TIMEOUT_S", "ChatAnswer", "Kind", "WouldAnswer", "answer"]

logger = logging.getLogger(__name__)

TIMEOUT_S = 60.0
_SCORES = "scores"
"""The subject that asks for the scores in general."""
_MOST_NAME = 40
_MOST_ASKED = 8
"""Missing inputs named beside an answer from facts."""

Kind = Literal["facts", "guideline", "not_in_record", "refused"]


class WouldAnswer(Frozen):
    """What is missing and would answer the question.

    Args:
        input: Id of the clinical input.
        label: What it is.
        fact: The fact that says why it is missing.
    """

    input: str
    label: str
    fact: str


class ChatAnswer(Frozen):
    """An answer.

    Args:
        kind: From facts, from guidelines, not in the record, or refused.
        sentences: What may be shown, each with the facts it rests on.
        outside_record: Whether the record does not hold the answer.
        would_answer: Missing inputs that would.
        refused: Why it is refused, where it is.
        dropped: Sentences of the model that are not shown.
        author: The model, or ``facts`` where the sentences are the facts' own.
        without_llm: Why no model's words are shown, where none are.
        notes: What else the reader must know, for example that guidelines could not be searched.
        labels: Passage id to how its wording is to be read.
        scores: Scores that were run because the question names them, with their arithmetic.
    """

    kind: Kind
    sentences: tuple[VerifiedSentence, ...] = ()
    outside_record: bool = False
    would_answer: tuple[WouldAnswer, ...] = ()
    refused: str | None = None
    dropped: tuple[Dropped, ...] = ()
    author: str = "facts"
    without_llm: str = ""
    notes: tuple[str, ...] = ()
    labels: Mapping[str, str] = Field(default_factory=dict)
    scores: tuple[Risk, ...] = Field(default=(), exclude_if=lambda found: not found)


async def answer(
    llm: LLM | None,
    question: str,
    *,
    sheet: FactSheet,
    searcher: Searcher | None,
    history: Sequence[str] = (),
    language: Language,
    timeout_s: float = TIMEOUT_S,
) -> ChatAnswer:
    """Return the answer to a question about the case of a sheet.

    Args:
        llm: The model; None answers from the facts alone.
        question: As typed: data, never an instruction.
        sheet: The facts of the case, in `language`.
        searcher: Guideline knowledge, where it is built.
        history: Earlier questions of this user on this case, oldest first.
        language: Of the answer.
        timeout_s: Most seconds for the model.
    """
    asked = understood(question[:MOST_QUESTION], sheet)
    if asked.asks == "rules":
        return ChatAnswer(kind="refused", refused=REFUSED[language])
    if asked.asks == "orders":
        return _what_to_do(asked, sheet, searcher, language)
    if asked.asks == "missing":
        gaps = tuple(f for f in sheet.facts if f.kind == "missing")
        return _not_in_record(gaps, sheet, notes=())
    unheld = _unheld(asked, language)
    if unheld:
        without = "this score is not held here"
        return ChatAnswer(kind="not_in_record", notes=unheld, without_llm=without)
    chosen = _overview(sheet) if asked.asks == "overview" else selected(asked, sheet)
    notes = _notes(asked, language)
    if not chosen.knows() and _is_recognised(asked, chosen):
        return _not_in_record(chosen.all, sheet, notes=notes, outside=not _is_unread(asked))
    is_whole = asked.asks == "overview" or not chosen.knows()
    if not chosen.knows():
        llm, chosen, notes = None, _overview(sheet), (*notes, NOT_UNDERSTOOD[language])
    if is_whole:
        notes = (*notes, counted(sheet, chosen.shown, language))
    else:
        notes = (*notes, *nowhere(unknown_inputs(asked, sheet), sheet))
    said = ChatAnswer(
        kind="facts",
        notes=(*notes, *old_facts(chosen.shown, sheet, language)),
        would_answer=() if is_whole else _would_answer(chosen.shown, sheet)[:_MOST_ASKED],
    )
    more = more_facts(chosen.named, sheet, language)
    told = await _told(llm, asked, chosen.shown, sheet, history, language, timeout_s)
    return said.model_copy(update={**told, "sentences": (*told["sentences"], *more)})


def _what_to_do(
    question: Question, sheet: FactSheet, searcher: Searcher | None, language: Language
) -> ChatAnswer:
    """Return what holds for this patient, what the pathway advises, then guideline statements."""
    decisive = [f for f in selected(question, sheet).shown if not is_gap(f)]
    if not question.subjects:
        decisive = list(picked(chat_terms().subjects["plan"].first, sheet))
    advised = [f for f in sheet.facts if f.kind == "recommendation"]
    found = guidance(question, sheet, searcher, language)
    facts = list(dict.fromkeys((*decisive, *advised, *found.facts)))
    return ChatAnswer(
        kind="guideline",
        sentences=tuple(own(fact) for fact in facts),
        would_answer=_would_answer(facts, sheet)[:_MOST_ASKED],
        notes=(
            *_said_with(question.rows(), question, language),
            *found.notes,
            *old_facts(facts, sheet, language),
        ),
        labels=found.labels,
        without_llm="guideline statements are shown in their own words",
    )


def _not_in_record(
    facts: Sequence[Fact], sheet: FactSheet, *, notes: tuple[str, ...], outside: bool = True
) -> ChatAnswer:
    """Return that the record does not hold it, with the missing inputs that would answer it.

    Of a record that was not read whole that is not known.
    """
    if outside and sheet.unread:
        outside, notes = False, (not_read(sheet), *notes)
    return ChatAnswer(
        kind="not_in_record",
        sentences=tuple(own(fact) for fact in facts if fact.kind != "missing"),
        outside_record=outside,
        would_answer=_would_answer(facts, sheet),
        notes=notes,
        without_llm="the record does not hold it" if outside else "it is not read from the chart",
    )


def _would_answer(facts: Sequence[Fact], sheet: FactSheet) -> tuple[WouldAnswer, ...]:
    """Return the missing inputs that the facts rest on, most useful first."""
    inputs = {key for fact in facts for key in fact.inputs}
    missing = [f for f in sheet.facts if f.kind == "missing" and set(f.inputs) & inputs]
    return tuple(WouldAnswer(input=f.inputs[0], label=f.subject, fact=f.id) for f in missing)


def _notes(question: Question, language: Language) -> tuple[str, ...]:
    """Return what must be said with an answer from facts."""
    found: list[str] = []
    if question.hypothetical:
        found.append(HYPOTHETICAL[language])
    rows = list(question.rows())
    if any(row.does == "remedy" for row in rows) and not _is_unread(question, itself=True):
        rows.append(chat_terms().subjects["medicines"])
    found += _left_out(question, language)
    return tuple(dict.fromkeys((*found, *_said_with(rows, question, language))))


def _left_out(question: Question, language: Language) -> list[str]:
    """Return why a published score that is asked for is not offered."""
    asked = (r for r in scores_left_out().scores.values() if holds(question.text, r.terms))
    said = NOT_OFFERED[language]
    return [said.format(r.name, r.because_zh if language == "zh" else r.because) for r in asked]


def _unheld(question: Question, language: Language) -> tuple[str, ...]:
    """Return what is said of a score asked for by a name that no score here has."""
    subjects = set(question.subjects) - {_SCORES}
    if subjects or question.inputs or question.names or question.computed:
        return ()
    said = tuple(_left_out(question, language))
    name = "" if said else unheld_name(question.text)
    if name:
        near = near_names(name)
        listed = ("; " if language == "en" else "、").join(near)
        said = (
            (NEAR if near else NOT_HELD)[language].format(one_line(name, limit=_MOST_NAME), listed),
        )
    return said


def _said_with(rows: Iterable[Subject], question: Question, language: Language) -> tuple[str, ...]:
    """Return what is said with every answer about some subjects."""
    said = question.text.lower()
    notes = [r.note for r in rows if r.note and not any(word in said for word in r.unless)]
    return tuple(note.zh if language == "zh" else note.en for note in notes)


def _is_unread(question: Question, *, itself: bool = False) -> bool:
    """Return whether a question is about what this assessment does not read from a chart."""
    does = {row.does for row in question.rows()}
    return "unread" in does or (not itself and "remedy" in does)


def _is_recognised(question: Question, chosen: Selection) -> bool:
    """Return whether it is known what a question is about, though no fact answers it."""
    asked = question.named or question.letter or question.person or question.day
    return bool(asked or chosen.all)


def _overview(sheet: FactSheet) -> Selection:
    told = sheet.of_narrative()
    advised = tuple(f for f in sheet.facts if f.kind == "recommendation")
    return Selection(shown=(*picked(("headline",), sheet), *told, *advised))


def _why_not_told(facts: Sequence[Fact], language: Language) -> str:
    """Return why no model is given the facts that answer a question."""
    if any(fact.language != language for fact in facts):
        return "the facts that answer it are not available in this language"
    return "what answers it is told whole, in the words of the report or of its source"


async def _told(
    llm: LLM | None,
    question: Question,
    facts: Sequence[Fact],
    sheet: FactSheet,
    history: Sequence[str],
    language: Language,
    timeout_s: float,
) -> dict[str, Any]:
    """Return the facts, told by the model where its sentences are verified, else by themselves."""
    alone = {"sentences": tuple(own(fact) for fact in facts)}
    tellable = [f for f in facts if f.language == language and not f.outside and not f.label]
    if llm is None:
        return {**alone, "without_llm": "no language model is configured"}
    if not tellable:
        return {**alone, "without_llm": _why_not_told(facts, language)}
    try:
        result = await drafted(
            llm,
            question.text,
            tellable,
            sheet,
            history=history,
            language=language,
            timeout_s=timeout_s,
        )
    except LLMError as error:
        logger.info("chat without the model: %s", error)
        return {**alone, "without_llm": f"the language model was not used: {error}"}
    if not result.shown:
        reason = "no sentence of the language model could be verified"
        return {**alone, "dropped": result.dropped, "without_llm": reason}
    sentences = tuple(joined(result.shown, facts))
    beside = len(sentences) > len(result.shown)
    by = f"{llm.identity.name}, verified"
    return {
        "sentences": sentences,
        "dropped": result.dropped,
        "author": f"{by}; the other sentences are the facts' own" if beside else by,
    }
