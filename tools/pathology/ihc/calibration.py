"""The laboratory's own thresholds of DAB: a file, and how it is made of labelled nuclei.

The density of DAB at which a pathologist calls a nucleus positive differs between antibodies,
stainers and scanners, so without such a file no share is stated.
"""

from collections.abc import Sequence
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Literal, Self

import numpy as np
import orjson
from pydantic import Field, ValidationError, field_validator, model_validator

from knowledge.errors import ContractError, InvalidValueError, UnreadableError
from knowledge.ihc_measurements import IhcMarker, ihc_measurements, limit
from knowledge.model import Frozen
from tools.pathology.ihc.stain import METHOD, Vector

SCHEMA = "epicrisis-ihc-calibration/1"
MAX_BYTES = 1_000_000
WAY_OUT = "make one with `epicrisis ihc calibrate`"


class Agreement(Frozen):
    """How a threshold agrees with the labels it was set on.

    Args:
        grade: The lowest grade above the threshold: 1 for positive.
        sensitivity_percent, specificity_percent: On the labelled nuclei.
        above, below: Labelled nuclei of at least this grade, and of less.
    """

    grade: int = Field(ge=1, le=3)
    sensitivity_percent: float = Field(ge=0, le=100)
    specificity_percent: float = Field(ge=0, le=100)
    above: int = Field(ge=0)
    below: int = Field(ge=0)


class IhcCalibration(Frozen):
    """Thresholds of one marker in one laboratory, and how they were obtained.

    Args:
        form: Version of the file.
        method: Of the densities; those of another method cannot be compared.
        laboratory, marker, clone, stainer, scanner: For which they hold.
        mpp: µm per pixel of the fields they were made on.
        white: Grey levels of the empty slide; None for 255 each.
        haematoxylin, dab: Vectors of the stains; None for the published ones.
        positive, moderate, strong: Mean optical density of DAB of a nucleus from which it is
            positive, moderate, strong; the last two only where the intensity is graded.
        how: How they were obtained, and by whom (a role, no person's name is needed).
        made_on: Date, YYYY-MM-DD.
        nuclei, fields: Labelled nuclei and fields behind them.
        labels_found_percent: Labels at which a nucleus was found.
        agreement: Of each threshold.
    """

    form: Literal["epicrisis-ihc-calibration/1"] = Field(alias="schema")
    method: str
    laboratory: str = Field(min_length=1, max_length=200)
    marker: IhcMarker
    clone: str = Field(min_length=1, max_length=100)
    stainer: str = Field(min_length=1, max_length=200)
    scanner: str = Field(min_length=1, max_length=200)
    mpp: float = Field(gt=0, le=2)
    white: Vector | None = None
    haematoxylin: Vector | None = None
    dab: Vector | None = None
    positive: float = Field(gt=0, lt=3)
    moderate: float | None = Field(default=None, gt=0, lt=3)
    strong: float | None = Field(default=None, gt=0, lt=3)
    how: str = Field(min_length=1, max_length=2000)
    made_on: str = Field(pattern=r"^\d{4}-\d{2}-\d{2}$")
    nuclei: int = Field(ge=1)
    fields: int = Field(ge=1)
    labels_found_percent: float = Field(ge=0, le=100)
    agreement: tuple[Agreement, ...] = Field(min_length=1)

    @field_validator("made_on")
    @classmethod
    def _a_day(cls, made_on: str) -> str:
        date.fromisoformat(made_on)
        return made_on

    @field_validator("white")
    @classmethod
    def _bright(cls, white: Vector | None) -> Vector | None:
        if white is not None and not all(150 <= level <= 255 for level in white):
            raise ValueError("the empty slide has grey levels of 150 to 255")
        return white

    @field_validator("haematoxylin", "dab")
    @classmethod
    def _absorbs(cls, vector: Vector | None) -> Vector | None:
        if vector is not None and (min(vector) < 0 or sum(vector) <= 0):
            raise ValueError("a stain absorbs: its vector has no part below 0")
        return vector

    @model_validator(mode="after")
    def _ascending(self) -> Self:
        given = [t for t in (self.positive, self.moderate, self.strong) if t is not None]
        if any(a >= b for a, b in pairwise(given)) or (self.moderate is None) != (
            self.strong is None
        ):
            raise ValueError("positive, moderate and strong ascend; the last two go together")
        return self

    def grades(
        self, density: np.ndarray[tuple[int, ...], np.dtype[np.float64]]
    ) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
        """Return 0 to 3 for each mean density of DAB; without grades of intensity 0 or 1."""
        steps = [t for t in (self.positive, self.moderate, self.strong) if t is not None]
        return np.digitize(density, steps)


def read_calibration(path: Path) -> IhcCalibration:
    """Return a calibration from its file.

    Raises:
        UnreadableError: Not JSON, or not of this form.
        ContractError: It rests on too few nuclei, or agrees too little with its labels.
    """
    try:
        with path.open("rb") as opened:
            content = opened.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise UnreadableError(path.name, "too large for a calibration", WAY_OUT)
        found = IhcCalibration.model_validate(orjson.loads(content))
    except OSError as error:
        raise UnreadableError(path.name, f"cannot be opened: {error.strerror}", WAY_OUT) from error
    except orjson.JSONDecodeError as error:
        raise UnreadableError(path.name, "not JSON", WAY_OUT) from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "calibration"
        raise UnreadableError(path.name, f"{where}: {first['msg']}", WAY_OUT) from error
    _check_basis(found, path.name)
    return found


def check_fits(found: IhcCalibration, *, marker: IhcMarker, mpp: float) -> None:
    """Refuse a calibration that is not for this marker or these fields.

    Raises:
        ContractError: Another marker, method or size of pixels; no grades for a marker that has
            them.
    """
    if found.marker != marker:
        raise ContractError(
            "calibration", f"is for {found.marker}, not for {marker}", "give that of the marker"
        )
    if found.method != METHOD:
        raise ContractError(
            "calibration", f"made with {found.method!r}, not {METHOD!r}", "make it again"
        )
    away = 100 * abs(mpp / found.mpp - 1)
    if away > limit("mpp_tolerance"):
        raise ContractError(
            "calibration",
            f"made at {found.mpp:g} µm per pixel; the field has {mpp:g}",
            "give fields of the same scanner and magnification",
        )
    if ihc_measurements().markers[marker].grades and found.moderate is None:
        raise ContractError(
            "calibration", f"has no thresholds of intensity, which {marker} needs", "make it again"
        )


def _check_basis(found: IhcCalibration, file: str) -> None:
    least = limit("calibration_nuclei_min")
    if found.nuclei < least:
        raise ContractError(
            file, f"rests on {found.nuclei} labelled nuclei; at least {least:g}", "label more"
        )
    steps = (found.positive, found.moderate, found.strong)
    if sorted(a.grade for a in found.agreement) != [i for i, t in enumerate(steps, 1) if t]:
        raise ContractError(file, "the agreement of a threshold is missing", WAY_OUT)
    if found.labels_found_percent < limit("label_found_min"):
        raise ContractError(
            file,
            f"at {found.labels_found_percent:g} % of the labels a nucleus was found; at least "
            f"{limit('label_found_min'):g} %",
            "look at the overlay: the stain or the size of a pixel may be wrong",
        )
    for one in found.agreement:
        _check_agreement(one, file)


def _check_agreement(one: Agreement, file: str) -> None:
    mean = (one.sensitivity_percent + one.specificity_percent) / 2
    if mean < limit("calibration_agreement_min"):
        raise ContractError(
            file,
            f"the threshold of grade {one.grade} agrees with {mean:.0f} % of the labels; at least "
            f"{limit('calibration_agreement_min'):g} %",
            "label again, or measure this marker by eye",
        )
    if min(one.above, one.below) < limit("calibration_class_min"):
        raise ContractError(
            file,
            f"{min(one.above, one.below)} labelled nuclei on one side of the threshold of grade "
            f"{one.grade}; at least {limit('calibration_class_min'):g}",
            "label more of them",
        )


def threshold(
    density: Sequence[float], grades: Sequence[int], grade: int
) -> tuple[float, Agreement]:
    """Return the density that best parts nuclei of at least a grade from the others.

    The largest mean of sensitivity and specificity counts; the threshold lies in the middle between
    the densities beside it.

    Args:
        density: Mean density of DAB of each labelled nucleus.
        grades: Of each, 0 to 3.
        grade: The lowest above the threshold.

    Raises:
        InvalidValueError: No nucleus above, or none below.

    Examples:
        >>> threshold([0.1, 0.2, 0.5, 0.6], [0, 0, 1, 1], 1)[0]
        0.35
    """
    values, above = np.asarray(density, float), np.asarray(grades) >= grade
    if not above.any() or above.all():
        raise InvalidValueError(
            f"grade {grade}", "no label above it, or none below it", "label nuclei of every grade"
        )
    order = np.argsort(values, kind="stable")
    ordered, truth = values[order], above[order]
    missed = np.concatenate([[0], np.cumsum(truth)])[:-1]
    right = np.concatenate([[0], np.cumsum(~truth)])[:-1]
    sensitivity, specificity = 1 - missed / truth.sum(), right / (~truth).sum()
    distinct = np.concatenate([[True], np.diff(ordered) > 0])
    best = int(np.argmax(np.where(distinct, sensitivity + specificity, -1)))
    at = ordered[best] if best == 0 else (ordered[best - 1] + ordered[best]) / 2
    return round(float(at), 4), Agreement(
        grade=grade,
        sensitivity_percent=round(100 * float(sensitivity[best]), 1),
        specificity_percent=round(100 * float(specificity[best]), 1),
        above=int(truth.sum()),
        below=int((~truth).sum()),
    )
