"""What can go wrong with an index or an encoder; none of it looks like "nothing found".

::

    UnavailableError
    |-- EncoderUnavailableError    no vectors can be made: lexical search alone, and it is said
    |-- RerankerUnavailableError   no second opinion on the order: the fused order, and it is said
    |-- IndexDamagedError          the files of a build are not the files that were built
    `-- IndexMismatchError         vectors of one encoder searched with another
"""

from knowledge.errors import UnavailableError


class EncoderUnavailableError(UnavailableError):
    """The encoder cannot be had, did not answer, or answered with something else than vectors."""


class RerankerUnavailableError(UnavailableError):
    """The reranker did not answer, or answered with something else than scores."""


class IndexDamagedError(UnavailableError):
    """A file of the index is missing, changed or inconsistent with the others."""


class IndexMismatchError(UnavailableError):
    """The index was made with another encoder, whose vectors mean something else."""
