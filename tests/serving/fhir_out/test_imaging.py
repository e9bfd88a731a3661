"""An imaging result in FHIR says what the DICOM report says, and as little."""

from typing import Any

import pytest

from serving.fhir_out.imaging import imaging_bundle
from tests.tools.dicom_out.objects import MAKER, files, report, sources
from tools.dicom_out.maker import NOTICE
from tools.dicom_out.sources import read_sources


def _by_type(bundle: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for entry in bundle["entry"]:
        found.setdefault(entry["resource"]["resourceType"], []).append(entry["resource"])
    return found


def _bundle() -> dict[str, Any]:
    return imaging_bundle(report(), sources(), MAKER)


def test_the_study_is_named_by_its_dicom_identifiers() -> None:
    (study,) = _by_type(_bundle())["ImagingStudy"]
    assert study["identifier"][0] == {"system": "urn:dicom:uid", "value": "urn:oid:1.2.1"}
    assert study["started"] == "2026-01-10"
    (series,) = study["series"]
    assert [one["uid"] for one in series["instance"]] == list(sources().instances)
    assert series["instance"][0]["sopClass"]["code"] == "urn:oid:1.2.840.10008.5.1.4.1.1.2"
    assert study["numberOfInstances"] == 3


def test_measurements_keep_value_unit_and_code() -> None:
    nodule, lungs, missing = _by_type(_bundle())["Observation"]
    assert nodule["code"]["coding"][0]["code"] == "27925004"
    assert nodule["component"][0]["valueQuantity"] == {
        "value": 5.1, "system": "http://unitsofmeasure.org", "code": "mm", "unit": "millimeter",
    }  # fmt: skip
    assert nodule["component"][2]["valueCodeableConcept"]["text"] == "Solid"
    assert lungs["component"][0]["code"]["text"] == "Volume, left"
    assert missing["dataAbsentReason"]["text"].startswith("not assessed: no mask")
    assert "component" not in missing


def test_everything_is_preliminary_and_for_research() -> None:
    found = _by_type(_bundle())
    (one,) = found["DiagnosticReport"]
    assert one["status"] == "preliminary"
    assert one["conclusion"].startswith(NOTICE)
    assert {o["status"] for o in found["Observation"]} == {"preliminary"}
    for entry in _bundle()["entry"]:
        assert entry["resource"]["meta"]["tag"][-1]["code"] == "research-use"


def test_references_point_into_the_bundle_and_are_the_same_each_time() -> None:
    bundle = _bundle()
    urls = {entry["fullUrl"] for entry in bundle["entry"]}
    (one,) = _by_type(bundle)["DiagnosticReport"]
    assert {r["reference"] for r in one["result"]} < urls
    assert one["imagingStudy"][0]["reference"] in urls
    assert bundle == _bundle()


@pytest.mark.parametrize(
    ("stated", "system"),
    [
        ({}, "urn:epicrisis:patient-id"),
        ({"IssuerOfPatientID": "2.16.756.5.30"}, "urn:oid:2.16.756.5.30"),
        ({"IssuerOfPatientID": "General Hospital"}, "urn:epicrisis:patient-id:General-Hospital"),
    ],
)
def test_the_patient_is_named_by_the_number_of_the_images(
    stated: dict[str, str], system: str
) -> None:
    source = read_sources(files(**stated))
    bundle = imaging_bundle(report(groups=()), source, MAKER)
    (study,) = _by_type(bundle)["ImagingStudy"]
    assert study["subject"]["identifier"] == {"system": system, "value": "7081233"}


def test_a_patient_of_a_server_is_referred_to() -> None:
    bundle = imaging_bundle(report(), sources(), MAKER, patient="Patient/9")
    assert _by_type(bundle)["DiagnosticReport"][0]["subject"] == {"reference": "Patient/9"}
