"""The assessment in words, by templates: every number is a tool's, with its source."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from agent.assessment import DifferentialEntry, Narrative, Sentence, Verdict
from agent.complaint import is_started
from agent.critical_words import critical_said
from agent.open_signs import open_said
from agent.recommend import more_urgent, recommendations
from agent.state import NOT_ASSESSED, State
from agent.urgent_readings import PLACE as URGENT_PLACE
from agent.urgent_readings import SAID as URGENT_SAID
from agent.urgent_readings import urgent_sentences
from knowledge.clinical_inputs import catalogue
from knowledge.clinical_time import ClinicalTime, elapsed
from knowledge.evidence import Evidence
from knowledge.finding import Finding, Why
from knowledge.finding import State as Known
from knowledge.pathways import Headline, Pathway, Urgency
from knowledge.quantity import format_number
from knowledge.risk import NOT_DETERMINED, Risk, points_words
from knowledge.rules import Answer, holds

AUTHOR = "templates"


def narrative(
    pathway: Pathway,
    state: State,
    entries: Sequence[DifferentialEntry],
    *,
    ecg: Iterable[Sentence],
    at: ClinicalTime,
    time_zone: str | None,
    notes: Iterable[str],
) -> Narrative:
    """Return headline and sentences.

    Args:
        pathway: Where the headlines are.
        state: What is known.
        entries: The must-not-miss verdicts.
        ecg: One sentence for each recording.
        at: The moment of assessment.
        time_zone: IANA zone for times in the wording.
        notes: What a reader must know about the data.
    """
    opening, urgency, evidence = _opening(pathway, state, time_zone=time_zone)
    sentences = [_who(state, at, time_zone)]
    if not is_started(state):
        sentences.append(Sentence(text=pathway.not_started.told))
    sentences += urgent_sentences(state)
    sentences += ecg
    sentences += [_troponin(pathway, state)]
    sentences += _scores(pathway, state)
    sentences += _verdicts(entries)
    if state.conflicts:
        names = ", ".join(conflict.what for conflict in state.conflicts)
        sides = (side for conflict in state.conflicts for side in conflict.sides)
        sentences.append(
            Sentence(
                text=f"Sources disagree on: {names}.",
                evidence=tuple(dict.fromkeys(e for side in sides for e in side.evidence)),
            )
        )
    sentences += [Sentence(text=note) for note in notes]
    return Narrative(
        headline=opening,
        urgency=urgency,
        author=AUTHOR,
        sentences=tuple(sentences),
        evidence=evidence,
    )


def refusal(text: str) -> Narrative:
    """Return the narrative of a case that was refused."""
    return Narrative(headline=text, urgency=Urgency.URGENT, author=AUTHOR, sentences=())


def _opening(
    pathway: Pathway, state: State, *, time_zone: str | None
) -> tuple[str, Urgency, tuple[Evidence, ...]]:
    """Return the headline in words, how soon to act on it, and what it rests on.

    It is never less urgent than the most urgent recommendation. Where that one is immediate and
    the headline is not, its first sentence goes in front, so that nobody reads past it.
    """
    leading, headline = _headlines(pathway, state)
    texts = [_filled(row.text, pathway, state) for row in (*leading, headline)]
    evidence = [e for row in (*leading, headline) for e in _behind(row, state)]
    urgency = headline.urgency
    for row in leading:
        urgency = more_urgent(urgency, row.urgency)
    advised = recommendations(pathway, state, time_zone=time_zone)
    if advised:
        top = advised[0]
        if top.urgency is Urgency.IMMEDIATE and urgency is not Urgency.IMMEDIATE:
            texts.insert(0, top.text.split(". ")[0].removesuffix(".") + ".")
            evidence = [*top.evidence, *evidence]
        urgency = more_urgent(urgency, top.urgency)
    return " ".join(texts), urgency, tuple(dict.fromkeys(evidence))


def _behind(row: Headline, state: State) -> tuple[Evidence, ...]:
    """Return what a headline rests on; that nothing is decided rests on the troponin rules."""
    if row.when is not None:
        return state.evidence_for(row.when, state.answers())
    return state.basis.get("troponin.decided", ())


def _headlines(pathway: Pathway, state: State) -> tuple[list[Headline], Headline]:
    """Return the rows that lead, and the first other one whose condition holds."""
    answers = state.answers()
    leading: list[Headline] = []
    for row in pathway.headlines:
        if row.when is not None and holds(row.when, answers) is not True:
            continue
        if not row.leads:
            return leading, row
        leading.append(row)
    raise AssertionError("the loader requires a last headline without a condition")


def _who(state: State, at: ClinicalTime, time_zone: str | None) -> Sentence:
    age, sex, onset = (state.findings[key] for key in ("age_years", "sex", "onset"))
    person = {"female": "woman", "male": "man"}.get(sex.choice or "", "person of unknown sex")
    years = _years(age)
    text = f"{person.capitalize()}, {years}"
    if not is_started(state):
        return Sentence(text=text + ".", evidence=age.evidence + sex.evidence)
    if onset.state is Known.PRESENT and onset.time is not None:
        text += f"; pain since {onset.time.show(time_zone)}{_ago(onset.time, at)}"
    else:
        text += "; onset of pain not known"
    return Sentence(text=text + ".", evidence=age.evidence + sex.evidence + onset.evidence)


def _years(age: Finding) -> str:
    """Return the age in words; two neighbouring ages as one or the other."""
    span = age.interval
    if span is None:
        reason = age.not_assessed
        known = reason is not None and reason.why is not Why.MISSING
        return f"age not assessed ({reason.detail})" if known and reason else "age not assessed"
    if age.reported:
        return age.reported
    if span.is_exact or span.low is None or span.high is None:
        return f"{span} years"
    joined = " or " if span.high - span.low == 1 else " to "
    return f"{format_number(span.low)}{joined}{format_number(span.high)} years"


def _filled(text: str, pathway: Pathway, state: State) -> str:
    """Return a headline with what it names: discharge requirements, signs, chart items.

    A sentence for which there is nothing to name is left out.
    """
    text = open_said(critical_said(text, state), pathway, state)
    if "{" not in text:
        return text
    answers = state.answers()
    truths = {key: answers[f"discharge.{key}"] for key in pathway.discharge}
    labels = {key: row.label for key, row in pathway.discharge.items()}
    names = {
        "{unread}": str(state.extra.get("chart.unread") or ""),
        URGENT_PLACE: str(state.extra.get(URGENT_SAID) or ""),
        "{undated}": str(state.extra.get("chart.undated") or ""),
        "{signs}": ", ".join(_signs(pathway, answers)),
        "{open}": ", ".join(labels[key] for key, truth in truths.items() if truth is None),
        "{failed}": ", ".join(labels[key] for key, truth in truths.items() if truth is False),
    }
    kept = []
    for sentence in text.removesuffix(".").split(". "):
        if any(place in sentence and not words for place, words in names.items()):
            continue
        kept.append(re.sub("|".join(names), lambda match: names[match.group()], sentence))
    return ". ".join(kept) + "."


def _signs(pathway: Pathway, answers: Mapping[str, Answer]) -> Iterator[str]:
    """Yield the danger signs that are present, by the label of their input."""
    row = pathway.conditions.get("danger_sign")
    for leaf in row.when.leaves() if row is not None else ():
        if (
            leaf.input is not None
            and leaf.input in catalogue().inputs
            and holds(leaf, answers) is True
        ):
            yield catalogue().inputs[leaf.input].label


def _ago(start: ClinicalTime, at: ClinicalTime) -> str:
    minutes = elapsed(start, at).minutes
    if minutes is None or not minutes.is_exact or minutes.low is None:
        return ""
    hours, rest = divmod(round(minutes.low), 60)
    return f" ({hours} h {rest:02d} min before the assessment)"


def _troponin(pathway: Pathway, state: State) -> Sentence:
    """Return the statement of the preferred algorithm that says something definite."""
    risks = [state.risks[k] for k in pathway.troponin_order if k in state.risks]
    if not risks:
        return Sentence(text="Troponin: not assessed.")
    telling = [r for r in risks if r.category not in (NOT_ASSESSED, NOT_DETERMINED)]
    decided = [r for r in telling if r.next_due is None]
    best = (decided or telling or risks)[0]
    if best.not_assessed is not None:
        said = best.statement.removeprefix(f"{best.name}: ")
        return Sentence(
            text=f"Troponin: {said or f'not assessed ({best.not_assessed.detail}).'}",
            evidence=best.evidence,
        )
    return Sentence(
        text=f"{best.name}: {best.statement or best.category}",
        evidence=best.evidence,
        citation=best.source[0].id if best.source else None,
    )


def _scores(pathway: Pathway, state: State) -> list[Sentence]:
    required = {step.tool for step in pathway.steps if step.required}
    return [
        Sentence(
            text=score_sentence(risk),
            evidence=risk.evidence,
            citation=risk.source[0].id if risk.source else None,
        )
        for key, risk in state.risks.items()
        if key in required
        and key not in pathway.troponin_order
        and not _beside_the_point(key, state)
    ]


def _beside_the_point(key: str, state: State) -> bool:
    """Return whether a rule-out score is overtaken: infarction is already supported."""
    return key == "heart" and state.extra.get("verdict.acs") == Verdict.SUPPORTED.value


def score_sentence(risk: Risk) -> str:
    """Return one score in words: its number, or its range and how much is missing."""
    if risk.not_assessed is not None:
        return f"{risk.name}: not assessed ({risk.not_assessed.detail})."
    number = ""
    if risk.value is not None:
        number = f" {points_words(risk.value, risk.unit)}"
    elif risk.range is not None:
        low, high = (points_words(end, risk.unit) for end in risk.range)
        number = f" {low}" if low == high else f" between {low} and {high}"
    number += f" {risk.unit}" if risk.unit and number else ""
    if risk.category == NOT_DETERMINED:
        bands = " or ".join(band.name for band in risk.bands)
        count = len(risk.missing)
        what = f"{count} input{'s' if count != 1 else ''} missing" if count else "not settled"
        return f"{risk.name}{number}: not determined, {bands} possible ({what})."
    meaning = risk.bands[0].meaning if len(risk.bands) == 1 else ""
    return f"{risk.name}{number}: {risk.category}" + (f" ({meaning})." if meaning else ".")


def _verdicts(entries: Sequence[DifferentialEntry]) -> list[Sentence]:
    found: list[Sentence] = []
    for verdict in Verdict:
        having = [entry for entry in entries if entry.verdict is verdict]
        if having:
            named = ", ".join(entry.diagnosis for entry in having)
            evidence = dict.fromkeys(e for entry in having for e in entry_evidence(entry))
            text = f"{verdict.value.capitalize()}: {named}."
            found.append(Sentence(text=text, evidence=tuple(evidence)))
    return found


def entry_evidence(entry: DifferentialEntry) -> tuple[Evidence, ...]:
    """Return what the arguments on both sides of a diagnosis rest on, each place once."""
    reasons = (*entry.supporting, *entry.against)
    return tuple(dict.fromkeys(e for reason in reasons for e in reason.evidence))
