"""Open the pool that the settings name: its file, its approvals, its clients."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from agent.llm.client import OpenAIChat
from agent.llm.pool.approval import ApprovalFile, prompts_hash, unapproved
from agent.llm.pool.backend import Connect
from agent.llm.pool.config import BackendRow, TenantRow, key_of, read_pool
from agent.llm.pool.observer import Observer
from agent.llm.pool.pool import Pool
from agent.llm.pool.shadow import ShadowFile
from agent.llm.seam import LLM
from knowledge.errors import InvalidValueError
from knowledge.settings import Settings

SHADOW_FILE = "llm-shadow.jsonl"


def pool_path(settings: Settings) -> Path:
    """Return the file of the pool.

    Raises:
        InvalidValueError: None is set, or a single endpoint is set beside it.
    """
    if settings.llm_pool is None:
        raise InvalidValueError("EPICRISIS_LLM_POOL", "is not set", "name the file of the pool")
    if settings.llm_url is not None:
        raise InvalidValueError(
            "EPICRISIS_LLM_POOL and EPICRISIS_LLM_URL",
            "are both set, and it is not clear which is meant",
            "remove one",
        )
    return settings.llm_pool


def make_pool(settings: Settings, *, observer: Observer | None = None) -> Pool:
    """Return the configured pool, for the event loop that uses it first.

    Raises:
        InvalidValueError: Its file is not valid, or a key cannot be read.
        UnavailableError: The record of approvals cannot be read or is not as it was written.
    """
    file = read_pool(pool_path(settings))
    for row in file.backends:
        key_of(row)  # a wrong path is told at the start, not by the first request
    approvals = ApprovalFile.of(settings.data_dir).all() if file.approval.required else ()
    return Pool(
        file,
        connecting(settings),
        unapproved=unapproved(file, approvals, prompts_sha256=prompts_hash()),
        keep_shadow=ShadowFile(settings.data_dir / SHADOW_FILE).keep,
        observer=observer,
    )


def pool_of_candidate(settings: Settings, model: str) -> Pool:
    """Return a pool of one model's servers, approved or not: for evaluations, without patients.

    Raises:
        InvalidValueError: The file is not valid or has no such model.
    """
    file = read_pool(pool_path(settings))
    rows = tuple(
        row.model_copy(update={"candidate": False}) for row in file.backends if row.model == model
    )
    if not rows:
        raise InvalidValueError(
            f"model {model}", "no backend of the pool serves it", f"one of {', '.join(file.models)}"
        )
    alone = file.model_copy(
        update={
            "backends": rows,
            "shadow": None,
            "models": {model: file.models[model]},
            "everyone_else": TenantRow(),
        }
    )
    return Pool(alone, connecting(settings))


def connecting(settings: Settings) -> Connect:
    """Return what opens the client of a server."""

    def connect(row: BackendRow) -> AbstractAsyncContextManager[LLM]:
        return _local(settings) if row.url is None else _endpoint(row, row.url)

    return connect


@asynccontextmanager
async def _endpoint(row: BackendRow, url: str) -> AsyncIterator[LLM]:
    client = OpenAIChat(url, row.served_as or row.model, key_of(row), repeats=0, exact=True)
    try:
        await client.connect(timeout_s=row.answer_s)
        yield client
    finally:
        await client.close()


@asynccontextmanager
async def _local(settings: Settings) -> AsyncIterator[LLM]:
    from agent.llm.choice import local_llm

    async with local_llm(settings) as llm:
        yield llm
