"""One claim stands in several places: who changes it in one is asked about the others."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.assessment import Assessment
from knowledge.evidence import ToolEvidence
from serving.cases.model import Case
from serving.signing.model import Statement
from serving.signing.related import related
from serving.signing.service import flag_signed
from serving.signing.statements import statements
from tests.serving.audit.site import ADA, VIEWER, Site, site
from tests.serving.signing.charts import SECOND, correction
from tests.serving.signing.test_sign_off import decided, draft_of, flags_of, signed
from tests.serving.signing.test_statements import assessed

EDIT = "GRACE in-hospital score 57: low (in-hospital death below 1 %)"


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Site]:
    with site(tmp_path) as made:
        flag_signed(made.services)
        yield made


def named(draft: dict[str, Any], subject: str) -> str:
    views = draft["statements"]
    return next(str(v["statement"]["id"]) for v in views if v["statement"]["subject"] == subject)


def grace(draft: dict[str, Any]) -> str:
    return named(draft, "risk:grace_in_hospital:GRACE in-hospital score")


def edit(statement: str, text: str = EDIT) -> dict[str, str]:
    return {"statement": statement, "decision": "edit", "text": text, "reason": "x"}


def accept(*ids: str) -> list[dict[str, str]]:
    return [{"statement": one, "decision": "accept"} for one in ids]


def waiting(draft: dict[str, Any]) -> list[dict[str, Any]]:
    return [view for view in draft["statements"] if view["because"]]


def subjects(found: tuple[Statement, ...], ids: tuple[str, ...]) -> set[str]:
    return {one.subject for one in found if one.id in ids}


def test_the_rule_its_sentence_and_the_advice_that_rests_on_it_belong_together(
    tmp_path: Path,
) -> None:
    assessment = assessed("nstemi", tmp_path)
    found = statements(assessment)
    links = related(assessment, found)
    by_subject = {one.subject: one.id for one in found}
    of_grace = links[by_subject["risk:grace_in_hospital:GRACE in-hospital score"]]
    assert subjects(found, of_grace) == {
        "sentence:GRACE in-hospital score",
        "recommendation:grace_high",
    }
    of_headline = subjects(found, links[by_subject["headline"]])
    assert {
        "risk:serial_troponin:ESC 0/1 h",
        "sentence:ESC 0/1 h",
        "differential:acs",
        "sentence:Supported",
        "recommendation:nstemi_early_invasive",
    } <= of_headline
    assert "risk:grace_in_hospital:GRACE in-hospital score" not in of_headline
    assert by_subject["headline"] in links[by_subject["risk:serial_troponin:ESC 0/1 h"]]


def test_the_infarction_on_the_ecg_and_the_call_for_reperfusion_belong_together(
    tmp_path: Path,
) -> None:
    assessment = assessed("stemi", tmp_path)
    found = statements(assessment)
    by_subject = {one.subject: one.id for one in found}
    of_ecg = subjects(found, related(assessment, found)[by_subject["sentence:ECG"]])
    assert {"headline", "differential:acs", "recommendation:stemi_reperfusion"} <= of_ecg


def test_a_version_kept_before_results_named_themselves_is_linked_by_what_it_rests_on(
    tmp_path: Path,
) -> None:
    def without_outputs(body: Any) -> Any:
        names = {(risk.tool, risk.name) for risk in new.risks}
        if isinstance(body, dict):
            return {key: without_outputs(value) for key, value in body.items()}
        if isinstance(body, list):
            return [without_outputs(one) for one in body if not is_output(one, names)]
        return body

    def is_output(one: Any, names: set[tuple[str, str]]) -> bool:
        tool = isinstance(one, dict) and one.get("kind") == "tool"
        return tool and (one["tool"], one["output"]) in names

    new = assessed("nstemi", tmp_path)
    body = without_outputs(new.to_json())
    del body["narrative"]["evidence"]
    old = Assessment.model_validate(body)
    assert old.to_json() == body, "an old version reads as it was, so its hash is the same"
    found = statements(old)
    by_subject = {one.subject: one.id for one in found}
    links = related(old, found)
    of_grace = links[by_subject["risk:grace_in_hospital:GRACE in-hospital score"]]
    assert "sentence:GRACE in-hospital score" in subjects(found, of_grace)
    assert "recommendation:grace_high" in subjects(found, of_grace)
    assert "risk:serial_troponin:ESC 0/1 h" in subjects(found, links[by_subject["headline"]])


def test_accepting_the_rest_does_not_reach_what_says_the_same(place: Site) -> None:
    case = place.open_example("nstemi")
    draft = decided(place, case, edit(grace(draft_of(place, case)))).json()
    assert {view["statement"]["subject"] for view in waiting(draft)} == {
        "sentence:GRACE in-hospital score",
        "recommendation:grace_high",
    }
    assert draft["to_decide"] == 2
    refused = signed(place, case, own_words=True)
    assert refused.status_code == 409
    assert "GRACE in-hospital score (sentence)" in refused.json()["reason"]
    place.clock.forward(minutes=1)
    ids = [view["statement"]["id"] for view in waiting(draft)]
    assert decided(place, case, *accept(*ids)).json()["to_decide"] == 0
    report = signed(place, case, own_words=True).json()
    beside = {s["statement"]["subject"]: s.get("beside") for s in report["statements"]}
    assert beside["sentence:GRACE in-hospital score"] == ["GRACE in-hospital score"]
    assert beside["risk:heart:HEART score"] is None


def test_what_was_accepted_before_the_change_is_decided_again(place: Site) -> None:
    case = place.open_example("nstemi")
    draft = draft_of(place, case)
    sentence = named(draft, "sentence:GRACE in-hospital score")
    decided(place, case, *accept(sentence))
    place.clock.forward(minutes=1)
    draft = decided(place, case, edit(grace(draft))).json()
    assert sentence in {view["statement"]["id"] for view in waiting(draft)}
    place.clock.forward(minutes=1)
    draft = decided(place, case, *accept(sentence)).json()
    assert sentence not in {view["statement"]["id"] for view in waiting(draft)}


def test_a_number_and_a_grade_that_nothing_holds_are_pointed_out_and_kept_so(
    place: Site,
) -> None:
    case = place.open_example("nstemi")
    key = grace(draft_of(place, case))
    draft = decided(place, case, edit(key)).json()
    view = next(v for v in draft["statements"] if v["statement"]["id"] == key)
    assert view["unverified"] == ["57", "low", "below", "1 %"]
    place.clock.forward(minutes=1)
    decided(place, case, *accept(*(v["statement"]["id"] for v in waiting(draft))))
    refused = signed(place, case)
    assert refused.status_code == 409
    assert "GRACE in-hospital score: 57, low, below, 1 %" in refused.json()["reason"]
    report = signed(place, case, own_words=True).json()
    one = next(s for s in report["statements"] if s["statement"]["id"] == key)
    assert one["unverified"] == ["57", "low", "below", "1 %"]
    assert (one["author"], one["verified"]) == ("clinician", False)


def test_what_changed_is_compared_with_what_was_signed(place: Site) -> None:
    case = place.open_example("nstemi")
    draft = draft_of(place, case)
    head = named(draft, "headline")
    rule = named(draft, "risk:serial_troponin:ESC 0/1 h")
    mine = "ESC 0/1 h not applied: known renal failure."
    reject = {"statement": head, "decision": "reject", "reason": "wrong"}
    draft = decided(place, case, reject, edit(rule, mine)).json()
    place.clock.forward(minutes=1)
    decided(place, case, *accept(*(v["statement"]["id"] for v in waiting(draft))))
    assert signed(place, case, own_words=True).status_code == 201
    later(place, case)
    (flag,) = flags_of(place, case)
    by_subject = {one["subject"]: one for one in flag["changes"]}
    headline = by_subject["headline"]
    assert headline["before"] == "rejected: wrong"
    assert headline["decision"] == "reject"
    assert headline["computed"].startswith("High-sensitivity troponin rules in")
    troponin = by_subject["risk:serial_troponin:ESC 0/1 h"]
    assert troponin["before"] == mine
    assert troponin["computed"].startswith("Rule-in of acute myocardial injury")
    accepted = by_subject["differential:acs"]
    assert accepted["before"].startswith("Acute coronary syndrome: supported")
    assert "decision" not in accepted


def test_a_later_version_that_says_what_the_signer_said_is_no_change(place: Site) -> None:
    case = place.open_example("nstemi")
    twin = place.open_example("nstemi")
    later(place, twin)
    subject = "risk:serial_troponin:ESC 0/1 h"
    corrected = next(
        v["statement"]["text"]
        for v in draft_of(place, twin)["statements"]
        if v["statement"]["subject"] == subject
    )
    draft = decided(place, case, edit(named(draft_of(place, case), subject), corrected)).json()
    place.clock.forward(minutes=1)
    decided(place, case, *accept(*(v["statement"]["id"] for v in waiting(draft))))
    assert signed(place, case, own_words=True).status_code == 201
    later(place, case)
    (flag,) = flags_of(place, case)
    assert subject not in {one["subject"] for one in flag["changes"]}
    assert "headline" in {one["subject"] for one in flag["changes"]}


def later(place: Site, case: Case) -> None:
    """Send a corrected second sample, 25 ng/L: no rule-in any more."""
    changed = correction("nstemi", SECOND, status="corrected", value=25)
    place.cases.add_files(case, [changed], principal=ADA)


def test_the_sentences_are_called_by_what_they_are_about(tmp_path: Path) -> None:
    labels = [s.label for s in statements(assessed("nstemi", tmp_path)) if s.kind == "sentence"]
    assert labels[:4] == ["Patient", "ECG", "ESC 0/1 h", "GRACE in-hospital score"]


@pytest.mark.parametrize("example", ["nstemi", "stemi", "half_missing", "early_presenter"])
def test_headline_ecg_and_verdicts_name_what_they_rest_on(place: Site, example: str) -> None:
    case = place.open_example(example)
    views = [view["statement"] for view in draft_of(place, case)["statements"]]
    for one in views:
        if one["subject"] in ("headline", "sentence:ECG", "sentence:Supported"):
            assert one["evidence"], one["text"]
        if one["subject"] == "sentence:Argued against":
            assert one["evidence"], one["text"]


def test_the_call_for_reperfusion_rests_on_the_leads_with_elevation(place: Site) -> None:
    case = place.open_example("stemi")
    views = [view["statement"] for view in draft_of(place, case)["statements"]]
    head = next(one for one in views if one["kind"] == "headline")
    assert "(II, III, aVF)" in next(one["text"] for one in views if one["label"] == "ECG")
    assert [e["lead"] for e in head["evidence"] if e.get("lead")] == ["II", "III", "aVF"]
    tools = [(e["tool"], e["output"]) for e in head["evidence"] if e["kind"] == "tool"]
    assert tools == [("ecg_analysis", "stemi_criteria")]


def test_a_recommendation_names_the_score_it_rests_on(tmp_path: Path) -> None:
    assessment = assessed("nstemi", tmp_path)
    row = next(r for r in assessment.recommendations if r.id == "grace_high")
    outputs = [e.output for e in row.evidence if isinstance(e, ToolEvidence)]
    assert outputs[0] == "GRACE in-hospital score"


def test_a_viewer_sees_no_draft(place: Site) -> None:
    case = place.open_example("nstemi")
    assert place.get(f"/v1/cases/{case.id}/sign-off/draft", VIEWER).status_code == 403
