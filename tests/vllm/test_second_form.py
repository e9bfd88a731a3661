"""Both forms served by vLLM say what the dense model says; the Qwen form keeps to schemas too."""

from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest

from agent.llm.client import OpenAIChat
from serving.llm.upcycle.plan import Form
from serving.llm.upcycle.record import Record
from tests.vllm.asking import asking, with_client
from tests.vllm.conftest import MEASURED
from tests.vllm.servers import Vllm
from tests.vllm.test_answers import SCHEMA, TOOLS, says_what_the_dense_model_says


@pytest.fixture
def qwen(checkpoints: dict[Form, tuple[Path, Record]], tmp_path: Path) -> Iterator[Vllm]:
    folder, _ = checkpoints["qwen-moe"]
    server = Vllm(folder, tmp_path / "server.log")
    server.start()
    try:
        yield server
    finally:
        server.stop()
        MEASURED.append(f"vllm with the Qwen form: started in {server.starts[0]:.1f} s")


def test_it_answers_in_words_by_schema_and_with_tools(qwen: Vllm) -> None:
    async def use(client: OpenAIChat) -> None:
        await says_what_the_dense_model_says(client)
        reply = await client.chat(asking("Chest pain.", json_schema=SCHEMA, max_tokens=96))
        jsonschema.validate(reply.data, SCHEMA)
        called = await client.chat(asking("Is the troponin high?", tools=TOOLS, max_tokens=192))
        assert called.calls

    with_client(qwen, use)
