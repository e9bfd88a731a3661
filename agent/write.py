"""A language model joins facts into sentences; only those that are verified are shown.

The model sees facts and writes sentences that cite them. A sentence that fails is written again
once, with the reason; one that fails again is dropped and counted, and the template's own sentence
stands in. The headline is always the pathway's.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pydantic import NonNegativeInt

from agent.assessment import Assessment, Narrative, Sentence
from agent.facts import Fact, FactSheet
from agent.llm.errors import LLMError
from agent.llm.seam import LLM, ChatRequest, Message
from agent.prompts import load_prompt
from agent.verify.verify import Checked, Failure, verify
from knowledge.evidence import Evidence
from knowledge.model import Frozen
from knowledge.passages import Language

logger = logging.getLogger(__name__)

MOST_FACTS = 8
"""Facts given to the model: what a summary tells; more costs a small model its care."""
MOST_IN_ONE = 2
"""Facts joined into one sentence: a small model keeps two together without losing a number."""
MOST_CHARACTERS = 320
MOST_TOKENS = 480
TIMEOUT_S = 60.0

_KINDS = ("person", "onset", "ecg", "troponin", "troponin_result", "score")
"""What the model may join. Verdicts, notes and advice stay in the templates' words."""
_SORT = {
    kind: sort
    for sort, kinds in enumerate(
        (
            ("person", "onset"),
            ("ecg",),
            ("troponin", "troponin_result"),
            ("score",),
        )
    )
    for kind in kinds
}
"""Facts of one sort are neighbours in one sentence."""
_LONGEST_FACT = 200


class DraftSentence(Frozen):
    """One sentence as the model wrote it."""

    text: str
    refs: tuple[str, ...]


class Draft(Frozen):
    """What the model wrote."""

    sentences: tuple[DraftSentence, ...] = ()


class VerifiedSentence(Frozen):
    """A sentence that may be shown.

    Args:
        text: The sentence.
        refs: The facts it states something about.
        covered: The facts it tells completely.
        evidence: What those facts rest on.
        citations: Their citations.
        revised: Whether it was written again.
        label: How the wording is to be read, where it is a summary of a source.
    """

    text: str
    refs: tuple[str, ...]
    covered: tuple[str, ...]
    evidence: tuple[Evidence, ...] = ()
    citations: tuple[str, ...] = ()
    revised: bool = False
    label: str = ""


class Dropped(Frozen):
    """A sentence that is not shown, and why."""

    text: str
    refs: tuple[str, ...] = ()
    failures: tuple[Failure, ...]
    revised: bool = False


class Written(Frozen):
    """What became of the sentences of a model.

    Args:
        sentences: Those that may be shown.
        dropped: Those that may not.
        written: Sentences of the first draft.
        survived_first: Those that passed as they were.
        revised: Those that were written again.
        survived: Those that may be shown, of `written`.
        model: Name of the model.
        revision_failed: Why the failing sentences could not be written again; empty where they
            were, or none failed.
    """

    sentences: tuple[VerifiedSentence, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    written: NonNegativeInt = 0
    survived_first: NonNegativeInt = 0
    revised: NonNegativeInt = 0
    survived: NonNegativeInt = 0
    model: str = ""
    revision_failed: str = ""

    @property
    def share(self) -> float | None:
        """Share of the written sentences that may be shown; None where none was written."""
        return self.survived / self.written if self.written else None


def chosen(sheet: FactSheet) -> tuple[Fact, ...]:
    """Return the facts that the model is given, in the order of the narrative."""
    offered = [
        fact
        for fact in sheet.of_narrative()
        if fact.kind in _KINDS
        and fact.language == sheet.language
        and not fact.outside
        and len(fact.text) <= _LONGEST_FACT
        and not (fact.whole and fact.kind != "ecg")
        and not (fact.kind == "score" and fact.state == "not_assessed")
    ]
    return tuple(offered[:MOST_FACTS])


def grouped(facts: Sequence[Fact]) -> tuple[tuple[Fact, ...], ...]:
    """Return the facts that belong into one sentence each, at most `MOST_IN_ONE` of a sort."""
    found: list[list[Fact]] = []
    for fact in facts:
        last = found[-1] if found else []
        if last and len(last) < MOST_IN_ONE and _SORT[last[-1].kind] == _SORT[fact.kind]:
            last.append(fact)
        else:
            found.append([fact])
    return tuple(tuple(group) for group in found)


async def write(
    llm: LLM, sheet: FactSheet, *, language: Language, timeout_s: float = TIMEOUT_S
) -> Draft:
    """Return one sentence for each group of facts that belong together; they are not verified.

    Which facts a sentence cites is decided by us, not by the model: it joins and rephrases.

    Args:
        llm: The model; one call.
        sheet: The facts.
        language: To write in; that of the sheet.
        timeout_s: Most seconds for the call.

    Raises:
        LLMError: The model gave nothing that can be used.
    """
    groups = grouped(chosen(sheet))
    if not groups:
        return Draft()
    lines = (f"s{i}: {told(group)}" for i, group in enumerate(groups, 1))
    prompt = load_prompt("write", language)
    reply = await llm.chat(
        ChatRequest(
            purpose="write",
            prompt=prompt.id,
            messages=(Message(role="user", content=prompt.render(facts="\n".join(lines))),),
            json_schema=lines_schema(len(groups)),
            max_tokens=MOST_TOKENS,
            timeout_s=timeout_s,
        )
    )
    refs = [tuple(fact.id for fact in group) for group in groups]
    return Draft(sentences=drafted(reply.data, refs))


async def write_verified(
    llm: LLM, sheet: FactSheet, *, language: Language, timeout_s: float = TIMEOUT_S
) -> Written:
    """Return the sentences of a model that may be shown, and what became of the others.

    At most two calls: one to write, one to write again what failed.

    Raises:
        LLMError: The model gave no first draft. A revision that fails drops its sentences.
    """
    draft = await write(llm, sheet, language=language, timeout_s=timeout_s)
    checked = check_draft(draft.sentences, sheet)
    again, revision_failed = await _revised(
        llm, sheet, checked, language=language, timeout_s=timeout_s
    )
    shown: list[VerifiedSentence] = []
    dropped: list[Dropped] = []
    fresh = iter(again)
    for one, first in checked:
        second = None if first.ok else next(fresh, None)
        kept, result = (one, first) if second is None else second
        if result.ok:
            shown.append(verified(kept, result, sheet, revised=second is not None))
        else:
            dropped.append(
                Dropped(
                    text=kept.text,
                    refs=kept.refs,
                    failures=result.failures,
                    revised=second is not None,
                )
            )
    return Written(
        sentences=tuple(shown),
        dropped=tuple(dropped),
        written=len(checked),
        survived_first=sum(result.ok for _, result in checked),
        revised=len(again),
        survived=len(shown),
        model=llm.identity.name,
        revision_failed=revision_failed,
    )


def check_draft(
    sentences: Sequence[DraftSentence], sheet: FactSheet, *, told_before: Iterable[str] = ()
) -> list[tuple[DraftSentence, Checked]]:
    """Return each sentence with what came of checking it.

    One that fails against the facts of its own place may tell those of another place, as small
    models do: it is checked against all that were given, and cites what it tells.

    Args:
        sentences: As they were written.
        sheet: The facts.
        told_before: Facts that other sentences tell; they are not told a second time.
    """
    given = tuple(fact.id for fact in chosen(sheet))
    done = set(told_before)
    checked: list[tuple[DraftSentence, Checked]] = []
    for one in sentences:
        result = verify(one.text, one.refs, sheet)
        if not result.ok:
            elsewhere = verify(one.text, given, sheet)
            if elsewhere.ok and not done.issuperset(elsewhere.used):
                result = elsewhere
        done.update(result.used)
        cites = one.model_copy(update={"refs": result.used}) if result.ok else one
        checked.append((cites, result))
    return checked


async def _revised(
    llm: LLM,
    sheet: FactSheet,
    checked: Sequence[tuple[DraftSentence, Checked]],
    *,
    language: Language,
    timeout_s: float,
) -> tuple[list[tuple[DraftSentence, Checked]], str]:
    """Return the failing sentences written again, in order, and why they could not be.

    A revision that cannot be had is no failure of the answer: the sentences stay dropped.
    """
    failing = [(one, result) for one, result in checked if not result.ok]
    if not failing:
        return [], ""
    prompt = load_prompt("revise", language)
    lines = "\n\n".join(
        _to_revise(i, one, result, sheet) for i, (one, result) in enumerate(failing, 1)
    )
    request = ChatRequest(
        purpose="revise",
        prompt=prompt.id,
        messages=(Message(role="user", content=prompt.render(sentences=lines)),),
        json_schema=lines_schema(len(failing)),
        max_tokens=MOST_TOKENS,
        timeout_s=timeout_s,
    )
    try:
        reply = await llm.chat(request)
    except LLMError as error:
        logger.info("no revision: %s", error)
        return [], str(error)
    again = drafted(reply.data, [one.refs for one, _ in failing])
    before = [key for _, result in checked for key in result.used]
    return check_draft(again, sheet, told_before=before), ""


def _to_revise(index: int, one: DraftSentence, result: Checked, sheet: FactSheet) -> str:
    wrong = "; ".join(failure.detail for failure in result.failures)
    return f"s{index} facts: {told(sheet.cited(one.refs))}\nsentence: {one.text}\nwrong: {wrong}"


def join(assessment: Assessment, sheet: FactSheet, written: Written) -> Narrative:
    """Return the narrative: verified sentences, and the template's for all they do not tell.

    A sentence of the deterministic narrative is left out only where every fact in it is told
    completely by sentences that survived; of one that is told in part, the facts that are left
    stand in. The headline is always the pathway's.
    """
    covered = {key for sentence in written.sentences for key in sentence.covered}
    place = {fact.id: fact.sentence for fact in sheet.facts}
    shown: dict[int, list[Sentence]] = {}
    for one in written.sentences:
        at = min((index for ref in one.refs if (index := place[ref]) is not None), default=-1)
        citation = one.citations[0] if one.citations else None
        shown.setdefault(at, []).append(
            Sentence(text=one.text, evidence=one.evidence, citation=citation)
        )
    sentences: list[Sentence] = list(shown.get(-1, ()))
    for index, template in enumerate(assessment.narrative.sentences):
        sentences += shown.get(index, ())
        facts = [fact for fact in sheet.facts if fact.sentence == index]
        sentences += _standing_in(template, facts, covered)
    return assessment.narrative.model_copy(
        update={"author": _author(written), "sentences": tuple(sentences)}
    )


def _standing_in(
    template: Sentence, facts: Sequence[Fact], covered: set[str]
) -> Iterator[Sentence]:
    """Yield what of a template's sentence is not told: all of it, or the facts that are left."""
    left = [fact for fact in facts if fact.id not in covered]
    if facts and len(left) < len(facts):
        for fact in left:
            yield Sentence(text=fact.text, evidence=fact.evidence, citation=fact.citation)
    elif facts and all(fact.language == "zh" for fact in facts):
        yield template.model_copy(update={"text": "".join(fact.text for fact in facts)})
    else:
        yield template


def _author(written: Written) -> str:
    if not written.sentences:
        return "templates"
    kept = f"{written.survived} of {written.written} sentences kept"
    return f"{written.model}, verified, {kept}; the rest by templates"


def verified(
    one: DraftSentence, result: Checked, sheet: FactSheet, *, revised: bool = False
) -> VerifiedSentence:
    """Return a sentence that passed, with the evidence of the facts it tells."""
    facts = sheet.cited(result.used)
    evidence = {e.model_dump_json(): e for fact in facts for e in fact.evidence}
    return VerifiedSentence(
        text=one.text,
        refs=result.used,
        covered=result.covered,
        evidence=tuple(evidence.values()),
        citations=tuple(dict.fromkeys(f.citation for f in facts if f.citation is not None)),
        revised=revised,
    )


def told(facts: Sequence[Fact]) -> str:
    """Return facts as the model sees them, in one line."""
    return " ".join(fact.text for fact in facts)


def lines_schema(count: int) -> dict[str, Any]:
    """Return the schema of `count` sentences ``s1``, ``s2``, ...; every length is bounded."""
    keys = [f"s{i}" for i in range(1, count + 1)]
    text = {"type": "string", "minLength": 1, "maxLength": MOST_CHARACTERS}
    return {
        "type": "object",
        "properties": dict.fromkeys(keys, text),
        "required": keys,
        "additionalProperties": False,
    }


def drafted(data: Mapping[str, str], refs: Sequence[tuple[str, ...]]) -> tuple[DraftSentence, ...]:
    """Return the sentences of a reply that is valid under `lines_schema`, with what they cite."""
    return tuple(DraftSentence(text=data[f"s{i}"], refs=r) for i, r in enumerate(refs, 1))
