"""Who the patient is, and when the pain began."""

from agent.assessment import Assessment
from agent.fact_sheet.wording import by_input, measured_text
from agent.facts import Fact, FactNumber
from knowledge.clinical_time import ClinicalTime, elapsed
from knowledge.finding import Finding, State

_PERSONS = {"female": "woman", "male": "man"}


def presentation_facts(assessment: Assessment) -> tuple[Fact, ...]:
    """Return person and onset; nothing for a case that was refused.

    Without a stated complaint an onset that nobody gave is not told: there may be no pain.
    """
    found = by_input(assessment)
    if assessment.status == "refused":
        return ()
    if not assessment.complaint_stated and "onset" not in found:
        return (_person(found.get("age_years"), found.get("sex")),)
    return (_person(found.get("age_years"), found.get("sex")), _onset(assessment, found))


def _person(age: Finding | None, sex: Finding | None) -> Fact:
    person = _PERSONS.get((sex.choice if sex else None) or "", "")
    years = measured_text(age) if age is not None and age.quantity is not None else ""
    said = years or "age not assessed"
    name = person or "person of unknown sex"
    return Fact(
        key="person",
        kind="person",
        names=(name,),
        numbers=(FactNumber(text=years),) if years else (),
        parts=() if years else (said,),
        text=f"{name.capitalize()}, {said}.",
        evidence=(age.evidence if age else ()) + (sex.evidence if sex else ()),
        inputs=("age_years", "sex"),
    )


def _onset(assessment: Assessment, found: dict[str, Finding]) -> Fact:
    onset = found.get("onset")
    if onset is None or onset.state is not State.PRESENT or onset.time is None:
        return Fact(
            key="onset",
            kind="onset",
            names=("onset of pain",),
            state="not_assessed",
            text="Onset of pain not known.",
            evidence=onset.evidence if onset else (),
            inputs=("onset",),
        )
    shown = onset.time.show(assessment.time_zone)
    ago = _ago(onset.time, assessment.provenance.at)
    since = f"since {shown}"
    return Fact(
        key="onset",
        kind="onset",
        names=("pain",),
        times=(shown,),
        parts=(since, ago) if ago else (since,),
        needed=(since,),
        text=f"Pain {since}{f' ({ago})' if ago else ''}.",
        evidence=onset.evidence,
        inputs=("onset",),
    )


def _ago(start: ClinicalTime, at: ClinicalTime) -> str:
    minutes = elapsed(start, at).minutes
    if minutes is None or not minutes.is_exact or minutes.low is None or minutes.low < 0:
        return ""
    hours, rest = divmod(round(minutes.low), 60)
    return f"{hours} h {rest:02d} min before the assessment"
