"""Counters of the pool for Prometheus: by server, model and tenant, never by patient or case."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from agent.llm.pool.breaker import State
from agent.llm.pool.observer import Observer
from agent.llm.seam import ChatReply, Urgency

_SECONDS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 40.0, 80.0, 160.0)
_WAITS = (0.001, 0.01, 0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 40.0)
_STATES = {State.CLOSED: 0, State.HALF_OPEN: 1, State.OPEN: 2}


class PoolMetrics(Observer):
    """Counts what goes on in a pool.

    Args:
        registry: Of the application.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Counter(
            "epicrisis_llm_requests_total",
            "Calls to model servers, by how they ended.",
            ("backend", "model", "outcome"),
            registry=registry,
        )
        self._seconds = Histogram(
            "epicrisis_llm_answer_seconds",
            "Time of an answered call, s.",
            ("backend",),
            buckets=_SECONDS,
            registry=registry,
        )
        self._tokens = Counter(
            "epicrisis_llm_tokens_total",
            "Tokens as the servers count them.",
            ("backend", "tenant", "kind"),
            registry=registry,
        )
        self._state = Gauge(
            "epicrisis_llm_breaker_state",
            "State of the breaker: 0 closed, 1 half-open, 2 open.",
            ("backend",),
            registry=registry,
        )
        self._waits = Histogram(
            "epicrisis_llm_wait_seconds",
            "Time a request waited for its turn, s.",
            ("model", "urgency"),
            buckets=_WAITS,
            registry=registry,
        )
        self._refused = Counter(
            "epicrisis_llm_refused_total",
            "Requests refused: quota, busy, gone, attempts.",
            ("tenant", "why"),
            registry=registry,
        )
        self._changes = Counter(
            "epicrisis_llm_model_changes_total",
            "Conversations that another model went on with.",
            ("before", "now"),
            registry=registry,
        )
        self._shadows = Counter(
            "epicrisis_llm_shadow_total",
            "Shadow requests by verdict.",
            ("candidate", "verdict"),
            registry=registry,
        )

    def begin(self, backends: tuple[str, ...]) -> None:
        """Show every server from the start."""
        for name in backends:
            self._state.labels(name).set(_STATES[State.CLOSED])

    def answered(self, backend: str, model: str, reply: ChatReply, *, tenant: str) -> None:
        """Count an answer and its tokens."""
        self._requests.labels(backend, model, "answered").inc()
        self._seconds.labels(backend).observe(reply.seconds)
        usage = reply.usage
        for kind, count in (
            ("prompt", usage.prompt_tokens),
            ("cached", usage.cached_tokens),
            ("completion", usage.completion_tokens),
        ):
            self._tokens.labels(backend, tenant, kind).inc(count)

    def failed(self, backend: str, model: str, says: str) -> None:
        """Count a failed call."""
        self._requests.labels(backend, model, says).inc()

    def state(self, backend: str, state: State, reason: str) -> None:
        """Show the state of a breaker."""
        self._state.labels(backend).set(_STATES[state])

    def waited(self, model: str, urgency: Urgency, seconds: float) -> None:
        """Count a wait."""
        self._waits.labels(model, urgency).observe(seconds)

    def refused(self, tenant: str, why: str) -> None:
        """Count a refused request."""
        self._refused.labels(tenant, why).inc()

    def changed(self, before: str, now: str) -> None:
        """Count a conversation with another model."""
        self._changes.labels(before, now).inc()

    def shadowed(self, candidate: str, verdict: str) -> None:
        """Count a shadow request."""
        self._shadows.labels(candidate, verdict).inc()
