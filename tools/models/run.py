"""Asking a model: contract first, then pixels, then numbers with their provenance."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge.errors import ContractError
from knowledge.finding import NotAssessed, Why
from tools.models.applicability import out_of_spec, require_in_spec
from tools.models.contract import ModelContract
from tools.models.detection import boxes_of
from tools.models.loaded import LoadedModel
from tools.models.output_contract import OutputContract
from tools.models.prepare import Prepared, prepare
from tools.models.result import ModelRef, ModelResult
from tools.models.runner import finite
from tools.models.sample import InputRef, Sample
from tools.models.scores import row_scores
from tools.models.segmentation import segment
from tools.models.tracing_mask import segment_tracing

Progress = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """A result with the arrays that do not belong into JSON.

    Args:
        result: What was said.
        masks: (labels, axes in space of the file, or samples) of a segmentation; else None.
        raw: Raw numbers of the scores, one per label; None for other tasks and out of spec.
        spacing_mm: Of the file; None where it is not known.
    """

    result: ModelResult
    masks: NDArray[np.bool_] | None = None
    raw: NDArray[np.float64] | None = None
    spacing_mm: tuple[float, ...] | None = None


def ask(model: LoadedModel, sample: Sample, *, progress: Progress | None = None) -> Outcome:
    """Return what a model says of an input that it was made for.

    Args:
        model: A checked model.
        sample: The input.
        progress: Called with (pieces done, of how many) where there are several.

    Raises:
        ContractError: The input is outside of what it was made for; every reason is named.
        InvalidValueError: The model gave NaN or numbers that are no shares.
    """
    contract = model.contract
    require_in_spec(contract, sample)
    prepared = prepare(contract, sample)
    if contract.task == "segmentation" and sample.kind == "ecg12":
        masks, parts = segment_tracing(contract, model.runner, prepared, sample)
        return Outcome(result=_result(model, [sample], prepared, mask=parts), masks=masks)
    if contract.task == "segmentation":
        masks, parts = segment(contract, model.runner, prepared, sample, progress=progress)
        return Outcome(result=_result(model, [sample], prepared, mask=parts), masks=masks)
    raw = _run(model, prepared)
    if contract.task == "detection":
        written, labelled = _need(contract, "boxes"), _need(contract, "box_scores")
        boxes = boxes_of(
            raw[written.name], raw[labelled.name], (written, labelled), prepared.lie,
            sample.spacing_mm, sample.extent, item=contract.name,
        )  # fmt: skip
        said = _result(model, [sample], prepared, boxes=boxes)
        return Outcome(result=said, spacing_mm=sample.spacing_mm)
    if contract.task == "embedding":
        vector = raw[_need(contract, "embedding").name].reshape(-1)
        said = _result(model, [sample], prepared, embedding=tuple(float(v) for v in vector))
        return Outcome(result=said)
    output = _need(contract, "scores")
    scores = row_scores(raw[output.name], output, item=contract.name)
    attention = contract.output("attention")
    weights = () if attention is None else tuple(float(v) for v in raw[attention.name].reshape(-1))
    members = len(sample.pixels) if sample.kind == "bag" else None
    if members is not None and weights and len(weights) != members:
        raise ContractError(
            contract.name, f"{len(weights)} weights for {members} members", "correct its graph"
        )
    said = _result(model, [sample], prepared, scores=scores, attention=weights, members=members)
    return Outcome(result=said, raw=raw[output.name].reshape(-1))


def ask_or_say_why(
    model: LoadedModel, sample: Sample, *, progress: Progress | None = None
) -> Outcome:
    """Return what a model says, or a result without any number that says why there is none."""
    reasons = out_of_spec(model.contract, sample)
    if not reasons:
        return ask(model, sample, progress=progress)
    said = "; ".join(f"{one.field}: {one.reason}" for one in reasons)
    return Outcome(
        result=ModelResult(
            model=reference(model),
            task=model.contract.task,
            applicability="out-of-spec",
            reasons=reasons,
            not_assessed=NotAssessed(why=Why.OUTSIDE_CONTRACT, detail=said),
            inputs=sample.sources,
            stated=sample.stated,
            notes=sample.notes,
        )
    )


def ask_about_tiles(
    model: LoadedModel, tiles: Iterable[Sample], *, progress: Progress | None = None
) -> Outcome:
    """Return what a model of tiles says of all of them together, as its description aggregates.

    Args:
        model: A classifier of tiles whose scores have an ``aggregate``.
        tiles: Of one slide; each has to be within the contract.
        progress: Called with (tiles done, 0).

    Raises:
        ContractError: It aggregates nothing, there is no tile, or one is out of spec.
    """
    contract = model.contract
    output = contract.output("scores")
    if output is None or output.aggregate is None:
        raise ContractError(
            contract.name, "does not say how scores of tiles become one", "use it tile by tile"
        )
    rows: list[NDArray[np.float64]] = []
    seen: list[Sample] = []
    prepared: Prepared | None = None
    for tile in tiles:
        require_in_spec(contract, tile)
        prepared = prepare(contract, tile)
        rows.append(_run(model, prepared)[output.name].reshape(-1))
        seen.append(tile)
        if progress is not None:
            progress(len(rows), 0)
    if prepared is None:
        raise ContractError("slide", "no tile of it is to be looked at", "is there tissue on it?")
    together = aggregate(np.stack(rows), output)
    scores = row_scores(together, output, item=contract.name)
    said = _result(model, seen, prepared, scores=scores, members=len(rows))
    return Outcome(result=said, raw=together)


def aggregate(rows: NDArray[np.float64], output: OutputContract) -> NDArray[np.float64]:
    """Return one row of raw numbers from those of many tiles (tiles, labels)."""
    if output.aggregate == "max":
        found: NDArray[np.float64] = rows.max(axis=0)
        return found
    if output.aggregate == "top-mean":
        most = max(1, round(len(rows) * (output.aggregate_share or 1.0)))
        top: NDArray[np.float64] = np.sort(rows, axis=0)[-most:].mean(axis=0)
        return top
    mean: NDArray[np.float64] = rows.mean(axis=0)
    return mean


def bag_of(
    model: LoadedModel, tiles: Iterable[Sample], *, progress: Progress | None = None
) -> Sample:
    """Return the vectors of tiles as one bag for a multiple-instance model.

    Args:
        model: An embedding model.
        tiles: Of one slide, in an order that is kept.
        progress: Called with (tiles done, 0).

    Raises:
        ContractError: No embedding model, no tile, or a tile out of spec.
    """
    contract = model.contract
    output = contract.output("embedding")
    if output is None:
        raise ContractError(contract.name, "makes no vectors", "use an embedding model")
    vectors: list[NDArray[np.float64]] = []
    first: Sample | None = None
    sources: dict[InputRef, None] = {}
    for tile in tiles:
        require_in_spec(contract, tile)
        vectors.append(_run(model, prepare(contract, tile))[output.name].reshape(-1))
        first = first or tile
        sources.update(dict.fromkeys(tile.sources))
        if progress is not None:
            progress(len(vectors), 0)
    if first is None:
        raise ContractError("slide", "no tile of it is to be looked at", "is there tissue on it?")
    return Sample(
        pixels=np.stack(vectors),
        kind="bag",
        sources=tuple(sources),
        modality=first.modality,
        body_part=first.body_part,
        view=first.view,
        age_years=first.age_years,
        embedding_of=(contract.id, contract.version, contract.onnx_sha256),
        stated=first.stated,
    )


def reference(model: LoadedModel) -> ModelRef:
    """Return what a result says of its model."""
    contract = model.contract
    return ModelRef(
        id=contract.id,
        version=contract.version,
        title=contract.title,
        onnx_sha256=contract.onnx_sha256,
        contract_sha256=model.folder.sha256["model.json"],
        where=model.runner.where,
        status=contract.status,
        regulatory_status=contract.regulatory_status,
        calibration=model.calibration,
    )


def _run(model: LoadedModel, prepared: Prepared) -> dict[str, NDArray[np.float64]]:
    contract = model.contract
    names = tuple(o.name for o in contract.outputs)
    tensor = prepared.tensor
    if tensor is None:
        raise ContractError(contract.name, "looks piece by piece at what has no pieces", "")
    return finite(model.runner.run({contract.input.name: tensor}, names), item=contract.name)


def _need(contract: ModelContract, kind: Any) -> OutputContract:
    output = contract.output(kind)
    if output is None:
        raise ContractError(contract.name, f"has no output {kind}", "correct model.json")
    return output


def _result(
    model: LoadedModel, samples: list[Sample], prepared: Prepared, **said: Any
) -> ModelResult:
    return ModelResult(
        model=reference(model),
        task=model.contract.task,
        applicability="in-spec",
        inputs=tuple(dict.fromkeys(ref for sample in samples for ref in sample.sources)),
        stated=samples[0].stated,
        preparation=prepared.steps,
        notes=tuple(dict.fromkeys(note for sample in samples for note in sample.notes)),
        **said,
    )
