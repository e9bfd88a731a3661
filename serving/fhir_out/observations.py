"""Observations: what was measured on the ECG, found on it, answered by people, and scored."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from agent.assessment import Assessment, MissingItem
from knowledge.codes import EPICRISIS, LOINC
from knowledge.evidence import DicomEvidence, Evidence, FhirEvidence, RecordEvidence, ToolEvidence
from knowledge.finding import Finding, State
from knowledge.imaging_measures import imaging_measures
from knowledge.risk import Risk
from serving.fhir_out.subject import Subject
from serving.fhir_out.terms import absent, codeable, coded, quantity, text, tidy, value_of, when
from serving.report import words
from tools.imaging.ct.findings import CT_MEASUREMENT
from tools.imaging.in_case.said import MEASURE
from tools.models.findings import PLUGGED

CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
ECG_TOOL = "ecg_analysis"
ECG_STUDY = coded(LOINC, "11524-6", "EKG study")
SURVEY = coded(CATEGORY, "survey", "Survey")
PROCEDURE = coded(CATEGORY, "procedure", "Procedure")
LABORATORY = coded(CATEGORY, "laboratory", "Laboratory")
IMAGING = coded(CATEGORY, "imaging", "Imaging")
UNCONFIRMED_NOTE = "Made by software and not confirmed by a reader; research use only."
SCORE = "urn:epicrisis:score"
ITEM = "urn:epicrisis:score-item"
_POINTS = "{score}"


@dataclass(frozen=True, kw_only=True)
class Made:
    """One resource, before it is placed.

    Args:
        key: Names it within its case.
        resource: Without identifier, subject and status.
    """

    key: str
    resource: dict[str, Any]


def observations(assessment: Assessment, subject: Subject) -> Iterator[Made]:
    """Yield every Observation of an assessment.

    What came from a FHIR server is not copied: the originals are referred to.
    """
    yield from _ecg(assessment)
    yield from _answers(assessment, subject)
    yield from _results(assessment)
    yield from _images(assessment)
    for risk in assessment.risks:
        if risk.items or risk.value is not None or risk.range is not None:
            yield _score(risk, assessment)


def score_key(risk: Risk) -> str:
    """Return the key of the Observation of a score."""
    return f"score/{_slug(risk.tool)}/{_slug(risk.name)}"


def ecg_key(assessment: Assessment, file: str) -> str:
    """Return the beginning of the keys of one recording's Observations."""
    hashes = {item.file: item.sha256 or item.file for item in assessment.inputs}
    return f"ecg/{hashes.get(file, file)[:16]}"


def originals(evidence: Iterable[Evidence], subject: Subject) -> list[dict[str, Any]]:
    """Return references to the FHIR resources behind some evidence, each once."""
    found = {
        item.resource: reference
        for item in evidence
        if isinstance(item, FhirEvidence) and (reference := subject.original(item)) is not None
    }
    return [found[resource] for resource in sorted(found)]


def _ecg(assessment: Assessment) -> Iterator[Made]:
    recordings: dict[str, list[Finding]] = defaultdict(list)
    for finding in assessment.findings:
        if _by(finding, ECG_TOOL):
            recordings[_file(finding)].append(finding)
    for file, found in sorted(recordings.items()):
        measured = [f for f in found if f.quantity is not None]
        stated = [f for f in found if f.quantity is None]
        for part, findings in (("measurements", measured), ("findings", stated)):
            if findings:
                yield Made(
                    key=f"{ecg_key(assessment, file)}/{part}",
                    resource=_ecg_part(part, file, findings),
                )


def _ecg_part(part: str, file: str, findings: list[Finding]) -> dict[str, Any]:
    return tidy(
        {
            "resourceType": "Observation",
            "category": [PROCEDURE],
            "code": {**ECG_STUDY, "text": f"ECG {part} by Epicrisis (device function)"},
            "effectiveDateTime": next((t for f in findings if (t := when(f.time))), ""),
            "method": {"text": "computed by Epicrisis from the signal; research use"},
            "note": [{"text": text(f"Recording: {file}")}],
            "component": [_component(f) for f in findings],
        }
    )


def _component(finding: Finding) -> dict[str, Any]:
    code = codeable(finding.concept)
    if finding.body_site:
        code["text"] = text(f"{finding.concept.text}, lead {finding.body_site}")
    return {"code": code, **value_of(finding)}


def _answers(assessment: Assessment, subject: Subject) -> Iterator[Made]:
    """Yield the clinical inputs: what people answered, and what nobody did."""
    own = [
        f
        for f in assessment.findings
        if _is_input(f) and not _by(f, ECG_TOOL) and not _from_fhir(f)
    ]
    taken = [f for f in assessment.findings if _is_input(f) and _from_fhir(f)]
    known = {code for f in own for code in _inputs(f)}
    missing = [_missing(m) for m in assessment.missing if m.input not in known]
    components = [_component(f) for f in own] + missing
    if not components:
        return
    sources = originals((e for f in taken for e in f.evidence), subject)
    yield Made(
        key="clinical-inputs",
        resource=tidy(
            {
                "resourceType": "Observation",
                "category": [SURVEY],
                "code": {"text": "Clinical inputs of the chest pain assessment, as used"},
                "effectiveDateTime": when(assessment.provenance.at),
                "derivedFrom": [s for s in sources if _may_derive(s)],
                "component": components,
            }
        ),
    )


def _missing(item: MissingItem) -> dict[str, Any]:
    return {
        "code": coded(EPICRISIS, item.input, item.label),
        "dataAbsentReason": absent(item.reason),
    }


def _results(assessment: Assessment) -> Iterator[Made]:
    """Yield measured values that no FHIR server holds: from HL7 v2, or entered with the case."""
    for finding in assessment.findings:
        if _is_input(finding) or _by(finding, ECG_TOOL) or _from_fhir(finding):
            continue
        if _of_images(finding):
            continue
        if finding.state is State.PRESENT and finding.quantity is not None:
            yield Made(
                key=f"value/{finding.id}",
                resource=tidy(
                    {
                        "resourceType": "Observation",
                        "category": [LABORATORY],
                        "code": codeable(finding.concept),
                        "effectiveDateTime": when(finding.time),
                        "method": {"text": text(finding.method)} if finding.method else None,
                        "note": [{"text": text(f"Source: {words.sources(finding)}")}],
                        **value_of(finding),
                    }
                ),
            )


def _images(assessment: Assessment) -> Iterator[Made]:
    """Yield what was measured on images or said by plugged models, and what was not, with why."""
    for finding in assessment.findings:
        if not _of_images(finding):
            continue
        said = [finding.note, UNCONFIRMED_NOTE, f"Source: {words.sources(finding)}"]
        yield Made(
            key=f"image/{finding.id}",
            resource=tidy(
                {
                    "resourceType": "Observation",
                    "category": [IMAGING],
                    "code": codeable(finding.concept),
                    "effectiveDateTime": when(finding.time),
                    "method": {"text": text(finding.method)} if finding.method else None,
                    "note": [{"text": text(one)} for one in said if one],
                    **value_of(finding),
                }
            ),
        )


def _score(risk: Risk, assessment: Assessment) -> Made:
    """Return the points of a score: a number only where every input is known."""
    if risk.value is not None:
        value: dict[str, Any] = {"valueQuantity": quantity(risk.value, _POINTS)}
    else:
        reason = words.score(risk) or "no points"
        said = f"{words.category(risk)}; possible points {reason}; missing: {_names(risk)}"
        value = {"dataAbsentReason": {**absent(risk.not_assessed), "text": text(said)}}
    return Made(
        key=score_key(risk),
        resource=tidy(
            {
                "resourceType": "Observation",
                "category": [SURVEY],
                "code": coded(SCORE, _slug(risk.name), risk.name),
                "effectiveDateTime": when(assessment.provenance.at),
                **value,
                "component": [
                    {
                        "code": coded(ITEM, item.item, f"{item.label}: {item.answer}"),
                        **(
                            {"valueQuantity": quantity(item.low, _POINTS)}
                            if item.state is not State.NOT_ASSESSED and item.low == item.high
                            else {"dataAbsentReason": absent(None)}
                        ),
                    }
                    for item in risk.items
                ],
            }
        ),
    )


def _names(risk: Risk) -> str:
    return ", ".join(item.label for item in risk.missing) or "nothing that is asked for"


def _slug(name: str) -> str:
    return "-".join("".join(c if c.isalnum() else " " for c in name.lower()).split())


def _by(finding: Finding, tool: str) -> bool:
    return any(isinstance(e, ToolEvidence) and e.tool == tool for e in finding.evidence)


def _from_fhir(finding: Finding) -> bool:
    return any(isinstance(e, FhirEvidence) for e in finding.evidence)


def _of_images(finding: Finding) -> bool:
    names = imaging_measures().names
    return any(
        c.system in (PLUGGED, CT_MEASUREMENT) or (c.system == MEASURE and c.code in names)
        for c in finding.concept.codings
    )


def _is_input(finding: Finding) -> bool:
    return any(c.system == EPICRISIS for c in finding.concept.codings)


def _inputs(finding: Finding) -> Iterator[str]:
    return (c.code for c in finding.concept.codings if c.system == EPICRISIS)


def _file(finding: Finding) -> str:
    for item in finding.evidence:
        if isinstance(item, DicomEvidence | RecordEvidence):
            return item.file
    return ""


def _may_derive(reference: dict[str, Any]) -> bool:
    """Whether `Observation.derivedFrom` may point there."""
    place = reference.get("reference", "")
    kind = reference.get("type") or place.rsplit("/", 2)[-2]
    return kind in ("Observation", "DocumentReference", "ImagingStudy")
