"""What can go wrong with a language model; every one of them leads to the answer without it.

::

    UnavailableError
    `-- LLMError                   the model gave nothing that can be used
        +-- LLMDownError           refused, dropped, or answered with a server error
        +-- LLMTimeoutError        did not answer within the time it was given
        +-- LLMBudgetError         tokens, calls or time of this case are spent
        `-- LLMIncoherentError     answered, but not in the form that was asked for
"""

from knowledge.errors import UnavailableError


class LLMError(UnavailableError):
    """The language model gave nothing that can be used."""


class LLMDownError(LLMError):
    """The endpoint refused, dropped the connection, or answered with a server error."""


class LLMTimeoutError(LLMError):
    """No complete answer within the time that was given."""


class LLMBudgetError(LLMError):
    """The tokens, calls or seconds of this case are spent."""


class LLMIncoherentError(LLMError):
    """An answer came, but not in the form that was asked for."""
