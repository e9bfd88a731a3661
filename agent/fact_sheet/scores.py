"""Scores and rules as facts: a number or a range, a category, and what it means."""

from collections.abc import Collection, Iterator

from agent.assessment import Assessment, Sentence
from agent.fact_sheet.split import limits, parts_of
from agent.facts import Fact, FactNumber, FactState
from agent.narrative import score_sentence
from knowledge.risk import NOT_DETERMINED, Risk, points_words

_TROPONIN = "serial_troponin"
SCORE = "score."
CAVEAT = "caveat."
"""Keys of what a score says, and of what must be read with it."""


def score_fact(assessment: Assessment, sentence: Sentence) -> tuple[Fact, ...]:
    """Return the score that a sentence of the narrative tells; nothing for another sentence."""
    for risk in assessment.risks:
        if risk.tool != _TROPONIN and score_sentence(risk) == sentence.text:
            return (_fact(risk),)
    return ()


def other_scores(assessment: Assessment, told: set[str]) -> Iterator[Fact]:
    """Yield the scores and troponin rules that the narrative does not tell."""
    for risk in assessment.risks:
        fact = _rule(risk) if risk.tool == _TROPONIN else _fact(risk)
        if fact.key not in told:
            yield fact


def caveat_facts(assessment: Assessment, asked: Collection[str]) -> Iterator[Fact]:
    """Yield what must be read with the scores that are asked for by name, each said whole."""
    for risk in assessment.risks:
        if risk.tool in asked and risk.not_assessed is None:
            for number, caveat in enumerate(risk.caveats, 1):
                yield Fact(
                    key=f"{CAVEAT}{risk.name}.{number}",
                    kind="score",
                    names=(risk.name,),
                    whole=True,
                    text=f"{risk.name}: {caveat}",
                    evidence=risk.evidence[:1],
                    citation=_citation(risk),
                )


def _rule(risk: Risk) -> Fact:
    """Return a troponin rule that is not the telling one: its statement, said whole."""
    said = risk.statement.removeprefix(f"{risk.name}: ")
    return Fact(
        key=f"{SCORE}{risk.name}",
        kind="troponin_result",
        names=(risk.name,),
        whole=True,
        text=f"{risk.name}: {said}",
        evidence=risk.evidence,
        citation=_citation(risk),
    )


def _fact(risk: Risk) -> Fact:
    text = score_sentence(risk)
    numbers: tuple[FactNumber, ...] = ()
    unit = f" {risk.unit}" if risk.unit else ""
    if risk.value is not None:
        numbers = (FactNumber(text=f"{points_words(risk.value, risk.unit)}{unit}"),)
    elif risk.range is not None:
        low, high = (points_words(value, risk.unit) for value in risk.range)
        said = low if low == high else f"between {low} and {high}"
        numbers = (FactNumber(text=f"{said}{unit}"),)
    said = text.removeprefix(risk.name)
    for number in numbers:
        said = said.strip().removeprefix(number.text)
    category = risk.category if not risk.not_assessed else ""
    parts = tuple(p for p in parts_of(said) if p not in (category, "not assessed"))
    state: FactState = "stated"
    if risk.not_assessed is not None:
        state = "not_assessed"
    elif risk.category == NOT_DETERMINED:
        state = "not_determined"
    return Fact(
        key=f"{SCORE}{risk.name}",
        kind="score",
        names=(risk.name, *_short(risk.name)),
        state=state,
        numbers=numbers,
        category="" if state == "not_determined" else category,
        parts=parts,
        needed=() if risk.not_assessed is not None else _needed(parts, state),
        text=text,
        evidence=risk.evidence,
        citation=_citation(risk),
        inputs=tuple(item.input for item in risk.missing),
    )


def _needed(parts: tuple[str, ...], state: str) -> tuple[str, ...]:
    """Return what limits the category; the state itself says what an open score leaves open."""
    return () if state == "not_determined" else limits(parts)


def _short(name: str) -> tuple[str, ...]:
    """Return the other names of a score: without its brackets, and without the word score."""
    bare = name.partition(" (")[0]
    short = {bare, bare.removesuffix(" score"), bare.replace(" in-hospital", "")}
    short |= {bare.replace(" in-hospital score", "")}
    return tuple(sorted(short - {name}))


def _citation(risk: Risk) -> str | None:
    return risk.source[0].id if risk.source else None
