"""What an evaluation run wrote, by hash, so that a result that was changed since is found.

It finds accidents and edits: a file that was changed, added or lost after the run. It protects from
nobody who can write the results and the manifest both, since it holds no secret.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from agent.llm.pool.approval import Setup
from evals.results import TaskResult, save
from knowledge.errors import InvalidValueError
from knowledge.model import Frozen

FILE = "run.manifest"
REPORT = "report.md"
_AGAIN = "run epicrisis eval run again"


class Written(Frozen):
    """One file of a run.

    Args:
        name: In the folder.
        sha256: Of its bytes.
        epicrisis: Version of this product that wrote it.
        setup: Model, prompts and index under test; None where there was no model.
    """

    name: str
    sha256: str
    epicrisis: str = ""
    setup: Setup | None = None


class Manifest(Frozen):
    """What the runs into one folder wrote.

    Args:
        schema_id: Which form.
        files: The newest of each name.
    """

    schema_id: Literal["epicrisis/eval-manifest/1"] = Field(
        default="epicrisis/eval-manifest/1", alias="schema"
    )
    files: tuple[Written, ...] = ()


def read_manifest(folder: Path) -> Manifest | None:
    """Return the manifest of a folder; None where there is none.

    Raises:
        InvalidValueError: It cannot be read, or is not one.
    """
    try:
        content = (folder / FILE).read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InvalidValueError(FILE, f"cannot be read: {error.strerror}", _AGAIN) from error
    try:
        return Manifest.model_validate_json(content)
    except ValidationError as error:
        raise InvalidValueError(
            str(folder / FILE), "is not the manifest of a run", "name another folder"
        ) from error


def keep_result(result: TaskResult, folder: Path) -> None:
    """Write one result, and note it in the manifest of its folder.

    Raises:
        InvalidValueError: The folder cannot be written, or its manifest is not one.
    """
    file = save(result, folder)
    _note(folder, _written(file.name, file.read_bytes(), result))


def keep_report(text: str, folder: Path) -> None:
    """Write the report for people, and note it in the manifest of its folder.

    Raises:
        InvalidValueError: The folder cannot be written, or its manifest is not one.
    """
    content = text.encode()
    try:
        (folder / REPORT).write_bytes(content)
    except OSError as error:
        raise _unwritable(error) from error
    _note(folder, _written(REPORT, content, None))


def changed(
    folder: Path, contents: Mapping[str, bytes], results: Iterable[TaskResult]
) -> list[str]:
    """Return in words everything of a folder that is not as its runs wrote it.

    Args:
        folder: Of the run.
        contents: Name to bytes of its results, as `evals.results.contents` read them.
        results: What is in them, in that order.

    Raises:
        InvalidValueError: The manifest cannot be read, or is not one.
    """
    manifest = read_manifest(folder)
    if manifest is None:
        return [f"{FILE}: is not there: these are no results of a whole eval run ({_AGAIN})"]
    known = {row.name: row for row in manifest.files}
    found: list[str] = []
    for (name, content), result in zip(contents.items(), results, strict=True):
        found += _differs(known.get(name), _written(name, content, result))
    found += [
        f"{name}: was written by the run and is not there ({_AGAIN})"
        for name in known
        if name not in contents and name != REPORT
    ]
    if REPORT in known and _sha256_of(folder / REPORT) != known[REPORT].sha256:
        found.append(f"{REPORT}: is not as the run wrote it ({_AGAIN})")
    return found


def _differs(was: Written | None, now: Written) -> Iterator[str]:
    if was is None:
        yield f"{now.name}: was written by no eval run into this folder ({_AGAIN})"
    elif was.sha256 != now.sha256:
        yield f"{now.name}: is not as the run wrote it ({_AGAIN})"
    elif was != now:
        yield f"{now.name}: {FILE} names another model, prompts or version for it ({_AGAIN})"


def _written(name: str, content: bytes, result: TaskResult | None) -> Written:
    return Written(
        name=name,
        sha256=hashlib.sha256(content).hexdigest(),
        epicrisis="" if result is None else result.epicrisis,
        setup=None if result is None else result.setup,
    )


def _sha256_of(file: Path) -> str:
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError:
        return ""


def _note(folder: Path, row: Written) -> None:
    before = read_manifest(folder) or Manifest()
    others = [one for one in before.files if one.name != row.name]
    made = Manifest(files=tuple(sorted([*others, row], key=lambda one: one.name)))
    part = folder / f"{FILE}.part"
    try:
        part.write_text(made.model_dump_json(indent=1, by_alias=True) + "\n", "utf-8")
        part.replace(folder / FILE)
    except OSError as error:
        raise _unwritable(error) from error


def _unwritable(error: OSError) -> InvalidValueError:
    return InvalidValueError(
        "--out", f"cannot write there: {error.strerror}", "name another folder"
    )
