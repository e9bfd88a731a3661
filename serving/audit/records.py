"""Are assessments and signed reports what the chain says was kept?

The chain names each with its hash. A row that was changed, put in, or taken out while its case is
there is found by that, also where its own hash was changed with it.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Text, select, type_coerce
from sqlalchemy.orm import Session

from serving.access.principal import Permission
from serving.audit.seam import KEPT, SIGNED
from serving.cases.kept import alteration
from serving.cases.tables import AssessmentRow
from serving.signing.store import report_hash
from serving.signing.tables import SignOffRow

_BATCH = 50
"""Rows read at once; an assessment takes some hundred kilobytes."""

_IDS = {KEPT: "assessment", **dict.fromkeys(SIGNED, "sign-off")}
"""Action to the detail that names what was kept."""


class Named(NamedTuple):
    """What one event says was kept.

    Args:
        kind: ``assessment`` or ``sign-off``.
        case: Id of its case.
        sha256: Its hash.
    """

    kind: str
    case: str | None
    sha256: str


class Records:
    """What the events of the chain say of assessments, signed reports and deleted cases.

    Attributes:
        unnamed: After `problems`: rows that were kept before events began to name them.
    """

    def __init__(self) -> None:
        self.named: dict[str, Named] = {}
        self.deleted: set[str] = set()
        self.since: dict[str, datetime] = {}
        self.unnamed = 0

    def take(self, action: str, at: datetime, case: str | None, body: str) -> None:
        """Take the next event, in the order of the chain.

        Args:
            action: Of the event.
            at: When it was recorded.
            case: Which case it is about.
            body: The AuditEvent.
        """
        if action == Permission.DELETE.value and case is not None:
            event = orjson.loads(body)
            if event["outcome"] == "0":
                self.deleted.add(case)
        kind = _IDS.get(action)
        if kind is not None:
            detail = _detail(orjson.loads(body))
            if {kind, "sha256"} <= set(detail):
                self.named.setdefault(detail[kind], Named(kind, case, detail["sha256"]))
                self.since.setdefault(kind, at)

    def problems(self, session: Session) -> Iterator[str]:
        """Yield what of the tables is not what the chain says.

        Args:
            session: Of the moment at which the chain was walked.
        """
        there: set[str] = set()
        for row in _rows(session):
            there.add(row.identity)
            said = self.named.get(row.identity)
            if row.wrong is not None:
                yield f"{row.kind} {row.identity}: {row.wrong}"
            elif said is not None and said.sha256 != row.sha256:
                yield f"{row.kind} {row.identity}: it is another than the audit names"
            elif said is None and self._named_then(row):
                yield f"{row.kind} {row.identity}: no event of the audit names it"
            elif said is None:
                self.unnamed += 1
        for identity, said in self.named.items():
            if identity not in there and said.case not in self.deleted:
                yield f"{said.kind} {identity}: it is not there, and its case was not deleted"

    def _named_then(self, row: "Row") -> bool:
        """Return whether events named what is kept by the time this was."""
        return row.kind in self.since and row.at >= self.since[row.kind]


class Row(NamedTuple):
    """One row that the chain should name.

    Args:
        kind: ``assessment`` or ``sign-off``.
        identity: Its id.
        sha256: As its column says.
        at: When it was kept.
        wrong: What of it does not fit its own hash; None where all does.
    """

    kind: str
    identity: str
    sha256: str
    at: datetime
    wrong: str | None


def _rows(session: Session) -> Iterator[Row]:
    assessments = AssessmentRow.__table__
    wanted = [type_coerce(c, Text) if c.key == "body" else c for c in assessments.columns]
    query = select(*(c.label(k.key) for c, k in zip(wanted, assessments.columns, strict=True)))
    for row in session.execute(query.execution_options(yield_per=_BATCH)).mappings():
        body = _json(row["body"])
        wrong = "it is no JSON" if body is None else alteration(body, row["sha256"], dict(row))
        yield Row("assessment", row["id"], row["sha256"], row["made_at"], wrong)
    signed = select(
        SignOffRow.id, SignOffRow.sha256, SignOffRow.signed_at, type_coerce(SignOffRow.body, Text)
    )
    for identity, sha256, at, text in session.execute(signed.execution_options(yield_per=_BATCH)):
        body = _json(text)
        same = body is not None and report_hash(body) == sha256
        yield Row("sign-off", identity, sha256, at, None if same else "it is not what was signed")


def _json(text: str) -> dict[str, Any] | None:
    try:
        body = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return body if isinstance(body, dict) else None


def _detail(event: Mapping[str, Any]) -> dict[str, str]:
    """Return the details of an event by their names."""
    return {
        one["type"]: one["valueString"]
        for entity in event["entity"]
        for one in entity.get("detail", ())
    }
