import json
from collections.abc import Iterator
from typing import Any

import pypdfium2  # type: ignore[import-untyped]
import pytest
from fastapi.testclient import TestClient

from agent.assessment import RESEARCH_USE, Assessment
from serving.access.principal import Principal, Role
from serving.cases.model import Case
from serving.cases.service import CaseService
from serving.signing.model import Decision
from serving.signing.protocol import DecisionIn, SignIn
from serving.signing.service import SignOffService
from tests.serving.cases.fresh import ANNA, Fresh, example, fresh

VERA = Principal(subject="vera", name="Vera", roles=frozenset({Role.VIEWER}), via="local")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fresh]:
    with fresh(tmp_path_factory.mktemp("service")) as found:
        yield found


@pytest.fixture
def made(service: Fresh) -> Fresh:
    service.who[0] = ANNA
    return service


def opened(made: Fresh, name: str = "nstemi", **extra: bytes) -> Case:
    files = [*example(name), *extra.items()]
    case, _ = CaseService(made.services).open(files, label="bed 4", principal=ANNA)
    return case


def sign(made: Fresh, case: Case, *decisions: DecisionIn) -> None:
    service = SignOffService(made.services)
    newest = made.services.cases.assessment(case.id)
    assert newest is not None
    if decisions:
        draft = service.decide(case, newest.version, decisions, principal=ANNA)
        twins = [
            DecisionIn(statement=view.statement.id, decision=Decision.ACCEPT)
            for view in draft.statements
            if view.because
        ]
        service.decide(case, newest.version, twins, principal=ANNA)
    asked = SignIn(version=newest.version, accept_remaining=True, own_words=True)
    service.sign(case, asked, principal=ANNA)


def report(client: TestClient, case: Case, form: str, **query: Any) -> Any:
    answer = client.get(f"/v1/cases/{case.id}/report", params={"format": form, **query})
    assert answer.status_code == 200, answer.text
    return answer


def text_of(pdf: bytes) -> str:
    document = pypdfium2.PdfDocument(pdf)
    try:
        pages = [
            document[number].get_textpage().get_text_range() for number in range(len(document))
        ]
    finally:
        document.close()
    return " ".join(" ".join(pages).split())


def pages_of(pdf: bytes) -> list[str]:
    document = pypdfium2.PdfDocument(pdf)
    try:
        return [document[number].get_textpage().get_text_range() for number in range(len(document))]
    finally:
        document.close()


@pytest.mark.parametrize("form", ["fhir", "pdf", "html", "md", "json"])
def test_every_form_says_draft_until_it_is_signed(made: Fresh, form: str) -> None:
    case = opened(made)
    with made.client() as client:
        answer = report(client, case, form)
        body = text_of(answer.content) if form == "pdf" else answer.text
        if form in ("fhir", "json"):
            assert "preliminary" in body
        else:
            assert "DRAFT" in body
        sign(made, case)
        answer = report(client, case, form)
        body = text_of(answer.content) if form == "pdf" else answer.text
        assert "DRAFT" not in body
        assert "Dr Anna" in body


def test_the_pdf_holds_what_the_assessment_says(made: Fresh) -> None:
    case = opened(made, "half_missing")
    stored = made.services.cases.assessment(case.id)
    assert stored is not None
    assessment = Assessment.model_validate(stored.body)
    with made.client() as client:
        answer = report(client, case, "pdf")
    assert answer.headers["content-type"] == "application/pdf"
    text = text_of(answer.content)
    squeezed = text.replace(" ", "")

    def has(words: str) -> bool:
        return words.replace(" ", "") in squeezed

    assert has(assessment.narrative.headline)
    assert assessment.missing
    assert all(has(item.label) for item in assessment.missing)
    assert all(has(item.text) for item in assessment.recommendations)
    assert all(has(item.label) for item in assessment.recommendations)
    assert all(has(risk.name) for risk in assessment.risks)
    assert any(risk.range for risk in assessment.risks)
    for risk in assessment.risks:
        if risk.range is not None:
            low, high = risk.range
            assert has(f"{low:g} to {high:g}")
    assert all(has(citation.label) for citation in assessment.citations)
    assert has(stored.sha256)
    assert has(assessment.provenance.result_sha256)


def test_state_and_research_use_are_on_every_page_of_the_pdf(made: Fresh) -> None:
    case = opened(made)
    with made.client() as client:
        pages = pages_of(report(client, case, "pdf").content)
    assert len(pages) > 1
    assert all("DRAFT - not signed" in page for page in pages)
    assert all(RESEARCH_USE in " ".join(page.split()) for page in pages)


def test_the_ecg_is_in_the_pdf(made: Fresh) -> None:
    import pypdfium2.raw  # type: ignore[import-untyped]

    case = opened(made)
    with made.client() as client:
        pdf = report(client, case, "pdf").content
    document = pypdfium2.PdfDocument(pdf)
    try:
        kinds = [o.type for n in range(len(document)) for o in document[n].get_objects()]
    finally:
        document.close()
    assert pypdfium2.raw.FPDF_PAGEOBJ_IMAGE in kinds


def test_chinese_headings_can_be_read_out_of_the_pdf(made: Fresh) -> None:
    case = opened(made)
    with made.client() as client:
        answer = report(client, case, "pdf", lang="zh")
    assert text_of(answer.content)
    from serving.report.pdf import Sheet, report_pdf

    stored = made.services.cases.assessment(case.id)
    assert stored is not None
    sheet = Sheet(state="草稿:未签名", made_at=stored.made_at, version=1, sha256="0" * 64)
    assert "草稿:未签名" in text_of(report_pdf(Assessment.model_validate(stored.body), sheet))


def test_a_rejected_statement_is_marked_in_every_form(made: Fresh) -> None:
    case = opened(made)
    stored = made.services.cases.assessment(case.id)
    assert stored is not None
    headline = SignOffService(made.services).draft(case, ANNA).statements[0]
    sign(
        made,
        case,
        DecisionIn(
            statement=headline.statement.id, decision=Decision.REJECT, reason="already treated"
        ),
    )
    with made.client() as client:
        for form in ("pdf", "html", "md"):
            answer = report(client, case, form)
            body = text_of(answer.content) if form == "pdf" else answer.text
            assert "Rejected by the signer" in body
            assert "already treated" in body
        bundle = json.loads(report(client, case, "fhir").content)
    conclusion = next(
        e["resource"]["conclusion"]
        for e in bundle["entry"]
        if e["resource"]["resourceType"] == "DiagnosticReport"
    )
    assert stored.headline not in conclusion.splitlines()
    assert "The computed headline was rejected by the signer." in conclusion


def test_a_later_version_is_a_draft_and_the_signed_one_says_what_changed(made: Fresh) -> None:
    case = opened(made)
    sign(made, case)
    chart = json.loads(dict(example())["chart.json"])
    for entry in chart["entry"]:
        resource = entry["resource"]
        if resource.get("id") == "hs-ctnt-2":
            resource["valueQuantity"]["value"] = 25
            resource["status"] = "corrected"
    service = CaseService(made.services)
    service.add_files(case, [("chart.json", json.dumps(chart).encode())], principal=ANNA)
    with made.client() as client:
        signed = report(client, case, "json").json()
        newest = report(client, case, "json", version=2).json()
    assert signed["state"]["status"] == "final"
    assert "CHANGED SINCE IT WAS SIGNED" in signed["state"]["flag"]
    assert newest["state"]["status"] == "preliminary"
    assert newest["state"]["flag"] == "Version 1 of this case was signed."


def test_a_viewer_exports_nothing(made: Fresh) -> None:
    case = opened(made)
    made.who[0] = VERA
    with made.client() as client:
        answer = client.get(f"/v1/cases/{case.id}/report")
    assert answer.status_code == 403


def test_what_cannot_be_reported_is_said(made: Fresh) -> None:
    case = opened(made)
    with made.client() as client:
        place = f"/v1/cases/{case.id}/report"
        assert client.get(place, params={"format": "fhir", "version": 9}).status_code == 404
        assert client.get(place, params={"format": "docx"}).status_code == 422
        assert client.get("/v1/cases/case-none/report").status_code == 404


def test_an_export_is_audited_with_its_hash(made: Fresh) -> None:
    case = opened(made)
    stored = made.services.cases.assessment(case.id)
    assert stored is not None
    with made.client() as client:
        report(client, case, "md")
    from sqlalchemy import select

    from serving.audit.tables import AuditRow

    with made.services.database.transaction() as session:
        bodies = [json.dumps(row.body) for row in session.scalars(select(AuditRow))]
    assert any("report.exported" in body and stored.sha256 in body for body in bodies)


EDIT = "GRACE in-hospital score 57: low (in-hospital death below 1 %)"


def grace_edited(made: Fresh) -> Case:
    """Return a signed case in which the statement of GRACE, a computed 157, was replaced."""
    case = opened(made)
    views = SignOffService(made.services).draft(case, ANNA).statements
    grace = next(
        v.statement.id
        for v in views
        if v.statement.kind == "risk" and v.statement.label.startswith("GRACE")
    )
    decision = DecisionIn(statement=grace, decision=Decision.EDIT, text=EDIT, reason="x")
    sign(made, case, decision)
    return case


def test_an_edited_risk_has_no_machine_coding_in_fhir(made: Fresh) -> None:
    case = grace_edited(made)
    with made.client() as client:
        bundle = json.loads(report(client, case, "fhir").content)
    found = [
        e["resource"]
        for e in bundle["entry"]
        if e["resource"].get("code", {}).get("text", "").startswith("GRACE")
    ]
    risk = next(r for r in found if r["resourceType"] == "RiskAssessment")
    assert risk["status"] == "final"
    assert risk["prediction"] == [{"qualitativeRisk": {"text": EDIT}, "rationale": EDIT}]
    points = next(r for r in found if r["resourceType"] == "Observation")
    assert points["valueString"] == EDIT
    assert not {"valueQuantity", "component", "interpretation"} & points.keys()
    for resource in (risk, points):
        notes = [note["text"] for note in resource["note"]]
        computed = [n for n in notes if n.startswith("Computed by Epicrisis, not what was signed")]
        assert any("157" in note and "high" in note for note in computed)
        assert any("not computed here: 57, low, below, 1 %" in note for note in notes)
        others = "".join(n for n in notes if n not in computed)
        assert "above 3 %" not in others


@pytest.mark.parametrize("form", ["pdf", "html", "md"])
def test_an_edited_risk_stands_nowhere_as_computed_without_a_mark(made: Fresh, form: str) -> None:
    case = grace_edited(made)
    with made.client() as client:
        answer = report(client, case, form)
    body = " ".join((text_of(answer.content) if form == "pdf" else answer.text).split())
    body = body.replace("\\", "").replace("&#39;", "'").replace("\u2019", "'")
    squeezed = body.replace(" ", "")
    said = f"{EDIT} [the signer's words, not verified; not computed here: 57, low, below, 1 % (x); "
    assert said.replace(" ", "") in squeezed
    assert "[acceptedascomputed;thesignerchanged:GRACEin-hospitalscore]" in squeezed
    assert "high(in-hospitaldeathabove3%)157" not in squeezed
    assert "|157|" not in squeezed
    assert "<strong>high</strong>(157points)" not in squeezed
    assert "draft,notsigned" not in squeezed


def test_the_ecg_of_a_rejected_sentence_is_no_final_result(made: Fresh) -> None:
    case = opened(made)
    views = SignOffService(made.services).draft(case, ANNA).statements
    ecg = next(v.statement.id for v in views if v.statement.label == "ECG")
    rejected = DecisionIn(statement=ecg, decision=Decision.REJECT, reason="lead misplacement")
    sign(made, case, rejected)
    with made.client() as client:
        bundle = json.loads(report(client, case, "fhir").content)
    found = [
        e["resource"]
        for e in bundle["entry"]
        if e["resource"].get("code", {}).get("text", "").startswith("ECG ")
    ]
    assert found
    for resource in found:
        assert resource["status"] == "preliminary"
        assert any("lead misplacement" in note["text"] for note in resource["note"])


def test_the_line_above_every_page_stays_on_the_paper_when_much_has_changed(made: Fresh) -> None:
    case = opened(made)
    sign(made, case)
    for key, value in (("distended_neck_veins", True), ("pulse_deficit", True)):
        CaseService(made.services).answer(case, key, value, principal=ANNA)
    with made.client() as client:
        flag = report(client, case, "json", version=1).json()["state"]["flag"]
        pdf = report(client, case, "pdf", version=1).content
    assert len(flag) > 120, "longer than a line"
    document = pypdfium2.PdfDocument(pdf)
    try:
        for number in range(len(document)):
            page = document[number]
            text = page.get_textpage()
            width, height = page.get_size()
            boxes = [text.get_charbox(i) for i in range(text.count_chars())]
            above = [b for b in boxes if b[1] > height - 40 and b[2] > b[0] + 0.1]
            beside = [b for b in above if b[0] >= width - 46]
            assert len(beside) == len(str(number + 1)), "in the margin only the page number"
            assert max(b[2] for b in above if b not in beside) < width - 46
            head = text.get_text_bounded(bottom=height - 40)
            assert head.startswith("CHANGED SINCE IT WAS SIGNED, see version ")
    finally:
        document.close()
