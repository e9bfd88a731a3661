"""The sentences that a language model writes about the facts of an answer, and their checking."""

from collections.abc import Sequence
from typing import Any

from agent.facts import Fact, FactSheet
from agent.llm.seam import LLM, ChatRequest, Message
from agent.prompts import load_prompt
from agent.untrusted import fenced, one_line
from agent.verify.verify import verify
from agent.write import DraftSentence, Dropped, VerifiedSentence, told, verified
from knowledge.model import Frozen
from knowledge.passages import Language

MOST_QUESTION = 500
MOST_SENTENCES = 3
MOST_TOKENS = 240
MOST_FACTS = 8
"""Facts given to the model: more costs a small model its care."""
_HISTORY = 3
_LINE = 120


class Drafted(Frozen):
    """Sentences of a model: those that may be shown, and those that may not."""

    shown: tuple[VerifiedSentence, ...] = ()
    dropped: tuple[Dropped, ...] = ()


async def drafted(
    llm: LLM,
    question: str,
    facts: Sequence[Fact],
    sheet: FactSheet,
    *,
    history: Sequence[str],
    language: Language,
    timeout_s: float,
) -> Drafted:
    """Return the verified sentences of a model about some facts.

    Raises:
        LLMError: The model gave nothing that can be used.
    """
    rows = await _written(llm, question, facts[:MOST_FACTS], history, language, timeout_s)
    shown: list[VerifiedSentence] = []
    dropped: list[Dropped] = []
    for one in rows:
        checked = verify(one.text, one.refs, sheet)
        if checked.ok:
            shown.append(verified(one, checked, sheet))
        else:
            dropped.append(Dropped(text=one.text, refs=one.refs, failures=checked.failures))
    return Drafted(shown=tuple(shown), dropped=tuple(dropped))


def joined(sentences: Sequence[VerifiedSentence], facts: Sequence[Fact]) -> list[VerifiedSentence]:
    """Return verified sentences and, for every fact they do not tell whole, the fact's own words.

    The order is that of the facts: what decides stays first, whatever the model chose to tell.
    """
    place = {fact.id: at for at, fact in enumerate(facts)}
    covered = {ref for one in sentences for ref in one.covered}
    found: list[tuple[int, int, VerifiedSentence]] = []
    for one in sentences:
        at = min((place[ref] for ref in one.refs if ref in place), default=len(facts))
        found.append((at, 0, one))
    found += [(place[f.id], 1, own(f)) for f in facts if f.id not in covered]
    return [one for _, _, one in sorted(found, key=lambda row: row[:2])]


def own(fact: Fact) -> VerifiedSentence:
    """Return a fact in its own words."""
    return VerifiedSentence(
        text=fact.text,
        refs=(fact.id,),
        covered=(fact.id,),
        evidence=fact.evidence,
        citations=(fact.citation,) if fact.citation is not None else (),
        label=fact.label,
    )


async def _written(
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
