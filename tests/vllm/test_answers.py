"""What is asked through the product's client is answered alike by vLLM and by llama.cpp."""

import time

import jsonschema
import pytest
from pydantic import SecretStr

from agent.llm.client import OpenAIChat
from agent.llm.errors import LLMBudgetError, LLMDownError
from agent.llm.seam import Message, ToolSpec
from tests.vllm.asking import asking, with_client
from tests.vllm.conftest import MEASURED, QUESTIONS, SAID, SAID_TOKENS
from tests.vllm.servers import CONTEXT, Server

SCHEMA = {
    "type": "object",
    "properties": {
        "urgency": {"enum": ["immediate", "urgent", "routine"]},
        "reason": {"type": "string", "maxLength": 40},
        "hours": {"type": "integer", "minimum": 0, "maximum": 24},
    },
    "required": ["urgency", "reason", "hours"],
    "additionalProperties": False,
}
TOOLS = (
    ToolSpec(
        name="get_labs",
        description="Laboratory results of the patient, by analyte.",
        parameters={
            "type": "object",
            "properties": {"analyte": {"enum": ["troponin", "d-dimer", "creatinine"]}},
            "required": ["analyte"],
            "additionalProperties": False,
        },
    ),
    ToolSpec(
        name="get_ecg",
        description="One of the patient's ECGs, by id.",
        parameters={
            "type": "object",
            "properties": {"id": {"type": "string", "pattern": "^ecg-[0-9]$", "maxLength": 5}},
            "required": ["id"],
            "additionalProperties": False,
        },
    ),
)


def test_who_answers_is_known(server: Server) -> None:
    async def use(client: OpenAIChat) -> None:
        identity = await client.connect()
        assert identity.name == server.model
        assert identity.server.startswith("vllm 0.32" if server.kind == "vllm" else "llama.cpp")
        assert client.context_tokens == CONTEXT
        # "1234" are four tokens of a vocabulary that has digits one by one, as SmolLM2's
        assert await client.count_tokens("1234") == 4

    with_client(server, use)


async def says_what_the_dense_model_says(client: OpenAIChat) -> None:
    """Another engine, and bfloat16 in place of float32: two of three answers begin alike."""
    alike = 0
    for question in QUESTIONS:
        reply = await client.chat(asking(question, max_tokens=SAID_TOKENS))
        MEASURED.append(f"vllm: {reply.text[:40]!r}; dense: {SAID[question][:40]!r}")
        alike += reply.text.strip()[:12] == SAID[question].strip()[:12]
    assert alike >= 2


def test_the_mixture_says_what_the_dense_model_says(server: Server) -> None:
    if server.kind != "vllm":
        pytest.skip("llama.cpp serves four-bit weights with its own template, so it says otherwise")
    with_client(server, says_what_the_dense_model_says)


def test_a_reply_is_streamed_as_it_is_made(server: Server) -> None:
    async def use(client: OpenAIChat) -> None:
        request = asking("Count from one to thirty in words.", max_tokens=48)
        came = [(time.monotonic(), piece) async for piece in client.stream(request)]
        assert len(came) >= 8
        assert came[-1][0] - came[0][0] > 0.05, "it came at once"
        assert "".join(piece for _, piece in came).strip()

    with_client(server, use)


def test_a_reply_keeps_to_its_schema(server: Server) -> None:
    async def use(client: OpenAIChat) -> None:
        for text in ("Crushing chest pain, ST elevation.", "胸痛三天，轻微。"):  # noqa: RUF001
            reply = await client.chat(asking(text, json_schema=SCHEMA, max_tokens=96))
            jsonschema.validate(reply.data, SCHEMA)
            assert reply.usage.completion_tokens > 0

    with_client(server, use)


def test_a_streamed_reply_keeps_to_its_schema(server: Server) -> None:
    async def use(client: OpenAIChat) -> None:
        request = asking("Crushing chest pain.", json_schema=SCHEMA, max_tokens=96)
        pieces = [piece async for piece in client.stream(request)]  # checked at its end
        assert len(pieces) > 3

    with_client(server, use)


@pytest.mark.parametrize("text", ["Is the troponin high?", "Show the ECG ecg-2.", "What is 2 + 2?"])
def test_a_call_is_of_an_offered_tool_with_valid_arguments(server: Server, text: str) -> None:
    """Strict: also a model that was never taught to call tools cannot do otherwise."""

    async def use(client: OpenAIChat) -> None:
        reply = await client.chat(asking(text, tools=TOOLS, max_tokens=192))
        assert reply.calls
        offered = {tool.name: dict(tool.parameters) for tool in TOOLS}
        for call in reply.calls:
            jsonschema.validate(dict(call.arguments), offered[call.name])

    with_client(server, use)


def test_a_prefix_that_was_read_before_is_not_read_again(server: Server) -> None:
    """vLLM keeps blocks of 128 tokens on the CPU; llama.cpp whatever its slot holds."""
    rules = " ".join(f"Rule {number}: measure, name the unit, say what is missing." for number in
                     range(1, 41))  # fmt: skip

    async def use(client: OpenAIChat) -> None:
        cached = []
        for text in ("Troponin 57 ng/L?", "Creatinine 90 umol/L?"):
            messages = (
                Message(role="system", content=f"{server.kind}. {rules}"),
                Message(role="user", content=text),
            )
            reply = await client.chat(asking(messages=messages, max_tokens=4))
            assert reply.usage.prompt_tokens > 500
            cached.append(reply.usage.cached_tokens)
        assert cached[0] < 64
        assert cached[1] >= 384
        if server.kind == "vllm":
            assert cached[1] % 128 == 0

    with_client(server, use)


def test_a_prompt_that_is_too_long_is_told_as_such(server: Server) -> None:
    async def use(client: OpenAIChat) -> None:
        with pytest.raises(LLMBudgetError, match="longer than its context"):
            await client.chat(asking("pain " * (CONTEXT + 10)))

    with_client(server, use)


def test_a_wrong_key_is_refused_and_told_without_showing_it(server: Server) -> None:
    wrong = SecretStr("not-the-key-at-all")

    async def use(client: OpenAIChat) -> None:
        other = server.client(wrong)
        try:
            with pytest.raises(LLMDownError, match="refused the key") as caught:
                await other.chat(asking())
        finally:
            await other.close()
        for secret in (wrong, server.key):
            assert secret.get_secret_value() not in str(caught.value)
        assert (await client.chat(asking())).text  # the right one still works

    with_client(server, use)
