"""What a completion asks: the case, the question and its context; everything else is refused."""

from dataclasses import dataclass

from agent.chat.question import spoken
from knowledge.passages import Language
from serving.openai.errors import RefusedParameterError
from serving.openai.protocol import MODEL, CompletionMessage, CompletionRequest, TextPart

_REFUSED = (
    ("tools", "the agent's own tools cannot be changed from outside"),
    ("tool_choice", "the agent's own tools cannot be changed from outside"),
    ("parallel_tool_calls", "the agent's own tools cannot be changed from outside"),
    ("functions", "the agent's own tools cannot be changed from outside"),
    ("function_call", "the agent's own tools cannot be changed from outside"),
    ("modalities", "answers are text"),
    ("audio", "answers are text"),
    ("logprobs", "an answer has evidence, not probabilities of words"),
    ("top_logprobs", "an answer has evidence, not probabilities of words"),
    ("logit_bias", "words cannot be favoured"),
    ("stop", "a sentence is never cut"),
    ("prediction", "words cannot be favoured"),
    ("web_search_options", "nothing outside the record and the guideline knowledge is searched"),
)
_NO_EFFECT = (
    "temperature",
    "top_p",
    "seed",
    "presence_penalty",
    "frequency_penalty",
    "max_tokens",
    "max_completion_tokens",
    "reasoning_effort",
    "verbosity",
    "user",
    "safety_identifier",
    "prompt_cache_key",
    "service_tier",
    "store",
)
_METADATA = frozenset({"case", "language"})


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What is asked.

    Args:
        case: Id of the case.
        question: The last message.
        history: Earlier messages of the user, oldest first.
        language: Of the answer.
        no_effect: What was sent and has no effect.
    """

    case: str
    question: str
    history: tuple[str, ...]
    language: Language
    no_effect: tuple[str, ...]


def asked_of(request: CompletionRequest, *, header: str | None) -> Asked:
    """Return what a request asks.

    Args:
        request: The request.
        header: ``X-Epicrisis-Case``.

    Raises:
        RefusedParameterError: It names no case or two, holds no question, or asks for what is not
            supported.
    """
    _refuse(request)
    case = _case(request, header)
    last = request.messages[-1]
    if last.role != "user":
        raise RefusedParameterError(
            "messages", "the last message is not the user's", code="invalid_value"
        )
    texts = [_text(m, index) for index, m in enumerate(request.messages) if m.role == "user"]
    question = texts[-1]
    return Asked(
        case=case,
        question=question,
        history=tuple(texts[:-1]),
        language=_language(request, question),
        no_effect=_without_effect(request),
    )


def _refuse(request: CompletionRequest) -> None:
    for name, reason in _REFUSED:
        value = getattr(request, name)
        if value not in (None, [], {}, False) and not (name == "modalities" and value == ["text"]):
            raise RefusedParameterError(name, reason)
    if request.n not in (None, 1):
        raise RefusedParameterError("n", "there is one answer, the verified one")
    form = request.response_format
    if form is not None and form != {"type": "text"}:
        raise RefusedParameterError("response_format", "answers are text; `epicrisis` is the JSON")
    for name in sorted((request.metadata or {}).keys() - _METADATA):
        raise RefusedParameterError(f"metadata.{name}", "is not known", code="unknown_parameter")


def _case(request: CompletionRequest, header: str | None) -> str:
    family, _, of_model = request.model.partition("/")
    if family != MODEL:
        raise RefusedParameterError("model", f"is not {MODEL}", code="model_not_found")
    named = {of_model, (request.metadata or {}).get("case", ""), header or ""} - {""}
    if len(named) > 1:
        raise RefusedParameterError(
            "model", "model, metadata.case and header name different cases", code="invalid_value"
        )
    if not named:
        raise RefusedParameterError(
            "model",
            f"no case is named: use {MODEL}/<case id>, metadata.case or X-Epicrisis-Case",
            code="invalid_value",
        )
    return named.pop()


def _text(message: CompletionMessage, index: int) -> str:
    content = message.content
    if content is None:
        content = ""
    if isinstance(content, str):
        return content
    parts: list[str] = []
    for place, part in enumerate(content):
        if not isinstance(part, TextPart):
            raise RefusedParameterError(
                f"messages.{index}.content.{place}",
                f"{part.type[:40]!r} is not read here: add the file to the case",
                code="unsupported_content",
            )
        parts.append(part.text)
    return "\n".join(parts)


def _language(request: CompletionRequest, question: str) -> Language:
    wanted = (request.metadata or {}).get("language", "")
    if wanted not in ("", "en", "zh"):
        raise RefusedParameterError(
            "metadata.language", "is neither en nor zh", code="invalid_value"
        )
    if wanted:
        return "zh" if wanted == "zh" else "en"
    return spoken(question, "en")


def _without_effect(request: CompletionRequest) -> tuple[str, ...]:
    found = [name for name in _NO_EFFECT if getattr(request, name) is not None]
    roles = {m.role for m in request.messages}
    found += [f"messages of role {role}" for role in sorted(roles - {"user", "assistant"})]
    return tuple(found)
