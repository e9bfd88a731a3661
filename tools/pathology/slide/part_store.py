"""Vectors of tiles on disk, part by part, so that a stopped run goes on where it was.

A part is one file that is whole or not there: written beside its place, synced, renamed. The
folder's name is the hash of everything that decides what is in it.
"""

import hashlib
import io
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from knowledge.errors import UnavailableError, UnreadableError

PLAN = "plan.json"
BLANK, PEN = 1, 2
"""Why a tile has no vector."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Part:
    """The vectors of some tiles.

    Args:
        numbers: (n,) int64: places in the plan, in order.
        vectors: (n, d) float32.
        left: (m,) int64: tiles without a vector.
        why: (m,) uint8: `BLANK` or `PEN`.
    """

    numbers: NDArray[np.int64] = field(repr=False)
    vectors: NDArray[np.float32] = field(repr=False)
    left: NDArray[np.int64] = field(repr=False)
    why: NDArray[np.uint8] = field(repr=False)


class PartStore:
    """The parts of one run."""

    def __init__(self, root: Path, decides: dict[str, Any]) -> None:
        """Name the folder of a run, and make it.

        Args:
            root: Where runs lie.
            decides: Everything that decides what the vectors are.

        Raises:
            UnavailableError: The folder cannot be made.
        """
        plain = orjson.dumps(decides, option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2)
        self.key = hashlib.sha256(plain).hexdigest()
        self.folder = root / self.key[:32]
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            if not (self.folder / PLAN).exists():
                _write(self.folder / PLAN, plain)
        except OSError as error:
            raise _full(error) from error

    def done(self) -> set[int]:
        """Return the parts that are whole."""
        found = set()
        for path in self.folder.glob("part-*.npz"):
            number = path.stem.removeprefix("part-")
            if number.isdigit():
                found.add(int(number))
        return found

    def write(self, number: int, part: Part) -> None:
        """Keep a part.

        Raises:
            UnavailableError: The disk does not take it.
        """
        to = io.BytesIO()
        np.savez(to, numbers=part.numbers, vectors=part.vectors, left=part.left, why=part.why)
        content = to.getvalue()
        seal = hashlib.sha256(content).digest()
        try:
            _write(self._path(number), seal + content)
        except OSError as error:
            raise _full(error) from error

    def read(self, number: int) -> Part:
        """Return a part.

        Raises:
            UnreadableError: It is not as it was written.
        """
        path = self._path(number)
        try:
            whole = path.read_bytes()
        except OSError as error:
            raise UnreadableError(
                path.name, "a part of the vectors is gone", "run again"
            ) from error
        seal, content = whole[:32], whole[32:]
        if hashlib.sha256(content).digest() != seal:
            raise UnreadableError(path.name, "a part of the vectors is damaged", "run again")
        with np.load(io.BytesIO(content), allow_pickle=False) as found:
            return Part(
                numbers=found["numbers"], vectors=found["vectors"], left=found["left"],
                why=found["why"],
            )  # fmt: skip

    def drop_damaged(self) -> int:
        """Remove parts that are not as they were written, and return how many."""
        dropped = 0
        for number in self.done():
            try:
                self.read(number)
            except UnreadableError:
                self._path(number).unlink(missing_ok=True)
                dropped += 1
        return dropped

    def _path(self, number: int) -> Path:
        return self.folder / f"part-{number:06d}.npz"


def together(parts: list[Part]) -> Part:
    """Return several parts as one, in their order."""
    return Part(
        numbers=np.concatenate([p.numbers for p in parts]),
        vectors=np.concatenate([p.vectors for p in parts if len(p.vectors)] or [parts[0].vectors]),
        left=np.concatenate([p.left for p in parts]),
        why=np.concatenate([p.why for p in parts]),
    )


def _write(path: Path, content: bytes) -> None:
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    with partial.open("wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    partial.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _full(error: OSError) -> UnavailableError:
    return UnavailableError("vectors of tiles", f"cannot be kept: {error.strerror}", "free space")
