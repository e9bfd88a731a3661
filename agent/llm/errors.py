"""What can go wrong with a language model; every one of them leads to the answer without it.

::

    UnavailableError
    `-- LLMError                   the model gave nothing that can be used
        +-- LLMDownError           refused, dropped, or answered with a server error
        |   +-- LLMUnreachableError  took no connection: nothing was sent
        |   +-- LLMBusyError       has no room for now: says after how many seconds to try again
        |   `-- LLMKeyError        refused the key
        +-- LLMTimeoutError        did not answer within the time it was given
        +-- LLMBudgetError         tokens, calls or time of this case are spent
        |   `-- LLMQuotaError      tokens of a tenant are spent: says when there are some again
        `-- LLMIncoherentError     answered, but not in the form that was asked for
            +-- LLMMalformedError  not even in the form of a chat answer: the server's fault
            `-- LLMSilentError     said nothing
"""

from knowledge.errors import UnavailableError


class LLMError(UnavailableError):
    """The language model gave nothing that can be used."""


class LLMDownError(LLMError):
    """The endpoint refused, dropped the connection, or answered with a server error."""


class LLMUnreachableError(LLMDownError):
    """The endpoint took no connection, so nothing was sent to it."""


class LLMBusyError(LLMDownError):
    """There is no room for now.

    Args:
        item: What the error is about.
        reason: Why there is none.
        way_out: What the reader can do about it.
        retry_after_s: Seconds after which it may be tried again; None where nobody said.
    """

    def __init__(
        self, item: str, reason: str, way_out: str = "", *, retry_after_s: float | None = None
    ) -> None:
        super().__init__(item, reason, way_out)
        self.retry_after_s = retry_after_s


class LLMKeyError(LLMDownError):
    """The endpoint refused the key."""


class LLMTimeoutError(LLMError):
    """No complete answer within the time that was given."""


class LLMBudgetError(LLMError):
    """The tokens, calls or seconds of this case are spent."""


class LLMQuotaError(LLMBudgetError):
    """The tokens of a tenant are spent for now.

    Args:
        item: What the error is about.
        reason: Which limit, and how much of it is used.
        way_out: What the reader can do about it.
        retry_after_s: Seconds after which there are tokens again.
    """

    def __init__(self, item: str, reason: str, way_out: str = "", *, retry_after_s: float) -> None:
        super().__init__(item, reason, way_out)
        self.retry_after_s = retry_after_s


class LLMIncoherentError(LLMError):
    """An answer came, but not in the form that was asked for."""


class LLMMalformedError(LLMIncoherentError):
    """What came is no chat answer at all: a page of a portal, half an answer, endless bytes."""


class LLMSilentError(LLMIncoherentError):
    """The model said nothing.

    Args:
        item: What the error is about.
        finish: Why it ended, as the server says; ``length`` where its tokens went into thoughts.
    """

    def __init__(self, item: str, finish: str | None) -> None:
        super().__init__(item, f"said nothing (it ended with {finish!r})")
        self.finish = finish
