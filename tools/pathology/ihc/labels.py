"""Nuclei that a pathologist labelled, and the calibration made of them."""

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from knowledge.errors import ContractError, InvalidValueError, TooLargeError, UnreadableError
from knowledge.ihc_measurements import IhcMarker, ihc_measurements, limit
from knowledge.model import Frozen
from tools.pathology.ihc.calibration import Agreement, IhcCalibration, threshold
from tools.pathology.ihc.measure import Counted
from tools.pathology.ihc.stain import METHOD

MAX_BYTES = 5_000_000
COLUMNS = ("x", "y", "grade")
WAY_OUT = "give a CSV with the columns x, y (pixels of the field) and grade (0 to 3)"


class Label(Frozen):
    """One labelled nucleus.

    Args:
        x, y: A point in it, pixels of the field.
        grade: 0 negative, 1 weak, 2 moderate, 3 strong; of Ki-67 0 or 1.
    """

    x: float
    y: float
    grade: int


class Site(Frozen):
    """For what a calibration is made, as the laboratory states it.

    Args:
        laboratory, clone, stainer, scanner: Names.
        how: Who labelled, what, and how it was chosen.
        made_on: Date, YYYY-MM-DD.
    """

    laboratory: str
    clone: str
    stainer: str
    scanner: str
    how: str
    made_on: str


@dataclass(frozen=True, kw_only=True)
class Paired:
    """Labels with the nucleus that was found at each.

    Args:
        grades: Of the labels at which one was found.
        density: Mean density of DAB of that nucleus.
        lost: Labels at which none was found.
    """

    grades: tuple[int, ...]
    density: tuple[float, ...]
    lost: int


def read_labels(path: Path, *, size_px: tuple[int, int]) -> tuple[Label, ...]:
    """Return the labels of one field.

    Raises:
        UnreadableError: No CSV with the three columns.
        InvalidValueError: A row that is no point of the field, or no grade.
        TooLargeError: Over `MAX_BYTES`.
    """
    try:
        with path.open("rb") as opened:
            content = opened.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise TooLargeError(path.name, "too large for labels", WAY_OUT)
        rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    except OSError as error:
        raise UnreadableError(path.name, f"cannot be opened: {error.strerror}", WAY_OUT) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise UnreadableError(path.name, "no CSV in UTF-8", WAY_OUT) from error
    if not rows or not set(COLUMNS) <= set(rows[0]):
        raise UnreadableError(path.name, "no rows with x, y and grade", WAY_OUT)
    return tuple(_label(row, n, path.name, size_px) for n, row in enumerate(rows, 2))


def _label(row: dict[str, str], line: int, file: str, size_px: tuple[int, int]) -> Label:
    try:
        x, y, grade = float(row["x"]), float(row["y"]), int(row["grade"])
    except (TypeError, ValueError) as error:
        raise InvalidValueError(
            f"{file}: line {line}", "is no point with a grade", WAY_OUT
        ) from error
    inside = math.isfinite(x) and math.isfinite(y) and 0 <= x <= size_px[0] and 0 <= y <= size_px[1]
    if not inside or grade not in range(4):
        raise InvalidValueError(
            f"{file}: line {line}", "lies outside of the field, or the grade is not 0 to 3", WAY_OUT
        )
    return Label(x=x, y=y, grade=grade)


def paired(one: Counted, labels: Sequence[Label]) -> Paired:
    """Return the labels with their nuclei; a nucleus is taken once, by the nearest label."""
    from scipy.spatial import cKDTree

    scale = one.field.mpp / one.mpp
    if not labels or not len(one.found):
        return Paired(grades=(), density=(), lost=len(labels))
    tree = cKDTree(np.c_[one.found.x, one.found.y])
    points = np.array([(label.x * scale - 0.5, label.y * scale - 0.5) for label in labels])
    found: Any = tree.query(points, k=1)
    away, nearest = found
    used: set[int] = set()
    grades, density = [], []
    for place in np.argsort(away, kind="stable"):
        nucleus = int(nearest[place])
        if away[place] * one.mpp <= limit("label_reach") and nucleus not in used:
            used.add(nucleus)
            grades.append(labels[place].grade)
            density.append(float(one.found.dab[nucleus]))
    return Paired(grades=tuple(grades), density=tuple(density), lost=len(labels) - len(used))


def calibrated(
    fields: Sequence[Counted], labels: Sequence[Sequence[Label]], *, marker: IhcMarker, site: Site
) -> IhcCalibration:
    """Return a calibration made of labelled fields.

    Args:
        fields: Their nuclei, counted without a calibration.
        labels: Of each field.
        marker: Which.
        site: For what it holds.

    Raises:
        ContractError: Fields of several sizes of pixels, or no labels.
        InvalidValueError: No label on one side of a threshold.
    """
    sizes = {round(one.field.mpp, 4) for one in fields}
    if len(sizes) != 1 or len(fields) != len(labels):
        raise ContractError(
            "fields", "give fields of one size of pixels, and labels for each", WAY_OUT
        )
    pairs = [paired(one, of) for one, of in zip(fields, labels, strict=True)]
    grades = [g for pair in pairs for g in pair.grades]
    density = [d for pair in pairs for d in pair.density]
    every = len(grades) + sum(pair.lost for pair in pairs)
    if not grades:
        raise ContractError("labels", "no nucleus was found at any label", "look at the overlay")
    wanted = (1, 2, 3) if ihc_measurements().markers[marker].grades else (1,)
    made = [threshold(density, grades, grade) for grade in wanted]
    steps: list[float | None] = [at for at, _ in made]
    agreement: tuple[Agreement, ...] = tuple(found for _, found in made)
    positive, moderate, strong = (*steps, None, None)[:3]
    if positive is None or (moderate and strong and not positive < moderate < strong):
        raise ContractError("labels", "the grades do not ascend with the stain", "label again")
    return IhcCalibration(
        schema="epicrisis-ihc-calibration/1",
        method=METHOD,
        marker=marker,
        mpp=sizes.pop(),
        positive=positive,
        moderate=moderate,
        strong=strong,
        nuclei=len(grades),
        fields=len(fields),
        labels_found_percent=round(100 * len(grades) / every, 1),
        agreement=agreement,
        **site.model_dump(),
    )
