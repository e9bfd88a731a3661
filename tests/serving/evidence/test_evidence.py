"""Every kind of evidence leads to its original place, or says why it cannot be shown."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from agent.assessment import Assessment
from knowledge.clinical_time import ClinicalTime
from knowledge.evidence import (
    DicomEvidence,
    Evidence,
    FhirEvidence,
    RecordEvidence,
    ReferenceEvidence,
    ToolEvidence,
)
from knowledge.timeline import Document
from serving.cases.model import Case
from serving.cases.service import CaseService
from serving.evidence.ids import evidence_id, evidence_in, source_id
from serving.evidence.note import show_span
from serving.evidence.protocol import NoteShown, NotShown
from serving.services import Services
from tests.serving.chat.chat_app import (
    ANNA,
    NOW,
    as_user,
    client,
    example_case,
    make_services,
)
from tests.tools.imaging.view.made import image, ramp

NOTE = "Seen at 12:10.\r\nDenies <b>haemoptysis</b>. Pain radiates to the left arm.\u202e end"


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return make_services(tmp_path)


@pytest.fixture
def http(services: Services) -> Iterator[TestClient]:
    with client(services) as opened:
        yield opened


def body(services: Services, case: Case) -> dict[str, Any]:
    stored = services.cases.assessment(case.id)
    assert stored is not None
    return stored.body


def first(services: Services, case: Case, kind: type[Evidence], **wanted: str) -> str:
    for one in evidence_in(body(services, case)):
        if isinstance(one, kind) and all(getattr(one, k) == v for k, v in wanted.items()):
            return evidence_id(one)
    raise AssertionError(f"no such evidence: {wanted}")


def view(http: TestClient, case: Case, key: str) -> dict[str, Any]:
    answer = http.get(f"/v1/cases/{case.id}/evidence/{key}", headers=as_user("vera"))
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_fhir_element_is_shown_with_the_element_marked(
    services: Services, http: TestClient
) -> None:
    case = example_case(services)
    key = first(services, case, FhirEvidence, resource="Observation/hs-ctnt-1")
    found = view(http, case, key)
    marked = {r["name"]: r["value"] for r in found["shown"]["rows"] if r["marked"]}
    assert marked["valueQuantity.value"] == "24"
    assert marked["valueQuantity.unit"] == "ng/L"
    assert found["file"] == "chart.json"
    assert found["version"] == 1


def test_a_component_is_not_confused_with_its_neighbour(
    services: Services, http: TestClient
) -> None:
    case = example_case(services)
    key = first(
        services,
        case,
        FhirEvidence,
        resource="Observation/blood-pressure",
        path="Observation.component[1].valueQuantity",
    )
    marked = [r["name"] for r in view(http, case, key)["shown"]["rows"] if r["marked"]]
    assert marked
    assert all(name.startswith("component[1].valueQuantity") for name in marked)


def test_an_ecg_lead_has_its_measured_values_and_a_picture(
    services: Services, http: TestClient
) -> None:
    case = example_case(services)
    key = first(services, case, DicomEvidence, lead="V3")
    shown = view(http, case, key)["shown"]
    assert shown["kind"] == "ecg"
    assert shown["lead"] == "V3"
    st_at_j = next(r["value"] for r in shown["rows"] if r["name"] == "ST at J")
    measured = Assessment.model_validate(body(services, case))
    ours = next(
        f.interval.low
        for f in measured.findings
        if f.body_site == "V3" and "ST" in f.concept.text and f.interval and f.interval.low
    )
    assert abs(float(st_at_j.removesuffix(" mV")) - ours) < 0.2
    picture = http.get(shown["picture"], headers=as_user("vera"))
    assert picture.headers["content-type"] == "image/svg+xml"
    assert picture.text.startswith("<?xml")
    assert "script" not in picture.text
    whole = http.get(
        shown["picture"].replace(key, first(services, case, DicomEvidence, lead="II")),
        headers=as_user("vera"),
    )
    assert whole.text != picture.text


def test_an_image_leads_to_the_viewer_at_this_image(services: Services, http: TestClient) -> None:
    ct = image(ramp(), ImagePositionPatient=[0, 0, 1], ImageOrientationPatient=[1, 0, 0, 0, 1, 0])
    case, _ = CaseService(services).open([("a.dcm", ct)], label="Bed 3", principal=ANNA)
    key = first(services, case, DicomEvidence, file="a.dcm")
    shown = view(http, case, key)["shown"]
    image_id = services.cases.files(case.id)[0].sha256[:16]
    assert shown["kind"] == "image"
    assert shown["viewer"] == f"/cases/{case.id}/images/{image_id}"
    small = http.get(shown["picture"], headers=as_user("vera"))
    assert small.headers["content-type"] == "image/png"
    page = http.get(
        f"/cases/{case.id}/evidence/{key}", headers={**as_user("vera"), "accept": "text/html"}
    ).text
    assert f'href="/cases/{case.id}/images/{image_id}"' in page


def test_a_line_of_the_case_file_is_marked(services: Services, http: TestClient) -> None:
    case = example_case(services)
    key = first(services, case, RecordEvidence, record="facts.ckd")
    lines = view(http, case, key)["shown"]["lines"]
    assert [line["value"].strip() for line in lines if line["marked"]] == ["ckd: no"]


def test_an_answer_that_was_entered_names_who_and_when(
    services: Services, http: TestClient
) -> None:
    case = example_case(services)
    CaseService(services).answer(case, "distended_neck_veins", False, principal=ANNA)
    entered = [
        one
        for one in evidence_in(body(services, case))
        if isinstance(one, RecordEvidence) and one.file == "entered answers"
    ]
    shown = view(http, case, evidence_id(entered[0]))["shown"]
    rows = {r["name"]: r["value"] for r in shown["rows"]}
    assert rows["answer"] == "False"
    assert rows["entered by"] == "Dr Anna"
    assert rows["entered at"].startswith("2026-11-20T13:45:00")


def test_a_reference_row_has_its_numbers_source_and_review(
    services: Services, http: TestClient
) -> None:
    case = example_case(services)
    key = first(services, case, ReferenceEvidence, row="assays.roche-elecsys-hs-ctnt.esc_0_1h")
    shown = view(http, case, key)["shown"]
    rows = {r["name"]: r["value"] for r in shown["rows"]}
    # ESC 0/1 h algorithm for Elecsys hs-cTnT: <5, <12, change <3, >=52, change >=5 ng/L
    assert [rows[k] for k in ("very_low", "low", "no_delta", "high", "delta_in")] == [
        "5", "12", "3", "52", "5",
    ]  # fmt: skip
    assert shown["sources"][0]["doi"] == "10.1093/eurheartj/ehaa575"
    assert "not reviewed by a clinician" in shown["sources"][0]["review"]


def test_every_reference_row_that_an_assessment_cites_can_be_shown(
    services: Services, http: TestClient
) -> None:
    case = example_case(services)
    rows = {
        evidence_id(one): one
        for one in evidence_in(body(services, case))
        if isinstance(one, ReferenceEvidence)
    }
    assert len(rows) > 20
    missing = {
        f"{one.table}:{one.row}"
        for key, one in rows.items()
        if view(http, case, key)["shown"]["kind"] != "reference"
    }
    assert missing == set()


def test_a_tool_output_leads_to_its_inputs(services: Services, http: TestClient) -> None:
    case = example_case(services)
    outputs = [
        one
        for one in evidence_in(body(services, case))
        if isinstance(one, ToolEvidence) and one.tool == "serial_troponin" and one.inputs
    ]
    shown = view(http, case, evidence_id(outputs[0]))["shown"]
    assert shown["version"] == "1.0.0"
    assert any(link["kind"] == "fhir" for given in shown["inputs"] for link in given["evidence"])


def test_a_source_shows_statement_year_doi_and_that_it_is_a_summary(
    services: Services, http: TestClient
) -> None:
    case = example_case(services)
    assessment = Assessment.model_validate(body(services, case))
    citation = assessment.recommendations[0].citation
    shown = view(http, case, source_id(citation))["shown"]
    assert shown["statement"] == assessment.recommendations[0].text
    assert shown["wording"].endswith("not verbatim")
    assert (shown["year"], shown["doi"]) == ("2023", "10.1093/eurheartj/ehad191")
    assert shown["review"]


def test_evidence_of_an_earlier_version_shows_the_file_as_it_was(
    services: Services, http: TestClient
) -> None:
    case = example_case(services)
    key = first(services, case, FhirEvidence, resource="Observation/hs-ctnt-1")
    chart = services.cases.content(
        next(f for f in services.cases.files(case.id) if f.name == "chart.json")
    )
    changed = chart.replace(b"hs-ctnt-1", b"hs-ctnt-9").replace(b'"value": 24', b'"value": 25')
    assert changed != chart
    CaseService(services).add_files(case, [("chart.json", changed)], principal=ANNA)
    found = view(http, case, key)
    assert found["version"] == 1
    marked = {r["name"]: r["value"] for r in found["shown"]["rows"] if r["marked"]}
    assert marked["valueQuantity.value"] == "24"


def test_the_span_of_a_note_is_marked_and_its_markup_is_words() -> None:
    at = ClinicalTime(at=NOW)
    place = RecordEvidence(file="note.txt", record="text")
    document = Document(id="d-1", title="Note", text=NOTE, time=at, evidence=place)
    start = NOTE.index("Pain")
    shown = show_span(document, start, start + 8, time_zone=None)
    assert isinstance(shown, NoteShown)
    marked = [p.text for line in shown.lines for p in line if p.marked]
    assert marked == ["Pain rad"]
    assert len(shown.lines) == 2
    assert "\u202e" not in "".join(p.text for line in shown.lines for p in line)


@pytest.mark.parametrize(("start", "end"), [(0, 9999), (5, 5), (9, 3)])
def test_a_span_the_note_does_not_have_marks_nothing(start: int, end: int) -> None:
    place = RecordEvidence(file="note.txt", record="text")
    document = Document(id="d-1", title="Note", text=NOTE, evidence=place)
    assert isinstance(show_span(document, start, end, time_zone=None), NotShown)


def test_what_the_case_does_not_have_is_not_found(services: Services, http: TestClient) -> None:
    case = example_case(services)
    for key in ("e-00000000000000000000", "s-00000000000000000000", "nonsense"):
        answer = http.get(f"/v1/cases/{case.id}/evidence/{key}", headers=as_user("vera"))
        assert answer.status_code == 404


def test_evidence_of_another_patient_is_not_found(services: Services, http: TestClient) -> None:
    case = example_case(services)
    key = first(services, case, FhirEvidence)
    for address in (f"/v1/cases/{case.id}/evidence/{key}", f"/cases/{case.id}/evidence/{key}"):
        answer = http.get(address, headers=as_user("smart"))
        assert answer.status_code == 404
        assert "Observation" not in answer.text


def test_another_cases_evidence_is_not_shown_in_this_case(
    services: Services, http: TestClient
) -> None:
    case, other = example_case(services), example_case(services, "stemi")
    keys = {evidence_id(e) for e in evidence_in(body(services, other))}
    keys -= {evidence_id(e) for e in evidence_in(body(services, case))}
    key = sorted(keys)[0]
    assert view(http, other, key)["id"] == key
    answer = http.get(f"/v1/cases/{case.id}/evidence/{key}", headers=as_user("vera"))
    assert answer.status_code == 404
