"""A person states, with the reason, that files of a case without identity are of its patient.

It is written as ``attach`` lines of a case file, as who opens a case by hand writes them, and holds
for these contents only. Files that name somebody are never taken in this way.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import yaml

from knowledge.errors import ContractError, InvalidValueError
from knowledge.plain_text import visible
from knowledge.reference import strict_yaml
from serving.access.principal import Principal
from serving.cases.model import Case, StoredAssessment
from serving.cases.service import CaseService
from serving.images.found import CaseImages, Kept, images_of
from serving.services import Services

FILE = "stated-same-patient/case.yaml"
"""The case file that is written here."""

_SCHEMA = "epicrisis/case/1"
_SHORTEST = 3


def unidentified(images: CaseImages) -> tuple[Kept, ...]:
    """Return the picture files of a case that carry no identity at all and are not used."""
    names = {name for one in images.left_out if one.why == "identity" for name in one.files}
    return tuple(one for one in images.others if one.name in names)


def state_same_patient(
    services: Services,
    case: Case,
    ids: Sequence[str],
    *,
    reason: str,
    principal: Principal,
) -> StoredAssessment:
    """Keep the statement with its author, and return the new assessment.

    Args:
        services: Of the application.
        case: The case.
        ids: Of the files, as `unidentified` returns them.
        reason: How the person knows.
        principal: Who says so.

    Raises:
        InvalidValueError: No reason, or a file that carries an identity or is not there any more.
        ContractError: The case has a case file of its own.
        IdentityConflictError: It would become the case of another patient.
    """
    words = visible(reason).strip()
    if len(words) < _SHORTEST:
        raise InvalidValueError("reason", "is missing", "say how you know it")
    known = {one.id: one for one in unidentified(images_of(services, case))}
    wanted = list(dict.fromkeys(ids))
    if not wanted or not set(wanted) <= set(known):
        raise InvalidValueError(
            "files", "are not, or no longer, those without identity", "look at the list again"
        )
    kept = {file.name: file.sha256 for file in services.cases.files(case.id)}
    lines = _earlier(services, case, kept)
    lines += _lines([known[one] for one in wanted], words, principal, services.clock())
    written = yaml.safe_dump(
        {"schema": _SCHEMA, "attach": lines}, allow_unicode=True, sort_keys=False
    )
    files = [(FILE, written.encode())]
    return CaseService(services).add_files(case, files, principal=principal)


def _lines(
    files: Sequence[Kept], reason: str, principal: Principal, at: datetime
) -> list[dict[str, Any]]:
    who = visible(principal.name or principal.subject)
    note = f"{reason} ({who}, {at:%Y-%m-%dT%H:%M%z})"
    return [
        {"file": one.name, "patient": "same", "note": note, "sha256": one.sha256} for one in files
    ]


def _earlier(services: Services, case: Case, kept: Mapping[str, str]) -> list[dict[str, Any]]:
    stored = services.cases.assessment(case.id)
    inputs = () if stored is None else stored.body.get("inputs", ())
    if any(one["kind"] == "case file" and one["file"] != FILE for one in inputs):
        raise ContractError(
            "statement",
            "the case has a case file of its own",
            "state the files there (attach), and send it again",
        )
    if FILE not in kept:
        return []
    read = strict_yaml(services.files.get(kept[FILE]))
    return list(read["attach"])
