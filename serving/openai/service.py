"""A kept answer as a completion, whole or in chunks."""

from collections.abc import Iterator
from typing import Any

import orjson

from knowledge.settings import Settings
from serving.chat.model import Step, Turn, TurnState
from serving.chat.shown import shown
from serving.openai.errors import error_body
from serving.openai.protocol import (
    AnswerMessage,
    Choice,
    Completion,
    Extension,
    UsageOut,
)
from serving.openai.request import Asked
from serving.openai.text import paragraphs

DONE = "data: [DONE]\n\n"
_UNAVAILABLE = 503


class Chunks:
    """The events of one streamed completion.

    Args:
        turn: The question.
        model: As it was named.
        asked: What was asked.
        base: Address under which this service is reached.
        with_usage: Whether a last chunk tells the tokens.
    """

    def __init__(
        self, turn: Turn, model: str, asked: Asked, *, base: str, with_usage: bool
    ) -> None:
        self._head = {
            "id": completion_id(turn),
            "object": "chat.completion.chunk",
            "created": int(turn.asked_at.timestamp()),
            "model": model,
        }
        self._asked = asked
        self._base = base
        self._with_usage = with_usage

    def first(self) -> str:
        """Return the chunk that begins the message."""
        return self._chunk({"role": "assistant", "content": ""})

    def step(self, step: Step) -> str:
        """Return a chunk without words that tells a step."""
        return self._chunk({}, epicrisis={"step": step.model_dump(mode="json")})

    def end(self, turn: Turn) -> str:
        """Return the chunks of an answer that is there: its sentences were verified before."""
        if turn.state is not TurnState.ANSWERED:
            return _data({"error": error_body(_UNAVAILABLE, turn.problem)})
        whole = completion(turn, str(self._head["model"]), self._asked, base=self._base)
        pieces = _pieces(whole, turn, base=self._base)
        events = [self._chunk({"content": piece}) for piece in pieces]
        extension = whole.epicrisis.model_dump(mode="json", exclude={"steps"})
        events.append(self._chunk({}, finish="stop", epicrisis=extension))
        if self._with_usage:
            usage = whole.usage.model_dump(mode="json")
            events.append(_data({**self._head, "choices": [], "usage": usage}))
        return "".join(events)

    def _chunk(self, delta: dict[str, Any], *, finish: str | None = None, **more: Any) -> str:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        usage = {"usage": None} if self._with_usage else {}
        return _data({**self._head, "choices": [choice], **usage, **more})


def completion(turn: Turn, model: str, asked: Asked, *, base: str) -> Completion:
    """Return the completion of a question that was answered.

    Args:
        turn: As it is kept.
        model: As it was named.
        asked: What was asked.
        base: Address under which this service is reached.

    Raises:
        ValueError: It was not answered.
    """
    said, seen = turn.said, shown(turn)
    if said is None or seen.answer is None:
        raise ValueError("the question was not answered")
    usage = said.usage
    text = "\n\n".join(paragraphs(seen.answer, turn.language, base=base))
    return Completion(
        id=completion_id(turn),
        created=int(turn.asked_at.timestamp()),
        model=model,
        choices=(Choice(message=AnswerMessage(content=text)),),
        usage=UsageOut(
            prompt_tokens=usage.prompt_tokens,
            completion_tokens=usage.completion_tokens,
            total_tokens=usage.prompt_tokens + usage.completion_tokens,
        ),
        system_fingerprint=seen.answer.result_sha256[:16],
        epicrisis=Extension(
            case=turn.case,
            turn=turn.id,
            answer=seen.answer,
            steps=seen.steps,
            no_effect=asked.no_effect,
            notice=seen.notice,
        ),
    )


def completion_id(turn: Turn) -> str:
    """Return the id of a completion."""
    return f"chatcmpl-{turn.id.removeprefix('turn-')}"


def base_address(settings: Settings) -> str:
    """Return the address that footnotes begin with; never taken from a request's Host header."""
    if settings.public_url is not None:
        return settings.public_url.rstrip("/")
    return f"http://{settings.host}:{settings.port}"


def _pieces(whole: Completion, turn: Turn, *, base: str) -> Iterator[str]:
    for number, piece in enumerate(paragraphs(whole.epicrisis.answer, turn.language, base=base)):
        yield piece if number == 0 else f"\n\n{piece}"


def _data(content: dict[str, Any]) -> str:
    return f"data: {orjson.dumps(content).decode()}\n\n"
