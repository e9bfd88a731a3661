"""Where an id of evidence belongs: the newest assessment that has it, or an answer of the chat."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from agent.assessment import Assessment
from knowledge.evidence import Evidence
from knowledge.reference import Citation
from knowledge.risk import Risk
from serving.access.errors import NotFoundError
from serving.access.principal import Principal
from serving.cases.model import Case, StoredAssessment
from serving.evidence.ids import citations_in, evidence_id, evidence_in, source_id
from serving.services import Services


@dataclass(frozen=True, kw_only=True)
class Located:
    """A piece of evidence, and the files it points into.

    Args:
        id: Its id.
        evidence: The place; None for a source.
        citation: The source; None for a place.
        version: Of the assessment; None for an answer of the chat.
        assessment: The assessment, where it has one.
        files: File name to the SHA-256 of the bytes that were read then.
        scores: The scores that an answer of the chat was given, with their arithmetic.
    """

    id: str
    evidence: Evidence | None = None
    citation: Citation | None = None
    version: int | None = None
    assessment: Assessment | None = None
    files: Mapping[str, str] = field(default_factory=dict)
    scores: tuple[Risk, ...] = ()


def locate(services: Services, case: Case, principal: Principal, key: str) -> Located:
    """Return the evidence of an id that this case has.

    Args:
        services: Of the application.
        case: The case; nobody else's evidence is looked at.
        principal: Whose conversation may be looked at too.
        key: The id.

    Raises:
        NotFoundError: The case has no such evidence.
    """
    for stored in _newest_first(services, case):
        found = _in_body(key, stored.body)
        if found is not None:
            evidence, citation = found
            return Located(
                id=key,
                evidence=evidence,
                citation=citation,
                version=stored.version,
                assessment=Assessment.model_validate(stored.body),
                files=files_of(stored.body.get("inputs", ())),
            )
    from serving.chat.store import ConversationStore, owner_of

    turns = ConversationStore(services.database, clock=services.clock)
    for turn in reversed(turns.turns(owner_of(principal), case.id)):
        found = _in_body(key, turn.body or {})
        if found is not None:
            evidence, citation = found
            files = dict((turn.body or {}).get("files", {}))
            scores = () if turn.said is None else turn.said.answer.scores
            return Located(id=key, evidence=evidence, citation=citation, files=files, scores=scores)
    raise NotFoundError(f"evidence {key[:40]}")


def files_of(inputs: Any) -> dict[str, str]:
    """Return file name to SHA-256 of the inputs of an assessment, as plain JSON."""
    rows = [one for one in inputs if isinstance(one, Mapping) and one.get("sha256")]
    return {str(one["file"]): str(one["sha256"]) for one in rows}


def _newest_first(services: Services, case: Case) -> Iterator[StoredAssessment]:
    newest = services.cases.assessment(case.id)
    if newest is None:
        return
    yield newest
    for version in range(newest.version - 1, 0, -1):
        earlier = services.cases.assessment(case.id, version)
        if earlier is not None:
            yield earlier


def _in_body(key: str, body: Any) -> tuple[Evidence | None, Citation | None] | None:
    if key.startswith("s-"):
        cited = next((c for c in citations_in(body) if source_id(c.id) == key), None)
        return None if cited is None else (None, cited)
    found = next((e for e in evidence_in(body) if evidence_id(e) == key), None)
    return None if found is None else (found, None)
