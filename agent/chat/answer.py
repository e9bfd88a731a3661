# ruff: noqa: RUF001
"""One answer about one case, by the rules of the narrative: verified, or the facts themselves.

What the record does not hold is said to be not in the record, with what would answer it. A request
for an order or a treatment is answered with guideline statements and never carried out. A request
to change the rules is refused before any model sees it.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import Field

from agent.chat.question import MOST_FACTS, asks_for, relevant
from agent.fact_sheet import with_hits
from agent.facts import Fact, FactSheet
from agent.llm.errors import LLMError
from agent.llm.seam import LLM, ChatRequest, Message
from agent.prompts import load_prompt
from agent.untrusted import fenced, one_line
from agent.verify.verify import Checked, verify
from agent.write import DraftSentence, Dropped, VerifiedSentence, told, verified
from knowledge.errors import UnavailableError
from knowledge.model import Frozen
from knowledge.passages import Filter, Language, Searcher

logger = logging.getLogger(__name__)

MOST_QUESTION = 500
MOST_SENTENCES = 3
MOST_TOKENS = 240
TIMEOUT_S = 60.0
_HISTORY = 3
_LINE = 120

Kind = Literal["facts", "guideline", "not_in_record", "refused"]

_REFUSED = {
    "en": "Answers come from the record of this case; rules and prompts do not change.",
    "zh": "只根据本病例的记录回答问题；规则和提示词不会更改。",
}
_NO_GUIDELINE = {
    "en": "guideline knowledge could not be searched",
    "zh": "无法检索指南知识",
}


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
    asked = question[:MOST_QUESTION]
    asks = asks_for(asked)
    if asks == "rules":
        return ChatAnswer(kind="refused", refused=_REFUSED[language])
    if asks == "orders":
        return _from_guidelines(asked, sheet, searcher, language)
    if asks == "missing":
        return _not_in_record([f for f in sheet.facts if f.kind == "missing"], sheet)
    facts = _overview(sheet) if asks == "overview" else relevant(asked, sheet)
    known = tuple(f for f in facts if f.state != "not_assessed")
    if not known:
        return _not_in_record(facts, sheet)
    return await _from_facts(llm, asked, facts, sheet, history, language, timeout_s)


def _from_guidelines(
    question: str, sheet: FactSheet, searcher: Searcher | None, language: Language
) -> ChatAnswer:
    """Return what applies by the pathway and what guidelines say, in their summaries' words."""
    labels: dict[str, str] = {}
    notes: tuple[str, ...] = ()
    wider = sheet
    if searcher is None:
        notes = (_NO_GUIDELINE[language],)
    else:
        try:
            hits = searcher.search(question, k=3, only=Filter(languages=(language,)))
        except UnavailableError as error:
            notes = (f"{_NO_GUIDELINE[language]}: {error}",)
        else:
            wider = with_hits(sheet, hits)
            labels = {hit.passage.id: hit.passage.label for hit in hits}
    facts = [f for f in wider.facts if f.kind == "recommendation"]
    facts += [f for f in wider.facts if f.kind == "guideline" and f.passage in labels]
    if not facts:
        return ChatAnswer(kind="not_in_record", outside_record=True, notes=notes)
    return ChatAnswer(
        kind="guideline",
        sentences=tuple(_own(fact) for fact in facts),
        notes=notes,
        labels=labels,
        without_llm="guideline statements are shown in their own words",
    )


def _not_in_record(facts: Sequence[Fact], sheet: FactSheet) -> ChatAnswer:
    """Return that the record does not hold it, with the missing inputs that would answer it."""
    inputs = {key for fact in facts for key in fact.inputs}
    missing = [f for f in sheet.facts if f.kind == "missing" and set(f.inputs) & inputs]
    return ChatAnswer(
        kind="not_in_record",
        sentences=tuple(_own(fact) for fact in facts if fact.kind != "missing"),
        outside_record=True,
        would_answer=tuple(
            WouldAnswer(input=f.inputs[0], label=f.subject, fact=f.id) for f in missing
        ),
        without_llm="the record does not hold it",
    )


async def _from_facts(
    llm: LLM | None,
    question: str,
    facts: Sequence[Fact],
    sheet: FactSheet,
    history: Sequence[str],
    language: Language,
    timeout_s: float,
) -> ChatAnswer:
    """Return the model's sentences that are verified; where none is, the facts themselves."""
    reason = "no language model is configured"
    dropped: list[Dropped] = []
    tellable = [f for f in facts if f.language == language and not f.outside]
    if llm is not None and tellable:
        try:
            drafts = await _draft(llm, question, tellable, history, language, timeout_s)
        except LLMError as error:
            logger.info("chat without the model: %s", error)
            reason = f"the language model was not used: {error}"
        else:
            shown: list[VerifiedSentence] = []
            for one in drafts:
                checked = verify(one.text, one.refs, sheet)
                if checked.ok:
                    shown.append(verified(one, checked, sheet))
                else:
                    dropped.append(_dropped(one, checked))
            if shown:
                return ChatAnswer(
                    kind="facts",
                    sentences=tuple(shown),
                    dropped=tuple(dropped),
                    author=f"{llm.identity.name}, verified",
                )
            reason = "no sentence of the language model could be verified"
    elif llm is not None:
        reason = "the facts that answer it are not available in this language"
    return ChatAnswer(
        kind="facts",
        sentences=tuple(_own(fact) for fact in facts),
        dropped=tuple(dropped),
        without_llm=reason,
    )


async def _draft(
    llm: LLM,
    question: str,
    facts: Sequence[Fact],
    history: Sequence[str],
    language: Language,
    timeout_s: float,
) -> tuple[DraftSentence, ...]:
    prompt = load_prompt("chat", language)
    earlier = "\n".join(one_line(line, limit=_LINE) for line in history[-_HISTORY:])
    content = prompt.render(
        facts="\n".join(f"{fact.id}: {told((fact,))}" for fact in facts),
        history=fenced(earlier, label="earlier questions", limit=_HISTORY * (_LINE + 1))
        if earlier
        else "-",
        question=fenced(question, label="question", limit=MOST_QUESTION),
    )
    reply = await llm.chat(
        ChatRequest(
            purpose="chat",
            prompt=prompt.id,
            messages=(Message(role="user", content=content),),
            json_schema=_schema(facts),
            max_tokens=MOST_TOKENS,
            timeout_s=timeout_s,
        )
    )
    rows = reply.data["sentences"]
    return tuple(DraftSentence(text=r["text"], refs=tuple(dict.fromkeys(r["refs"]))) for r in rows)


def _schema(facts: Sequence[Fact]) -> dict[str, Any]:
    """Return the schema of sentences that cite these facts; every length is bounded."""
    refs = {
        "type": "array",
        "items": {"type": "string", "enum": [fact.id for fact in facts]},
        "minItems": 1,
        "maxItems": 3,
    }
    sentence = {
        "type": "object",
        "properties": {
            "refs": refs,
            "text": {"type": "string", "minLength": 1, "maxLength": 240},
        },
        "required": ["refs", "text"],
        "additionalProperties": False,
    }
    return {
        "type": "object",
        "properties": {
            "sentences": {
                "type": "array",
                "items": sentence,
                "minItems": 1,
                "maxItems": MOST_SENTENCES,
            }
        },
        "required": ["sentences"],
        "additionalProperties": False,
    }


def _overview(sheet: FactSheet) -> tuple[Fact, ...]:
    return sheet.of_narrative()[: 2 * MOST_FACTS]


def _own(fact: Fact) -> VerifiedSentence:
    """Return a fact in its own words."""
    return VerifiedSentence(
        text=fact.text,
        refs=(fact.id,),
        covered=(fact.id,),
        evidence=fact.evidence,
        citations=(fact.citation,) if fact.citation is not None else (),
    )


def _dropped(one: DraftSentence, checked: Checked) -> Dropped:
    return Dropped(text=one.text, refs=one.refs, failures=checked.failures)
