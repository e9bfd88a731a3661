"""What the rest of the service tells the audit."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from sqlalchemy.orm import Session

from serving.access.principal import Principal
from serving.cases.model import Case

SERVICE = Principal(subject="epicrisis", name="Epicrisis", roles=frozenset(), via="service")
"""Who the audit names for what the service does by itself."""

KEPT = "assessment.kept"
"""Action of the event that names an assessment with the hash of its body."""

SIGNED = frozenset({"sign-off.signed", "sign-off.amended"})
"""Actions of the events that name a signed report with its hash."""


class Audit(Protocol):
    """Writes events; each is kept when the call returns, or the call fails.

    What cannot be audited does not happen: an error here ends the request.
    """

    def used(
        self,
        principal: Principal,
        action: str,
        *,
        case: Case | None,
        detail: Mapping[str, Any] | None = None,
    ) -> None:
        """Keep that somebody did something.

        Args:
            principal: Who.
            action: A permission's value, or a finer name such as ``card.shown``.
            case: To which case.
            detail: Ids and hashes, never patient data.

        Raises:
            UnavailableError: It cannot be kept.
        """
        ...

    def within(
        self,
        session: Session,
        principal: Principal,
        action: str,
        *,
        case: Case | None,
        detail: Mapping[str, Any] | None = None,
    ) -> None:
        """Keep that something was done in the transaction that does it: both, or neither.

        It holds up every other event until that transaction ends, so it is called last in it.

        Args:
            session: In a transaction that writes.
            principal: Who.
            action: As in `used`.
            case: To which case.
            detail: Ids and hashes, never patient data.

        Raises:
            UnavailableError: It cannot be kept; nothing of the transaction may be.
        """
        ...

    def listed(
        self,
        principal: Principal,
        action: str,
        *,
        cases: Sequence[Case],
        detail: Mapping[str, Any] | None = None,
    ) -> None:
        """Keep that somebody saw a list: one event for each patient in it, all or none.

        Args:
            principal: Who.
            action: For example ``worklist.listed``.
            cases: Which cases were in the list.
            detail: Ids and hashes, never patient data.

        Raises:
            UnavailableError: It cannot be kept.
        """
        ...

    def refused(self, principal: Principal | None, action: str, *, case: str | None) -> None:
        """Keep that somebody tried something and was refused.

        Raises:
            UnavailableError: It cannot be kept.
        """
        ...
