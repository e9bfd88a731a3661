"""A file outside of the database that knows the newest event, so that a cut-off tail shows.

It has one line: the newest event. Where the chain is found to end before it, that line stays for
good and a new one is begun: `verify` reports the old one, also after new events were written over
the gap. The file is begun before the first event; where it is lost later, `verify` says so until an
operator begins a new one, which is an event itself. With a key the lines are signed (HMAC-SHA-256):
who can write database and file but has no key cannot make a new one.
"""

import fcntl
import hashlib
import hmac
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from knowledge.errors import UnavailableError, UnreadableError
from knowledge.model import Frozen
from knowledge.settings import Settings

FILE = "audit.anchor"
_UNSIGNED = "-"
_WORDS = 3


class Head(Frozen):
    """One event that was the newest.

    Args:
        sequence: Its place.
        sha256: Its hash.
    """

    sequence: int
    sha256: str


class Anchor:
    """The file.

    Args:
        path: Where it is; best on a disk that who administers the database cannot write.
        key: Of the signature; None for none.
    """

    def __init__(self, path: Path, key: bytes | None = None) -> None:
        self.path = path
        self._key = key

    @classmethod
    def of(cls, settings: Settings) -> "Anchor":
        """Return the anchor of this installation."""
        key = settings.audit_key
        return cls(
            settings.audit_anchor or settings.data_dir / FILE,
            None if key is None else key.get_secret_value().encode(),
        )

    @property
    def signed(self) -> bool:
        """Whether its lines are signed."""
        return self._key is not None

    def heads(self) -> tuple[Head, ...]:
        """Return every event that must be in the chain, the newest last; none without a file.

        Raises:
            UnavailableError: The file cannot be read.
            UnreadableError: It is not what was written: damaged, or signed with another key.
        """
        try:
            text = self.path.read_text("utf-8", errors="replace")
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise _unavailable(error) from error
        return tuple(self._head(line) for line in text.splitlines())

    def begin(self, head: Head) -> None:
        """Begin the file at an event; one that is there is left as it is.

        Raises:
            UnavailableError: The file cannot be written.
            UnreadableError: It is there and is not what was written.
        """
        with self._lock():
            if not self.heads():
                self._write((head,))

    def advance(self, head: Head, *, cut: Head | None = None) -> None:
        """Note the newest event. A file that is not there is not begun: that would hide its loss.

        Args:
            head: The event.
            cut: What the file said when the chain was found to end before it; it is kept.

        Raises:
            UnavailableError: The file cannot be written.
            UnreadableError: It is not what was written; it is left as it is.
        """
        with self._lock():
            heads = self.heads()
            last = heads[-1] if heads else None
            if last is not None and last == cut:
                self._write((*heads, head))
            elif last is not None and last.sequence < head.sequence:
                self._write((*heads[:-1], head))

    def _head(self, line: str) -> Head:
        words = line.split(" ")
        if len(words) != _WORDS or not words[0].isascii() or not words[0].isdigit():
            raise _unreadable("a line has no known form")
        head = Head(sequence=int(words[0]), sha256=words[1])
        if not hmac.compare_digest(self._line(head).encode(), line.encode()):
            raise _unreadable("a line is not signed with the key of this installation")
        return head

    def _line(self, head: Head) -> str:
        said = f"{head.sequence} {head.sha256}"
        if self._key is None:
            return f"{said} {_UNSIGNED}"
        return f"{said} {hmac.new(self._key, said.encode(), hashlib.sha256).hexdigest()}"

    def _write(self, heads: Sequence[Head]) -> None:
        part = self.path.with_name(self.path.name + ".part")
        try:
            with open(part, "w", encoding="utf-8", opener=_private) as file:
                file.writelines(f"{self._line(head)}\n" for head in heads)
            os.replace(part, self.path)
        except OSError as error:
            raise _unavailable(error) from error

    @contextmanager
    def _lock(self) -> Iterator[None]:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            file = open(  # noqa: SIM115 - closed below, which also lets go of the lock
                self.path.with_name(self.path.name + ".lock"), "a", opener=_private
            )
        except OSError as error:
            raise _unavailable(error) from error
        with file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _unavailable(error: OSError) -> UnavailableError:
    return UnavailableError(
        "audit anchor", f"cannot be used: {error.strerror}", "see EPICRISIS_AUDIT_ANCHOR"
    )


def _unreadable(reason: str) -> UnreadableError:
    return UnreadableError(
        "audit anchor", reason, "find out who changed it; keep it as evidence, then move it away"
    )
