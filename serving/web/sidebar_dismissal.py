"""A headline set aside with a reason: kept beside the feedback on cards, never hiding the headline.

What was set aside is the content, by its hash and by whom: the same result stays set aside for that
person, any other result is new.
"""

from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from pydantic import AwareDatetime
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from knowledge.errors import InvalidValueError
from knowledge.model import Frozen
from knowledge.plain_text import visible
from serving.access.principal import Principal
from serving.cases.model import Case, StoredAssessment
from serving.cds.card_model import OVERRIDE_REASONS, REASONS
from serving.cds.protocol import Coding, Feedback, OverrideReason
from serving.cds.store import CardStore, Place
from serving.cds.tables import FeedbackRow, ShownCardRow
from serving.chat.store import owner_of
from serving.services import Services

SERVICE = "sidebar"
_COMMENT = 1000
_CLIENT = 200


class Dismissal(Frozen):
    """That somebody set a headline aside.

    Args:
        reason: In words.
        comment: What they wrote.
        at: When.
    """

    reason: str
    comment: str = ""
    at: AwareDatetime


def dismiss(
    services: Services,
    case: Case,
    stored: StoredAssessment,
    *,
    principal: Principal,
    code: str,
    comment: str,
) -> None:
    """Keep that the headline of an assessment was set aside, and why.

    Raises:
        InvalidValueError: The reason is none of the six.
    """
    if code not in {one.code for one in OVERRIDE_REASONS}:
        raise InvalidValueError("reason", "is none of those offered", "choose one of the six")
    now = services.clock()
    card = _card(stored, principal)
    _shown(services, case, stored, principal, card)
    told = Feedback(
        card=card,
        outcome="overridden",
        overrideReason=OverrideReason(
            reason=Coding(system=REASONS, code=code),
            userComment=visible(comment)[:_COMMENT] or None,
        ),
        outcomeTimestamp=now,
    )
    store = CardStore(services.database, services.clock)
    store.tell([told], client=_client(principal), service=SERVICE)
    services.audit.used(
        principal,
        "card.overridden",
        case=case,
        detail={"card": str(card), "reason": code, "result_sha256": stored.result_sha256},
    )


def dismissal(
    services: Services, stored: StoredAssessment, principal: Principal
) -> Dismissal | None:
    """Return the newest dismissal of this result by this person; None where there is none."""
    query = (
        select(FeedbackRow)
        .where(FeedbackRow.card == str(_card(stored, principal)), FeedbackRow.service == SERVICE)
        .order_by(FeedbackRow.number.desc())
        .limit(1)
    )
    with services.database.transaction() as session:
        row = session.scalar(query)
        if row is None:
            return None
        body: dict[str, Any] = row.body
        at = row.at
    code = (body.get("reason") or {}).get("code", "")
    words = {one.code: one.display for one in OVERRIDE_REASONS}
    return Dismissal(reason=words.get(code, code), comment=body.get("comment") or "", at=at)


def _shown(
    services: Services, case: Case, stored: StoredAssessment, principal: Principal, card: UUID
) -> None:
    """Keep that it was shown, once: feedback on what was never shown counts as unknown."""
    place = Place.of(
        client=_client(principal),
        user=_client(principal),
        patient=case.patient or case.id,
        encounter=case.encounter,
    )
    row = ShownCardRow(
        uuid=str(card),
        at=services.clock(),
        client=_client(principal),
        service=SERVICE,
        user=_client(principal),
        case_id=case.id,
        place=place.key,
        topic=SERVICE,
        level=stored.urgency,
        fingerprint=stored.result_sha256,
        suggestions={},
    )
    with services.database.transaction() as session:
        if session.get(ShownCardRow, str(card)) is not None:
            return
    try:
        with services.database.transaction() as session:
            session.add(row)
    except IntegrityError:
        return  # the same person set it aside in another window


def _card(stored: StoredAssessment, principal: Principal) -> UUID:
    name = f"{SERVICE}:{stored.case}:{stored.result_sha256}:{owner_of(principal)}"
    return uuid5(NAMESPACE_URL, name)


def _client(principal: Principal) -> str:
    return owner_of(principal)[:_CLIENT]
