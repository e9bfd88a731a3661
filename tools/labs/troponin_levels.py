"""Single levels, stated beside the algorithms and also where none of them applies."""

from collections.abc import Iterable

from knowledge.clinical_time import ClinicalTime
from knowledge.codes import ANALYTE, Coding, Concept
from knowledge.evidence import ReferenceEvidence, ToolEvidence
from knowledge.finding import Finding, NotAssessed, State, Why
from knowledge.quantity import Text, format_number
from knowledge.troponin import assays, pathways
from tools.labs.troponin_episode import analyte_of, bad_value, is_stale, place, time_of

STATEMENT = "urn:epicrisis:statement"
"""System of statements about the series that are not questions of the catalogue."""
ABOVE_EVERY = "above_every_rule_in_limit"
_SAME_PROTEIN = {
    "hs_ctnt": ("hs_ctnt", "ctnt"),
    "ctnt": ("hs_ctnt", "ctnt"),
    "hs_ctni": ("hs_ctni", "ctni"),
    "ctni": ("hs_ctni", "ctni"),
}


def statement_concept(code: str, text: str) -> Concept:
    """Return the concept of a statement about the series."""
    return Concept(text=text, codings=(Coding(system=STATEMENT, code=code),))


def above_every_rule_in_limit(
    samples: Iterable[Finding], at: ClinicalTime, *, version: str
) -> Finding:
    """Return whether a sample reaches the highest single-sample rule-in limit of any assay.

    The assay need not be known, nor the exact collection time: the limit is the highest over all
    assays of the same protein, or over all assays where it is not known whether it was T or I.

    Args:
        samples: Troponin findings.
        at: Time of assessment.
        version: Of the tool.
    """
    known, unread = _concentrations(samples, at)
    truth = {f.id: _reaches(f) for f in known}
    high = [f for f in known if truth[f.id]]
    concept = statement_concept(ABOVE_EVERY, "Troponin above every rule-in limit")
    shown = high or known
    evidence = (
        *dict.fromkeys(e for f in shown for e in f.evidence),
        ToolEvidence(
            tool="serial_troponin",
            version=version,
            output=ABOVE_EVERY,
            inputs=tuple(f.id for f in shown),
        ),
        *dict.fromkeys(ReferenceEvidence(table="troponin_assays", row=_limit(f)[1]) for f in shown),
    )
    if high:
        return _present(concept, high[-1]).model_copy(update={"evidence": evidence})
    reason = _open(known, list(truth.values()), unread)
    if reason is not None:
        return Finding(concept=concept, state=State.NOT_ASSESSED, not_assessed=reason)
    return Finding(concept=concept, state=State.ABSENT, evidence=evidence)


def _present(concept: Concept, finding: Finding) -> Finding:
    text = pathways().levels.above_every_rule_in_limit.show(
        value_text=finding.quantity, limit=format_number(_limit(finding)[0])
    )
    return Finding(
        concept=concept,
        state=State.PRESENT,
        value=Text(text=text),
        time=finding.time,
        method=finding.method,
        evidence=finding.evidence,
    )


def _concentrations(
    samples: Iterable[Finding], at: ClinicalTime
) -> tuple[list[Finding], NotAssessed | None]:
    """Return the samples that may be of the present episode, and why another cannot be read."""
    placed = place(samples, at)
    episode = placed.episode
    unread: NotAssessed | None = None
    if episode and is_stale(time_of(episode[-1]), at):
        detail = "the last sample is not of the present episode"
        episode, unread = [], NotAssessed(why=Why.STALE, detail=detail)
    known: list[Finding] = []
    for finding, reason in placed.aside:
        readable = _is_troponin(finding) and finding.state is State.PRESENT
        if not readable or bad_value(finding) is not None:
            unread = unread or reason
        elif finding.time is None or not is_stale(finding.time, at):
            known.append(finding)
    return known + episode, unread


def _is_troponin(finding: Finding) -> bool:
    """Return whether a sample is coded as a troponin, or not coded as anything else."""
    if analyte_of(finding) is not None:
        return True
    return not any(coding.system == ANALYTE for coding in finding.concept.codings)


def _limit(finding: Finding) -> tuple[float, str]:
    return assays().highest_rule_in(_SAME_PROTEIN.get(analyte_of(finding) or "", ()))


def _reaches(finding: Finding) -> bool | None:
    assert finding.interval is not None  # noqa: S101 - `bad_value` lets only numbers pass
    return finding.interval.compare("ge", _limit(finding)[0])


def _open(
    known: list[Finding], truth: list[bool | None], unread: NotAssessed | None
) -> NotAssessed | None:
    """Return why it cannot be said that no sample reaches the limit, if so."""
    if None in truth:
        detail = "a censored result lies on both sides of the limit"
        return NotAssessed(why=Why.CENSORED, detail=detail)
    if unread is not None:
        return unread
    if not known:
        return NotAssessed(why=Why.MISSING, detail="no troponin sample in the case")
    return None
