"""Calibration and thresholds on a site's own cases, with what they are worth on cases not seen.

The figures come from cross-fitting: cases of one patient stay together, each fifth is measured with
a calibration and threshold of the other four. What is kept is fitted on all of them.
"""

import hashlib
from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from knowledge.errors import ContractError
from knowledge.model import Frozen
from knowledge.plain_text import how_many
from tools.models.calibration import Calibration, Platt, probabilities_of
from tools.models.contract import ModelContract
from tools.models.loaded import LoadedModel
from tools.models.measure.auroc import Area, auroc
from tools.models.measure.clusters import FEW, FEWEST
from tools.models.measure.fit import Method, fit
from tools.models.measure.labelled import Answered, LabelledFolder, Skipped, answers
from tools.models.measure.leaks import patient_key
from tools.models.measure.operating_point import (
    Aim,
    OperatingPoint,
    choose_threshold,
    operating_point,
)
from tools.models.measure.reliability import Reliability, reliability
from tools.models.output_contract import OutputContract, Threshold
from tools.models.site import TURNED, SiteCalibration

FOLDS = 5
_CHANCE = 0.5


class LabelCalibrated(Frozen):
    """One label.

    Args:
        label: As the model names it.
        threshold: Chosen on all cases.
        measured: At thresholds chosen without the case that is measured.
        area: Under the ROC curve; calibration changes it little.
        reliability: Of probabilities fitted without the case.
    """

    label: str
    threshold: float
    measured: OperatingPoint
    area: Area
    reliability: Reliability


class CalibrationReport(Frozen):
    """What was fitted and what it is worth.

    Args:
        site: To be kept beside the model.
        fix, target: What the threshold had to reach.
        cases, patients: That were answered.
        labels: One each.
        skipped: Cases without an answer.
        notes: What to bear in mind.
        falling: Labels that are rarer the higher the score: such a calibration is not kept.
    """

    schema_name: Literal["epicrisis/model-calibration/1"] = Field(
        default="epicrisis/model-calibration/1", alias="schema"
    )
    model: str
    site: SiteCalibration
    fix: Aim
    target: float
    cases: int
    patients: int
    labels: tuple[LabelCalibrated, ...]
    skipped: tuple[Skipped, ...]
    notes: tuple[str, ...]
    falling: tuple[str, ...] = ()


def calibrate(
    model: LoadedModel,
    folder: LabelledFolder,
    *,
    method: Method,
    fix: Aim,
    target: float,
    progress: Callable[[int, int], None] | None = None,
) -> CalibrationReport:
    """Return a calibration and thresholds for a model's scores.

    Args:
        model: As it came; what the site fitted before is not used.
        folder: Labelled cases that the model was not trained on.
        method: Of calibration.
        fix: Which share the threshold has to reach.
        target: At least this.
        progress: Called with (cases done, of how many).

    Raises:
        ContractError: No scores, too few cases, or the aim cannot be reached.
    """
    contract = model.folder.contract
    output = contract.output("scores")
    if output is None:
        raise ContractError(contract.name, "has no scores to calibrate", "see its task")
    found = answers(model, folder, progress=progress)
    raw, truth = found.raw(), found.truth(output.labels)
    words = f"{len(raw)} cases, labels {folder.sha256[:12]}"
    whole = fit(raw, truth, output.labels, output.activation, method, fitted_on=words)
    likely = _likely(raw, output, whole)
    unseen, called = _cross_fitted(raw, truth, output, method, fix, target, found)
    labels, thresholds = [], []
    for at, label in enumerate(output.labels):
        known = np.isfinite(truth[:, at])
        present = truth[known, at] > 0
        owners = [found.cases[k].patient for k in np.flatnonzero(known)]
        cut = choose_threshold(present, likely[known, at], fix=fix, target=target)
        thresholds.append(
            Threshold(label=label, value=cut, basis=f"{fix} of at least {target:g} on {words}")
        )
        labels.append(
            LabelCalibrated(
                label=label,
                threshold=cut,
                measured=operating_point(present, called[known, at], owners),
                area=auroc(present, raw[known, at], owners),
                reliability=reliability(present, unseen[known, at], owners),
            )
        )
    turned = tuple(one.label for one in labels if _falls(one, whole))
    return CalibrationReport(
        model=contract.name,
        site=SiteCalibration(
            onnx_sha256=contract.onnx_sha256,
            labels_sha256=folder.sha256,
            cases_sha256=tuple(sorted(set(found.contents))),
            patients_sha256=_patients(contract, folder, found),
            calibration=whole,
            thresholds=tuple(thresholds),
        ),
        fix=fix,
        target=target,
        cases=len(raw),
        patients=len(set(found.patients())),
        labels=tuple(labels),
        skipped=found.skipped,
        notes=(
            *(f"label {one!r}: the scores fall with it: {TURNED}" for one in turned),
            *cautions(contract, folder, found),
            *_band(output),
        ),
        falling=turned,
    )


def require_rising(report: CalibrationReport) -> None:
    """Refuse to keep what would turn a model's answers round.

    Raises:
        ContractError: A label is rarer the higher the score.
    """
    if report.falling:
        raise ContractError(f"label {report.falling[0]!r}", "the scores fall with it", TURNED)


def _falls(found: LabelCalibrated, whole: Calibration) -> bool:
    parts = whole.parts if isinstance(whole, Platt) else ()
    slopes = [part.slope for part in parts if part.label == found.label]
    upper = found.area.value if found.area.ci is None else found.area.ci[1]
    return upper < _CHANCE or any(slope <= 0 for slope in slopes)


def _patients(contract: ModelContract, folder: LabelledFolder, found: Answered) -> tuple[str, ...]:
    if not folder.has_patients:
        return ()
    return tuple(sorted({patient_key(one, contract.onnx_sha256) for one in found.patients()}))


def _band(output: OutputContract) -> tuple[str, ...]:
    if output.abstain_band is None or output.calibration.method != "none":
        return ()
    return ("the model's abstain band is of scores: with this calibration it is not used",)


def cautions(contract: ModelContract, folder: LabelledFolder, found: Answered) -> list[str]:
    """Return what must be borne in mind about figures of a labelled folder."""
    said = list(found.notes)
    if not folder.has_patients:
        said.append("labels.csv has no column patient: every case counts as a patient of its own")
    elif len(set(found.patients())) < len(found.cases):
        said.append(_of_patients(contract, len(set(found.patients()))))
    if found.skipped:
        said.append(f"{len(found.skipped)} cases got no answer and are in no figure")
    if contract.status == "demonstration":
        said.append("a demonstration model, not validated: no figure of it is of clinical use")
    return said


def _of_patients(contract: ModelContract, count: int) -> str:
    """Return how intervals are made where one patient has several cases."""
    if contract.output("scores") is None:
        return "several cases of one patient: intervals take lesions as independent, too tight"
    if count < FEWEST:
        return (
            f"several cases of one patient, {how_many(count, 'patient')} in all: too few to draw "
            "patients; shares have the interval of so many patients, an AUROC has none"
        )
    said = "several cases of one patient: intervals are made by drawing whole patients"
    if count < FEW:
        said += f"; of {count} patients they tend to be too tight"
    return said


def folds_of(patients: tuple[str, ...], present: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the fold of each case: patients together, those with and without dealt out alike.

    Always the same for the same patients, whatever their order.
    """
    has: dict[str, bool] = {}
    for patient, one in zip(patients, present, strict=True):
        has[patient] = has.get(patient, False) or bool(one)
    order = sorted(has, key=lambda p: (has[p], hashlib.sha256(p.encode()).hexdigest()))
    fold = {patient: at % FOLDS for at, patient in enumerate(order)}
    return np.array([fold[p] for p in patients], np.int64)


def _cross_fitted(
    raw: NDArray[np.float64],
    truth: NDArray[np.float64],
    output: OutputContract,
    method: Method,
    fix: Aim,
    target: float,
    found: Answered,
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return probabilities and calls of each case, made without it."""
    fold = folds_of(found.patients(), (truth == 1).any(axis=1))
    likely = np.full(truth.shape, np.nan)
    called = np.zeros(truth.shape, bool)
    for at in range(FOLDS):
        held, rest = fold == at, fold != at
        if not held.any():
            continue
        try:
            part = fit(
                raw[rest], truth[rest], output.labels, output.activation, method, fitted_on="a fold"
            )
        except ContractError as error:
            raise ContractError(
                "folds",
                f"{how_many(len(set(found.patients())), 'patient')}: too few for five folds; "
                f"without one fold {error.item} has {error.reason}",
                error.way_out,
            ) from error
        own, others = _likely(raw[held], output, part), _likely(raw[rest], output, part)
        likely[held] = own
        for label in range(len(output.labels)):
            known = np.isfinite(truth[rest, label])
            present = truth[rest, label][known] > 0
            cut = choose_threshold(present, others[known, label], fix=fix, target=target)
            called[held, label] = own[:, label] >= cut
    return likely, called


def _likely(
    raw: NDArray[np.float64], output: OutputContract, calibration: Calibration
) -> NDArray[np.float64]:
    found = probabilities_of(raw, output.activation, output.labels, calibration)
    if found is None:
        raise ContractError(output.name, "no calibration was fitted", "")
    return found
