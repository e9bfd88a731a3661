"""Cards that were shown and what became of them, in the database."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import select

from knowledge.model import Frozen
from serving.cds.cards import Made
from serving.cds.protocol import Feedback
from serving.cds.tables import FeedbackRow, ShownCardRow
from serving.storage.database import Database

Outcome = Literal["accepted", "overridden"]
_SHOWN = ("uuid", "at", "topic", "level", "fingerprint", "answered_at", "outcome")


class Place(Frozen):
    """To whom, and about which encounter.

    Args:
        client: Subject of the client.
        user: Whom the client shows it to, as it says.
        key: Hash of the patient's encounter, or of the patient where none was named.
    """

    client: str
    user: str
    key: str

    @classmethod
    def of(cls, *, client: str, user: str, patient: str, encounter: str | None) -> "Place":
        """Return the place of a call."""
        text = f"{client}\n{patient}\n{encounter or ''}"
        return cls(client=client, user=user, key=hashlib.sha256(text.encode()).hexdigest())


class Shown(Frozen):
    """One card as it was shown.

    Args:
        uuid: Of the card.
        at: When.
        topic, level, fingerprint: As in `serving.cds.cards.Made`.
        answered_at: When the last feedback on it came; None where there is none.
        outcome: The last feedback.
    """

    uuid: str
    at: datetime
    topic: str
    level: str
    fingerprint: str
    answered_at: datetime | None = None
    outcome: Outcome | None = None


class Told(Frozen):
    """One row of feedback, as it is exported.

    Args:
        received_at: When it came.
        at: When it happened, as the client says.
        client, service: From whom, about which service.
        card: UUID of the card.
        known: Whether this service had shown that card to that client.
        topic, level: Of the card; empty where it is not known.
        case: Id of the case, where there is one.
        outcome: What became of it.
        reason: Code of the reason, with its system.
        comment: Free text of the user.
        suggestions: UUIDs of the suggestions that were taken.
    """

    received_at: datetime
    at: datetime
    client: str
    service: str
    card: str
    known: bool
    topic: str
    level: str
    case: str | None = None
    outcome: Outcome
    reason: str | None = None
    comment: str | None = None
    suggestions: tuple[str, ...] = ()


class CardStore:
    """What is kept of cards; only ever added to.

    Every method raises `UnavailableError` where the database cannot be used.

    Args:
        database: Where.
        clock: The current moment.
    """

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    def keep(self, cards: Sequence[Made], place: Place, *, service: str, case: str | None) -> None:
        """Keep that these cards were shown."""
        now = self._clock()
        rows = [
            ShownCardRow(
                uuid=made.card.uuid,
                at=now,
                client=place.client,
                service=service,
                user=place.user,
                case_id=case,
                place=place.key,
                topic=made.topic,
                level=made.level,
                fingerprint=made.fingerprint,
                suggestions={s.uuid: s.label for s in made.card.suggestions or ()},
            )
            for made in cards
        ]
        if rows:
            with self._database.transaction() as session:
                session.add_all(rows)

    def shown(self, place: Place, *, since: datetime) -> tuple[Shown, ...]:
        """Return the cards shown to one user about one encounter, oldest first."""
        query = (
            select(
                ShownCardRow.uuid,
                ShownCardRow.at,
                ShownCardRow.topic,
                ShownCardRow.level,
                ShownCardRow.fingerprint,
                FeedbackRow.received_at,
                FeedbackRow.outcome,
            )
            .outerjoin(FeedbackRow, FeedbackRow.card == ShownCardRow.uuid)
            .where(ShownCardRow.place == place.key, ShownCardRow.user == place.user)
            .where(ShownCardRow.at >= since)
            .order_by(ShownCardRow.at, FeedbackRow.number)
        )
        found: dict[str, Shown] = {}
        with self._database.reading() as session:
            for row in session.execute(query):
                found[row[0]] = Shown.model_validate(dict(zip(_SHOWN, row, strict=True)))
        return tuple(found.values())

    def tell(self, told: Iterable[Feedback], *, client: str, service: str) -> int:
        """Keep feedback, also on cards that are not known; return how many are not."""
        now = self._clock()
        unknown = 0
        with self._database.transaction() as session:
            for one in told:
                card = session.get(ShownCardRow, str(one.card))
                if card is not None and (card.client, card.service) != (client, service):
                    card = None
                unknown += card is None
                session.add(
                    FeedbackRow(
                        received_at=now,
                        client=client,
                        service=service,
                        card=str(one.card),
                        case_id=card.case_id if card else None,
                        known=card is not None,
                        outcome=one.outcome,
                        at=one.outcomeTimestamp,
                        topic=card.topic if card else "",
                        level=card.level if card else "",
                        place=card.place if card else "",
                        fingerprint=card.fingerprint if card else "",
                        body=_body(one),
                    )
                )
        return unknown

    def feedback(
        self, *, since: datetime | None = None, limit: int, case: str | None = None
    ) -> tuple[Told, ...]:
        """Return feedback, newest first.

        Args:
            since: Received at this moment or later.
            limit: At most this many.
            case: Of one case alone.
        """
        query = select(FeedbackRow).order_by(FeedbackRow.number.desc()).limit(limit)
        if since is not None:
            query = query.where(FeedbackRow.received_at >= since)
        if case is not None:
            query = query.where(FeedbackRow.case_id == case)
        with self._database.reading() as session:
            return tuple(_told(row) for row in session.scalars(query))

    def outcomes(self, *, since: datetime | None = None) -> tuple[tuple[str, str, str | None], ...]:
        """Return topic, level and last outcome of every card shown."""
        query = (
            select(ShownCardRow.uuid, ShownCardRow.topic, ShownCardRow.level, FeedbackRow.outcome)
            .outerjoin(FeedbackRow, FeedbackRow.card == ShownCardRow.uuid)
            .order_by(ShownCardRow.uuid, FeedbackRow.number)
        )
        if since is not None:
            query = query.where(ShownCardRow.at >= since)
        found: dict[str, tuple[str, str, str | None]] = {}
        with self._database.reading() as session:
            for uuid, topic, level, outcome in session.execute(query):
                found[uuid] = (topic, level, outcome)
        return tuple(found.values())


def _body(one: Feedback) -> dict[str, Any]:
    reason = one.overrideReason
    return {
        "reason": reason.reason.model_dump(exclude_none=True) if reason and reason.reason else None,
        "comment": reason.userComment if reason else None,
        "suggestions": [str(s.id) for s in one.acceptedSuggestions or ()],
    }


def _told(row: FeedbackRow) -> Told:
    reason = row.body.get("reason")
    return Told.model_validate(
        {
            "received_at": row.received_at,
            "at": row.at,
            "client": row.client,
            "service": row.service,
            "card": row.card,
            "known": row.known,
            "topic": row.topic,
            "level": row.level,
            "case": row.case_id,
            "outcome": row.outcome,
            "reason": f"{reason.get('system', '')}|{reason['code']}" if reason else None,
            "comment": row.body.get("comment"),
            "suggestions": row.body.get("suggestions") or (),
        }
    )
