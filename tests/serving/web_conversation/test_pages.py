"""Chat, evidence, sign-off, worklist and sidebar as pages: escaped, guarded, usable by form."""

import re
from collections.abc import Iterator
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from agent.llm.errors import LLMDownError
from agent.llm.fake import FakeLLM
from serving.cases.model import Case
from serving.cases.service import CaseService
from serving.cds.store import CardStore
from serving.services import Services
from serving.signing.service import flag_signed
from serving.worklist.acknowledge import raise_critical
from tests.serving.chat.chat_app import (
    ANNA,
    EXAMPLES,
    NOW,
    as_user,
    client,
    example_case,
    make_services,
    with_model,
)
from tests.serving.chat.test_conversation import HOSTILE, LIE, citing

INERT = {
    "a", "article", "aside", "b", "blockquote", "body", "br", "button", "caption", "code", "dd",
    "del", "details", "div", "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form",
    "h1", "h2", "h3", "head", "header", "html", "img", "input", "ins", "kbd", "label", "legend",
    "li", "link", "main", "mark", "meta", "nav", "ol", "option", "p", "path", "progress", "script",
    "section", "select", "span", "strong", "style", "summary", "svg", "table", "tbody", "td",
    "textarea", "th", "thead", "time", "title", "tr", "ul",
}  # fmt: skip


class Elements(HTMLParser):
    """Collects the elements of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


@pytest.fixture
def services(tmp_path: Path) -> Services:
    services = make_services(tmp_path)
    flag_signed(services)
    raise_critical(services)
    return services


@pytest.fixture
def http(services: Services) -> Iterator[TestClient]:
    with client(services) as opened:
        opened.headers.update({"x-user": "anna", "accept": "text/html"})
        yield opened


@pytest.fixture
def case(services: Services) -> Case:
    return example_case(services)


def page(http: TestClient, address: str, **more: str) -> str:
    answer = http.get(address, headers=more)
    assert answer.status_code == 200, answer.text[:500]
    return answer.text


def assert_inert(text: str) -> None:
    """Assert that a page has no script of its own, no handler, and nothing from elsewhere."""
    for tag, attributes in Elements(text).found:
        assert tag in INERT, tag
        for name, value in attributes.items():
            assert not name.startswith("on"), (tag, name)
            assert name != "style", tag
            if name in ("src", "href", "action"):
                assert re.match(r"/(?!/)|#|\?", value or ""), (tag, value)


def test_a_question_by_plain_form_is_answered_on_the_page(http: TestClient, case: Case) -> None:
    answer = http.post(f"/cases/{case.id}/chat", data={"question": "What was the potassium?"})
    assert answer.status_code == 200  # followed to the page
    assert "4.4 mmol/L" in answer.text
    assert f'href="/cases/{case.id}/evidence/e-' in answer.text
    assert answer.headers["cache-control"] == "no-store"


def test_a_chinese_question_is_answered_in_chinese(http: TestClient, case: Case) -> None:
    answer = http.post(f"/cases/{case.id}/chat", data={"question": "血钾是多少"})
    assert "钾 4.4 mmol/L (" in answer.text


@pytest.mark.parametrize("accept", ["text/html", "text/event-stream"])
def test_hostile_words_are_shown_as_words(http: TestClient, case: Case, accept: str) -> None:
    answer = http.post(
        f"/cases/{case.id}/chat", data={"question": HOSTILE}, headers={"accept": accept}
    )
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in answer.text
    assert "<script>alert" not in answer.text
    assert "<img src=x" not in answer.text
    assert "\u202e" not in answer.text
    if accept == "text/html":
        assert_inert(answer.text)


def test_an_unverified_sentence_is_in_no_part_of_the_stream(tmp_path: Path) -> None:
    services = with_model(make_services(tmp_path), citing(LIE))
    with client(services) as http:
        case = example_case(services)
        answer = http.post(
            f"/cases/{case.id}/chat",
            data={"question": "What was the respiratory rate?"},
            headers={**as_user("anna"), "accept": "text/event-stream"},
        )
    assert "go home" not in answer.text
    names = re.findall(r"^event: (\w+)$", answer.text, re.MULTILINE)
    assert names[0] == "begin"
    assert names[-1] == "end"
    assert names[1:-1] == ["step"] * (len(names) - 2)
    assert "Verified: 0 of 1 sentences shown" in answer.text
    assert "17/min" in answer.text.partition("event: end")[2]
    assert "17/min" not in answer.text.partition("event: end")[0]


def test_an_endpoint_that_is_down_is_said_on_the_page(tmp_path: Path) -> None:
    down = LLMDownError("language model", "the connection was dropped")
    services = with_model(make_services(tmp_path), FakeLLM({"chat": [down]}))
    with client(services) as http:
        case = example_case(services)
        answer = http.post(
            f"/cases/{case.id}/chat",
            data={"question": "What was the respiratory rate?"},
            headers=as_user("anna"),
        )
    assert "the connection was dropped" in answer.text
    assert "17/min" in answer.text


def test_the_conversation_of_another_user_is_on_no_page(http: TestClient, case: Case) -> None:
    http.post(f"/cases/{case.id}/chat", data={"question": "What was the potassium?"})
    text = page(http, f"/cases/{case.id}/chat", **as_user("ben"))
    assert "What was the potassium?" not in text


def test_the_evidence_drawer_is_a_fragment_and_its_link_a_page(
    http: TestClient, case: Case
) -> None:
    text = http.post(f"/cases/{case.id}/chat", data={"question": "What was the potassium?"}).text
    link = re.search(rf'href="(/cases/{case.id}/evidence/e-[0-9a-f]+)"', text)
    assert link
    drawer, whole = page(http, link[1], **{"hx-request": "true"}), page(http, link[1])
    assert "<html" not in drawer
    assert "<html" in whole
    for one in (drawer, whole):
        assert "<mark>4.4</mark>" in one
        assert "not a medical device" in one
        assert_inert(one)


def test_a_hostile_note_stays_words_in_the_drawer(services: Services, http: TestClient) -> None:
    evil = "<script>alert(1)</script><img src=x onerror=alert(2)> \u202eksir hgih"
    chart = (EXAMPLES / "nstemi" / "chart.json").read_text("utf-8")
    changed = chart.replace("Patient/patient", "Patient/patient").replace(
        '"status": "final"', '"status": "final", "note": [{"text": ' + _json(evil) + "}]", 1
    )
    assert changed != chart
    case = example_case(services, extra={"chart.json": changed.encode()})
    stored = services.cases.assessment(case.id)
    assert stored is not None
    from serving.evidence.ids import evidence_id, evidence_in

    keys = {evidence_id(e) for e in evidence_in(stored.body) if e.kind == "fhir"}
    texts = [page(http, f"/cases/{case.id}/evidence/{key}") for key in sorted(keys)]
    assert any("&lt;script&gt;alert(1)" in text for text in texts)
    for text in texts:
        assert "\u202e" not in text
        assert_inert(text)


def test_signing_by_plain_forms_keeps_both_texts(
    services: Services, http: TestClient, case: Case
) -> None:
    address = f"/cases/{case.id}/sign-off"
    text = page(http, address)
    assert "Draft, not signed" in text
    total = int(re.search(r"0 of (\d+) decided", text)[1])  # type: ignore[index]
    ids = re.findall(r'data-statement="(s-[0-9a-f]+)"', text)
    assert len(ids) == total
    edit = {"decision": "edit", "text": "My own words <b>here</b>", "reason": "shorter"}
    for key, decision in zip(ids[:3], ({"decision": "accept"}, edit, None), strict=True):
        given = decision or {"decision": "reject", "reason": "not seen"}
        kept = http.post(f"{address}/decide", data={"version": 1, "statement": key, **given})
        assert kept.status_code == 200, kept.text[:300]
    assert f"3 of {total} decided" in page(http, address)
    refused = http.post(address, data={"version": 1})
    assert refused.status_code == 409
    silent = http.post(address, data={"version": 1, "accept_remaining": "true"})
    assert silent.status_code == 409, "what says the same was not looked at"
    shown = page(http, address)
    waiting = re.findall(r'id="because-(s-[0-9a-f]+)" class="because"><p', shown)
    assert "Decide on this by itself." in shown
    assert "Sign as" not in shown, "there is no button to sign with before that"
    for key in waiting:
        given = {"version": "1", "statement": key, "decision": "accept"}
        assert http.post(f"{address}/decide", data=given).status_code == 200
    own = {"own_words": "true"}  # "<b>" reads as a comparison that nothing holds
    signed = http.post(address, data={"version": "1", "accept_remaining": "true", **own})
    assert "Signed report of version 1" in signed.text
    assert "My own words &lt;b&gt;here&lt;/b&gt;" in signed.text
    assert "not checked by the verifier" in signed.text
    assert "not seen" in signed.text
    assert "Draft, not signed" not in signed.text
    assert_inert(signed.text)


def test_an_edit_without_a_reason_is_not_kept(http: TestClient, case: Case) -> None:
    address = f"/cases/{case.id}/sign-off"
    key = re.findall(r'data-statement="(s-[0-9a-f]+)"', page(http, address))[0]
    given = {"version": 1, "statement": key, "decision": "edit", "text": "Other words"}
    refused = http.post(f"{address}/decide", data=given, headers={"hx-request": "true"})
    assert refused.status_code == 422
    assert "needs a reason" in refused.text
    assert "0 of" in page(http, address)


def test_a_decision_on_an_older_version_is_a_conflict_and_the_page_warns(
    services: Services, http: TestClient, case: Case
) -> None:
    address = f"/cases/{case.id}/sign-off"
    key = re.findall(r'data-statement="(s-[0-9a-f]+)"', page(http, address))[0]
    assert page(http, f"{address}/newer?version=1").strip() == ""
    CaseService(services).answer(case, "distended_neck_veins", False, principal=ANNA)
    given = {"version": 1, "statement": key, "decision": "accept"}
    refused = http.post(f"{address}/decide", data=given, headers={"hx-request": "true"})
    assert refused.status_code == 409
    assert "Version 2 was made" in page(http, f"{address}/newer?version=1")


def test_a_signed_report_that_no_longer_holds_says_what_changed(
    services: Services, http: TestClient, case: Case
) -> None:
    address = f"/cases/{case.id}/sign-off"
    http.post(address, data={"version": 1, "accept_remaining": "true"})
    file = next(f for f in services.cases.files(case.id) if f.name == "chart.json")
    chart = services.cases.content(file).replace(b'"value": 43', b'"value": 25')
    CaseService(services).add_files(case, [("chart.json", chart)], principal=ANNA)
    text = page(http, address)
    assert "The signed report no longer holds" in text
    assert "24 ng/L, then 43 ng/L" in text
    assert "24 ng/L, then 25 ng/L" in text
    flag = re.search(r'action="(/cases/[^"]+/flags/[^"]+)"', text)
    assert flag
    assert http.post(flag[1], data={"reason": " "}).status_code == 422
    settled = http.post(flag[1], data={"reason": "repeated by hand: 43 was right"})
    assert "The signed report no longer holds" not in settled.text


def test_who_may_not_sign_sees_no_draft(http: TestClient, case: Case) -> None:
    text = page(http, f"/cases/{case.id}/sign-off", **as_user("vera"))
    assert "data-statement" not in text
    assert "may not sign" in text
    given = {"version": 1, "accept_remaining": "true"}
    refused = http.post(f"/cases/{case.id}/sign-off", data=given, headers=as_user("vera"))
    assert refused.status_code == 403


def test_the_worklist_shows_what_is_not_assessed_apart_and_escalation(
    services: Services, http: TestClient, case: Case
) -> None:
    services.cases.create(label="bed 12", source="upload", by="anna")
    text = page(http, "/worklist")
    row = text.partition("bed 12")[0].rpartition("<li")[2]
    assert "work-row unknown" in row
    assert "not assessed" in row
    assert "critical results nobody" in text or "critical result nobody" in text
    services.clock = lambda: NOW + timedelta(hours=3)
    later = page(http, "/worklist")
    assert "overdue by" in later
    assert_inert(later)


def test_acknowledging_takes_a_result_off_the_list(
    services: Services, http: TestClient, case: Case
) -> None:
    text = page(http, "/worklist")
    forms = re.findall(r'action="(/worklist/[^"]+)"', text)
    assert forms
    vera = http.post(forms[0], data={"note": ""}, headers=as_user("vera"))
    assert vera.status_code == 403
    after = http.post(forms[0], data={"note": "told Dr Ben"})
    assert after.status_code == 200
    assert forms[0] not in after.text
    again = http.post(forms[0], data={}, headers=as_user("ben"))
    assert again.status_code == 409


def test_the_worklist_of_one_patients_token_has_no_other_patient(
    http: TestClient, case: Case
) -> None:
    text = page(http, "/worklist", **as_user("smart"))
    assert case.id not in text
    assert "Nobody waits." in text


def test_the_sidebar_answers_a_missing_item_and_shows_the_new_result(
    services: Services, http: TestClient, case: Case
) -> None:
    text = page(http, f"/sidebar?case={case.id}")
    assert text.count("<h1") == 1
    assert "patient-banner" not in text
    assert "High-sensitivity troponin rules in" in text
    missing = int(re.search(r'Missing <span class="count">(\d+)', text)[1])  # type: ignore[index]
    answer = http.post(
        f"/sidebar/cases/{case.id}/answers",
        data={"input": "distended_neck_veins", "value": "no"},
        headers={"hx-request": "true"},
    )
    assert answer.status_code == 200
    assert f'Missing <span class="count">{missing - 1}' in answer.text
    assert len(services.cases.assessments(case.id)) == 2
    assert_inert(text)


def test_setting_aside_is_kept_with_its_reason_and_never_hides_the_headline(
    services: Services, http: TestClient, case: Case
) -> None:
    address = f"/sidebar/cases/{case.id}/dismiss"
    given = {"version": 1, "reason": "recipient-disagrees-evidence", "comment": "seen <b>her</b>"}
    text = http.post(address, data=given, headers={"hx-request": "true"}).text
    assert "You set this aside" in text
    assert "I disagree with the evidence" in text
    assert "seen &lt;b&gt;her&lt;/b&gt;" in text
    assert "High-sensitivity troponin rules in" in text
    assert "You set this aside" not in page(http, f"/sidebar?case={case.id}", **as_user("ben"))
    told = CardStore(services.database, services.clock).feedback(limit=9)
    assert [(t.service, t.case, t.known, t.outcome) for t in told] == [
        ("sidebar", case.id, True, "overridden")
    ]
    assert http.post(address, data={"version": 1, "reason": "because"}).status_code == 422


def test_the_sidebar_without_a_patient_says_so(http: TestClient) -> None:
    text = page(http, "/sidebar")
    assert "No patient in context" in text
    assert "<form" not in text


def test_the_sidebar_of_another_patient_is_not_found(http: TestClient, case: Case) -> None:
    answer = http.get(f"/sidebar?case={case.id}", headers=as_user("smart"))
    assert answer.status_code == 404
    assert "troponin" not in answer.text


def test_a_pull_outside_a_launch_is_refused_and_said(http: TestClient) -> None:
    answer = http.post("/sidebar/pull", headers={"hx-request": "true"})
    assert answer.status_code == 422
    assert "The record of the EHR could not be read" in answer.text


@pytest.mark.parametrize(
    "address",
    ["/cases/{}/chat", "/cases/{}/sign-off", "/worklist", "/sidebar?case={}"],
)
def test_pages_are_whole_in_chinese_and_escaped(http: TestClient, case: Case, address: str) -> None:
    text = page(http, address.format(case.id), **{"accept-language": "zh"})
    assert 'lang="zh-Hans"' in text
    assert_inert(text)


def _json(text: str) -> str:
    import json

    return json.dumps(text)
