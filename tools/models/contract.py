"""The strict description of a model: ``model.json``, and how it is read."""

import json
import re
from typing import Annotated, Any, Literal, Self

from pydantic import (
    Field,
    FiniteFloat,
    PositiveInt,
    ValidationError,
    field_validator,
    model_validator,
)

from knowledge.errors import ContractError, TooLargeError, UnreadableError
from knowledge.model import Frozen
from tools.models.calibration import Isotonic, Platt
from tools.models.input_contract import InputContract
from tools.models.output_contract import OutputContract
from tools.models.vocabulary import (
    InputKind,
    ModelId,
    OutputKind,
    Said,
    Sha256,
    Task,
    VersionText,
)

_NO_LICENCE = frozenset({
    "unknown", "none", "not known", "not stated", "not specified", "unspecified", "unlicensed",
    "no licence", "no license", "noassertion", "undefined", "null", "nil", "n/a", "na", "tbd",
    "todo", "see website", "see homepage", "see the website", "see link", "see above",
})  # fmt: skip
"""Words that say that there is no licence or nobody knows it; NONE and NOASSERTION are those of
SPDX 2.3, clause 7.13."""
_SHARE = re.compile(
    r"\b(AUROC|AUC|AUPRC|sensitivity|specificity|recall|precision|[PN]PV|accuracy|F1|Dice|IoU)\b",
    re.IGNORECASE,
)
_DIFFERENCE = re.compile(r"\b(difference|change|error|ratio)\b", re.IGNORECASE)
"""Figures that are shares; of differences of them the sign and the size may be any."""
SCHEMA = "epicrisis/model/1"
MAX_JSON_BYTES = 1 << 20
MOST_LOOSE = 0.01
"""Largest tolerance of a golden vector: a wider one would let another model pass."""

_NEEDS: dict[Task, tuple[OutputKind, ...]] = {
    "classification": ("scores",),
    "multi-label": ("scores",),
    "detection": ("boxes", "box_scores"),
    "segmentation": ("mask",),
    "embedding": ("embedding",),
    "multiple-instance": ("scores",),
}
_MAY: dict[Task, tuple[OutputKind, ...]] = {"multiple-instance": ("attention",)}
_TAKES: dict[Task, tuple[InputKind, ...]] = {
    "detection": ("image2d", "tile"),
    "segmentation": ("image2d", "tile", "volume3d", "ecg12"),
    "multiple-instance": ("bag",),
}
_FileName = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}(/[A-Za-z0-9][A-Za-z0-9._-]{0,99})?$")
]


class Performance(Frozen):
    """One measured figure.

    Args:
        dataset: What it was measured on, and that the model was not trained on it.
        population: Who they were.
        n: Of how many pictures or patients.
        metric: Which figure: ``AUROC pneumothorax``, ``sensitivity at 2 FP per scan``.
        value: The figure.
        ci: Its 95 % interval; null where none was given.
    """

    dataset: Said
    population: Said
    n: PositiveInt
    metric: Said
    value: FiniteFloat
    ci: tuple[FiniteFloat, FiniteFloat] | None

    @model_validator(mode="after")
    def _inside(self) -> Self:
        if self.ci is not None and not self.ci[0] <= self.value <= self.ci[1]:
            raise ValueError(f"{self.metric}: the value is outside of its interval")
        if _SHARE.search(self.metric) and not _DIFFERENCE.search(self.metric):
            most = 100.0 if "%" in self.metric or "percent" in self.metric.casefold() else 1.0
            if not all(0 <= one <= most for one in (self.value, *(self.ci or ()))):
                raise ValueError(f"{self.metric}: is from 0 to 1, or in % where it says so")
        return self


class Golden(Frozen):
    """Tensors in, and what has to come out.

    Args:
        inputs, outputs: Name of a tensor to its file (``.npy``) in the folder.
        atol, rtol: Allowed difference: `atol` + `rtol` x the expected size.
    """

    inputs: dict[str, _FileName] = Field(min_length=1)
    outputs: dict[str, _FileName] = Field(min_length=1)
    atol: Annotated[FiniteFloat, Field(ge=0, le=MOST_LOOSE)]
    rtol: Annotated[FiniteFloat, Field(ge=0, le=MOST_LOOSE)]


class ModelContract(Frozen):
    """The whole of ``model.json``.

    Args:
        schema_name: Always `SCHEMA`.
        id, version: Together they name one model for good.
        title: As people call it.
        task: What it does.
        intended_use: On whom, on what, for what, by whom.
        contraindications: Where it must not be used; at least one.
        regulatory_status: ``not a medical device, research only``, or clearance with its number.
        status: ``validated`` where the figures are of patients like those it is for, else
            ``demonstration``.
        licence: Of the weights, as SPDX or in words; the text is in `licence_file`.
        licence_file, card_file: Files of the folder.
        authors: Who made it.
        training_data: On what it was trained.
        onnx_sha256: Of ``model.onnx``.
        inputs, outputs: See their types.
        performance: Measured figures; at least one.
        golden: At least one.
    """

    schema_name: Literal["epicrisis/model/1"] = Field(alias="schema")
    id: ModelId
    version: VersionText
    title: Said
    task: Task
    intended_use: Said
    contraindications: tuple[Said, ...] = Field(min_length=1)
    regulatory_status: Said
    status: Literal["validated", "demonstration"]
    licence: Said
    licence_file: _FileName
    card_file: _FileName
    authors: tuple[Said, ...] = Field(min_length=1)
    training_data: Said
    onnx_sha256: Sha256
    inputs: tuple[InputContract, ...] = Field(min_length=1, max_length=1)
    outputs: tuple[OutputContract, ...] = Field(min_length=1)
    performance: tuple[Performance, ...] = Field(min_length=1)
    golden: tuple[Golden, ...] = Field(min_length=1)

    @property
    def name(self) -> str:
        """Id and version, as messages write it."""
        return f"model {self.id} {self.version}"

    @property
    def input(self) -> InputContract:
        """The one input."""
        return self.inputs[0]

    def output(self, kind: OutputKind) -> OutputContract | None:
        """Return the output of a kind, or None."""
        return next((o for o in self.outputs if o.kind == kind), None)

    @field_validator("licence")
    @classmethod
    def _stated_licence(cls, licence: str) -> str:
        said = " ".join(licence.casefold().split()).strip(" .?!-_()[]")
        if not said or said in _NO_LICENCE:
            raise ValueError("no licence is stated: whether the weights may be used is not known")
        return licence

    @model_validator(mode="after")
    def _whole(self) -> Self:
        for problem in [*_task_problems(self), *_golden_problems(self), *_label_problems(self)]:
            raise ValueError(problem)
        return self


def read_contract(content: bytes, *, file: str = "model.json") -> ModelContract:
    """Return the description in a file.

    Args:
        content: The whole file.
        file: Its name.

    Raises:
        TooLargeError: Over `MAX_JSON_BYTES`.
        UnreadableError: Not JSON, or a key stands there twice.
        ContractError: A field is missing, unknown or impossible; the message names it.
    """
    if len(content) > MAX_JSON_BYTES:
        raise TooLargeError(file, f"{len(content)} bytes", f"at most {MAX_JSON_BYTES}")
    plain_json(content, file)
    try:
        return ModelContract.model_validate_json(content, strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the whole"
        more = error.error_count() - 1
        said = f"{place}: {first['msg']}" + (f" (and {more} more)" if more else "")
        raise ContractError(file, said, "correct it; the fields are in docs/models.md") from error


def plain_json(content: bytes, file: str) -> Any:
    """Return decoded JSON in which every key stands once.

    Raises:
        UnreadableError: Not JSON, nested without end, or with a key twice.
    """
    try:
        return json.loads(content.decode("utf-8"), object_pairs_hook=_once)
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        reason = str(error) if isinstance(error, _TwiceError) else "not JSON in UTF-8"
        raise UnreadableError(file, reason, "write it again") from error


class _TwiceError(ValueError):
    """A key stands in an object twice."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise _TwiceError(f"the key {key[:40]!r} stands there twice")
        found[key] = value
    return found


def _task_problems(given: ModelContract) -> list[str]:
    kinds = [o.kind for o in given.outputs]
    need, may = _NEEDS[given.task], _MAY.get(given.task, ())
    found = []
    if any(kinds.count(kind) != 1 for kind in need) or set(kinds) - set(need) - set(may):
        found.append(f"{given.task} has the outputs {list(need)}, this one has {kinds}")
    takes = _TAKES.get(given.task)
    kind = given.input.kind
    if takes is not None and kind not in takes:
        found.append(f"{given.task} takes {list(takes)}, not {kind}")
    if given.task != "multiple-instance" and kind == "bag":
        found.append("a bag is for multiple-instance")
    slides = given.input.fit.kind == "slide"
    if slides and given.task != "segmentation":
        found.append("only segmentation looks at a picture piece by piece (fit slide)")
    if len({o.name for o in given.outputs}) != len(given.outputs):
        found.append("two outputs have one name")
    if any(o.aggregate for o in given.outputs) and kind != "tile":
        found.append("only the scores of tiles are aggregated")
    return found


def _golden_problems(given: ModelContract) -> list[str]:
    ins, outs = {i.name for i in given.inputs}, {o.name for o in given.outputs}
    for vector in given.golden:
        if set(vector.inputs) != ins or set(vector.outputs) != outs:
            return ["a golden vector has every input and every output by name"]
    return []


def _label_problems(given: ModelContract) -> list[str]:
    found = []
    for output in given.outputs:
        parts = output.calibration
        if isinstance(parts, Platt | Isotonic):
            named = [part.label for part in parts.parts]
            if sorted(named) != sorted(output.labels):
                found.append(f"output {output.name}: the calibration has one part for each label")
    scores = given.output("scores")
    if scores is not None and given.task == "multi-label" and scores.activation == "softmax":
        found.append("multi-label has no softmax: its labels do not exclude each other")
    return found
