"""What the rest of the service tells the audit."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from serving.access.principal import Principal
from serving.cases.model import Case


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
