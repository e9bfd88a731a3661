"""Requests that the tests of the seam send."""

from typing import Any

from agent.llm.seam import ChatRequest, Message

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"capital": {"type": "string", "maxLength": 20}},
    "required": ["capital"],
    "additionalProperties": False,
}


def asking(text: str = "Where is the secret patient?", **changes: Any) -> ChatRequest:
    """Return a request for free text, changed as given."""
    values: dict[str, Any] = {
        "purpose": "chat",
        "messages": (Message(role="user", content=text),),
        "timeout_s": 5.0,
        "max_tokens": 20,
    }
    return ChatRequest(**{**values, **changes})
