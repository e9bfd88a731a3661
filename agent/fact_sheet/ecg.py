"""What the ECG report says in its one sentence, as facts."""

import re

from agent.assessment import Assessment, Sentence
from agent.fact_sheet.split import is_negated, parts_of
from agent.fact_sheet.wording import by_input
from agent.facts import Fact
from knowledge.evidence import Evidence
from knowledge.finding import State

_HEAD = re.compile(r"ECG(?P<which> \d+ of \d+)?: (?P<said>.+?)\.?$", re.DOTALL)


_LEADS = re.compile(r"\((?P<leads>[^()]+)\)")


def ecg_facts(assessment: Assessment, sentence: Sentence) -> tuple[Fact, ...]:
    """Return one fact for each statement of an ECG sentence.

    A statement with a negation or a condition in it is one fact that is said whole; of the others
    the leads and the rate are parts.
    """
    match = _HEAD.match(sentence.text)
    if match is None:
        return ()
    which = match["which"] or ""
    evidence = sentence.evidence or _evidence(assessment)
    return tuple(
        _fact(said.strip(), which=f"ECG{which}", evidence=_of_part(assessment, said, evidence))
        for said in match["said"].split(";")
        if said.strip()
    )


def _of_part(
    assessment: Assessment, said: str, evidence: tuple[Evidence, ...]
) -> tuple[Evidence, ...]:
    """Return what one part of the sentence rests on: the findings in the leads that it names.

    Rhythm and rate name no lead, as their findings do. A part without such a finding keeps the
    evidence of the whole sentence.
    """
    given = frozenset(evidence)
    named = _LEADS.search(said)
    leads = named["leads"] if named else None
    found = [
        e
        for finding in assessment.findings
        if finding.state is State.PRESENT and finding.body_site == leads
        for e in finding.evidence
        if given.issuperset(finding.evidence)
    ]
    return tuple(dict.fromkeys(found)) or evidence


def _fact(said: str, *, which: str, evidence: tuple[Evidence, ...]) -> Fact:
    several = which != "ECG"
    text = f"{which}: {said}."
    if is_negated(said) or said.lower() == "none in the case":
        return Fact(
            key=f"{which}.{said}",
            kind="ecg",
            names=(which,) if several else (),
            whole=True,
            text=text,
            evidence=evidence,
        )
    first, *rest = parts_of(said)
    return Fact(
        key=f"{which}.{said}",
        kind="ecg",
        names=(first,),
        parts=(*rest, which) if several else tuple(rest),
        needed=(which,) if several else (),
        text=text,
        evidence=evidence,
    )


def _evidence(assessment: Assessment) -> tuple[Evidence, ...]:
    """Return the recordings that the ECG answers rest on."""
    found = by_input(assessment)
    answered = (found.get(key) for key in ("st_deviation", "stemi_criteria", "ecg_heart_category"))
    each = (e for finding in answered if finding for e in finding.evidence)
    unique = {e.model_dump_json(): e for e in each if e.kind != "reference"}
    return tuple(unique.values())
