"""What stands around every call of a native decoder, so that a damaged image is an error, no crash.

Decoders written in other languages end with what no ``except Exception`` catches: a panic of Rust
code derives from BaseException, and pydicom ends a loop over missing frames with StopIteration.
Lossless JPEG is made known to pydicom here, so that it is decoded in every place or in none.
"""

from types import TracebackType

from tools.imaging.lossless_jpeg import register

_PANIC = "pyo3_runtime"
"""Module of the exception that a panic becomes; it cannot be imported."""


class DecodedFrameError(ValueError):
    """A decoder ended on a damaged frame."""


class Decoding:
    """``with Decoding():`` around a decoder: how it ends on damaged pixels becomes a ValueError.

    Examples:
        >>> with Decoding():
        ...     next(iter(()))
        Traceback (most recent call last):
        tools.imaging.decoding.DecodedFrameError: fewer frames than stated
    """

    def __enter__(self) -> None:
        """Make lossless JPEG known."""
        register()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Turn the ends that are no plain error into one."""
        if kind is None:
            return
        if issubclass(kind, StopIteration):
            raise DecodedFrameError("fewer frames than stated") from error
        if kind.__module__ == _PANIC:
            raise DecodedFrameError("the decoder broke off") from error
