"""No model is a mode: every way to have none comes with its reason."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from agent.llm.choice import llm_from
from agent.llm.fake_server import completion, fake_server
from knowledge.settings import Settings
from tests.agent.llm.asking import asking


def chosen(**values: Any) -> tuple[bool, str]:
    async def main() -> tuple[bool, str]:
        async with llm_from(Settings(**values)) as choice:
            return choice.llm is not None, choice.reason

    return asyncio.run(main())


def test_switched_off(tmp_path: Path) -> None:
    assert chosen(llm="none", data_dir=tmp_path) == (
        False,
        "switched off by EPICRISIS_LLM=none",
    )


def test_no_weights_says_how_to_get_them(tmp_path: Path) -> None:
    found, reason = chosen(data_dir=tmp_path)
    assert not found
    assert "epicrisis llm pull" in reason


@pytest.mark.parametrize(
    ("content", "said"), [(b"hello", "is not a GGUF file"), (None, "cannot be read")]
)
def test_a_named_file_that_cannot_be_used_says_so(
    tmp_path: Path, content: bytes | None, said: str
) -> None:
    file = tmp_path / "model.gguf"
    if content is not None:
        file.write_bytes(content)
    found, reason = chosen(data_dir=tmp_path, llm_gguf=file)
    assert not found
    assert said in reason


def test_an_endpoint_that_is_down_is_not_replaced_by_another_model(tmp_path: Path) -> None:
    async def gone() -> str:
        async with fake_server() as server:
            return server.url

    found, reason = chosen(data_dir=tmp_path, llm_url=asyncio.run(gone()))
    assert not found
    assert "cannot be reached" in reason


def test_a_configured_endpoint_is_used(tmp_path: Path) -> None:
    async def main() -> str:
        async with AsyncExitStack() as stack:
            server = await stack.enter_async_context(fake_server(completion("ok"), kind="vllm"))
            settings = Settings(data_dir=tmp_path, llm_url=server.url)
            choice = await stack.enter_async_context(llm_from(settings))
            assert choice.llm is not None
            assert choice.llm.identity.server == "vllm 0.32.0"
            return (await choice.llm.chat(asking())).text

    assert asyncio.run(main()) == "ok"


def test_what_fails_within_the_block_is_not_a_missing_model(tmp_path: Path) -> None:
    async def main() -> None:
        async with llm_from(Settings(llm="none", data_dir=tmp_path)):
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        asyncio.run(main())
