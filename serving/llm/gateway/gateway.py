"""The pool of the service: opened when it starts, shared by runs and conversations, closed last."""

import logging
from contextlib import ExitStack

from prometheus_client import CollectorRegistry

from agent.llm.pool.approval import Approval, ApprovalFile
from agent.llm.pool.host import PoolHost, shared_host
from agent.llm.pool.opening import make_pool, pool_path
from agent.llm.pool.status import PoolStatus
from knowledge.errors import UnavailableError
from knowledge.model import Frozen
from knowledge.settings import Settings
from serving.llm.gateway.metrics import PoolMetrics

logger = logging.getLogger(__name__)
_SHOWN = 20


class GatewayStatus(Frozen):
    """What the service says of its pool.

    Args:
        configured: Whether there is a pool: the setting `llm_pool`.
        problem: Why it cannot be used; empty where it can, or where there is none.
        pool: What it is doing now; None where there is none.
        approvals: The newest recorded switches, newest first.
    """

    configured: bool
    problem: str = ""
    pool: PoolStatus | None = None
    approvals: tuple[Approval, ...] = ()


class Gateway:
    """The pool of one application.

    Args:
        settings: `llm`, `llm_pool`, `data_dir`.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._opened = ExitStack()
        self._host: PoolHost | None = None
        self._metrics: PoolMetrics | None = None
        self._problem = ""

    @property
    def configured(self) -> bool:
        """Whether there is a pool."""
        return self._settings.llm != "none" and self._settings.llm_pool is not None

    def count_in(self, registry: CollectorRegistry) -> None:
        """Count in these counters what goes on; before `start`."""
        if self.configured:
            self._metrics = PoolMetrics(registry)

    def start(self) -> None:
        """Open the pool, where one is configured.

        One whose record of approvals is damaged stays closed: runs and answers then go without a
        model and say why.

        Raises:
            InvalidValueError: Its file is not valid.
        """
        if not self.configured or self._host is not None:
            return
        path = pool_path(self._settings)
        try:
            shared = shared_host(path, lambda: make_pool(self._settings, observer=self._metrics))
            self._host = self._opened.enter_context(shared)
        except UnavailableError as error:
            self._problem = str(error)
            logger.error("the pool of language models stays closed: %s", error)
            return
        if self._metrics is not None:
            self._metrics.begin(tuple(self._host.pool.backends))

    def stop(self) -> None:
        """Close the pool; a second call does nothing."""
        self._host = None
        self._opened.close()

    def status(self) -> GatewayStatus:
        """Return what the pool is doing now."""
        if not self.configured:
            return GatewayStatus(configured=False)
        problem, approvals = self._problem, tuple[Approval, ...]()
        try:
            approvals = ApprovalFile.of(self._settings.data_dir).all()[-_SHOWN:][::-1]
        except UnavailableError as error:
            problem = problem or str(error)
        if self._host is None:
            return GatewayStatus(
                configured=True, problem=problem or "is not open", approvals=approvals
            )
        return GatewayStatus(
            configured=True, problem=problem, pool=self._host.status(), approvals=approvals
        )
