"""What a model does on a site's own cases, as it would be used there."""

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from knowledge.errors import ContractError
from knowledge.model import Frozen
from tools.models.loaded import LoadedModel
from tools.models.measure.auroc import Area, auroc
from tools.models.measure.calibrate import cautions
from tools.models.measure.froc import Froc, Lesion, Mark, Scan, froc
from tools.models.measure.labelled import Answered, LabelledFolder, Skipped, answers
from tools.models.measure.leaks import patient_key
from tools.models.measure.operating_point import OperatingPoint, Proportion, operating_point
from tools.models.measure.operating_point import proportion as share
from tools.models.measure.reader_time import ReaderTime
from tools.models.measure.reliability import Reliability, reliability
from tools.models.output_contract import OutputContract
from tools.models.result import LabelScore

LEAST = 2
"""Cases with and without a label below which no area is given."""


class Subgroup(Frozen):
    """One label within one subgroup.

    Args:
        group, value: For example ``site`` and ``north``.
        area: None where there are too few cases with or without the label.
        at_threshold: At the model's threshold; None where it has none.
    """

    group: str
    value: str
    cases: int
    area: Area | None
    at_threshold: OperatingPoint | None


class LabelEvaluated(Frozen):
    """One label.

    Args:
        area: None where there are too few cases with or without it.
        at_threshold: At the model's threshold; None where it has none.
        undecided: Cases within the abstain band; they are in no figure at the threshold.
        reliability: Of its probabilities; None where it is not calibrated.
        subgroups: Every value of every group column.
        truth, values: Of each case with a known truth, for plots.
    """

    label: str
    cases: int
    area: Area | None
    threshold: float | None
    at_threshold: OperatingPoint | None
    undecided: Proportion
    reliability: Reliability | None
    subgroups: tuple[Subgroup, ...]
    truth: tuple[bool, ...]
    values: tuple[float, ...]


class Evaluation(Frozen):
    """A model on a labelled folder.

    Args:
        model: Id and version.
        calibration: Whose calibration it was used with.
        labels_sha256: Of the truth.
        labels: Of classification; empty for detection.
        detection: Of detection.
        reader_time: With and without the model, where it was measured.
        skipped: Cases without an answer, each with the reason.
        notes: What to bear in mind.
    """

    schema_name: Literal["epicrisis/model-evaluation/1"] = Field(
        default="epicrisis/model-evaluation/1", alias="schema"
    )
    model: str
    onnx_sha256: str
    calibration: str
    labels_sha256: str
    cases: int
    patients: int
    labels: tuple[LabelEvaluated, ...] = ()
    detection: Froc | None = None
    reader_time: ReaderTime | None = None
    skipped: tuple[Skipped, ...]
    notes: tuple[str, ...]


def evaluate(
    model: LoadedModel,
    folder: LabelledFolder,
    *,
    overlap: float = 0.1,
    reader_time: ReaderTime | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Evaluation:
    """Return how a model does on labelled cases.

    Args:
        model: With the site's calibration where there is one.
        folder: Cases that neither its maker nor its calibration has seen.
        overlap: From which a mark meets a lesion, for detection.
        reader_time: Measured beside it.
        progress: Called with (cases done, of how many).

    Raises:
        ContractError: Its task is not measured here, or there is no case to measure it with.
    """
    contract = model.contract
    if contract.task not in ("classification", "multi-label", "detection"):
        raise ContractError(
            contract.name, f"{contract.task} is not measured here", "classification or detection"
        )
    found = answers(model, folder, progress=progress)
    output = contract.output("scores")
    labels: tuple[LabelEvaluated, ...] = ()
    detection = None
    notes = cautions(contract, folder, found)
    if output is not None:
        labels = tuple(_label(found, output, at) for at in range(len(output.labels)))
        notes += [f"label {one.label!r} has no known truth" for one in labels if not one.cases]
    else:
        detection = _detection(found, overlap)
    notes += _fitted_with(model, folder, found)
    return Evaluation(
        model=contract.name,
        onnx_sha256=contract.onnx_sha256,
        calibration=model.calibration,
        labels_sha256=folder.sha256,
        cases=len(found.cases),
        patients=len(set(found.patients())),
        labels=labels,
        detection=detection,
        reader_time=reader_time,
        skipped=found.skipped,
        notes=tuple(notes),
    )


def _fitted_with(model: LoadedModel, folder: LabelledFolder, found: Answered) -> list[str]:
    """Return what of these cases the site's calibration has seen."""
    site = model.site
    if site is None:
        return []
    cases, kept = len(found.cases), set(site.cases_sha256)
    used = sum(content in kept for content in found.contents)
    if used == cases or folder.sha256 == site.labels_sha256:
        return ["these cases were used to calibrate: every figure is too good"]
    if used:
        return [f"{used} of {cases} cases were used to calibrate: every figure is too good"]
    if not folder.has_patients:
        return []
    known, patients = set(site.patients_sha256), set(found.patients())
    again = sum(patient_key(one, model.contract.onnx_sha256) in known for one in patients)
    if not again:
        return []
    said = f"{again} of {len(patients)} patients have the name of one it was calibrated with"
    return [f"{said}: if they are the same, every figure is too good"]


def _label(found: Answered, output: OutputContract, at: int) -> LabelEvaluated:
    label = output.labels[at]
    truth = found.truth((label,))[:, 0]
    known = np.flatnonzero(np.isfinite(truth))
    said = [found.outcomes[k].result.scores[at] for k in known]
    owners = [found.cases[k].patient for k in known]
    present = truth[known] > 0
    values = np.array([_value(s) for s in said], np.float64)
    threshold = output.threshold(label)
    groups = sorted({(n, v) for k in known for n, v in found.cases[k].groups.items()})
    parts = []
    for name, value in groups:
        here = np.array([found.cases[k].groups.get(name) == value for k in known], bool)
        parts.append(
            Subgroup(
                group=name,
                value=value,
                cases=int(here.sum()),
                area=_area(present, values, owners, here),
                at_threshold=_point(present, said, owners, here),
            )
        )
    everybody = np.ones(len(known), bool)
    calibrated = bool(said) and said[0].probability is not None
    return LabelEvaluated(
        label=label,
        cases=len(known),
        area=_area(present, values, owners, everybody),
        threshold=None if threshold is None else threshold.value,
        at_threshold=_point(present, said, owners, everybody),
        undecided=share(sum(s.verdict == "undecided" for s in said), len(said)),
        reliability=reliability(present, values, owners) if calibrated else None,
        subgroups=tuple(parts),
        truth=tuple(bool(v) for v in present),
        values=tuple(float(v) for v in values),
    )


def _value(said: LabelScore) -> float:
    return said.score if said.probability is None else said.probability


def _area(
    present: NDArray[np.bool_],
    values: NDArray[np.float64],
    owners: list[str],
    here: NDArray[np.bool_],
) -> Area | None:
    truth = present[here]
    if min(int(truth.sum()), int((~truth).sum())) < LEAST:
        return None
    return auroc(truth, values[here], [owners[at] for at in np.flatnonzero(here)])


def _point(
    present: NDArray[np.bool_],
    said: list[LabelScore],
    owners: list[str],
    here: NDArray[np.bool_],
) -> OperatingPoint | None:
    decided = np.array([s.verdict in ("at-or-above", "below") for s in said], bool) & here
    if not decided.any():
        return None
    called = np.array([s.verdict == "at-or-above" for s in said], bool)
    whose = [owners[at] for at in np.flatnonzero(decided)]
    return operating_point(present[decided], called[decided], whose)


def _detection(found: Answered, overlap: float) -> Froc:
    scans = []
    for case, outcome in zip(found.cases, found.outcomes, strict=True):
        marks = tuple(
            Mark(
                corners=(box.corners[0], box.corners[1], box.corners[2], box.corners[3]),
                value=_value(box),
            )
            for box in outcome.result.boxes
        )
        each = outcome.spacing_mm
        lesions = tuple(
            Lesion(
                corners=box,
                size_mm=None
                if each is None
                else max((box[2] - box[0]) * each[0], (box[3] - box[1]) * each[1]),
            )
            for box in case.boxes
        )
        scans.append(Scan(lesions=lesions, marks=marks))
    return froc(scans, overlap=overlap)
