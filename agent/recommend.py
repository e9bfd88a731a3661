"""Recommendations that apply, each our own summary of its source with its review state."""

from collections.abc import Mapping, Sequence

from agent.assessment import Recommended
from agent.complaint import is_started
from agent.critical_words import critical_said
from agent.open_signs import open_said
from agent.state import State
from agent.urgent_readings import urgent_said
from knowledge.pathways import Pathway, Recommendation, Urgency
from knowledge.reference import Review
from knowledge.risk import Risk
from knowledge.rules import Answer, holds
from tools.labs.troponin_category import Category

OWN = "epicrisis"
"""Key of the source of rows that are our own design."""

_ORDER = tuple(Urgency)


def recommendations(
    pathway: Pathway, state: State, *, time_zone: str | None
) -> tuple[Recommended, ...]:
    """Return what applies, most urgent first; an unknown condition does not apply anything.

    Without a stated complaint, what is due for everybody who has it is left out. A row that stands
    alone leaves no other beside it: who has died is not to be treated.

    Args:
        pathway: The rows.
        state: What is known.
        time_zone: IANA zone for times in the wording.
    """
    answers = state.answers()
    found: list[Recommended] = []
    left_out = () if is_started(state) else pathway.not_started.leaves_out
    for key, row in pathway.recommendations.items():
        if key in left_out:
            continue
        if row.for_each_due:
            due = due_risk(pathway, state)
            if due is not None:
                found.append(_dated(key, row, pathway, due, time_zone, missed(pathway, state)))
        elif row.when is not None and holds(row.when, answers) is True:
            found.append(_made(key, row, pathway, state, answers))
    alone = [r for r in found if pathway.recommendations[r.id].alone]
    if alone:
        return tuple(alone)
    return tuple(sorted(found, key=lambda r: _ORDER.index(r.urgency)))


def more_urgent(one: Urgency, two: Urgency) -> Urgency:
    """Return the more urgent of two."""
    return min(one, two, key=_ORDER.index)


def due_risk(pathway: Pathway, state: State) -> Risk | None:
    """Return the troponin rule whose next sample is to be taken: the first one still in time."""
    waiting = _waiting(pathway, state)
    in_time = [risk for risk in waiting if not risk.overdue]
    return in_time[0] if in_time else waiting[-1] if waiting else None


def missed(pathway: Pathway, state: State) -> tuple[str, ...]:
    """Return the names of the rules whose sample time has passed."""
    return tuple(risk.name for risk in _waiting(pathway, state) if risk.overdue)


def _waiting(pathway: Pathway, state: State) -> list[Risk]:
    return [
        state.risks[key]
        for key in pathway.troponin_order
        if key in state.risks and state.risks[key].next_due is not None
    ]


def label(pathway: Pathway, source: str) -> str:
    """Return how a summary of a source is labelled."""
    if source == OWN:
        return "Epicrisis pathway design, not from a guideline"
    found = pathway.sources[source]
    year = f" ({found.year})" if found.year else ""
    return f"Epicrisis summary of {found.title}{year}, not verbatim"


def review_words(row: Recommendation) -> str:
    """Return how sure a row is: our own choices are called that."""
    if row.source == OWN:
        return "a choice of this project, to be reviewed by a clinician"
    return Review(tag=row.review).words


def _made(
    key: str,
    row: Recommendation,
    pathway: Pathway,
    state: State,
    answers: Mapping[str, Answer],
) -> Recommended:
    held = [pathway.conditions[k].label for k in row.names if answers[f"condition.{k}"] is True]
    return Recommended(
        id=key,
        text=urgent_said(open_said(critical_said(row.text, state), pathway, state), state)
        .replace("{present}", ", ".join(held))
        .replace("{ecg}", _ecg_doubt(state)),
        urgency=row.urgency,
        strength=row.strength,
        label=label(pathway, row.source),
        review=review_words(row),
        citation=f"{row.source}|{row.review}",
        evidence=state.evidence_for(row.when, answers),
        cards=row.cards,
    )


def _ecg_doubt(state: State) -> str:
    """Return why the signal of the ECG leaves ST elevation open, for the rows that ask again."""
    reason = state.findings["stemi_criteria"].not_assessed
    return reason.detail if reason is not None else ""


def _sample_name(risk: Risk) -> str:
    """Return whose sample is due: the second of the rule, or one after it where it has its pair."""
    waits = any(band.name == Category.NEED_SECOND for band in risk.bands)
    if waits or risk.category == Category.NEED_SECOND:
        return risk.name
    observed = any(band.name == Category.OBSERVE for band in risk.bands)
    return f"{risk.name}, third sample{' of the observe zone' if observed else ''}"


def _dated(
    key: str,
    row: Recommendation,
    pathway: Pathway,
    risk: Risk,
    time_zone: str | None,
    passed: Sequence[str],
) -> Recommended:
    assert risk.next_due is not None  # noqa: S101 - `due_risk` returns only risks with a time
    due = risk.next_due.show(time_zone) + (", overdue" if risk.overdue else "")
    late = [name for name in passed if name != risk.name]
    note = f" The time for {' and '.join(late)} has passed." if late else ""
    return Recommended(
        id=key,
        text=row.text.format(due=due, name=_sample_name(risk)) + note,
        urgency=Urgency.IMMEDIATE if risk.overdue else row.urgency,
        strength=row.strength,
        due=risk.next_due,
        label=label(pathway, row.source),
        review=review_words(row),
        citation=f"{row.source}|{row.review}",
        evidence=risk.evidence,
        cards=row.cards,
    )
