"""Which language model this process uses, or why none: no model is a mode, not a failure."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from agent.llm.client import OpenAIChat
from agent.llm.errors import LLMError
from agent.llm.local.gguf import Gguf, pulled_gguf, required_gguf
from agent.llm.local.running import found_running
from agent.llm.seam import LLM
from knowledge.errors import UnavailableError
from knowledge.settings import Settings
from knowledge.weights_source import Progress

_PROBE_S = 15.0


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The model to use.

    Args:
        llm: None for the deterministic assessment alone.
        reason: Why there is none; empty where there is one.
    """

    llm: LLM | None
    reason: str = ""


@asynccontextmanager
async def llm_from(
    settings: Settings, *, pull: bool = False, progress: Progress | None = None
) -> AsyncIterator[Choice]:
    """Give the configured model while the block lasts, or the reason why there is none.

    The pool of `Settings.llm_pool` or the endpoint of `Settings.llm_url` if one is set; else the
    local model. An endpoint that is configured and does not answer is not replaced by the local
    model: that would be another model than the one the site has chosen. A pool may have the local
    model as its last server, where the site says so.

    Args:
        settings: `llm`, `llm_pool`, `llm_url` and what belongs to them.
        pull: Whether the weights of the local model are fetched if they are not here.
        progress: For the fetching.

    Raises:
        InvalidValueError: The file of the pool is not valid.
    """
    if settings.llm == "none":
        yield Choice(llm=None, reason="switched off by EPICRISIS_LLM=none")
        return
    llm: LLM
    async with AsyncExitStack() as opened:
        try:
            if settings.llm_pool is not None:
                llm = opened.enter_context(_pool(settings))
            elif settings.llm_url is not None:
                llm = await opened.enter_async_context(_endpoint(settings, settings.llm_url))
            else:
                local = local_llm(settings, pull=pull, progress=progress)
                llm = await opened.enter_async_context(local)
        except UnavailableError as error:
            choice = Choice(llm=None, reason=str(error))
        else:
            choice = Choice(llm=llm)
        yield choice


@asynccontextmanager
async def local_llm(
    settings: Settings, *, pull: bool = False, progress: Progress | None = None
) -> AsyncIterator[LLM]:
    """Give the local model while the block lasts.

    A server that ``epicrisis llm serve`` has started with the same weights is used; else one is
    started and stopped with the block.

    Args:
        settings: `llm_gguf`, `llm_threads`, `llm_context_tokens`, `data_dir`.
        pull: Whether the weights are fetched if they are not here.
        progress: For the fetching.

    Raises:
        UnavailableError: No weights, no engine, not enough memory, or it does not start.
    """
    from agent.llm.local.supervisor import LocalServer, orders_for, require_engine

    gguf = pulled_gguf(settings, progress=progress) if pull else required_gguf(settings)
    client = await running_client(settings, gguf)
    if client is not None:
        try:
            yield client
        finally:
            await client.close()
        return
    require_engine()
    server = LocalServer(orders_for(gguf, settings), sha256=gguf.sha256)
    await server.start()
    client = server.client()
    try:
        yield client
    finally:
        await client.close()
        await server.stop()


async def running_client(settings: Settings, gguf: Gguf) -> OpenAIChat | None:
    """Return a client of the running local server, or None if there is none with these weights."""
    running = found_running(run_folder(settings))
    if running is None or running.sha256 != gguf.sha256:
        return None
    client = OpenAIChat(running.url, running.model, running.api_key, sha256=running.sha256)
    try:
        await client.connect(timeout_s=_PROBE_S)
    except LLMError:
        await client.close()
        return None
    return client


def run_folder(settings: Settings) -> Path:
    """Return the folder that says which local server runs."""
    return settings.data_dir / "run"


@asynccontextmanager
async def _endpoint(settings: Settings, url: str) -> AsyncIterator[LLM]:
    client = OpenAIChat(url, settings.llm_model, settings.llm_api_key)
    try:
        await client.connect(timeout_s=_PROBE_S)
        yield client
    finally:
        await client.close()


@contextmanager
def _pool(settings: Settings) -> Iterator[LLM]:
    from agent.llm.pool.host import HostedLLM, shared_host
    from agent.llm.pool.opening import make_pool, pool_path

    with shared_host(pool_path(settings), lambda: make_pool(settings)) as host:
        yield HostedLLM(host)
