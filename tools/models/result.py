"""What a model said of an input, with everything that is needed to say it again."""

from typing import Literal

from pydantic import Field

from knowledge.finding import NotAssessed
from knowledge.model import Frozen
from tools.models.applicability import OutOfSpec
from tools.models.prepare import Step
from tools.models.sample import InputRef
from tools.models.vocabulary import Code, Task

RESEARCH = "Research use only. A model's number is no finding until a reader has confirmed it."

Verdict = Literal["at-or-above", "below", "undecided", "no-threshold"]


class ModelRef(Frozen):
    """Which model.

    Args:
        id, version, title: Of its description.
        onnx_sha256: Of the graph.
        contract_sha256: Of ``model.json``.
        where: What ran it.
        status: ``demonstration`` where it was never validated on patients it is for.
        regulatory_status: As its maker states it.
        calibration: ``model.json``, ``site`` with the hash of its file, or ``none``.
    """

    id: str
    version: str
    title: str
    onnx_sha256: str
    contract_sha256: str
    where: str
    status: Literal["validated", "demonstration"]
    regulatory_status: str
    calibration: str


class LabelScore(Frozen):
    """One label.

    Args:
        label: As the model names it.
        code: What it means in a terminology, where the model says so.
        score: From 0 to 1; says which of two inputs has more of it, not how likely it is.
        probability: Calibrated; None where the model has no calibration.
        threshold: That it was compared with; None where there is none.
        verdict: Against the threshold; ``undecided`` within the abstain band.
    """

    label: str
    code: Code | None = None
    score: float
    probability: float | None = None
    threshold: float | None = None
    verdict: Verdict


class Box(LabelScore):
    """One detection in the pixels of the file.

    Args:
        corners: First row, first column, last row, last column, as edges of pixels.
        size_mm: Along the same axes; None where the spacing is not known.
    """

    corners: tuple[float, ...]
    size_mm: tuple[float, ...] | None = None


class MaskPart(Frozen):
    """One label of a segmentation.

    Args:
        pixels: On the grid of the file; of a tracing its samples.
        area_mm2: Of a picture; None where the spacing is not known, or for volumes.
        volume_ml: Of a volume.
        stretches_s: Of a tracing: where each unbroken stretch begins and ends, s from its first
            sample.
    """

    label: str
    code: Code | None = None
    pixels: int
    area_mm2: float | None = None
    volume_ml: float | None = None
    stretches_s: tuple[tuple[float, float], ...] | None = None


class ModelResult(Frozen):
    """Everything a model said of one input.

    Args:
        model: Which.
        task: What it does.
        applicability: ``in-spec``, or ``out-of-spec``: then there is no number anywhere.
        reasons: Why it is out of spec.
        not_assessed: Set exactly where nothing could be said.
        scores, boxes, mask, embedding: By task; empty for the others.
        members: Tiles behind a slide's scores; None for a single input.
        attention: Of the members, of a multiple-instance model that gives it.
        inputs: The files.
        stated: Facts that a person stated rather than the file.
        preparation: What was done to the pixels.
        notes: Doubts.
        notice: To be shown beside every number.
    """

    schema_name: Literal["epicrisis/model-result/1"] = Field(
        default="epicrisis/model-result/1", alias="schema"
    )
    model: ModelRef
    task: Task
    applicability: Literal["in-spec", "out-of-spec"]
    reasons: tuple[OutOfSpec, ...] = ()
    not_assessed: NotAssessed | None = None
    scores: tuple[LabelScore, ...] = ()
    boxes: tuple[Box, ...] = ()
    mask: tuple[MaskPart, ...] = ()
    embedding: tuple[float, ...] = ()
    members: int | None = None
    attention: tuple[float, ...] = ()
    inputs: tuple[InputRef, ...]
    stated: tuple[str, ...] = ()
    preparation: tuple[Step, ...] = ()
    notes: tuple[str, ...] = ()
    notice: str = RESEARCH
