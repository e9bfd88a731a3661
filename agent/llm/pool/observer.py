"""What goes on in a pool, told to whoever counts it. No words of requests or replies."""

from agent.llm.pool.breaker import State
from agent.llm.seam import ChatReply, Urgency


class Observer:
    """Told what happens; this one does nothing. Its methods return at once and never raise."""

    def answered(self, backend: str, model: str, reply: ChatReply, *, tenant: str) -> None:
        """A server has answered."""

    def failed(self, backend: str, model: str, says: str) -> None:
        """A call to a server has failed."""

    def state(self, backend: str, state: State, reason: str) -> None:
        """The breaker of a server has another state."""

    def waited(self, model: str, urgency: Urgency, seconds: float) -> None:
        """A request has waited for its turn."""

    def refused(self, tenant: str, why: str) -> None:
        """A request was refused: ``quota``, ``busy``, ``gone`` or ``attempts``."""

    def changed(self, before: str, now: str) -> None:
        """A conversation has got another model."""

    def shadowed(self, candidate: str, verdict: str) -> None:
        """A shadow request has ended, or was left out."""
