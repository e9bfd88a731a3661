"""What one call is charged: the tokens that its server counts, as far as they can be true.

A server may count anything, and a tenant or a case pays for it. So its count is taken up to what
the request bounds: no tokenizer makes more tokens than there are bytes, and no reply has more than
`max_tokens`.
"""

import json
import logging
from functools import lru_cache
from typing import Any

from agent.llm.seam import ChatRequest, Usage
from agent.llm.tokens import upper_estimate, upper_estimate_of_prompt

_log = logging.getLogger(__name__)
_SERVERS = 1024
"""Servers remembered as told of."""
_TEMPLATE = 1024
"""Tokens that a chat template may add by itself: a system prompt of its own, how to call tools.
They are charged only with tools; a count beyond the estimate by no more than these is no lie."""


def most_of_prompt(request: ChatRequest) -> int:
    """Return an upper estimate of the tokens of a prompt: its messages, tools and schema."""
    most = upper_estimate_of_prompt(request.messages)
    if request.tools:
        tools = [(tool.name, tool.description, dict(tool.parameters)) for tool in request.tools]
        most += _TEMPLATE + _bytes(tools)
    if request.json_schema is not None:
        most += _bytes(dict(request.json_schema))
    return most


def charged(request: ChatRequest, usage: Usage, text: str, *, server: str = "") -> int:
    """Return the tokens of one call; what is beyond the possible is left out and told once.

    Args:
        request: What was asked.
        usage: What the server counts; 0 stands for what it does not say, and is estimated upwards.
        text: The reply.
        server: Its name in our configuration, for the log; empty for the only one.
    """
    most_prompt = most_of_prompt(request)
    prompt = usage.prompt_tokens or most_prompt
    reply = usage.completion_tokens or min(upper_estimate(text), request.max_tokens)
    if prompt > most_prompt + _TEMPLATE or reply > request.max_tokens:
        tell(server)
    return min(prompt, most_prompt) + min(reply, request.max_tokens)


def _bytes(value: Any) -> int:
    # Some templates indent. Escapes are longer than what they stand for, and there is one for all.
    return len(json.dumps(value, indent=2))


@lru_cache(maxsize=_SERVERS)
def tell(server: str) -> None:
    """Tell once of a server that counts more tokens than there can be."""
    _log.warning(
        "%s counts more tokens than its requests can have; what is beyond is not charged",
        f"backend {server}" if server else "the language model",
    )
