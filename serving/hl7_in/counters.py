"""What the listener counts, for Prometheus: kinds and codes, nothing of a patient."""

from functools import partial

from prometheus_client import CollectorRegistry, Counter, Gauge

from serving.hl7_in.store import MessageStore


class Counters:
    """The counters of one listener."""

    def __init__(self, store: MessageStore | None = None) -> None:
        self.registry = CollectorRegistry()
        self._kept = Counter(
            "epicrisis_hl7_messages_total",
            "Messages acknowledged with AA, by type, and whether they were there before.",
            ("type", "again"),
            registry=self.registry,
        )
        self._refused = Counter(
            "epicrisis_hl7_refused_total",
            "Messages answered with AE or AR, by code and error of HL7 table 0357.",
            ("code", "error"),
            registry=self.registry,
        )
        self._closed = Counter(
            "epicrisis_hl7_closed_total",
            "Connections that ended, by reason.",
            ("reason",),
            registry=self.registry,
        )
        self.connections = Gauge(
            "epicrisis_hl7_connections", "Connections open.", registry=self.registry
        )
        if store is not None:
            for state in ("received", "waiting", "held"):
                gauge = Gauge(
                    f"epicrisis_hl7_{state}",
                    f"Messages in the store that are {state}.",
                    registry=self.registry,
                )
                gauge.set_function(partial(_number, store, state))

    def kept(self, kind: str, *, again: bool) -> None:
        """Count a message that was acknowledged."""
        self._kept.labels(kind, str(again).lower()).inc()

    def refused(self, code: str, error: str) -> None:
        """Count a message that was not."""
        self._refused.labels(code, error).inc()

    def closed(self, reason: str) -> None:
        """Count a connection that ended."""
        self._closed.labels(reason).inc()


def _number(store: MessageStore, state: str) -> float:
    return store.counts().get(state, 0)
