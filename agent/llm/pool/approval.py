"""Which models may answer with which prompts: recorded evaluations, in a chain of lines.

A model answers only while the newest record of it is of the same weights and of the prompts that
are used now. The file is added to by ``epicrisis eval approve`` alone; each line names the hash of
the one before, so that every reader finds a line that was changed, or taken out before the last
one. The file alone does not show that its last lines were cut off, nor that who can write it made
lines and hashes anew, since the hashes need no key. ``epicrisis eval approve`` compares its end
with the audit before it adds to it, which shows both; a service that starts does not.
"""

import contextlib
import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import orjson
from pydantic import Field, NonNegativeInt, ValidationError

from agent.llm.pool.config import ModelRow, PoolFile
from agent.prompts import load_prompt, prompt_names
from knowledge.errors import UnavailableError
from knowledge.model import Frozen

FILE = "llm-approvals.jsonl"
GENESIS = "0" * 64
"""End of a chain without a record."""
_SHOWN = 12


class Setup(Frozen):
    """What was evaluated: model, prompts and index together.

    Args:
        model: Name of the model.
        sha256: Of its weights, where they are one file.
        revision: Which weights they are, as their source names them.
        server: Kind and version of the server.
        prompts_sha256: Of all prompts.
        index_sha256: Of the index of guideline knowledge; empty where there was none.
    """

    model: str
    sha256: str | None = None
    revision: str = ""
    server: str = ""
    prompts_sha256: str
    index_sha256: str = ""


class Figure(Frozen):
    """One number of an evaluation.

    Args:
        task, system, metric: Which.
        share: The number; None where there was nothing to count.
        low, high: Its 95 % interval.
        of: Its denominator.
    """

    task: str
    system: str
    metric: str
    share: float | None = None
    low: float | None = None
    high: float | None = None
    of: float = 0.0


class NotAssessed(Frozen):
    """Cases of a task that were not run, for want of recordings that are fetched apart.

    Args:
        task: Which.
        cases: Their ids.
    """

    task: str
    cases: tuple[str, ...]


class Approval(Frozen):
    """One recorded switch.

    Args:
        number: Counts from 1.
        at: When.
        by: Who.
        setup: What may answer from then on.
        replaces: What that model was approved with before; None where it is new.
        report_sha256: Of the files of the evaluation, see `evals.gate`.
        figures: Its numbers.
        not_assessed: What they say nothing of; a record where every case was run has no such field.
        epicrisis: Version of this product.
        previous: `sha256` of the line before.
        sha256: Of this one without this field.
    """

    number: NonNegativeInt
    at: datetime
    by: str
    setup: Setup
    replaces: Setup | None = None
    report_sha256: str
    figures: tuple[Figure, ...]
    not_assessed: tuple[NotAssessed, ...] = Field(default=(), exclude_if=lambda found: not found)
    epicrisis: str
    previous: str = GENESIS
    sha256: str = ""

    def sealed(self) -> "Approval":
        """Return it with its hash."""
        return self.model_copy(update={"sha256": _hash(self)})


class ApprovalFile:
    """The recorded switches of one installation.

    Args:
        path: The file; one that is not there holds none.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    @classmethod
    def of(cls, data_dir: Path) -> "ApprovalFile":
        """Return that of a data folder."""
        return cls(data_dir / FILE)

    def all(self) -> tuple[Approval, ...]:
        """Return every record, oldest first.

        Raises:
            UnavailableError: It cannot be read, or a line is not as it was written.
        """
        try:
            lines = self._path.read_bytes().splitlines()
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise UnavailableError(FILE, f"cannot be read: {error.strerror}") from error
        found: list[Approval] = []
        for number, line in enumerate(lines, 1):
            before = found[-1].sha256 if found else GENESIS
            found.append(_checked(line, number, before))
        return tuple(found)

    def end(self) -> str:
        """Return the hash of the last record; `GENESIS` where there is none.

        Raises:
            UnavailableError: As `all`.
        """
        return _end(self.all())

    def add(self, approval: Approval) -> Approval:
        """Keep a record, and return it as it was kept.

        Raises:
            UnavailableError: The file cannot be written, or is not as it was written.
        """
        with self.keeping(approval) as kept:
            return kept

    @contextmanager
    def keeping(self, approval: Approval) -> Iterator[Approval]:
        """Give a record as it will be kept: numbered, chained and with its hash.

        It is on the disk when the block has ended; where the block raises, nothing is kept. No
        other record comes between: other writers wait until then.

        Raises:
            UnavailableError: The file cannot be written, or is not as it was written.
        """
        with self._locked() as file:
            earlier = self.all()
            update = {
                "number": len(earlier) + 1,
                "previous": _end(earlier),
                "replaces": newest(earlier, approval.setup.model),
            }
            kept = approval.model_copy(update=update).sealed()
            yield kept
            _append(file, orjson.dumps(kept.model_dump(mode="json")))

    @contextmanager
    def _locked(self) -> Iterator[BinaryIO]:
        import fcntl  # not on every system that reads this file

        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            file = self._path.open("a+b", buffering=0)
        except OSError as error:
            raise _unwritable(error) from error
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX)
            except OSError as error:
                raise _unwritable(error) from error
            yield file


def newest(approvals: tuple[Approval, ...], model: str) -> Setup | None:
    """Return what a model is approved with; None where it never was."""
    return next((one.setup for one in reversed(approvals) if one.setup.model == model), None)


def unapproved(
    file: PoolFile, approvals: tuple[Approval, ...], *, prompts_sha256: str
) -> Mapping[str, str]:
    """Return the models of a pool that may not answer, each with the reason.

    Args:
        file: The pool.
        approvals: What was recorded.
        prompts_sha256: Of the prompts that are used now.
    """
    if not file.approval.required:
        return {}
    reasons = {
        name: _missing(row, newest(approvals, name), prompts_sha256)
        for name, row in file.models.items()
    }
    return {name: reason for name, reason in reasons.items() if reason}


def prompts_hash() -> str:
    """Return the SHA-256 over every packaged prompt with its name."""
    parts = []
    for name in prompt_names():
        language, _, prompt = name.partition("/")
        parts.append(f"{name} {load_prompt(prompt, language).sha256}")
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _missing(row: ModelRow, known: Setup | None, prompts_sha256: str) -> str:
    way_out = "run epicrisis eval run, then epicrisis eval approve"
    if known is None:
        return f"not approved: no evaluation of it is recorded ({way_out})"
    if (known.sha256, known.revision) != (row.sha256, row.revision):
        was = known.revision or (known.sha256 or "")[:_SHOWN]
        return f"not approved with these weights, only with {was} ({way_out})"
    if known.prompts_sha256 != prompts_sha256:
        return f"not approved with the prompts of this version ({way_out})"
    return ""


def _hash(approval: Approval) -> str:
    body = approval.model_dump(mode="json", exclude={"sha256"})
    return hashlib.sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _checked(line: bytes, number: int, before: str) -> Approval:
    item = f"{FILE}, line {number}"
    try:
        found = Approval.model_validate_json(line)
    except ValidationError as error:
        raise UnavailableError(item, "is not a record", "restore the file from a backup") from error
    if found.number != number or found.previous != before or found.sha256 != _hash(found):
        raise UnavailableError(
            item, "is not as it was written, so that no model is approved",
            "restore the file; the audit names the hash of every record",
        )  # fmt: skip
    return found


def _end(records: tuple[Approval, ...]) -> str:
    return records[-1].sha256 if records else GENESIS


def _append(file: BinaryIO, record: bytes) -> None:
    """Write one line to the end, to the disk; what was written of a line that failed is taken back.

    A line break that the last record lacks is written first: that record is whole, it was read.
    """
    try:
        size = file.seek(0, os.SEEK_END)
        if size:
            file.seek(size - 1)
            record = record if file.read(1) == b"\n" else b"\n" + record
        try:
            line = record + b"\n"
            if file.write(line) != len(line):
                raise OSError(0, "it was written in part")
            os.fsync(file.fileno())
            _sync_folder(Path(file.name).parent)
        except OSError:
            with contextlib.suppress(OSError):
                file.truncate(size)
            raise
    except OSError as error:
        raise _unwritable(error) from error


def _sync_folder(folder: Path) -> None:
    """Let the name of a file that may be new reach the disk as well."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _unwritable(error: OSError) -> UnavailableError:
    return UnavailableError(
        FILE, f"cannot be written: {error.strerror}", "see the data folder; then approve again"
    )
