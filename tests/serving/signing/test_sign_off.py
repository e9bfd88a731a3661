"""A clinician decides on every statement and signs one version; what changes later is flagged."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from serving.access.errors import ConflictError
from serving.access.principal import Principal
from serving.audit.export import entries
from serving.cases.model import Case
from serving.signing.protocol import SignIn
from serving.signing.service import SignOffService, flag_signed
from serving.storage.base import canonical
from tests.serving.audit.fresh import KINDS
from tests.serving.audit.site import ADA, ADMIN, BOB, SYSTEM, VIEWER, Site, site
from tests.serving.signing.charts import SECOND, correction


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    with site(tmp_path, request.param) as made:
        flag_signed(made.services)
        yield made


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Site]:
    with site(tmp_path) as made:
        flag_signed(made.services)
        yield made


def draft_of(place: Site, case: Case, by: Principal = ADA) -> dict[str, Any]:
    answer = place.get(f"/v1/cases/{case.id}/sign-off/draft", by)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def decided(place: Site, case: Case, *decisions: dict[str, Any], version: int = 1) -> Any:
    body = {"version": version, "decisions": decisions}
    return place.put(f"/v1/cases/{case.id}/sign-off/draft", ADA, body)


def signed(place: Site, case: Case, by: Principal = ADA, **more: Any) -> Any:
    body = {"version": 1, "accept_remaining": True, **more}
    return place.post(f"/v1/cases/{case.id}/sign-offs", by, body)


def flags_of(place: Site, case: Case) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = place.get(f"/v1/cases/{case.id}/flags", VIEWER).json()["flags"]
    return found


def test_each_statement_is_accepted_edited_or_rejected_and_both_words_are_kept(
    place: Site,
) -> None:
    case = place.open_example("nstemi")
    ids = [view["statement"]["id"] for view in draft_of(place, case)["statements"]]
    edit = {"statement": ids[0], "decision": "edit", "text": "NSTEMI.", "reason": "shorter"}
    reject = {"statement": ids[1], "decision": "reject", "reason": "onset was earlier"}
    draft = decided(place, case, edit, reject).json()
    assert draft["undecided"] == len(ids) - 2
    twins = [view["statement"]["id"] for view in draft["statements"] if view["because"]]
    decided(place, case, *({"statement": key, "decision": "accept"} for key in twins))
    place.clock.forward(minutes=4)
    report = signed(place, case).json()
    head, second = report["statements"][:2]
    third = next(one for one in report["statements"][2:] if one["statement"]["id"] not in twins)
    assert head["text"] == "NSTEMI."
    assert head["statement"]["text"].startswith("High-sensitivity troponin rules in")
    assert (head["author"], head["verified"]) == ("clinician", False)
    assert "text" not in second, "what is rejected is not said"
    assert second["reason"] == "onset was earlier"
    assert (third["author"], third["decided"]) == ("machine", "with all remaining")
    assert report["signer"]["name"] == "Dr ada"
    assert report["signed_at"] == "2026-11-20T12:04:00Z"
    assert "Research use only" in report["notice"]
    assert draft_of(place, case)["undecided"] == len(ids), "a signed draft is no draft"


def test_nobody_signs_what_is_not_decided(small: Site) -> None:
    case = small.open_example("nstemi")
    answer = signed(small, case, accept_remaining=False)
    assert answer.status_code == 409
    assert "35 of 35 statements are not decided" in answer.json()["reason"]
    accept = [
        {"statement": view["statement"]["id"], "decision": "accept"}
        for view in draft_of(small, case)["statements"]
    ]
    decided(small, case, *accept)
    report = signed(small, case, accept_remaining=False)
    assert report.status_code == 201
    assert {one["decided"] for one in report.json()["statements"]} == {"by itself"}


@pytest.mark.parametrize(
    "decision",
    [
        {"decision": "edit", "text": "x"},
        {"decision": "edit", "reason": "x"},
        {"decision": "reject"},
        {"decision": "reject", "reason": "  "},
        {"decision": "accept", "text": "x"},
        {"decision": "maybe", "reason": "x"},
    ],
    ids=["edit-no-reason", "edit-no-text", "no-reason", "blank-reason", "text", "unknown"],
)
def test_a_decision_without_its_reason_or_text_is_refused(
    small: Site, decision: dict[str, str]
) -> None:
    case = small.open_example("nstemi")
    identity = draft_of(small, case)["statements"][0]["statement"]["id"]
    answer = decided(small, case, {"statement": identity, **decision})
    assert answer.status_code == 422
    assert draft_of(small, case)["undecided"] == 35


def test_a_decision_on_no_statement_of_this_version_is_refused(small: Site) -> None:
    case = small.open_example("nstemi")
    assert decided(small, case, {"statement": "s-1", "decision": "accept"}).status_code == 422


def test_drafts_are_of_one_person(small: Site) -> None:
    case = small.open_example("nstemi")
    identity = draft_of(small, case)["statements"][0]["statement"]["id"]
    decided(small, case, {"statement": identity, "decision": "accept"})
    assert draft_of(small, case, ADA)["undecided"] == 34
    assert draft_of(small, case, BOB)["undecided"] == 35


def test_an_outdated_version_is_not_signed_and_the_newer_one_is_named(place: Site) -> None:
    case = place.open_example("nstemi")
    place.clock.forward(minutes=1)
    place.cases.add_files(
        case, [correction("nstemi", SECOND, status="corrected", value=25)], principal=ADA
    )
    for answer in (signed(place, case), decided(place, case)):
        assert answer.status_code == 409
        assert "version 2 is the newest" in answer.json()["reason"]
    assert place.get(f"/v1/cases/{case.id}/sign-offs", VIEWER).json()["sign_offs"] == []


def test_of_two_who_sign_at_once_one_does(place: Site) -> None:
    case = place.open_example("nstemi")
    service = SignOffService(place.services)
    start = threading.Barrier(2)
    outcomes: list[str] = []

    def sign(who: Principal) -> None:
        start.wait(timeout=30)
        try:
            service.sign(case, SignIn(version=1, accept_remaining=True), principal=who)
            outcomes.append("signed")
        except ConflictError as error:
            outcomes.append(error.reason)

    threads = [threading.Thread(target=sign, args=(who,)) for who in (ADA, BOB)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert outcomes.count("signed") == 1
    assert "was signed by Dr" in next(one for one in outcomes if one != "signed")
    assert len(service.store.sign_offs(case.id)) == 1


def test_a_corrected_result_flags_the_signed_report_and_says_old_and_new(place: Site) -> None:
    case = place.open_example("nstemi")
    report = signed(place, case).json()
    place.clock.forward(minutes=10)
    later = place.cases.add_files(
        case, [correction("nstemi", SECOND, status="corrected", value=25)], principal=ADA
    )
    assert later.version == 2, "it was assessed again"
    (flag,) = flags_of(place, case)
    assert flag["sign_off"] == report["id"]
    assert (flag["version"], flag["why"]) == (2, "new file")
    result = next(one for one in flag["changes"] if one["kind"] == "result")
    assert result["before"] == "43 ng/L, 2026-11-20 13:32 UTC"
    assert result["after"] == "25 ng/L (corrected), 2026-11-20 13:32 UTC"
    assert result["evidence"][0]["resource"] == f"Observation/{SECOND}"
    head = next(one for one in flag["changes"] if one["subject"] == "headline")
    assert head["before"].startswith("High-sensitivity troponin rules in")
    assert "not excluded" in head["after"]


@pytest.mark.parametrize("status", ["entered-in-error", "cancelled"])
def test_a_retracted_result_flags_the_signed_report(place: Site, status: str) -> None:
    case = place.open_example("nstemi")
    signed(place, case)
    place.cases.add_files(case, [correction("nstemi", SECOND, status=status)], principal=ADA)
    (flag,) = flags_of(place, case)
    result = next(one for one in flag["changes"] if one["kind"] == "result")
    assert result["before"].startswith("43 ng/L")
    assert result["after"] == "no longer in the case, or taken back by its source"


def test_a_changed_answer_flags_and_a_file_that_changes_nothing_does_not(small: Site) -> None:
    case = small.open_example("nstemi")
    signed(small, case)
    small.clock.forward(minutes=5)
    same = correction("nstemi", SECOND)
    assert small.cases.add_files(case, [same], principal=ADA).version == 2
    assert flags_of(small, case) == []
    small.cases.answer(case, "history_suspicion", "slightly", principal=ADA)
    (flag,) = flags_of(small, case)
    heart = next(one for one in flag["changes"] if one["subject"].startswith("risk:heart:"))
    assert "8 points" in heart["before"]
    assert "7 points" in heart["after"]


def test_the_same_changes_are_flagged_once(small: Site) -> None:
    case = small.open_example("nstemi")
    signed(small, case)
    small.cases.add_files(
        case, [correction("nstemi", SECOND, status="corrected", value=25)], principal=ADA
    )
    newest = small.services.cases.assessment(case.id)
    assert newest is not None
    SignOffService(small.services).compare(case, newest)
    assert len(flags_of(small, case)) == 1


def test_an_amendment_refers_to_the_earlier_report_and_settles_its_flag(place: Site) -> None:
    case = place.open_example("nstemi")
    first = signed(place, case).json()
    place.cases.add_files(
        case, [correction("nstemi", SECOND, status="corrected", value=25)], principal=ADA
    )
    without = signed(place, case, BOB, version=2)
    assert without.status_code == 409
    assert first["id"] in without.json()["way_out"]
    assert signed(place, case, BOB, version=2, amends=first["id"]).status_code == 422, "no reason"
    place.clock.forward(minutes=1)
    again = signed(place, case, BOB, version=2, amends=first["id"], reason="troponin corrected")
    assert again.status_code == 201
    assert (again.json()["amends"], again.json()["number"]) == (first["id"], 2)
    assert again.json()["reason"] == "troponin corrected"
    (flag,) = flags_of(place, case)
    assert (flag["resolution"], flag["resolver"]) == ("amended", "Dr bob")
    kept = place.get(f"/v1/cases/{case.id}/sign-offs/{first['id']}", VIEWER)
    assert kept.json() == first, "the earlier report stays as it was"
    fork = signed(place, case, version=2, amends=first["id"], reason="again")
    assert fork.status_code == 409


def test_a_flag_is_settled_with_a_reason_by_a_clinician_once(small: Site) -> None:
    case = small.open_example("nstemi")
    signed(small, case)
    small.cases.add_files(
        case, [correction("nstemi", SECOND, status="corrected", value=44)], principal=ADA
    )
    path = f"/v1/cases/{case.id}/flags/{flags_of(small, case)[0]['id']}/resolve"
    assert small.post(path, BOB, {"reason": " "}).status_code == 422
    assert small.post(path, VIEWER, {"reason": "x"}).status_code == 403
    done = small.post(path, BOB, {"reason": "44 or 43 ng/L: the same"})
    assert (done.json()["resolution"], done.json()["resolver"]) == ("stands", "Dr bob")
    assert small.post(path, ADA, {"reason": "x"}).status_code == 409
    assert small.get(f"/v1/cases/{case.id}/flags", VIEWER).json()["open"] == 0


def test_only_a_person_with_the_right_to_sign_signs(small: Site) -> None:
    case = small.open_example("nstemi")
    for principal in (VIEWER, ADMIN, SYSTEM):
        assert signed(small, case, principal).status_code == 403
    other = ADA.model_copy(update={"subject": "eve", "patient": "another"})
    assert signed(small, case, other).status_code == 404
    assert draft_of(small, case)["can_sign"] is True


def test_a_refused_case_is_not_signed(small: Site) -> None:
    name, content = correction("nstemi", SECOND)
    bundle = json.loads(content)
    bundle["entry"][0]["resource"]["birthDate"] = "1901-01-01"
    bundle["entry"][0]["resource"]["identifier"][0]["value"] = "EX-9999"
    bundle["entry"][0]["resource"]["name"][0]["family"] = "Other"
    files = [("a.json", content), (name, json.dumps(bundle).encode())]
    case, stored = small.cases.open(files, label="two", principal=ADA)
    assert stored.status == "refused"
    answer = signed(small, case)
    assert answer.status_code == 409
    assert "nothing to sign" in answer.json()["reason"]
    assert draft_of(small, case)["can_sign"] is False


def test_a_signed_report_has_the_hash_of_its_own_content(small: Site) -> None:
    import hashlib

    case = small.open_example("nstemi")
    report = signed(small, case).json()
    said = report.pop("sha256")
    assert hashlib.sha256(canonical(report)).hexdigest() == said
    stored = small.services.cases.assessment(case.id, 1)
    assert stored is not None
    assert report["assessment_sha256"] == stored.sha256


def test_the_database_refuses_to_change_a_signed_report(place: Site) -> None:
    case = place.open_example("nstemi")
    signed(place, case)
    with (
        pytest.raises(DBAPIError, match="append-only"),
        place.services.database.transaction() as session,
    ):
        session.execute(text("UPDATE sign_offs SET name = 'Dr Eve'"))


def test_a_signed_report_that_was_changed_past_the_database_is_not_shown(small: Site) -> None:
    case = small.open_example("nstemi")
    signed(small, case)
    with small.services.database.transaction() as session:
        session.execute(text("DROP TRIGGER sign_offs_no_update"))
        session.execute(text("UPDATE sign_offs SET body = replace(body, 'Dr ada', 'Dr Eve')"))
    answer = small.get(f"/v1/cases/{case.id}/sign-offs", VIEWER)
    assert answer.status_code == 500
    assert "is not what was signed" in answer.json()["reason"]


def test_signing_and_flagging_are_audited_by_id_alone(small: Site) -> None:
    case = small.open_example("nstemi")
    report = signed(small, case).json()
    small.cases.add_files(
        case, [correction("nstemi", SECOND, status="corrected", value=25)], principal=ADA
    )
    database = small.services.database
    (sign,) = entries(database, after=0, limit=99, action="sign-off.signed")
    (flag,) = entries(database, after=0, limit=99, action="sign-off.flagged")
    assert report["id"] in str(sign.event)
    assert report["sha256"] in str(sign.event)
    assert report["id"] in str(flag.event)
    assert "ng/L" not in str(flag.event)


def test_a_clock_set_back_between_two_signatures_keeps_their_order(small: Site) -> None:
    case = small.open_example("nstemi")
    first = signed(small, case).json()
    small.clock.forward(hours=-3)
    second = signed(small, case, BOB, amends=first["id"], reason="a word").json()
    listed = small.get(f"/v1/cases/{case.id}/sign-offs", VIEWER).json()["sign_offs"]
    assert [one["id"] for one in listed] == [second["id"], first["id"]]
