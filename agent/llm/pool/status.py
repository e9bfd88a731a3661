"""What a pool is doing now, as a value: for the command, the endpoint and the page."""

from pydantic import NonNegativeFloat, NonNegativeInt

from agent.llm.address import address
from agent.llm.pool.backend import Backend
from agent.llm.pool.pool import Pool
from agent.llm.pool.quota import Used
from knowledge.model import Frozen


class BackendStatus(Frozen):
    """One server.

    Args:
        name: Of it.
        where: Host and port; ``this machine`` for the local model.
        model: Which it serves.
        priority: Lower is asked first.
        state: Of its breaker: ``closed`` lets requests through.
        usable: Whether requests with patient data go to it now.
        why_not: Why not.
        server: Kind and version, where known.
        in_flight, at_once: Requests it is answering, and the most.
        answered, failures: Since the process began.
        last_answer_s: Seconds since its last answer; None where it has given none.
        retry_after_s: Seconds until it is tried again.
        patient_data: Whether requests with patient data may be sent to it.
        candidate: Whether it only gets shadow requests.
    """

    name: str
    where: str
    model: str
    priority: int
    state: str
    usable: bool
    why_not: str = ""
    server: str = ""
    in_flight: NonNegativeInt
    at_once: NonNegativeInt
    answered: NonNegativeInt
    failures: NonNegativeInt
    last_answer_s: NonNegativeFloat | None = None
    retry_after_s: NonNegativeFloat = 0.0
    patient_data: str
    candidate: bool = False


class ModelStatus(Frozen):
    """One model.

    Args:
        name: Of it.
        sha256, revision: Which weights.
        unapproved: Why it may not answer; empty where it may.
        waiting: Requests that wait, by urgency.
    """

    name: str
    sha256: str | None = None
    revision: str = ""
    unapproved: str = ""
    waiting: dict[str, NonNegativeInt]


class TenantStatus(Frozen):
    """One tenant that has asked.

    Args:
        name: Of it.
        in_flight: Requests being answered.
        used: Of each of its limits.
    """

    name: str
    in_flight: NonNegativeInt
    used: tuple[Used, ...] = ()


class PoolStatus(Frozen):
    """A pool.

    Args:
        backends, models, tenants: See there; backends in the order in which they are asked.
        approval_required: Whether only models with a recorded evaluation answer.
        model_changes: Conversations that got another model, since the process began.
        shadow: Shadow requests by verdict; None where none are sent.
    """

    backends: tuple[BackendStatus, ...]
    models: tuple[ModelStatus, ...]
    tenants: tuple[TenantStatus, ...] = ()
    approval_required: bool
    model_changes: NonNegativeInt = 0
    shadow: dict[str, NonNegativeInt] | None = None

    @property
    def usable(self) -> bool:
        """Whether any server can be asked about a patient."""
        return any(one.usable for one in self.backends)


def status_of(pool: Pool) -> PoolStatus:
    """Return what a pool is doing now; in the loop of the pool."""
    now = pool.clock()
    order = sorted(pool.backends.values(), key=lambda one: (one.row.priority, one.row.name))
    reasons = {one.row.model: one.unapproved for one in order}
    return PoolStatus(
        backends=tuple(_backend(one, now) for one in order),
        models=tuple(
            ModelStatus(
                name=name,
                sha256=row.sha256,
                revision=row.revision,
                unapproved=reasons.get(name, ""),
                waiting={urgency: count for urgency, count in pool.waiting(name).items()},
            )
            for name, row in pool.file.models.items()
        ),
        tenants=tuple(
            TenantStatus(name=name, in_flight=pool.load.of(name), used=quota.used(now))
            for name, quota in sorted(pool.quotas.items())
        ),
        approval_required=pool.file.approval.required,
        model_changes=pool.changes,
        shadow=None if pool.shadow is None else dict(pool.shadow.counts),
    )


def _backend(one: Backend, now: float) -> BackendStatus:
    seen = one.seen(now, patient_data=True, trials=False)
    row = one.row
    return BackendStatus(
        name=row.name,
        where="this machine" if row.url is None else address(row.url).host,
        model=row.model,
        priority=row.priority,
        state=one.breaker.state(now).value,
        usable=seen.usable,
        why_not=seen.why_not,
        server=one.identity.server,
        in_flight=one.in_flight,
        at_once=row.at_once,
        answered=one.answered,
        failures=one.failures,
        last_answer_s=None if one.last_answer is None else round(now - one.last_answer, 1),
        retry_after_s=round(one.breaker.retry_after_s(now), 1),
        patient_data=row.patient_data,
        candidate=row.candidate,
    )
