"""A labelled folder: cases in files, the truth in ``labels.csv`` (and ``boxes.csv``).

``labels.csv`` has one row per case, in UTF-8 with a header:

- ``file``: its path within the folder (for a CT series the folder of its slices).
- ``patient``: whose it is; cases of one patient are never on both sides of a split. Without this
  column every case counts as a patient of its own, and the report says so.
- ``label:NAME``: 1, 0, or empty where the truth is not known.
- ``group:NAME``: what subgroups are made of (site, sex, device).
- ``modality``, ``view``, ``body_part``, ``age``, ``spacing``: where the file does not say.

``boxes.csv``: ``file``, ``row1``, ``column1``, ``row2``, ``column2`` of every lesion, in pixels.
"""

import csv
import hashlib
import io
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from knowledge.errors import (
    ContractError,
    InputError,
    InvalidValueError,
    TooLargeError,
    UnreadableError,
)
from knowledge.model import Frozen
from knowledge.patient import Identity
from tools.models.loaded import LoadedModel
from tools.models.measure.leaks import check_contents, check_identities, content_of
from tools.models.reading import Stated, read_sample
from tools.models.run import Outcome, ask

LABELS, BOXES = "labels.csv", "boxes.csv"
MAX_CSV_BYTES = 64 << 20
_STATED = ("modality", "view", "body_part", "age", "spacing")
Corners = tuple[float, float, float, float]


@dataclass(frozen=True, kw_only=True)
class Case:
    """One row of ``labels.csv``.

    Args:
        file: Its path within the folder.
        patient: Whose it is.
        truth: Label to 1 or 0; a label that is not known is left out.
        groups: Name to value.
        stated: What the file does not say.
        boxes: Of lesions.
    """

    file: str
    patient: str
    truth: dict[str, float] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)
    stated: Stated = field(default_factory=Stated)
    boxes: tuple[Corners, ...] = ()


@dataclass(frozen=True, kw_only=True)
class LabelledFolder:
    """Cases with their truth.

    Args:
        root: The folder.
        cases: In the order of the file.
        sha256: Of ``labels.csv``, and of ``boxes.csv`` where there is one.
        has_patients: Whether the file says whose a case is.
    """

    root: Path
    cases: tuple[Case, ...]
    sha256: str
    has_patients: bool


class Skipped(Frozen):
    """A case that the model gave no answer for; it is in no figure."""

    file: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Answered:
    """What a model said of a labelled folder.

    Args:
        cases: That it answered.
        outcomes: One each.
        skipped: That it did not: out of spec or unreadable.
        contents: SHA-256 of what each case was read from.
        notes: What its files say of the column ``patient``.
    """

    cases: tuple[Case, ...]
    outcomes: tuple[Outcome, ...]
    skipped: tuple[Skipped, ...]
    contents: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def raw(self) -> NDArray[np.float64]:
        """Return the raw numbers (cases, labels)."""
        return np.stack([o.raw for o in self.outcomes if o.raw is not None])

    def truth(self, labels: tuple[str, ...]) -> NDArray[np.float64]:
        """Return (cases, labels): 1, 0, or NaN where it is not known."""
        rows = [[case.truth.get(label, math.nan) for label in labels] for case in self.cases]
        return np.array(rows, np.float64).reshape(len(self.cases), len(labels))

    def patients(self) -> tuple[str, ...]:
        """Return whose each case is."""
        return tuple(case.patient for case in self.cases)


def read_labelled(root: Path) -> LabelledFolder:
    """Return a labelled folder.

    Raises:
        UnreadableError: No folder, or no readable table.
        ContractError: A column is missing or unknown, a file stands there twice.
        InvalidValueError: A cell that is no 1, no 0 and not empty, or no number.
    """
    content = _content(root, LABELS)
    rows = _rows(content, LABELS)
    columns = set(rows[0])
    unknown = sorted(
        c
        for c in columns
        if c not in ("file", "patient", *_STATED) and not c.startswith(("label:", "group:"))
    )
    if "file" not in columns or unknown:
        said = f"unknown columns {unknown[:5]}" if unknown else "without a column 'file'"
        raise ContractError(LABELS, said, "file, patient, label:NAME, group:NAME and facts")
    boxes: dict[str, list[Corners]] = {}
    if (root / BOXES).exists():
        second = _content(root, BOXES)
        content += second
        for number, row in enumerate(_rows(second, BOXES), 2):
            boxes.setdefault(row.get("file", ""), []).append(_corners(row, number))
    cases = tuple(_case(row, number, boxes) for number, row in enumerate(rows, 2))
    names = [case.file for case in cases]
    if len(set(names)) != len(names):
        raise ContractError(LABELS, "a file stands there twice", "one row per case")
    lost = sorted(set(boxes) - set(names))
    if lost:
        raise ContractError(BOXES, f"{len(lost)} files are not in {LABELS}", "add them there")
    return LabelledFolder(
        root=root,
        cases=cases,
        sha256=hashlib.sha256(content).hexdigest(),
        has_patients="patient" in columns,
    )


def answers(
    model: LoadedModel,
    folder: LabelledFolder,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> Answered:
    """Return what a model says of every case; a case it may not be asked about is listed as such.

    Raises:
        ContractError: It answered none; one content stands under two patients, or the headers
            of the files contradict the column ``patient``.
    """
    asked: list[tuple[Case, Outcome]] = []
    identities: list[Identity | None] = []
    skipped = []
    for done, case in enumerate(folder.cases, 1):
        try:
            path = _inside(folder.root, case.file)
            sample = read_sample(path, model.contract.input.kind, case.stated)
            asked.append((case, ask(model, sample)))
            identities.append(sample.identity)
        except InputError as error:
            skipped.append(Skipped(file=case.file, reason=error.reason))
        if progress is not None:
            progress(done, len(folder.cases))
    if not asked:
        first = f": {skipped[0].reason}" if skipped else ""
        raise ContractError(model.contract.name, f"answered no case{first}", "see its contract")
    cases = tuple(case for case, _ in asked)
    contents = tuple(content_of(outcome.result) for _, outcome in asked)
    check_contents(cases, contents)
    return Answered(
        cases=cases,
        outcomes=tuple(outcome for _, outcome in asked),
        skipped=tuple(skipped),
        contents=contents,
        notes=tuple(check_identities(cases, identities)),
    )


def _inside(root: Path, file: str) -> Path:
    path = root / file
    if not path.resolve().is_relative_to(root.resolve()):
        raise ContractError(file[:80], "leads out of the folder", "copy the file into it")
    return path


def _content(root: Path, name: str) -> bytes:
    path = root / name
    try:
        if path.stat().st_size > MAX_CSV_BYTES:
            raise TooLargeError(name, f"over {MAX_CSV_BYTES >> 20} MiB", "split it")
        return path.read_bytes()
    except OSError as error:
        raise UnreadableError(
            name, f"cannot be read: {error.strerror}", "it belongs into the labelled folder"
        ) from error


def _rows(content: bytes, name: str) -> list[dict[str, str]]:
    try:
        reader = csv.DictReader(io.StringIO(content.decode("utf-8-sig")), strict=True)
        header = [c.strip() for c in reader.fieldnames or ()]
        reader.fieldnames = header
        rows = [{key: (value or "").strip() for key, value in row.items() if key} for row in reader]
    except (UnicodeDecodeError, csv.Error) as error:
        raise UnreadableError(name, "no table of commas in UTF-8", "save it as CSV") from error
    if not rows or len(set(header)) != len(header):
        raise ContractError(name, "no row, or a column twice", "a header and one row per case")
    return rows


def _case(row: dict[str, str], number: int, boxes: dict[str, list[Corners]]) -> Case:
    where = f"{LABELS} row {number}"
    file = row["file"]
    if not file:
        raise InvalidValueError(where, "names no file", "one row per case")
    truth = {}
    for key, value in row.items():
        if key.startswith("label:") and value:
            if value not in ("0", "1"):
                raise InvalidValueError(where, f"{key[:60]} is no 1 or 0", "empty for not known")
            truth[key.removeprefix("label:")] = float(value)
    if "patient" in row and not row["patient"]:
        raise InvalidValueError(where, "does not say whose it is", "fill in the column patient")
    stated = Stated(
        modality=row.get("modality", ""),
        view=row.get("view", ""),
        body_part=row.get("body_part", ""),
        age_years=_number(row.get("age", ""), where),
        spacing_mm=_number(row.get("spacing", ""), where),
    )
    return Case(
        file=file,
        patient=row.get("patient") or f"file {file}",
        truth=truth,
        groups={
            k.removeprefix("group:"): v for k, v in row.items() if k.startswith("group:") and v
        },
        stated=stated,
        boxes=tuple(boxes.get(file, ())),
    )


def _corners(row: dict[str, str], number: int) -> Corners:
    where = f"{BOXES} row {number}"
    found = [_number(row.get(key, ""), where) for key in ("row1", "column1", "row2", "column2")]
    a, b, c, d = (math.nan if v is None else v for v in found)
    if not (a < c and b < d):
        raise InvalidValueError(where, "is no box", "row1 < row2 and column1 < column2, in pixels")
    return a, b, c, d


def _number(text: str, where: str) -> float | None:
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InvalidValueError(where, "a cell is no number", "write it with a point")
    return value
