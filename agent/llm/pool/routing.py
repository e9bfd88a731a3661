"""Which model answers, and which of its servers: pure choices over what is known of them.

Load makes a request wait; only an outage changes the model. So a full first server is not a reason
for a smaller model, and one that is down is.
"""

import hashlib
from collections.abc import Iterable, Sequence

from knowledge.model import Frozen


class Seen(Frozen):
    """What is known of one server.

    Args:
        name: Of it.
        model: Which it serves.
        priority: Lower is first.
        usable: Whether it can be asked: its breaker lets calls through, its model is approved and
            the one it is said to be, and patient data may be sent to it where there are any.
        free: Places that are free.
        why_not: Why it cannot be asked; empty where it can.
        preferable: Whether only an outage keeps it from being asked, and not the file.
    """

    name: str
    model: str
    priority: int
    usable: bool
    free: int
    why_not: str = ""
    preferable: bool = True


def model_for(servers: Iterable[Seen], pinned: str) -> str | None:
    """Return the model that answers: the pinned one while any server of it can be asked.

    Args:
        servers: All of them.
        pinned: Model of the conversation; empty for none.

    Returns:
        None where no server can be asked.
    """
    usable = [one for one in servers if one.usable]
    if any(one.model == pinned for one in usable):
        return pinned
    first = min(usable, key=lambda one: (one.priority, one.name), default=None)
    return None if first is None else first.model


def server_for(
    servers: Iterable[Seen], model: str, *, case: str, but: Sequence[str] = ()
) -> str | None:
    """Return the server to ask: least priority first, then the one a case belongs to.

    A case belongs to the server with the highest hash of both (rendezvous hashing): it stays there
    while that has a place, and when a server comes or goes only the cases of that one move.

    Args:
        servers: All of them.
        model: Which must answer.
        case: Id of the case; empty for the one with most free places.
        but: Servers that were tried already.
    """
    open_ = [
        one
        for one in servers
        if one.usable and one.free > 0 and one.model == model and one.name not in but
    ]
    if not open_:
        return None
    least = min(one.priority for one in open_)
    tier = [one for one in open_ if one.priority == least]
    if case:
        return max(tier, key=lambda one: _score(case, one.name)).name
    return max(tier, key=lambda one: (one.free, one.name)).name


def why_none(servers: Iterable[Seen]) -> str:
    """Return in words why no server can be asked."""
    return "; ".join(f"{one.name}: {one.why_not}" for one in servers) or "none is configured"


def _score(case: str, server: str) -> bytes:
    return hashlib.sha256(f"{case}\0{server}".encode()).digest()
