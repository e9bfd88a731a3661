"""Everything an assessment says, one statement at a time, under ids that stay."""

import hashlib
import re
from collections.abc import Iterator

from agent.assessment import Assessment, DifferentialEntry, Reason, Sentence, Verdict
from knowledge.evidence import Evidence
from knowledge.risk import Risk
from serving.signing.model import Kind, Statement
from serving.storage.base import canonical

_LENGTH = 20
_LEAD = re.compile(r"[^\d:]*")


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
    yield _made("headline", "headline", "Headline", words.headline)
    yield from _sentences(words.sentences)
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


def _sentences(sentences: tuple[Sentence, ...]) -> Iterator[Statement]:
    """Yield sentences; what each is about is its words before the first number or colon."""
    seen: dict[str, int] = {}
    for sentence in sentences:
        match = _LEAD.match(sentence.text)
        lead = (match[0] if match else "").strip(" (<,;-") or "sentence"
        seen[lead] = seen.get(lead, 0) + 1
        number = "" if seen[lead] == 1 else f"#{seen[lead]}"
        cited = () if sentence.citation is None else (sentence.citation,)
        yield _made(
            "sentence", f"sentence:{lead}{number}", lead, sentence.text, sentence.evidence, cited
        )


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
