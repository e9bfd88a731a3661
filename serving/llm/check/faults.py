"""How an exchange with a server can fail before there is an answer to look at.

A status other than 200 is no fault: it is an answer, and for some calls the right one.
"""

from typing import Literal

from agent.llm.errors import LLMDownError

Kind = Literal[
    "unreachable",
    "silent",
    "stalled",
    "dropped",
    "cut",
    "page",
    "not JSON",
    "another form",
    "endless",
    "redirect",
]


class FaultError(LLMDownError):
    """No usable answer to one request.

    Args:
        kind: Which sort of fault.
        reason: In words.
        way_out: What helps.
    """

    def __init__(self, kind: Kind, reason: str, way_out: str = "") -> None:
        self.kind: Kind = kind
        super().__init__("the server", reason, way_out)


def unreachable(detail: str) -> FaultError:
    """Return the fault of a server that takes no connection."""
    return FaultError("unreachable", f"cannot be reached ({detail})", "is it running?")


def silent(seconds: float) -> FaultError:
    """Return the fault of a server that accepts and never answers."""
    return FaultError(
        "silent",
        f"accepted the request and gave no answer within {seconds:g} s",
        "look at its queue and its log; a larger --timeout-s if it is only slow",
    )


def stalled(seconds: float) -> FaultError:
    """Return the fault of a server that falls silent within its answer."""
    return FaultError(
        "stalled",
        f"began its answer and did not end it within {seconds:g} s",
        "a larger --timeout-s if it is only slow",
    )


def dropped(*, within: bool) -> FaultError:
    """Return the fault of a connection that is lost."""
    if within:
        return FaultError("cut", "dropped the connection in the middle of its answer")
    return FaultError("dropped", "dropped the connection before it answered")


def page() -> FaultError:
    """Return the fault of a web page where an API was expected."""
    return FaultError(
        "page",
        "answered with a web page (HTML), not with JSON",
        "is this the address of the API, and does a sign-in stand before it?",
    )


def redirect(status: int) -> FaultError:
    """Return the fault of an answer that sends the caller elsewhere."""
    return FaultError(
        "redirect", f"sends callers elsewhere (status {status})", "give the final address"
    )
