"""One fact sheet from an assessment and the guideline passages found for it."""

import re
from collections.abc import Collection, Iterator, Sequence

from agent.assessment import Assessment, Sentence
from agent.fact_sheet.advice import guideline_facts, recommendation_facts
from agent.fact_sheet.chinese import in_chinese
from agent.fact_sheet.conclusions import conclusion_facts
from agent.fact_sheet.ecg import ecg_facts
from agent.fact_sheet.findings import finding_facts, missing_facts
from agent.fact_sheet.imaging import imaging_facts
from agent.fact_sheet.laboratory import laboratory_facts
from agent.fact_sheet.outside import guarded, outside_texts
from agent.fact_sheet.presentation import presentation_facts
from agent.fact_sheet.readings import reading_facts
from agent.fact_sheet.scores import caveat_facts, other_scores, score_fact
from agent.fact_sheet.troponin import series_dated, troponin_facts
from agent.fact_sheet.verdicts import conflict_facts, reason_facts, verdict_fact
from agent.facts import Fact, FactSheet, numbered
from knowledge.passages import Hit, Language
from knowledge.plain_text import visible
from tools.chart.unread_notes import UNREAD_NOTE

_LONGEST_NAME = 80


def fact_sheet(
    assessment: Assessment,
    hits: Sequence[Hit] = (),
    *,
    language: Language,
    asked: Collection[str] = (),
) -> FactSheet:
    """Return every fact of an assessment, those of its narrative first.

    Args:
        assessment: The result; one that was refused has no facts about a patient.
        hits: Guideline passages; a superseded one is left out.
        language: The facts are told in it where we have the words, else in English.
        asked: Scores asked for by name, whose caveats are facts too.
    """
    told = list(_of_narrative(assessment))
    others = _others(assessment, {fact.key for fact in told}, language)
    facts = (*told, *others, *caveat_facts(assessment, asked), *guideline_facts(hits))
    unique = {fact.key: fact for fact in reversed(facts)}
    ordered = (fact for fact in dict.fromkeys(f.key for f in facts))
    found = (unique[key] for key in ordered)
    texts = outside_texts(assessment)
    cleaned = (guarded(fact, texts) for fact in found)
    day = _day(assessment)
    dated = (series_dated(fact, day) for fact in cleaned)
    told_so = tuple(in_chinese(f, day) if language == "zh" else f for f in dated)
    return numbered(told_so, language, day, _unread(assessment))


def with_hits(sheet: FactSheet, hits: Sequence[Hit]) -> FactSheet:
    """Return a sheet that also holds these passages; the ids it had stay as they are."""
    known = {fact.key for fact in sheet.facts}
    added = tuple(fact for fact in guideline_facts(hits) if fact.key not in known)
    return numbered((*sheet.facts, *added), sheet.language, sheet.day, sheet.unread)


def _day(assessment: Assessment) -> str:
    """Return the day of the assessment as the facts write it; empty where it is not a day."""
    day = assessment.provenance.at.show(assessment.time_zone).partition(" ")[0]
    return day if re.fullmatch(r"\d{4}-\d\d-\d\d", day) else ""


def _unread(assessment: Assessment) -> tuple[str, ...]:
    """Return the files that may hold what no fact tells: those not read, and free text.

    Of free text a language model finds some facts; that it holds no other is never known.
    """
    files = [i.file for i in assessment.inputs if i.status != "read"]
    notes = [f.concept.text for f in assessment.findings if UNREAD_NOTE in f.flags]
    return tuple(visible(name)[:_LONGEST_NAME] for name in dict.fromkeys((*files, *notes)))


def _of_narrative(assessment: Assessment) -> Iterator[Fact]:
    """Yield the facts of the deterministic narrative, sentence by sentence."""
    for index, sentence in enumerate(assessment.narrative.sentences):
        for fact in _of_sentence(assessment, sentence, first=index == 0):
            yield fact.model_copy(update={"sentence": index})


def _of_sentence(assessment: Assessment, sentence: Sentence, *, first: bool) -> tuple[Fact, ...]:
    readers = (ecg_facts, score_fact, troponin_facts, verdict_fact, conflict_facts)
    if first and (found := presentation_facts(assessment)):
        return found
    for read in readers:
        if found := read(assessment, sentence):
            return found
    text = sentence.text
    return (
        Fact(
            key=f"note.{text}",
            kind="note",
            whole=True,
            outside=True,
            text=text,
            evidence=sentence.evidence,
            citation=sentence.citation,
        ),
    )


def _others(assessment: Assessment, told: set[str], language: Language) -> Iterator[Fact]:
    yield from other_scores(assessment, told)
    yield from reason_facts(assessment)
    yield from recommendation_facts(assessment)
    yield from finding_facts(assessment)
    yield from missing_facts(assessment)
    yield from conclusion_facts(assessment)
    yield from laboratory_facts(assessment, language)
    yield from imaging_facts(assessment, language)
    yield from reading_facts(assessment, language)
