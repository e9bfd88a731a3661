"""What a later version does not bear out of a signed one.

Three things count: what is concluded (headline, risks, differential, actions), the results that
were read (corrected, retracted, replaced, answered anew), and whether the case could be assessed at
all. Sentences only say these again, with times that move on by themselves, so they do not count;
nor does a result that grew old: where that changes a conclusion, the conclusion counts.
"""

from collections.abc import Iterable, Iterator

from agent.assessment import Assessment
from knowledge.evidence import (
    DicomEvidence,
    Evidence,
    FhirEvidence,
    GuidelineEvidence,
    NoteEvidence,
    RecordEvidence,
    ReferenceEvidence,
    ToolEvidence,
    describe,
)
from knowledge.finding import Finding, State, Why
from serving.signing.model import Change, Decision, SignedStatement, Statement
from serving.signing.statements import statements

_BY_TIME = frozenset({Why.STALE, Why.OUTSIDE_WINDOW, Why.FUTURE_TIME, Why.DEPENDS})
_GONE = "no longer in the case, or taken back by its source"

Place = tuple[str, ...]


def changes(
    signed: Assessment, later: Assessment, decided: Iterable[SignedStatement] = ()
) -> tuple[Change, ...]:
    """Return what differs, conclusions first; nothing where the signed version still holds.

    Args:
        signed: The version that was signed.
        later: A later one of the same case.
        decided: What the signer decided on each statement: it is compared with what was signed,
            never with words that the signer rejected or replaced.
    """
    return (*_status(signed, later), *_concluded(signed, later, decided), *_read(signed, later))


def _status(signed: Assessment, later: Assessment) -> Iterator[Change]:
    if signed.status is not later.status:
        yield Change(
            kind="status",
            subject="status",
            label="Status",
            before=_in_words(signed.status.value, signed.reason),
            after=_in_words(later.status.value, later.reason),
        )


def _in_words(status: str, reason: str) -> str:
    return f"{status}: {reason}" if reason else status


def _concluded(
    signed: Assessment, later: Assessment, decided: Iterable[SignedStatement]
) -> Iterator[Change]:
    """Yield the conclusions that became other ones, and are not what the signer said already."""
    before = {one.subject: one for one in statements(signed) if one.kind != "sentence"}
    after = {one.subject: one for one in statements(later) if one.kind != "sentence"}
    said = {one.statement.subject: one for one in decided}
    for subject in dict.fromkeys((*before, *after)):
        old, new = before.get(subject), after.get(subject)
        if old is not None and new is not None and old.text == new.text:
            continue
        if not _is_as_signed(said.get(subject), new):
            yield _statement(subject, old, new, said.get(subject))


def _is_as_signed(decided: SignedStatement | None, new: Statement | None) -> bool:
    """Return whether the later version says what the signer made of it: replaced, or rejected."""
    match decided.decision if decided is not None else None:
        case Decision.EDIT:
            return decided is not None and new is not None and decided.text == new.text
        case Decision.REJECT:
            return new is None
        case _:
            return False


def _statement(
    subject: str, old: Statement | None, new: Statement | None, decided: SignedStatement | None
) -> Change:
    one = new or old
    changed = decided is not None and decided.decision is not Decision.ACCEPT
    return Change(
        kind="statement",
        subject=subject,
        label=one.label if one else subject,
        before=_as_signed(old, decided),
        after=new.text if new else None,
        decision=decided.decision if changed and decided is not None else None,
        computed=old.text if changed and old is not None else None,
        evidence=one.evidence if one else (),
    )


def _as_signed(old: Statement | None, decided: SignedStatement | None) -> str | None:
    """Return what the signed report says: nothing of the machine's that was not accepted."""
    if decided is None or decided.decision is Decision.ACCEPT:
        return old.text if old else None
    if decided.decision is Decision.EDIT:
        return decided.text
    return f"rejected: {decided.reason}" if decided.reason else "rejected"


def _read(signed: Assessment, later: Assessment) -> Iterator[Change]:
    now = _results(later)
    places = {key[0] for key in now}
    for (place, concept), finding in _results(signed).items():
        new = now.get((place, concept))
        if new is None and place in places:
            continue
        if new is None:
            yield _result(place, finding, None)
        elif _differs(finding, new):
            yield _result(place, finding, new)


def _results(assessment: Assessment) -> dict[tuple[Place, str], Finding]:
    """Return what was read, by where it stands and what it is; what was never there is left out."""
    found: dict[tuple[Place, str], Finding] = {}
    for finding in assessment.findings:
        place = next((p for e in finding.evidence if (p := _place(e)) is not None), None)
        if place is not None:
            codes = [f"{c.system}|{c.code}" for c in finding.concept.codings[:1]]
            concept = "/".join([*codes, finding.concept.text, finding.body_site or ""])
            found.setdefault((place, concept), finding)
    return found


def _place(evidence: Evidence) -> Place | None:
    """Return where a result stands at its source; None for what we computed or looked up.

    A FHIR resource is itself in whatever file it comes: a correction rarely comes in the same one.
    """
    match evidence:
        case FhirEvidence():
            return "fhir", evidence.resource
        case DicomEvidence():
            return "dicom", evidence.sop_instance_uid
        case RecordEvidence():
            return "record", evidence.file, evidence.record
        case NoteEvidence():
            return "note", evidence.document, str(evidence.start), str(evidence.end)
        case ReferenceEvidence() | GuidelineEvidence() | ToolEvidence():
            return None


def _differs(old: Finding, new: Finding) -> bool:
    if new.not_assessed is not None and new.not_assessed.why in _BY_TIME:
        return False
    if old.not_assessed is not None and old.not_assessed.why in _BY_TIME:
        return False
    return (old.state, old.value, old.time) != (new.state, new.value, new.time)


def _result(place: Place, old: Finding, new: Finding | None) -> Change:
    evidence = (new or old).evidence
    source = describe(evidence[0]) if evidence else "/".join(place[1:])
    return Change(
        kind="result",
        subject=f"result:{'/'.join(place)}:{old.concept.text}",
        label=f"{old.concept.text} ({source})",
        before=_value(old),
        after=_GONE if new is None else _value(new),
        evidence=evidence,
    )


def _value(finding: Finding) -> str:
    """Return state, value and time in words."""
    if finding.not_assessed is not None:
        return f"not assessed: {finding.not_assessed.detail}"
    said = finding.state.value if finding.state is State.ABSENT else _present(finding)
    flags = [f for f in finding.flags if f in ("corrected", "amended", "preliminary")]
    marked = f"{said} ({', '.join(flags)})" if flags else said
    return marked if finding.time is None else f"{marked}, {finding.time}"


def _present(finding: Finding) -> str:
    if finding.value is None:
        return finding.state.value
    return str(finding.value)
