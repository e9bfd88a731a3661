"""Everything an assessment says, one statement at a time, under ids that stay."""

import hashlib
import re
from collections.abc import Iterator

from agent.assessment import Assessment, DifferentialEntry, Reason, Sentence, Verdict
from knowledge.codes import EPICRISIS
from knowledge.evidence import Evidence
from knowledge.risk import Risk
from serving.signing.model import Kind, Statement
from serving.signing.related import listed, names_of
from serving.storage.base import canonical

_LENGTH = 20
_LEAD = re.compile(r"[^\d:]*")
_LONGEST = 56
"""Characters of what stands before a colon that is a name and not a sentence of its own."""


def statements(assessment: Assessment) -> tuple[Statement, ...]:
    """Return every statement of an assessment, as a report shows them.

    Args:
        assessment: Any version of any case.
    """
    return tuple({one.id: one for one in _all(assessment)}.values())


def statement_id(kind: Kind, text: str, evidence: tuple[Evidence, ...]) -> str:
    """Return the id of a statement: equal content, equal id."""
    content = [kind, text, [one.model_dump(mode="json") for one in evidence]]
    return "s-" + hashlib.sha256(canonical(content)).hexdigest()[:_LENGTH]


def _all(assessment: Assessment) -> Iterator[Statement]:
    words = assessment.narrative
    yield _made("headline", "headline", "Headline", words.headline, words.evidence)
    yield from _sentences(assessment)
    for risk in assessment.risks:
        yield _made(
            "risk",
            f"risk:{risk.tool}:{risk.name}",
            risk.name,
            risk_words(risk),
            risk.evidence,
            tuple(source.id for source in risk.source),
        )
    for entry in assessment.differential:
        reasons = (*entry.supporting, *entry.against)
        yield _made(
            "differential",
            f"differential:{entry.id}",
            entry.diagnosis,
            entry_words(entry),
            tuple(dict.fromkeys(e for reason in reasons for e in reason.evidence)),
            tuple(dict.fromkeys(reason.citation for reason in reasons)),
        )
    for row in assessment.recommendations:
        yield _made(
            "recommendation",
            f"recommendation:{row.id}",
            "Action",
            row.text,
            row.evidence,
            (row.citation,),
        )


def risk_words(risk: Risk) -> str:
    """Return a risk in a sentence; the reason where there is no result."""
    if risk.statement:
        return risk.statement
    reason = "" if risk.not_assessed is None else f": {risk.not_assessed.detail}"
    return f"{risk.name}: {risk.category}{reason}"


def entry_words(entry: DifferentialEntry) -> str:
    """Return a diagnosis with its verdict and every argument on both sides."""
    said = f"{entry.diagnosis}: {entry.verdict.value}"
    if entry.verdict is Verdict.NOT_ASSESSED and entry.not_assessed is not None:
        said += f" ({entry.not_assessed.detail})"
    for label, reasons in (("for", entry.supporting), ("against", entry.against)):
        if reasons:
            said += f"; {label}: {_listed(reasons)}"
    return said + "."


def _listed(reasons: tuple[Reason, ...]) -> str:
    return ", ".join(reason.text.removesuffix(".") for reason in reasons)


def _sentences(assessment: Assessment) -> Iterator[Statement]:
    """Yield the sentences; what each is about is also its subject, the same in every version."""
    seen: dict[str, int] = {}
    person = _person(assessment)
    for index, sentence in enumerate(assessment.narrative.sentences):
        of_person = bool(sentence.evidence) and person.issuperset(sentence.evidence)
        about = "Patient" if of_person else _about(assessment, sentence, first=index == 0)
        seen[about] = seen.get(about, 0) + 1
        number = "" if seen[about] == 1 else f"#{seen[about]}"
        cited = () if sentence.citation is None else (sentence.citation,)
        yield _made(
            "sentence", f"sentence:{about}{number}", about, sentence.text, sentence.evidence, cited
        )


def _about(assessment: Assessment, sentence: Sentence, *, first: bool) -> str:
    """Return what a sentence is about: the words before its colon, or the rules that it tells."""
    head, colon, _ = sentence.text.partition(": ")
    names = names_of(assessment, sentence.evidence, sentence.text)
    if names and not listed(assessment, sentence.text) and head != "Troponin":
        return " and ".join(names)
    if colon and len(head) <= _LONGEST:
        return head
    if first:
        return "Patient"
    match = _LEAD.match(sentence.text)
    return (match[0] if match else "").strip(" (<,;-")[:_LONGEST] or "sentence"


def _person(assessment: Assessment) -> frozenset[Evidence]:
    """Return where age, sex and onset of the patient stand."""
    about = ("age_years", "sex", "onset")
    found = (f for f in assessment.findings if any(f.concept.has(EPICRISIS, k) for k in about))
    return frozenset(e for finding in found for e in finding.evidence)


def _made(
    kind: Kind,
    subject: str,
    label: str,
    text: str,
    evidence: tuple[Evidence, ...] = (),
    citations: tuple[str, ...] = (),
) -> Statement:
    return Statement(
        id=statement_id(kind, text, evidence),
        kind=kind,
        subject=subject,
        label=label,
        text=text,
        evidence=evidence,
        citations=citations,
    )
