"""The prompts of this project as a model sees them: the agent's own, over the bundled examples."""

import asyncio
from collections.abc import AsyncIterator
from importlib.resources import files
from pathlib import Path

import orjson

from agent.graph.checkpoints import open_checkpoints
from agent.graph.request import RunRequest, Session
from agent.graph.run import start_run
from agent.llm.schema_instance import Words, instance
from agent.llm.seam import ChatReply, ChatRequest, Message, ModelIdentity
from agent.llm.tokens import upper_estimate
from knowledge.clinical_time import parse_fhir
from knowledge.errors import UnreadableError
from knowledge.passages import Language
from knowledge.settings import Settings

EXAMPLES = ("stemi", "nstemi", "early_presenter", "half_missing")
LANGUAGES: tuple[Language, ...] = ("en", "zh")
Conversation = tuple[Message, ...]


def project_prompts(settings: Settings) -> dict[str, Conversation]:
    """Return every prompt that the agent makes of the bundled cases, in English and Chinese.

    Keys are ``case/language/purpose``. The agent runs against a listener that answers each request
    with some value of its schema, so the prompts are those of a real run up to what a model would
    have said in between.
    """
    return asyncio.run(_prompts(settings))


def read_prompts(file: Path) -> dict[str, Conversation]:
    """Return prompts of a file, one JSON object a line: ``{"name": ..., "messages": [...]}``.

    Raises:
        UnreadableError: It is not such a file.
    """
    try:
        lines = [orjson.loads(line) for line in file.read_bytes().splitlines() if line.strip()]
        found = {
            str(line["name"]): tuple(Message.model_validate(m) for m in line["messages"])
            for line in lines
        }
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UnreadableError(
            file.name, f"is no list of prompts ({type(error).__name__})",
            'one JSON object a line: {"name": "...", "messages": [{"role": ..., "content": ...}]}',
        ) from error  # fmt: skip
    if not found:
        raise UnreadableError(file.name, "has no prompt in it")
    return found


async def _prompts(settings: Settings) -> dict[str, Conversation]:
    found: dict[str, Conversation] = {}
    at = parse_fhir("2026-11-20T12:00:00+01:00", clock="the bundled examples")
    for case in EXAMPLES:
        for language in LANGUAGES:
            listener = _Listener()
            request = RunRequest(
                paths=(str(files("serving").joinpath("examples", case)),),
                now=at,
                language=language,
                urgency="batch",
            )
            session = Session(request=request, settings=settings, llm=listener)
            async with open_checkpoints("memory") as checkpoints:
                await start_run(session, checkpoints)
            for number, heard in enumerate(listener.heard):
                found[f"{case}/{language}/{number}-{heard.purpose}"] = heard.messages
    return found


class _Listener:
    """Keeps every request, and answers it with a value of its schema."""

    def __init__(self) -> None:
        self.heard: list[ChatRequest] = []

    @property
    def identity(self) -> ModelIdentity:
        """Not a model."""
        return ModelIdentity(name="listener")

    async def chat(self, request: ChatRequest) -> ChatReply:
        """Return a value of the schema, or a word where there is none."""
        self.heard.append(request)
        if request.json_schema is None:
            return ChatReply(text="yes")
        data = instance(request.json_schema, Words(prose="not stated"))
        return ChatReply(text=orjson.dumps(data).decode(), data=data)

    async def stream(self, request: ChatRequest) -> AsyncIterator[str]:
        """Yield the reply of `chat`."""
        yield (await self.chat(request)).text

    async def count_tokens(self, text: str) -> int:
        """Return the upper estimate."""
        return upper_estimate(text)

    async def close(self) -> None:
        """Do nothing: there is no connection."""
