"""The reports we send out, judged by two validators that are not ours."""

import json
import subprocess
from pathlib import Path

import httpx
import pytest

from serving.fhir_out.bundle import report_bundle
from serving.fhir_out.imaging import imaging_bundle
from serving.sandbox.servers import FhirServer
from tests.serving.fhir_out.kept import keep
from tests.tools.dicom_out.objects import MAKER, report, sources

EXAMPLES = ("early_presenter", "half_missing", "nstemi", "stemi")

_R4B = """
import json, sys
from fhir.resources.R4B import get_fhir_model_class
for resource in json.load(sys.stdin):
    get_fhir_model_class(resource["resourceType"]).model_validate(resource)
print("valid")
"""


@pytest.mark.parametrize("example", EXAMPLES)
def test_medplum_accepts_every_resource_of_a_report(
    fhir_server: FhirServer, tmp_path: Path, example: str
) -> None:
    kept = keep(tmp_path, example)
    bundle = report_bundle(kept.stored, case=kept.case, pdf=b"%PDF-1.4")
    for entry in bundle["entry"]:
        resource = {**entry["resource"], "id": entry["fullUrl"].removeprefix("urn:uuid:")}
        kind = resource["resourceType"]
        answer = httpx.put(f"{fhir_server.base}/{kind}/{resource['id']}", json=resource, timeout=30)
        assert answer.status_code in (200, 201), (kind, answer.text)


def test_medplum_accepts_every_resource_of_an_imaging_result(fhir_server: FhirServer) -> None:
    for entry in imaging_bundle(report(), sources(), MAKER)["entry"]:
        resource = {**entry["resource"], "id": entry["fullUrl"].removeprefix("urn:uuid:")}
        kind = resource["resourceType"]
        answer = httpx.put(f"{fhir_server.base}/{kind}/{resource['id']}", json=resource, timeout=30)
        assert answer.status_code in (200, 201), (kind, answer.text)


def test_the_validator_is_awake(fhir_server: FhirServer, tmp_path: Path) -> None:
    kept = keep(tmp_path, "nstemi")
    report = next(
        e["resource"]
        for e in report_bundle(kept.stored, case=kept.case)["entry"]
        if e["resource"]["resourceType"] == "DiagnosticReport"
    )
    without_status = {key: item for key, item in report.items() if key != "status"}
    address = f"{fhir_server.base}/DiagnosticReport"
    assert httpx.post(address, json=without_status, timeout=30).status_code == 400


@pytest.mark.parametrize("example", EXAMPLES)
def test_fhir_resources_accepts_every_resource_of_a_report(
    healthchain_python: Path, tmp_path: Path, example: str
) -> None:
    kept = keep(tmp_path, example)
    bundle = report_bundle(kept.stored, case=kept.case)
    sent = json.dumps([bundle, *(e["resource"] for e in bundle["entry"])])
    done = subprocess.run(  # noqa: S603 - our own script
        [str(healthchain_python), "-c", _R4B],
        input=sent,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout.strip() == "valid", done.stderr[-2000:]
