"""Requests and answers of OpenAI's chat completions, as far as they are supported.

What is not supported is refused by name; what has no effect is listed in the answer.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from knowledge.model import Frozen
from serving.chat.model import Step
from serving.chat.protocol import AnswerOut

MODEL = "epicrisis"
_MOST_MESSAGES, _MOST_TEXT = 400, 100_000
Role = Literal["system", "developer", "user", "assistant", "tool", "function"]


class TextPart(Frozen):
    """A part of a message that is text."""

    type: Literal["text"]
    text: Annotated[str, Field(max_length=_MOST_TEXT)]


class OtherPart(Frozen):
    """A part of a message that is something else: read, so that it can be refused by name."""

    model_config = ConfigDict(extra="allow", frozen=True)

    type: Annotated[str, Field(max_length=80)]


class CompletionMessage(Frozen):
    """One message. An assistant's earlier words are not read: they are nobody's evidence."""

    model_config = ConfigDict(extra="allow", frozen=True)

    role: Role
    content: (
        Annotated[str, Field(max_length=_MOST_TEXT)] | tuple[TextPart | OtherPart, ...] | None
    ) = None


class StreamOptions(Frozen):
    """What a stream ends with."""

    include_usage: bool = False
    include_obfuscation: bool | None = None


class CompletionRequest(Frozen):
    """A request for a completion.

    The case is named by ``model`` (``epicrisis/<case id>``), by ``metadata.case`` or by the header
    ``X-Epicrisis-Case``; where several name one, they must name the same.

    Args:
        model: ``epicrisis`` or ``epicrisis/<case id>``.
        messages: The last is the question; earlier ones of the user are its context.
        stream: Whether the answer comes as server-sent events.
        stream_options: For a stream.
        metadata: ``case`` and ``language`` (``en`` or ``zh``).
        n: One.
        temperature: No effect, as the rest of this group: nothing that is not verified is shown.
    """

    model: Annotated[str, Field(min_length=1, max_length=200)]
    messages: Annotated[
        tuple[CompletionMessage, ...], Field(min_length=1, max_length=_MOST_MESSAGES)
    ]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    metadata: Annotated[Mapping[str, str], Field(max_length=16)] | None = None
    n: int | None = None

    temperature: float | None = None
    top_p: float | None = None
    seed: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    reasoning_effort: str | None = None
    verbosity: str | None = None
    user: str | None = None
    safety_identifier: str | None = None
    prompt_cache_key: str | None = None
    service_tier: str | None = None
    store: bool | None = None

    tools: Any = None
    tool_choice: Any = None
    parallel_tool_calls: Any = None
    functions: Any = None
    function_call: Any = None
    response_format: Any = None
    modalities: Any = None
    audio: Any = None
    logprobs: Any = None
    top_logprobs: Any = None
    logit_bias: Any = None
    stop: Any = None
    prediction: Any = None
    web_search_options: Any = None


class UsageOut(Frozen):
    """Tokens of the language model; none where no model was asked."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class AnswerMessage(Frozen):
    """The answer as text: verified sentences and their evidence as footnotes."""

    role: Literal["assistant"] = "assistant"
    content: str
    refusal: str | None = None


class Choice(Frozen):
    """The one answer."""

    index: int = 0
    message: AnswerMessage
    logprobs: None = None
    finish_reason: Literal["stop"] = "stop"


class Extension(Frozen):
    """What OpenAI's protocol has no place for.

    Args:
        case: Id of the case.
        turn: Id of the kept question and answer.
        answer: The answer with the links to its evidence.
        steps: How it came about.
        no_effect: Parameters and messages that were sent and have no effect here.
        notice: What this product is.
    """

    case: str
    turn: str
    answer: AnswerOut
    steps: tuple[Step, ...] = ()
    no_effect: tuple[str, ...] = ()
    notice: str


class Completion(Frozen):
    """An answer that is not streamed."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: tuple[Choice, ...]
    usage: UsageOut
    system_fingerprint: str
    epicrisis: Extension


class ModelOut(Frozen):
    """A model that can be chosen: the agent on one case."""

    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: Literal["epicrisis"] = "epicrisis"
    name: str


class ModelList(Frozen):
    """The models that whoever asks may choose."""

    object: Literal["list"] = "list"
    data: tuple[ModelOut, ...]
