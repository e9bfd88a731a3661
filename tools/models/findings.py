"""What a model said, as findings: measurements of a model, never a disease that is present.

The concept is "the model's number for a label" with a code of ours. The label's own code stays in
the result: a rule that looks for the disease must not take a model's number for it.
"""

from knowledge.codes import Coding, Concept
from knowledge.evidence import DicomEvidence, Evidence, RecordEvidence
from knowledge.finding import Finding, State
from knowledge.quantity import Quantity
from tools.models.contract import ModelContract
from tools.models.result import Box, LabelScore, MaskPart, ModelResult
from tools.models.sample import InputRef

PLUGGED = "urn:epicrisis:plugged-model"
"""Codes of findings of plugged models: ``<model id>/<label>``."""

MODEL_SAID = "model-said"
UNCONFIRMED = "not-confirmed"
_LONGEST = 400


def findings_of(result: ModelResult, contract: ModelContract | None = None) -> tuple[Finding, ...]:
    """Return what a result says as findings, each flagged as a model's and not confirmed.

    Args:
        result: Of `tools.models.run.ask_or_say_why`.
        contract: Of the model; with it each finding says on what the model was measured.

    Returns:
        One finding per label, box or mask. One that is not assessed where there is no answer.
        Vectors say nothing to a person and give none.
    """
    note = "" if contract is None else _note(contract)
    if result.not_assessed is not None:
        return (
            Finding(
                concept=_concept(result, "", "assessment"),
                state=State.NOT_ASSESSED,
                not_assessed=result.not_assessed,
                method=_method(result),
                flags=_flags(result),
                evidence=_evidence(result),
            ),
        )
    found = [_of_score(result, said) for said in result.scores]
    found += [_of_box(result, box) for box in result.boxes]
    found += [_of_mask(result, part) for part in result.mask]
    return tuple(one.model_copy(update={"note": note}) for one in found) if note else tuple(found)


def measured_on(contract: ModelContract) -> tuple[str, ...]:
    """Return the measured figures of a model in words, as its maker or its site states them."""
    return tuple(
        f"{row.metric} {row.value:.4g}"
        + ("" if row.ci is None else f" ({row.ci[0]:.3g} to {row.ci[1]:.3g})")
        + f", n {row.n}: {row.dataset}; {row.population}"
        for row in contract.performance
    )


def _note(contract: ModelContract) -> str:
    """Return on what a model was validated, or that it was not."""
    first, *more = measured_on(contract)
    rest = f" (and {len(more)} more figures)" if more else ""
    said = "validated on" if contract.status == "validated" else "not validated; measured on"
    return f"{said}: {first}{rest}"[:_LONGEST]


def _of_score(result: ModelResult, said: LabelScore) -> Finding:
    return _finding(result, said.label, _kind(said), _number(said), "1", (said.verdict,))


def _of_box(result: ModelResult, box: Box) -> Finding:
    row1, column1, row2, column2 = box.corners
    region = (column1, row1, column2, row2)
    flags: tuple[str, ...] = (box.verdict,)
    return _finding(result, box.label, _kind(box), _number(box), "1", flags, region=region)


def _of_mask(result: ModelResult, part: MaskPart) -> Finding:
    if part.stretches_s is not None:
        seconds = sum(end - start for start, end in part.stretches_s)
        return _finding(result, part.label, "time", round(seconds, 4), "s", ())
    if part.volume_ml is not None:
        return _finding(result, part.label, "volume", part.volume_ml, "mL", ())
    if part.area_mm2 is not None:
        return _finding(result, part.label, "area", part.area_mm2, "mm2", ())
    return _finding(result, part.label, "pixels", float(part.pixels), "1", ("spacing-missing",))


def _kind(said: LabelScore) -> str:
    return "score" if said.probability is None else "probability"


def _number(said: LabelScore) -> float:
    return said.score if said.probability is None else said.probability


def _finding(
    result: ModelResult,
    label: str,
    kind: str,
    value: float,
    unit: str,
    flags: tuple[str, ...],
    *,
    region: tuple[float, ...] | None = None,
) -> Finding:
    return Finding(
        concept=_concept(result, label, kind),
        state=State.PRESENT,
        value=Quantity(value=value, unit=unit),
        method=_method(result),
        flags=(*_flags(result), *flags),
        evidence=_evidence(result, region),
    )


def _concept(result: ModelResult, label: str, kind: str) -> Concept:
    words = f"{result.model.title}: {kind} of {label}" if label else f"{result.model.title}: {kind}"
    code = f"{result.model.id}/{label}" if label else result.model.id
    return Concept(text=words, codings=(Coding(system=PLUGGED, code=code),))


def _method(result: ModelResult) -> str:
    model = result.model
    return f"{model.id} {model.version} ({model.onnx_sha256[:16]}), calibration {model.calibration}"


def _flags(result: ModelResult) -> tuple[str, ...]:
    demonstration = ("demonstration",) if result.model.status == "demonstration" else ()
    return (MODEL_SAID, UNCONFIRMED, *demonstration)


def _evidence(result: ModelResult, region: tuple[float, ...] | None = None) -> tuple[Evidence, ...]:
    return tuple(_place(source, region) for source in result.inputs)


def _place(source: InputRef, region: tuple[float, ...] | None) -> Evidence:
    if source.sop_instance_uid:
        return DicomEvidence(
            file=source.file, sop_instance_uid=source.sop_instance_uid, region=region
        )
    where = "" if region is None else " " + ",".join(f"{v:.1f}" for v in region)
    return RecordEvidence(file=source.file, record=f"image{where}")
