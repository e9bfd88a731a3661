"""One pool for the loops of a whole process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from agent.llm.choice import llm_from
from agent.llm.errors import LLMDownError
from agent.llm.fake_server import completion, fake_server, streamed
from agent.llm.pool.caller import Caller, asked_by
from agent.llm.pool.host import HostedLLM, PoolHost, shared_host
from agent.llm.pool.pool import Pool
from agent.llm.seam import LLM
from knowledge.errors import InvalidValueError
from knowledge.settings import Settings
from tests.agent.llm.asking import asking
from tests.agent.llm.pool.pools import Slow, over_http, pool_file, saying, scripted


def host(model: LLM) -> PoolHost:
    return PoolHost(lambda: Pool(pool_file({"name": "a"}), scripted({"a": model})), watch=False)


def test_it_is_asked_from_two_loops_and_its_state_is_one() -> None:
    pool = host(saying("ok"))
    try:
        texts = [asyncio.run(HostedLLM(pool).chat(asking())).text for _ in range(2)]
        assert texts == ["ok", "ok"]
        assert pool.status().backends[0].answered == 2
    finally:
        pool.close()
        pool.close()
    with pytest.raises(LLMDownError, match="is closed"):
        asyncio.run(HostedLLM(pool).chat(asking()))


def test_a_cancellation_travels_to_the_pool() -> None:
    slow = Slow("never", 60)
    pool = host(slow)

    async def main() -> None:
        task = asyncio.create_task(HostedLLM(pool).chat(asking(timeout_s=60)))
        while not slow.now:
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with asyncio.timeout(5):
            while slow.now:
                await asyncio.sleep(0.01)

    try:
        asyncio.run(main())
        assert pool.status().backends[0].in_flight == 0
    finally:
        pool.close()


def test_streams_and_counts_come_across() -> None:
    async def main() -> None:
        async with fake_server(streamed(["Rise ", "and fall"]), kind="vllm") as server:
            row = {"name": "a", "url": server.url, "model": "fake-model"}
            pool = PoolHost(lambda: Pool(pool_file(row), over_http), watch=False)
            llm = HostedLLM(pool)
            pieces = [piece async for piece in llm.stream(asking())]
            assert "".join(pieces) == "Rise and fall"
            assert await llm.count_tokens("x") == 3  # as the fake server says
            with pytest.raises(LLMDownError):
                [piece async for piece in llm.stream(asking())]
            await llm.close()
            await asyncio.to_thread(pool.close)

    asyncio.run(main())


def test_users_of_one_file_share_one_pool(tmp_path: Path) -> None:
    def make() -> Pool:
        return Pool(pool_file({"name": "a"}), scripted({"a": saying("ok")}))

    file = tmp_path / "pool.yaml"
    with shared_host(file, make) as first, shared_host(tmp_path / "." / "pool.yaml", make) as again:
        assert first is again
    with pytest.raises(LLMDownError, match="is closed"):
        asyncio.run(HostedLLM(first).chat(asking()))
    with shared_host(file, make) as new:
        assert new is not first


@asynccontextmanager
async def configured(tmp_path: Path, *, required: bool = False) -> AsyncIterator[Settings]:
    async with fake_server(*[completion("from the pool")] * 9, kind="vllm") as server:
        file = tmp_path / "pool.yaml"
        file.write_text(
            "schema: epicrisis/llm-pool/1\n"
            "models: {fake-model: {revision: r1}}\n"
            f"approval: {{required: {str(required).lower()}}}\n"
            f"backends: [{{name: a, url: '{server.url}', model: fake-model, "
            "patient_data: allowed}]\n"
        )
        yield Settings(data_dir=tmp_path, llm_pool=file)


def test_the_configured_pool_is_the_model_of_this_process(tmp_path: Path) -> None:
    async def main() -> None:
        async with configured(tmp_path) as settings, llm_from(settings) as choice:
            assert choice.llm is not None
            llm = asked_by(choice.llm, Caller(conversation="run-1"))
            reply = await llm.chat(asking())
            assert (reply.text, reply.backend) == ("from the pool", "a")
            assert llm.identity.name == "fake-model"
            assert llm.identity.server == "vllm 0.32.0"

    asyncio.run(main())


def test_a_model_without_a_recorded_evaluation_does_not_answer(tmp_path: Path) -> None:
    async def main() -> None:
        async with configured(tmp_path, required=True) as settings, llm_from(settings) as choice:
            assert choice.llm is not None
            with pytest.raises(LLMDownError, match="no evaluation of it is recorded"):
                await choice.llm.chat(asking())

    asyncio.run(main())


def test_a_pool_and_an_endpoint_at_once_are_refused(tmp_path: Path) -> None:
    async def main() -> None:
        settings = Settings(data_dir=tmp_path, llm_pool=tmp_path / "p", llm_url="http://x/v1")
        async with llm_from(settings):
            pass

    with pytest.raises(InvalidValueError, match="both set"):
        asyncio.run(main())


def test_a_model_that_is_no_pool_is_the_same_for_every_caller() -> None:
    model = saying("x")
    assert asked_by(model, Caller(tenant="a")) is model
