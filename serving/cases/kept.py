"""An assessment as it is kept, and whether what is read is still that."""

import hashlib
from collections.abc import Mapping
from typing import Any

from serving.access.errors import AlteredError
from serving.cases.tables import AssessmentRow
from serving.storage.base import canonical


def body_hash(body: Mapping[str, Any]) -> str:
    """Return the SHA-256 of the canonical JSON of the body of an assessment."""
    return hashlib.sha256(canonical(body)).hexdigest()


def repeated(body: Mapping[str, Any]) -> dict[str, str]:
    """Return the columns that repeat a part of the body, by which lists are made.

    Args:
        body: The published JSON.
    """
    agent = body.get("agent") or {}
    provenance = body["provenance"]
    return {
        "author": "agent" if agent.get("mode") == "with language model" else "templates",
        "status": body["status"],
        "headline": body["narrative"]["headline"],
        "urgency": body["narrative"]["urgency"],
        "inputs_sha256": provenance["inputs_sha256"],
        "result_sha256": provenance["result_sha256"],
    }


def alteration(body: Mapping[str, Any], sha256: str, columns: Mapping[str, Any]) -> str | None:
    """Return what of a kept assessment is not as it was kept; None where all is.

    Args:
        body: As it was read.
        sha256: Of the body, when it was kept.
        columns: Name to value, at least those of `repeated`.
    """
    if body_hash(body) != sha256:
        return "its content is not what was kept"
    try:
        said = repeated(body)
    except (KeyError, TypeError, AttributeError):
        return "it is no assessment"
    wrong = sorted(name for name, value in said.items() if columns[name] != value)
    return f"its columns do not repeat it: {', '.join(wrong)}" if wrong else None


def checked_body(row: AssessmentRow) -> dict[str, Any]:
    """Return the body of a kept assessment, which is as it was kept.

    Raises:
        AlteredError: It is not: nothing of it may be shown.
    """
    body = row.body
    columns = {column.key: getattr(row, column.key) for column in AssessmentRow.__table__.columns}
    wrong = alteration(body, row.sha256, columns)
    if wrong is not None:
        raise AlteredError(f"version {row.version} of case {row.case_id}", wrong)
    return body
