"""What becomes of cards: kept as it is told, and how often each kind is taken or overridden."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from pydantic import Field, NonNegativeInt

from agent.assessment import RESEARCH_USE
from knowledge.model import Frozen
from knowledge.plain_text import visible
from serving.access.errors import ForbiddenError
from serving.access.principal import Permission, Principal
from serving.cds.discovery import Service
from serving.cds.protocol import Feedback, FeedbackBody
from serving.cds.store import Told
from serving.services import Services

Share = Annotated[float, Field(ge=0, le=1)]


class Rate(Frozen):
    """What became of one kind of card.

    Args:
        topic, level: The kind.
        shown: Cards shown.
        accepted, overridden: Cards whose last feedback says so.
        ignored: Cards without any feedback; a client sends none for them.
        accept_rate, override_rate: Of those shown.
    """

    topic: str
    level: str
    shown: NonNegativeInt
    accepted: NonNegativeInt
    overridden: NonNegativeInt
    ignored: NonNegativeInt
    accept_rate: Share
    override_rate: Share


class FeedbackExport(Frozen):
    """Feedback with its rates.

    Args:
        since: Cards shown, and feedback received, since then; None for all.
        rates: By topic and level.
        feedback: Newest first.
        unknown: How many rows are about cards this service did not show.
        comments: Whether comments are included: they may be about a patient.
        notice: What this is.
    """

    since: datetime | None = None
    rates: tuple[Rate, ...]
    feedback: tuple[Told, ...]
    unknown: NonNegativeInt
    comments: bool
    notice: str = RESEARCH_USE


class FeedbackService:
    """Keeps feedback and tells of it.

    Args:
        services: Of the application.
    """

    def __init__(self, services: Services) -> None:
        self._services = services

    def take(self, body: FeedbackBody, service: Service, principal: Principal) -> int:
        """Keep the feedback of one call and return how many cards in it are not known here.

        Raises:
            UnavailableError: It cannot be kept.
        """
        told = [_cleaned(one) for one in body.feedback]
        self._services.audit.used(
            principal,
            "card.feedback",
            case=None,
            detail={
                "service": service.id,
                "cards": [{"uuid": str(one.card), "outcome": one.outcome} for one in told],
            },
        )
        return self._services.cds.store.tell(told, client=principal.subject, service=service.id)

    def export(self, principal: Principal, *, since: datetime | None, limit: int) -> FeedbackExport:
        """Return feedback and rates; comments only for who may read cases.

        Raises:
            ForbiddenError: The token is for some patients alone: the rates are of all.
        """
        if principal.patient is not None or principal.tenants is not None:
            self._services.audit.refused(principal, Permission.READ_FEEDBACK.value, case=None)
            raise ForbiddenError(Permission.READ_FEEDBACK.value)
        store = self._services.cds.store
        rows = store.feedback(since=since, limit=limit)
        comments = principal.grants(Permission.READ_CASE)
        if not comments:
            rows = tuple(row.model_copy(update={"comment": None}) for row in rows)
        self._services.audit.used(
            principal,
            Permission.READ_FEEDBACK.value,
            case=None,
            detail={"rows": len(rows), "comments": comments},
        )
        return FeedbackExport(
            since=since,
            rates=rates(store.outcomes(since=since)),
            feedback=rows,
            unknown=sum(not row.known for row in rows),
            comments=comments,
        )


def rates(outcomes: Sequence[tuple[str, str, str | None]]) -> tuple[Rate, ...]:
    """Return the rates by topic and level.

    Args:
        outcomes: Topic, level and last outcome of every card shown.

    Examples:
        >>> [r.override_rate for r in rates([("a", "low", None), ("a", "low", "overridden")])]
        [0.5]
    """
    shown = Counter((topic, level) for topic, level, _ in outcomes)
    told = Counter(outcomes)
    found = []
    for (topic, level), count in sorted(shown.items()):
        accepted = told[topic, level, "accepted"]
        overridden = told[topic, level, "overridden"]
        found.append(
            Rate(
                topic=topic,
                level=level,
                shown=count,
                accepted=accepted,
                overridden=overridden,
                ignored=count - accepted - overridden,
                accept_rate=round(accepted / count, 4),
                override_rate=round(overridden / count, 4),
            )
        )
    return tuple(found)


def _cleaned(one: Feedback) -> Feedback:
    """Return feedback whose free text can be shown."""
    reason = one.overrideReason
    if reason is None or reason.userComment is None:
        return one
    comment = visible(reason.userComment).strip() or None
    return one.model_copy(
        update={"overrideReason": reason.model_copy(update={"userComment": comment})}
    )
