"""The packaged model on its real engine, where both are here."""

import asyncio
from collections.abc import Awaitable, Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from agent.llm.choice import local_llm
from agent.llm.errors import LLMBudgetError
from agent.llm.local.gguf import MODEL, found_gguf
from agent.llm.seam import LLM
from knowledge.settings import load_settings
from tests.agent.llm.asking import SCHEMA, asking


def with_model(tmp_path: Path, use: Callable[[LLM], Awaitable[Any]]) -> Any:
    if find_spec("xllamacpp") is None:
        pytest.skip("the extra local-llm is not installed")
    gguf = found_gguf(load_settings())
    if gguf is None or not gguf.packaged:
        pytest.skip("the packaged weights are not here: run `epicrisis llm pull`")
    settings = load_settings().model_copy(
        update={"llm_gguf": gguf.path, "data_dir": tmp_path, "llm_context_tokens": 1024}
    )

    async def main() -> Any:
        async with local_llm(settings) as llm:
            return await use(llm)

    return asyncio.run(main())


def test_it_keeps_to_a_schema_counts_and_says_what_is_too_long(tmp_path: Path) -> None:
    async def use(llm: LLM) -> None:
        request = asking(
            "What is the capital of France?", json_schema=SCHEMA, timeout_s=120, max_tokens=40
        )
        reply = await llm.chat(request)
        assert reply.data["capital"] == "Paris"
        assert reply.usage.completion_tokens > 0
        assert llm.identity.name == MODEL
        assert llm.identity.server.startswith("llama.cpp")
        # one token per digit: known of the Qwen2.5 vocabulary
        assert await llm.count_tokens("1234") == 4
        with pytest.raises(LLMBudgetError, match="longer than its context"):
            await llm.chat(asking("pain " * 2000, timeout_s=120))

    with_model(tmp_path, use)
