"""An imaging result as FHIR R4: the study, what was measured on it, and the report of both."""

import uuid
from collections.abc import Iterator
from typing import Any

from knowledge.codes import LOINC, SNOMED
from knowledge.dicom_codes import Code, dicom_codes
from serving.fhir_out.notice import with_notice
from serving.fhir_out.observations import CATEGORY as OBSERVATION_CATEGORY
from serving.fhir_out.report import CATEGORY as REPORT_CATEGORY
from serving.fhir_out.subject import RESULT
from serving.fhir_out.terms import ABSENT_REASON, UCUM, coded, text, tidy
from tools.dicom_out.maker import MANUFACTURER, NOTICE, Maker
from tools.dicom_out.report import Group, Measured, StructuredReport
from tools.dicom_out.sources import Sources
from tools.dicom_out.uids import uid

DCM = "http://dicom.nema.org/resources/ontology/DCM"
OWN = "urn:epicrisis:dicom"
_SYSTEMS = {"SCT": SNOMED, "DCM": DCM, "UCUM": UCUM, "LN": LOINC}
_DICOM_UID = "urn:dicom:uid"
_PATIENT = "urn:epicrisis:patient-id"
_STUDY_CODE = coded(LOINC, "18748-4", "Diagnostic imaging study")


def imaging_bundle(
    report: StructuredReport, sources: Sources, maker: Maker, *, patient: str | None = None
) -> dict[str, Any]:
    """Return a collection Bundle: ImagingStudy, Device, Observations, DiagnosticReport.

    Everything is ``preliminary``: no person has looked at it. What was not assessed is an
    Observation with its reason, so that no receiver can read its absence as normal.

    Args:
        report: What was measured; the same that the DICOM report says.
        sources: The images.
        maker: What made it.
        patient: Reference to the Patient (``Patient/123``); None names the patient by the number
            that the images state.
    """
    made = _Parts(report, sources, maker, patient)
    parts = {"study": made.study(), "device": made.device()}
    parts |= {f"group/{i}": one for i, one in enumerate(made.groups())}
    parts |= {f"not-assessed/{i}": one for i, one in enumerate(made.missing())}
    results = [key for key in parts if key.startswith(("group/", "not-assessed/"))]
    parts["report"] = made.report(results)
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "identifier": {"system": RESULT, "value": made.name("bundle")},
        "timestamp": maker.at.isoformat(timespec="seconds"),
        "entry": [
            {
                "fullUrl": made.url(key),
                "resource": tidy(with_notice({**one, **made.identified(key, one)})),
            }
            for key, one in parts.items()
        ],
    }


class _Parts:
    def __init__(
        self, report: StructuredReport, sources: Sources, maker: Maker, patient: str | None
    ) -> None:
        self._report, self._sources, self._maker = report, sources, maker
        self._patient = patient

    def name(self, key: str) -> str:
        """Return the identifier of a part: the same for the same inputs."""
        made_of = (self._sources.study, *self._sources.instances, *self._maker.key)
        return f"{uid('fhir', *made_of)}/{key}"

    def url(self, key: str) -> str:
        return f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, self.name(key))}"

    def identified(self, key: str, one: dict[str, Any]) -> dict[str, Any]:
        ours = [{"system": RESULT, "value": self.name(key)}]
        return {"identifier": [*one.get("identifier", ()), *ours]}

    def subject(self) -> dict[str, Any]:
        if self._patient is not None:
            return {"reference": self._patient}
        first = self._sources.datasets[0]
        number = str(first.get("PatientID", "") or "")
        if not number:
            return {"type": "Patient", "display": "not named by the images"}
        system = str(first.get("IssuerOfPatientID", "") or "") or _PATIENT
        return {"type": "Patient", "identifier": {"system": _uri(system), "value": text(number)}}

    def study(self) -> dict[str, Any]:
        """Return the study with the series that were read, by their DICOM identifiers."""
        first = self._sources.datasets[0]
        modality = {"system": DCM, "code": self._sources.modality} if self._sources.modality else {}
        return {
            "resourceType": "ImagingStudy",
            "identifier": [{"system": _DICOM_UID, "value": f"urn:oid:{self._sources.study}"}],
            "status": "available",
            "subject": self.subject(),
            "started": _day(str(first.get("StudyDate", "") or "")),
            "modality": [modality],
            "numberOfSeries": 1,
            "numberOfInstances": len(self._sources.datasets),
            "description": text(str(first.get("StudyDescription", "") or "")),
            "series": [
                {
                    "uid": str(first.SeriesInstanceUID),
                    "modality": modality,
                    "description": text(str(first.get("SeriesDescription", "") or "")),
                    "numberOfInstances": len(self._sources.datasets),
                    "instance": [
                        {
                            "uid": str(one.SOPInstanceUID),
                            "sopClass": {
                                "system": "urn:ietf:rfc:3986",
                                "code": f"urn:oid:{one.SOPClassUID}",
                            },
                        }
                        for one in self._sources.datasets
                    ],
                }
            ],
        }

    def device(self) -> dict[str, Any]:
        return {
            "resourceType": "Device",
            "manufacturer": MANUFACTURER,
            "deviceName": [{"name": self._maker.method, "type": "model-name"}],
            "version": [{"value": self._maker.method_version}, {"value": self._maker.software}],
        }

    def groups(self) -> Iterator[dict[str, Any]]:
        """Yield one Observation for each group of measurements."""
        codes = dicom_codes()
        for group in self._report.groups:
            yield {
                **self._observation(),
                "code": {**_concept(codes.code(group.finding)), "text": text(group.title)},
                "bodySite": _site(group),
                "component": [
                    *(self._number(one) for one in group.measurements),
                    *(
                        {
                            "code": _concept(codes.code(one.what)),
                            "valueCodeableConcept": _concept(codes.code(one.value)),
                        }
                        for one in group.statements
                    ),
                ],
            }

    def missing(self) -> Iterator[dict[str, Any]]:
        """Yield one Observation for each thing that was not assessed."""
        for what, why in sorted(self._report.not_assessed.items()):
            yield {
                **self._observation(),
                "code": {"text": text(what)},
                "dataAbsentReason": coded(ABSENT_REASON, "not-performed", f"not assessed: {why}"),
            }

    def report(self, results: list[str]) -> dict[str, Any]:
        """Return the report; its conclusion is what must be read with it."""
        return {
            "resourceType": "DiagnosticReport",
            "status": "preliminary",
            "category": [
                {"coding": [{"system": REPORT_CATEGORY, "code": "RAD", "display": "Radiology"}]}
            ],
            "code": {**_STUDY_CODE, "text": f"{self._report.title} (research use)"},
            "subject": self.subject(),
            "effectiveDateTime": self._maker.at.isoformat(timespec="seconds"),
            "issued": self._maker.at.isoformat(timespec="milliseconds"),
            "imagingStudy": [{"reference": self.url("study")}],
            "result": [{"reference": self.url(key)} for key in results],
            "conclusion": text(" ".join([NOTICE, *self._report.notes])),
        }

    def _observation(self) -> dict[str, Any]:
        return {
            "resourceType": "Observation",
            "status": "preliminary",
            "category": [coded(OBSERVATION_CATEGORY, "imaging", "Imaging")],
            "subject": self.subject(),
            "effectiveDateTime": self._maker.at.isoformat(timespec="seconds"),
            "derivedFrom": [{"reference": self.url("study")}],
            "device": {"reference": self.url("device")},
            "method": {"text": f"{self._maker.method} {self._maker.method_version}"},
        }

    def _number(self, one: Measured) -> dict[str, Any]:
        codes = dicom_codes()
        said = [codes.code(one.what).meaning, one.side or "", one.derivation]
        return {
            "code": {
                **_concept(codes.code(one.what)),
                "text": ", ".join(part for part in said if part),
            },
            "valueQuantity": {
                "value": one.value,
                "system": UCUM,
                "code": one.unit,
                "unit": codes.unit(one.unit).meaning,
            },
        }


def _concept(code: Code) -> dict[str, Any]:
    return {
        "coding": [
            {
                "system": _SYSTEMS.get(code.scheme, OWN),
                "code": code.code,
                "display": code.meaning,
            }
        ],
        "text": code.meaning,
    }


def _site(group: Group) -> dict[str, Any] | None:
    if not group.site:
        return None
    side = f"{group.side} " if group.side else ""
    found = _concept(dicom_codes().code(group.site))
    return {**found, "text": f"{side}{found['text']}".strip().capitalize()}


def _day(value: str) -> str:
    """Return a DICOM date as FHIR's, or nothing."""
    if len(value) == len("yyyymmdd") and value.isdigit():
        return f"{value[:4]}-{value[4:6]}-{value[6:]}"
    return ""


def _uri(issuer: str) -> str:
    """Return an issuer as the URI an identifier's system must be."""
    if issuer.replace(".", "").isdigit() and "." in issuer:
        return f"urn:oid:{issuer}"
    if issuer.startswith(("urn:", "http://", "https://")):
        return issuer
    return f"{_PATIENT}:{'-'.join(issuer.split())}"
