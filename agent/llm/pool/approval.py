"""Which models may answer with which prompts: recorded evaluations, in a chain of lines.

A model answers only while the newest record of it is of the same weights and of the prompts that
are used now. The file is added to by ``epicrisis eval approve`` alone; each line names the hash of
the one before, so that none can be changed or taken out unseen.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import orjson
from pydantic import NonNegativeInt, ValidationError

from agent.llm.pool.config import ModelRow, PoolFile
from agent.prompts import load_prompt, prompt_names
from knowledge.errors import UnavailableError
from knowledge.model import Frozen

FILE = "llm-approvals.jsonl"
_GENESIS = "0" * 64
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
    epicrisis: str
    previous: str = _GENESIS
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
            before = found[-1].sha256 if found else _GENESIS
            found.append(_checked(line, number, before))
        return tuple(found)

    def add(self, approval: Approval) -> Approval:
        """Keep a record, and return it as it was kept; `numbered` and `append` at once.

        Raises:
            UnavailableError: The file cannot be written, or is not as it was written.
        """
        return self.append(self.numbered(approval))

    def numbered(self, approval: Approval) -> Approval:
        """Return a record as it would be kept: numbered, chained and with its hash.

        Raises:
            UnavailableError: The file is not as it was written.
        """
        earlier = self.all()
        update = {
            "number": len(earlier) + 1,
            "previous": earlier[-1].sha256 if earlier else _GENESIS,
            "replaces": newest(earlier, approval.setup.model),
        }
        return approval.model_copy(update=update).sealed()

    def append(self, kept: Approval) -> Approval:
        """Keep a record that was numbered, and return it.

        Raises:
            UnavailableError: The file cannot be written, or another record came between.
        """
        if self.numbered(kept) != kept:
            raise UnavailableError(FILE, "has got another record meanwhile", "approve again")
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self._path.open("ab") as file:
                file.write(orjson.dumps(kept.model_dump(mode="json")) + b"\n")
        except OSError as error:
            raise UnavailableError(FILE, f"cannot be written: {error.strerror}") from error
        return kept


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
