"""What a failed call says of the server, and so what is done next."""

from enum import StrEnum

from agent.llm.errors import (
    LLMBudgetError,
    LLMBusyError,
    LLMDownError,
    LLMError,
    LLMIncoherentError,
    LLMKeyError,
    LLMMalformedError,
    LLMTimeoutError,
)
from agent.llm.wire import RefusedRequestError


class Says(StrEnum):
    """What is learned of the server."""

    BROKEN = "broken"
    """It failed: counted by its breaker, and another server is asked."""
    BUSY = "busy"
    """It works and has no room: left alone for a while, never counted as broken."""
    WRONG_KEY = "wrong key"
    """It will not answer before somebody changes the key: its breaker opens at once."""
    NOTHING = "nothing"
    """The request was at fault, or the words of the model: another server would say the same."""


def says(error: LLMError) -> Says:
    """Return what a failure says of the server.

    A prompt that is longer than the context, a request that is refused as such and a reply that is
    not valid under its schema say nothing: breakers that counted them would shut out a whole site
    for one long chart. An answer that is no chat answer at all is the server's fault.

    Raises:
        TypeError: A failure that nobody has decided about: a mistake of ours.
    """
    match error:
        case LLMKeyError():
            return Says.WRONG_KEY
        case LLMBusyError():
            return Says.BUSY
        case LLMMalformedError():
            return Says.BROKEN
        case RefusedRequestError() | LLMBudgetError() | LLMIncoherentError():
            return Says.NOTHING
        case LLMDownError() | LLMTimeoutError():
            return Says.BROKEN
        case _:
            raise TypeError(f"what does {type(error).__name__} say of a server?")
