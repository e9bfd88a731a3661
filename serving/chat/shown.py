"""A turn as it is shown: sentences with links to their evidence, safe text, nothing unverified."""

from collections.abc import Mapping

from agent.write import VerifiedSentence
from knowledge.cards import card_passages
from knowledge.clinical_inputs import catalogue
from knowledge.clinical_time import ClinicalTime
from knowledge.evidence import GuidelineEvidence
from knowledge.plain_text import visible
from knowledge.reference import Citation
from serving.chat.model import Said, Turn
from serving.chat.protocol import AnswerOut, SentenceOut, TurnOut, WouldAnswerOut
from serving.evidence.links import evidence_links, source_links


def shown(turn: Turn, *, running: bool = False) -> TurnOut:
    """Return a turn as a client or a page gets it.

    Args:
        turn: As it is kept.
        running: Whether its answer is being made now.
    """
    said = turn.said
    return TurnOut(
        id=turn.id,
        number=turn.number,
        question=visible(turn.question),
        language=turn.language,
        state=turn.state,
        running=running,
        asked_at=turn.asked_at,
        ended_at=turn.ended_at,
        problem=visible(turn.problem),
        answer=None if said is None else _answer(turn.case, said),
        steps=() if said is None else said.steps,
    )


def answer_form(case: str, input_id: str) -> str:
    """Return the address of the form that takes an answer to a missing item."""
    named = f"?ask={input_id}" if input_id in catalogue().on_request else ""
    return f"/cases/{case}{named}#ask-{input_id}"


def _answer(case: str, said: Said) -> AnswerOut:
    answer = said.answer
    cited = {citation.id: citation for citation in said.citations}
    return AnswerOut(
        kind=answer.kind,
        sentences=tuple(_sentence(case, one, cited, answer.labels) for one in answer.sentences),
        outside_record=answer.outside_record,
        would_answer=tuple(
            WouldAnswerOut(
                input=one.input, label=visible(one.label), href=answer_form(case, one.input)
            )
            for one in answer.would_answer
        ),
        refused=visible(answer.refused or ""),
        author=visible(answer.author),
        without_llm=visible(answer.without_llm),
        notes=tuple(visible(note) for note in answer.notes),
        dropped=len(answer.dropped),
        at=said.at,
        as_of=_clock(said),
        result_sha256=said.result_sha256,
    )


def _clock(said: Said) -> str:
    shown_at = ClinicalTime(at=said.at).show(said.time_zone)
    return f"{shown_at} ({said.time_zone})" if said.time_zone else shown_at


def _sentence(
    case: str,
    sentence: VerifiedSentence,
    cited: Mapping[str, Citation],
    labels: Mapping[str, str],
) -> SentenceOut:
    passages = [e.passage for e in sentence.evidence if isinstance(e, GuidelineEvidence)]
    known = {p.id: p.label for p in card_passages() if p.id in passages}
    wording = next((labels.get(p) or known.get(p, "") for p in passages), "")
    sources = [cited[key] for key in sentence.citations if key in cited]
    return SentenceOut(
        text=visible(sentence.text),
        evidence=evidence_links(case, sentence.evidence),
        sources=source_links(case, sources),
        wording=visible(wording),
    )
