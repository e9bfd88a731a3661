"""What the service tells of who is logged in."""

from datetime import datetime

from knowledge.model import Frozen
from serving.access.principal import Permission, Principal, Role


class WhoAmI(Frozen):
    """Who a request comes from.

    Args:
        subject: Stable id.
        name: As shown and signed with.
        roles: What they are here.
        permissions: What they may do.
        via: How they came in; ``local`` is the single user of this machine, without a login.
        patient: The only patient they may see, where the login is for one.
        until: When the login ends in any case, where there is one.
    """

    subject: str
    name: str
    roles: tuple[Role, ...]
    permissions: tuple[Permission, ...]
    via: str
    patient: str | None
    until: datetime | None


def who(principal: Principal, until: datetime | None) -> WhoAmI:
    """Return what is told of somebody.

    Args:
        principal: Who.
        until: When the login ends.
    """
    return WhoAmI(
        subject=principal.subject,
        name=principal.name,
        roles=tuple(sorted(principal.roles)),
        permissions=tuple(sorted(one for one in Permission if principal.grants(one))),
        via=principal.via,
        patient=principal.patient,
        until=until,
    )
