"""The server under examination: how to ask it, and what is known of it so far."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import SecretStr

from serving.llm.check.answer import Answer
from serving.llm.check.probe import Probe
from serving.llm.check.row import Verdict
from serving.llm.profiles.model import ModelProfile

Server = Literal["vllm", "llama.cpp", "other"]

COUNT = "Count from one to ten in words."
"""What is asked where only the form of the reply matters."""


@dataclass(kw_only=True)
class Subject:
    """One server, and what the checks before have found.

    Args:
        probe: To ask it.
        api_key: The configured key; None for none.
        wanted: Model that was asked for on the command line; None for the only one.
        profile: Of the model; None where there is none.
        burst: Requests of the burst; 0 for none.
        kind: Which family of servers.
        version: As it says.
        health: Status of ``/health``; None where it was not answered.
        listed: Entries of ``/v1/models`` by id.
        model: Name in requests.
        context: Tokens of prompt and reply, where stated.
        plain: A short greedy reply; None until there is one.
        verdicts: Of the checks so far, by id.
    """

    probe: Probe
    api_key: SecretStr | None = None
    wanted: str | None = None
    profile: ModelProfile | None = None
    burst: int = 0
    kind: Server = "other"
    version: str = ""
    health: int | None = None
    listed: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    model: str = ""
    context: int | None = None
    plain: Answer | None = None
    verdicts: dict[str, Verdict] = field(default_factory=dict)

    def body(self, text: str, *, max_tokens: int = 32, **more: Any) -> dict[str, Any]:
        """Return a greedy request with one question; `more` adds or replaces fields."""
        return {
            "model": self.model,
            "messages": [{"role": "user", "content": text}],
            "max_tokens": max_tokens,
            "temperature": 0,
            "seed": 0,
            **more,
        }

    @property
    def tool_parser(self) -> str | None:
        """The tool parser of the profile."""
        return self.profile.habits.tool_parser if self.profile else None

    @property
    def reasoning_parser(self) -> str | None:
        """The reasoning parser of the profile."""
        return self.profile.habits.reasoning_parser if self.profile else None
