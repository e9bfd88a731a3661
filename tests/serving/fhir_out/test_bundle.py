from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from agent.assessment import RESEARCH_USE, Assessment
from serving.access.errors import ConflictError
from serving.fhir_out.bundle import report_bundle
from serving.fhir_out.state import Decided, ReportState
from tests.serving.fhir_out.kept import BASE, Kept, keep, resources, with_body

SIGNED = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
FINAL = ReportState(status="final", signed_by="Dr. Ada", signer="dr-1", signed_at=SIGNED)
NUMERIC = ("probabilityDecimal", "probabilityRange", "relativeRisk")


@pytest.fixture(scope="module")
def nstemi(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    return keep(tmp_path_factory.mktemp("kept"), "nstemi")


@pytest.fixture(scope="module")
def half(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    return keep(tmp_path_factory.mktemp("kept"), "half_missing")


@pytest.fixture(scope="module")
def from_server(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    folder = tmp_path_factory.mktemp("kept")
    return keep(folder, "nstemi", source="fhir", patient=f"{BASE}|Patient/patient")


def nodes(value: Any) -> Iterator[Any]:
    yield value
    if isinstance(value, dict):
        for item in value.values():
            yield from nodes(item)
    elif isinstance(value, list):
        for item in value:
            yield from nodes(item)


def test_a_report_is_preliminary_until_it_is_signed(nstemi: Kept) -> None:
    bundle = report_bundle(nstemi.stored, case=nstemi.case)
    (report,) = resources(bundle, "DiagnosticReport")
    assert report["status"] == "preliminary"
    assert report["conclusion"].startswith("DRAFT - not signed")
    assert RESEARCH_USE in report["conclusion"]
    assert "resultsInterpreter" not in report
    assert {r["status"] for r in resources(bundle, "RiskAssessment")} == {"preliminary"}
    assert {r["status"] for r in resources(bundle, "Observation")} == {"preliminary"}


@pytest.mark.parametrize("state", [None, FINAL], ids=["draft", "final"])
def test_every_resource_says_by_itself_that_it_is_for_research(
    nstemi: Kept, state: ReportState | None
) -> None:
    given = (nstemi.stored,) if state is None else (nstemi.stored, state)
    bundle = report_bundle(*given, case=nstemi.case)
    for entry in bundle["entry"]:
        resource = entry["resource"]
        assert RESEARCH_USE in [tag.get("display") for tag in resource["meta"]["tag"]]
        if resource["resourceType"] in ("RiskAssessment", "Observation", "Device"):
            assert [n["text"] for n in resource["note"]].count(RESEARCH_USE) == 1
            assert resource["note"][0]["text"] == RESEARCH_USE
        else:  # R4 defines no note for these
            assert "note" not in resource


def test_a_signed_report_is_final_and_names_the_signer(nstemi: Kept) -> None:
    bundle = report_bundle(nstemi.stored, FINAL, case=nstemi.case)
    (report,) = resources(bundle, "DiagnosticReport")
    assert report["status"] == "final"
    assert report["resultsInterpreter"] == [{"type": "Practitioner", "display": "Dr. Ada"}]
    assert "DRAFT" not in report["conclusion"]
    (provenance,) = resources(bundle, "Provenance")
    attesters = [
        a["who"]["display"]
        for a in provenance["agent"]
        if a["type"]["coding"][0]["code"] == "attester"
    ]
    assert attesters == ["Dr. Ada"]


def test_a_correction_is_amended_and_says_what_happened(nstemi: Kept) -> None:
    state = FINAL.model_copy(update={"status": "amended", "flag": "A result was corrected."})
    (report,) = resources(report_bundle(nstemi.stored, state, case=nstemi.case), "DiagnosticReport")
    assert report["status"] == "amended"
    assert "A result was corrected." in report["conclusion"].splitlines()[0]


@pytest.mark.parametrize("example", ["half_missing", "early_presenter", "stemi", "nstemi"])
def test_a_range_or_no_result_is_never_a_number_or_low(tmp_path: Path, example: str) -> None:
    kept = keep(tmp_path, example)
    assessment = Assessment.model_validate(kept.stored.body)
    bundle = report_bundle(kept.stored, case=kept.case)
    found = {r["method"]["text"]: r for r in resources(bundle, "RiskAssessment")}
    scores = {r["code"]["text"]: r for r in resources(bundle, "Observation")}
    open_risks = [
        r for r in assessment.risks if r.range or r.not_assessed or r.category == "not determined"
    ]
    for risk in open_risks:
        (prediction,) = found[risk.name]["prediction"]
        assert "coding" not in prediction["qualitativeRisk"]
        assert prediction["qualitativeRisk"]["extension"][0]["valueCode"] == "unknown"
        assert not set(NUMERIC) & set(prediction)
        assert "not" in prediction["qualitativeRisk"]["text"]
        if risk.name in scores:
            assert "valueQuantity" not in scores[risk.name]
            assert scores[risk.name]["dataAbsentReason"]["text"]
    if example == "half_missing":
        assert open_risks


def test_points_are_a_number_where_every_input_is_known(nstemi: Kept) -> None:
    bundle = report_bundle(nstemi.stored, case=nstemi.case)
    heart = next(r for r in resources(bundle, "Observation") if r["code"]["text"] == "HEART score")
    assert heart["valueQuantity"]["value"] == 8
    assert "dataAbsentReason" not in heart
    assert len(heart["component"]) == 5  # history, ECG, age, risk factors, troponin
    risk = next(
        r for r in resources(bundle, "RiskAssessment") if r["method"]["text"] == "HEART score"
    )
    coding = risk["prediction"][0]["qualitativeRisk"]["coding"]
    assert coding[0] == {
        "system": "http://terminology.hl7.org/CodeSystem/risk-probability",
        "code": "high",
    }


def test_findings_have_three_states(nstemi: Kept) -> None:
    bundle = report_bundle(nstemi.stored, case=nstemi.case)
    parts = [
        c
        for r in resources(bundle, "Observation")
        if r["code"]["text"].startswith("ECG findings")
        for c in r["component"]
    ]
    by_code = {c["code"]["coding"][0]["code"]: c for c in parts}
    present = by_code["st-depression"]["valueCodeableConcept"]["coding"][0]
    assert (present["system"], present["code"]) == ("http://snomed.info/sct", "52101004")
    absent = by_code["st-elevation-anterior"]["valueCodeableConcept"]["coding"][0]
    assert (absent["system"], absent["code"]) == ("http://snomed.info/sct", "2667000")
    unknown = by_code["st-elevation-posterior"]
    assert "valueCodeableConcept" not in unknown
    assert unknown["dataAbsentReason"]["text"].startswith("not assessed: ")


def test_measured_ecg_values_carry_loinc_and_ucum(nstemi: Kept) -> None:
    bundle = report_bundle(nstemi.stored, case=nstemi.case)
    (measured,) = [
        r
        for r in resources(bundle, "Observation")
        if r["code"]["text"].startswith("ECG measurements")
    ]
    assert measured["code"]["coding"][0]["code"] == "11524-6"
    values = {c["code"]["coding"][0]["code"]: c["valueQuantity"] for c in measured["component"]}
    assert values["8633-0"]["code"] == "ms"  # LOINC 8633-0: QRS duration
    assert values["8867-4"]["code"] == "/min"  # LOINC 8867-4: heart rate


def test_what_is_missing_is_a_component_with_its_reason(half: Kept) -> None:
    assessment = Assessment.model_validate(half.stored.body)
    bundle = report_bundle(half.stored, case=half.case)
    (inputs,) = [
        r
        for r in resources(bundle, "Observation")
        if r["code"]["text"].startswith("Clinical inputs")
    ]
    by_code = {
        coding["code"]: c for c in inputs["component"] for coding in c["code"].get("coding", [])
    }
    assert assessment.missing
    for item in assessment.missing:
        assert "dataAbsentReason" in by_code[item.input]
        assert "valueCodeableConcept" not in by_code[item.input]


def test_the_hashes_of_result_inputs_and_files_are_in_the_provenance(nstemi: Kept) -> None:
    (provenance,) = resources(report_bundle(nstemi.stored, case=nstemi.case), "Provenance")
    hashes = {e["what"]["identifier"]["value"] for e in provenance["entity"]}
    assert {nstemi.stored.sha256, nstemi.stored.result_sha256, nstemi.stored.inputs_sha256} < hashes
    assert {i["sha256"] for i in nstemi.stored.body["inputs"]} < hashes


def test_every_reference_within_the_bundle_leads_somewhere(nstemi: Kept) -> None:
    bundle = report_bundle(nstemi.stored, case=nstemi.case)
    places = {e["fullUrl"] for e in bundle["entry"]}
    assert len(places) == len(bundle["entry"])
    used = {
        n["reference"]
        for n in nodes(bundle)
        if isinstance(n, dict) and str(n.get("reference", "")).startswith("urn:uuid:")
    }
    assert used
    assert used <= places


def test_nothing_in_a_bundle_is_empty(half: Kept) -> None:
    bundle = report_bundle(half.stored, case=half.case)
    assert not [n for n in nodes(bundle) if n in (None, "", [], {})]


def test_an_upload_names_no_server_and_no_identity(nstemi: Kept) -> None:
    (report,) = resources(report_bundle(nstemi.stored, case=nstemi.case), "DiagnosticReport")
    assert report["subject"] == {
        "type": "Patient",
        "identifier": {"system": "urn:epicrisis:case", "value": nstemi.case.id},
    }


def test_a_case_of_a_server_refers_to_the_originals_there(from_server: Kept) -> None:
    alone = report_bundle(from_server.stored, case=from_server.case)
    (report,) = resources(alone, "DiagnosticReport")
    assert report["subject"] == {"reference": f"{BASE}/Patient/patient"}
    there = report_bundle(from_server.stored, case=from_server.case, at_base=BASE)
    (report,) = resources(there, "DiagnosticReport")
    assert report["subject"] == {"reference": "Patient/patient"}
    rule = next(r for r in resources(there, "RiskAssessment") if r["method"]["text"] == "ESC 0/1 h")
    assert {"reference": "Observation/hs-ctnt-1"} in rule["basis"]


def test_a_rejected_or_edited_statement_does_not_stand_as_computed(nstemi: Kept) -> None:
    assessment = Assessment.model_validate(nstemi.stored.body)
    heart = next(r for r in assessment.risks if r.name == "HEART score")
    state = FINAL.model_copy(
        update={
            "decided": (
                Decided(
                    statement=assessment.narrative.headline, decision="rejected", reason="known CKD"
                ),
                Decided(
                    statement=heart.statement,
                    decision="edited",
                    edited="HEART 8, history taken again.",
                    reason="history",
                ),
            )
        }
    )
    bundle = report_bundle(nstemi.stored, state, case=nstemi.case)
    (report,) = resources(bundle, "DiagnosticReport")
    lines = report["conclusion"].splitlines()
    assert assessment.narrative.headline not in lines
    assert any(line.startswith("rejected: ") and "known CKD" in line for line in lines)
    risk = next(
        r for r in resources(bundle, "RiskAssessment") if r["method"]["text"] == "HEART score"
    )
    assert risk["prediction"][0]["rationale"] == "HEART 8, history taken again."


def test_a_rejected_risk_is_cancelled_and_says_no_category(nstemi: Kept) -> None:
    assessment = Assessment.model_validate(nstemi.stored.body)
    heart = next(r for r in assessment.risks if r.name == "HEART score")
    rejected = Decided(statement=heart.statement, decision="rejected", reason="wrong history")
    state = FINAL.model_copy(update={"decided": (rejected,)})
    bundle = report_bundle(nstemi.stored, state, case=nstemi.case)
    by_name = {r["method"]["text"]: r for r in resources(bundle, "RiskAssessment")}
    assert by_name["HEART score"]["status"] == "cancelled"
    assert "coding" not in by_name["HEART score"]["prediction"][0]["qualitativeRisk"]
    assert by_name["EDACS"]["status"] == "final"
    points = next(r for r in resources(bundle, "Observation") if r["code"]["text"] == "HEART score")
    assert points["status"] == "cancelled"


def test_files_of_two_patients_give_no_report(nstemi: Kept) -> None:
    stored = with_body(nstemi, status="refused", risks=[], findings=[])
    with pytest.raises(ConflictError, match="not of one patient"):
        report_bundle(stored, case=nstemi.case)


def test_synthetic_data_is_tagged(nstemi: Kept) -> None:
    bundle = report_bundle(nstemi.stored, case=nstemi.case)
    assert all(e["resource"]["meta"]["tag"][0]["code"] == "HTEST" for e in bundle["entry"])


def test_the_same_assessment_gives_the_same_bundle(nstemi: Kept) -> None:
    assert report_bundle(nstemi.stored, case=nstemi.case) == report_bundle(
        nstemi.stored, case=nstemi.case
    )
