"""Reports written to a real FHIR server: once, never over another's change, failures named."""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from serving.access.outbound import OutboundError
from serving.fhir_out.bundle import report_bundle
from serving.fhir_out.state import PRELIMINARY, ReportState
from serving.fhir_out.write_back import Step, is_complete, write_back
from serving.sandbox.servers import FhirServer, loopback_client
from tests.serving.fhir_out.kept import Kept, keep

SIGNED = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
FINAL = ReportState(status="final", signed_by="Dr. Ada", signer="dr-1", signed_at=SIGNED)


class Wire:
    """The server over HTTP, refusing what a test lets it refuse."""

    def __init__(self, base: str, *, refuse: Mapping[tuple[str, str], int] | None = None) -> None:
        self.base = base
        self.refuse = refuse or {}

    def get(self, path: str) -> Any:
        return self._sent("GET", path)

    def send(self, method: str, path: str, body: Any, headers: Mapping[str, str]) -> Any:
        status = self.refuse.get((method, path.split("/")[0]))
        if status is not None:
            raise OutboundError("FHIR write", f"answered {status}", status=status)
        return self._sent(method, path, json=body, headers=dict(headers))

    def _sent(self, method: str, path: str, **more: Any) -> Any:
        with loopback_client() as client:
            answer = client.request(method, f"{self.base}/{path}", **more)
        if answer.is_error:
            raise OutboundError(f"{method} {path}", answer.text, status=answer.status_code)
        return answer.json()


@pytest.fixture
def kept(fhir_server: FhirServer, tmp_path: Path) -> Kept:
    fhir_server.put({"resourceType": "Patient", "id": "patient"})
    return keep(tmp_path, "nstemi", source="fhir", patient=f"{fhir_server.base}|Patient/patient")


def bundle_of(kept: Kept, base: str, state: ReportState) -> dict[str, Any]:
    """Return the report with two of its Observations and two of its RiskAssessments."""
    whole = report_bundle(kept.stored, state, case=kept.case, at_base=base, pdf=b"%PDF-1.4")
    taken: Counter[str] = Counter()
    entries = []
    for entry in whole["entry"]:
        kind = entry["resource"]["resourceType"]
        taken[kind] += 1
        if taken[kind] <= 2:
            entries.append(entry)
    return {**whole, "entry": entries}


def outcomes(steps: tuple[Step, ...]) -> set[str]:
    return {step.outcome for step in steps}


def the_report(server: FhirServer, kept: Kept) -> dict[str, Any]:
    found = server.get(f"DiagnosticReport?identifier=urn:epicrisis:result|{kept.case.id}/report")
    (entry,) = found["entry"]
    resource: dict[str, Any] = entry["resource"]
    return resource


def test_a_report_is_written_once_and_its_references_lead_to_what_was_written(
    fhir_server: FhirServer, kept: Kept
) -> None:
    wire = Wire(fhir_server.base)
    steps = write_back(wire, bundle_of(kept, fhir_server.base, PRELIMINARY))
    assert is_complete(steps), [s for s in steps if s.reason]
    assert outcomes(steps) <= {"created", "unchanged"}
    again = write_back(wire, bundle_of(kept, fhir_server.base, PRELIMINARY))
    assert outcomes(again) == {"unchanged"}
    report = the_report(fhir_server, kept)
    assert report["status"] == "preliminary"
    assert report["subject"] == {"reference": "Patient/patient"}
    for result in report["result"]:
        found = fhir_server.get(result["reference"])
        assert found["subject"] == {"reference": "Patient/patient"}
    assert {s.place for s in steps} == {s.place for s in again}


def test_a_signed_report_takes_the_draft_s_place(fhir_server: FhirServer, kept: Kept) -> None:
    wire = Wire(fhir_server.base)
    write_back(wire, bundle_of(kept, fhir_server.base, PRELIMINARY))
    steps = write_back(wire, bundle_of(kept, fhir_server.base, FINAL))
    assert is_complete(steps)
    by_type = {step.type: step.outcome for step in steps}
    assert by_type["DiagnosticReport"] == "updated"
    assert by_type["Provenance"] == "created"
    assert the_report(fhir_server, kept)["status"] == "final"


def test_what_the_server_refuses_is_named_in_outcome_and_report(
    fhir_server: FhirServer, kept: Kept
) -> None:
    wire = Wire(fhir_server.base, refuse={("POST", "RiskAssessment"): 403})
    steps = write_back(wire, bundle_of(kept, fhir_server.base, FINAL))
    assert not is_complete(steps)
    failed = [step for step in steps if step.outcome == "failed"]
    assert {step.type for step in failed} == {"RiskAssessment"}
    assert all(step.reason == "the server answered 403" for step in failed)
    report = the_report(fhir_server, kept)
    assert "Not in this record" in report["conclusion"]
    assert "extension" not in report


def test_after_a_refused_token_nothing_further_is_tried(
    fhir_server: FhirServer, kept: Kept
) -> None:
    wire = Wire(fhir_server.base, refuse={("POST", "Observation"): 401})
    steps = write_back(wire, bundle_of(kept, fhir_server.base, FINAL))
    observations = [s.outcome for s in steps if s.type == "Observation"]
    assert observations[0] == "failed"
    assert set(observations[1:]) == {"not attempted"}
    assert steps[-1].outcome == "not attempted"


def test_a_change_by_somebody_else_is_not_overwritten(fhir_server: FhirServer, kept: Kept) -> None:
    wire = Wire(fhir_server.base)
    write_back(wire, bundle_of(kept, fhir_server.base, PRELIMINARY))
    there = the_report(fhir_server, kept)

    class Slow(Wire):
        """Somebody else changes the report between our read and our write."""

        def send(self, method: str, path: str, body: Any, headers: Mapping[str, str]) -> Any:
            if method == "PUT" and path.startswith("DiagnosticReport/"):
                fhir_server.put({**there, "conclusion": "Corrected by the ward."})
            return super().send(method, path, body, headers)

    steps = write_back(Slow(fhir_server.base), bundle_of(kept, fhir_server.base, FINAL))
    (report,) = [step for step in steps if step.type == "DiagnosticReport"]
    assert report.outcome == "failed"
    assert "somebody else" in report.reason
    assert the_report(fhir_server, kept)["conclusion"] == "Corrected by the ward."


def test_a_server_that_ignores_the_identifier_gets_nothing(
    fhir_server: FhirServer, kept: Kept
) -> None:
    class Ignoring(Wire):
        def get(self, path: str) -> Any:
            return super().get(path.split("?")[0])

    fhir_server.put({"resourceType": "Device", "id": "pump"})
    sent = Ignoring(fhir_server.base, refuse={("POST", "Device"): 500})
    steps = write_back(sent, bundle_of(kept, fhir_server.base, FINAL))
    assert steps[0].outcome == "failed"
    assert "another resource" in steps[0].reason


def test_a_second_copy_is_never_made_beside_two(fhir_server: FhirServer, kept: Kept) -> None:
    wire = Wire(fhir_server.base)
    write_back(wire, bundle_of(kept, fhir_server.base, PRELIMINARY))
    there = the_report(fhir_server, kept)
    fhir_server.put({**there, "id": "copy"})
    steps = write_back(wire, bundle_of(kept, fhir_server.base, FINAL))
    (report,) = [step for step in steps if step.type == "DiagnosticReport"]
    assert (report.outcome, report.reason) == (
        "failed",
        "the server has it more than once; nothing was written",
    )
