"""Pools for tests: of scripted models in virtual time, or of servers on 127.0.0.1."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from agent.llm.fake import FakeLLM
from agent.llm.pool.config import BackendRow, PoolFile
from agent.llm.pool.opening import connecting
from agent.llm.pool.pool import Pool
from agent.llm.seam import LLM, ChatRequest
from knowledge.settings import Settings

Connect = Callable[[BackendRow], AbstractAsyncContextManager[LLM]]


def pool_file(*backends: Mapping[str, Any], **more: Any) -> PoolFile:
    """Return the file of a pool; backends get what a test need not say."""
    rows = [
        {
            "url": f"http://127.0.0.1:{9000 + i}/v1",
            "model": "moe",
            "patient_data": "allowed",
            **row,
        }
        for i, row in enumerate(backends)
    ]
    models = {row["model"]: {"revision": "r1"} for row in rows}
    values = {
        "schema": "epicrisis/llm-pool/1",
        "models": models,
        "backends": rows,
        "approval": {"required": False},
        **more,
    }
    return PoolFile.model_validate(values)


def scripted(models: Mapping[str, LLM]) -> Connect:
    """Return what opens the model of each backend by its name."""

    @asynccontextmanager
    async def connect(row: BackendRow) -> AsyncIterator[LLM]:
        yield models[row.name]

    return connect


def over_http(row: BackendRow) -> AbstractAsyncContextManager[LLM]:
    """Open the client that the product opens of a server."""
    return connecting(Settings())(row)


def saying(text: str) -> FakeLLM:
    """Return a model that always says the same."""
    return FakeLLM(lambda request: text)


def failing(error: Callable[[], Exception]) -> FakeLLM:
    """Return a model that always fails."""
    return FakeLLM(lambda request: error())


def virtual(file: PoolFile, models: Mapping[str, LLM], **more: Any) -> Pool:
    """Return a pool in the time of the running loop."""
    import asyncio

    return Pool(file, scripted(models), clock=asyncio.get_running_loop().time, **more)


class Slow:
    """A model that answers after a while.

    Args:
        text: What it says.
        seconds: After how long.
    """

    def __init__(self, text: str, seconds: float) -> None:
        self.inner = saying(text)
        self.seconds = seconds
        self.now = 0
        self.most = 0
        self.order: list[str] = []

    @property
    def identity(self) -> Any:
        return self.inner.identity

    async def chat(self, request: ChatRequest) -> Any:
        import asyncio

        self.now += 1
        self.most = max(self.most, self.now)
        self.order.append(request.messages[-1].content)
        try:
            await asyncio.sleep(self.seconds)
        finally:
            self.now -= 1
        return await self.inner.chat(request)

    def stream(self, request: ChatRequest) -> AsyncIterator[str]:
        return self.inner.stream(request)

    async def count_tokens(self, text: str) -> int:
        return await self.inner.count_tokens(text)

    async def close(self) -> None:
        return None
