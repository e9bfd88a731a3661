"""Who waits, what is critical, what is due; acknowledged by a person, escalated by the clock."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from serving.access.errors import ConflictError
from serving.access.principal import Principal
from serving.audit.export import entries
from serving.cases.model import Case
from serving.jobs.seam import JobState
from serving.jobs.tables import JobRow
from serving.signing.service import flag_signed
from serving.worklist.acknowledge import (
    acknowledge,
    acknowledge_all,
    escalate,
    raise_critical,
    raise_of,
)
from serving.worklist.watch import Watch
from tests.serving.audit.fresh import KINDS
from tests.serving.audit.site import ADA, ADMIN, BOB, EXAMPLES, SYSTEM, VIEWER, Site, site
from tests.serving.signing.charts import SECOND, correction


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    with site(tmp_path, request.param) as made:
        hooked(made)
        yield made


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Site]:
    with site(tmp_path) as made:
        hooked(made)
        yield made


def hooked(made: Site) -> None:
    flag_signed(made.services)
    raise_critical(made.services)


def rows(place: Site, by: Principal = VIEWER, **query: Any) -> list[dict[str, Any]]:
    answer = place.get("/v1/worklist", by, **query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["rows"]
    return found


def row_of(place: Site, case: Case) -> dict[str, Any]:
    return next(row for row in rows(place, all=True) if row["case"] == case.id)


def pending(place: Site, case: Case) -> list[dict[str, Any]]:
    path = f"/v1/cases/{case.id}/acknowledgements"
    found: list[dict[str, Any]] = place.get(path, VIEWER).json()["acknowledgements"]
    return found


def say(place: Site, case: Case, identity: str, by: Principal = ADA, note: str = "") -> Any:
    path = f"/v1/cases/{case.id}/acknowledgements/{identity}"
    return place.post(path, by, {"note": note} if note else {})


def sign(place: Site, case: Case, version: int = 1) -> None:
    body = {"version": version, "accept_remaining": True}
    assert place.post(f"/v1/cases/{case.id}/sign-offs", ADA, body).status_code == 201


def test_the_most_urgent_comes_first_then_who_waits_longest(small: Site) -> None:
    for name in ("early_presenter", "nstemi", "stemi"):
        small.open_example(name)
        small.clock.forward(minutes=2)
    listed = rows(small)
    assert [row["label"] for row in listed] == ["bed stemi", "bed early_presenter", "bed nstemi"]
    assert [row["urgency"] for row in listed] == ["immediate", "urgent", "urgent"]
    assert [row["waiting_minutes"] for row in listed] == [2, 6, 4]
    assert {row["state"] for row in listed} == {"to sign"}


def test_a_signed_case_waits_no_more_and_a_flagged_one_waits_again(place: Site) -> None:
    case = place.open_example("nstemi")
    for one in pending(place, case):
        say(place, case, one["id"])
    sign(place, case)
    assert rows(place) == []
    assert row_of(place, case)["state"] == "signed"
    place.clock.forward(minutes=30)
    place.cases.add_files(
        case, [correction("nstemi", SECOND, status="corrected", value=25)], principal=ADA
    )
    place.clock.forward(minutes=3)
    (row,) = rows(place)
    assert (row["state"], row["open_flags"], row["waiting_minutes"]) == ("flagged", 1, 3)
    assert (row["signed_version"], row["version"]) == (1, 2)


def test_what_is_not_assessable_is_said_with_the_reason_and_is_before_all_but_immediate(
    small: Site,
) -> None:
    small.open_example("nstemi")
    small.clock.forward(minutes=1)
    facts = b"schema: epicrisis/case/1\ncase: x\nfacts:\n  chest_pain: yes\n"
    small.cases.open([("case.yaml", facts)], label="empty", principal=ADA)
    first, second = rows(small)
    assert (first["label"], first["state"]) == ("empty", "not assessable")
    assert "urgency" not in first, "not low, and not anything else"
    assert first["why"] == "neither a usable ECG nor a usable troponin result"
    assert second["label"] == "bed nstemi"


def test_a_case_without_an_assessment_and_one_whose_run_failed_are_on_the_list(
    small: Site,
) -> None:
    store = small.services.cases
    bare = store.create(label="bare", source="upload", by="ada")
    stuck = store.create(label="stuck", source="upload", by="ada")
    store.add_file(stuck.id, "chart.json", b"{}", by="ada")
    assert row_of(small, stuck)["state"] == "assessing"
    small.clock.forward(minutes=5)
    assert row_of(small, bare)["why"] == "there is no assessment yet"
    row = row_of(small, stuck)
    assert (row["state"], "urgency" in row) == ("failed", False)
    assert "no assessment of them was kept" in row["why"]


def test_a_new_file_that_no_assessment_has_read_is_a_failure(small: Site) -> None:
    case = small.open_example("nstemi")
    small.clock.forward(minutes=1)
    small.services.cases.add_file(case.id, "later.json", b"{}", by="ada")
    small.clock.forward(minutes=5)
    row = row_of(small, case)
    assert row["state"] == "failed"
    assert "is in no assessment yet" in row["why"]


def test_a_failed_run_is_on_the_list_with_its_failure(small: Site) -> None:
    case = small.open_example("nstemi")
    small.clock.forward(minutes=1)
    job = JobRow(
        id="job-1",
        case_id=case.id,
        key="k",
        state=JobState.FAILED.value,
        by="ada",
        language="en",
        asked_at=small.clock(),
        ended_at=small.clock(),
        problem="the disk is full",
        wanted_cancel=False,
    )
    with small.services.database.transaction() as session:
        session.add(job)
    row = row_of(small, case)
    assert row["state"] == "failed"
    assert row["why"] == "the run ended without a result: the disk is full"


def test_what_is_due_is_judged_at_the_present_moment(small: Site) -> None:
    """The example's next sample is due at 18:49 UTC, 19:49 in its own zone."""
    small.clock.now = datetime(2026, 11, 20, 18, 5, tzinfo=UTC)
    case = small.open_example("early_presenter")
    (due,) = row_of(small, case)["due"]
    words = "due 2026-11-20 19:49 Europe/Berlin"
    assert (due["words"], due["overdue"], due["minutes"]) == (words, False, 44.0)
    assert "stated" not in due
    small.clock.now = datetime(2026, 11, 20, 18, 50, tzinfo=UTC)
    (due,) = row_of(small, case)["due"]
    late = "overdue since 2026-11-20 19:49 Europe/Berlin"
    assert (due["words"], due["overdue"]) == (late, True)
    small.clock.now = datetime(2026, 11, 22, 18, 50, tzinfo=UTC)
    (due,) = row_of(small, case)["due"]
    assert (due["words"], due["minutes"]) == (late, -(48 * 60 + 1.0))


def test_a_case_that_states_a_moment_of_its_own_is_judged_at_that(small: Site) -> None:
    small.clock.now = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
    case = small.open_example("early_presenter")
    (due,) = row_of(small, case)["due"]
    assert due["words"] == (
        "due 2026-11-20 19:49 Europe/Berlin, at the moment this case states: "
        "2026-11-20 19:05 Europe/Berlin"
    )
    assert due["stated"] == "2026-11-20 19:05 Europe/Berlin"
    assert due["judged_at"] == "2026-11-20T18:05:00Z"


def test_a_critical_result_is_raised_once_and_acknowledged_by_name(place: Site) -> None:
    case = place.open_example("stemi")
    stored = place.services.cases.assessment(case.id)
    assert stored is not None
    assert raise_of(place.services, case, stored) == ()
    (one,) = row_of(place, case)["critical"]
    assert "Supported: Acute coronary syndrome." in one["result"]["words"]
    assert one["due_at"] == "2026-11-20T12:15:00Z"
    place.clock.forward(minutes=3)
    done = say(place, case, one["id"], note="called the laboratory\u202e")
    assert done.json()["name"] == "Dr ada"
    assert done.json()["acknowledged_at"] == "2026-11-20T12:03:00Z"
    assert done.json()["note"] == "called the laboratory"
    assert row_of(place, case)["critical"] == []
    assert say(place, case, one["id"]).json() == done.json(), "saying so again changes nothing"
    other = say(place, case, one["id"], BOB)
    assert other.status_code == 409
    assert "acknowledged by Dr ada" in other.json()["reason"]


def test_of_two_who_acknowledge_at_once_one_does(place: Site) -> None:
    case = place.open_example("stemi")
    (one,) = pending(place, case)
    start = threading.Barrier(2)
    outcomes: list[str] = []

    def know(who: Principal) -> None:
        start.wait(timeout=30)
        try:
            acknowledge(place.services, case, one["id"], note="", principal=who)
            outcomes.append("done")
        except ConflictError as error:
            outcomes.append(error.reason)

    threads = [threading.Thread(target=know, args=(who,)) for who in (ADA, BOB)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert outcomes.count("done") == 1
    assert "was acknowledged by Dr" in next(one for one in outcomes if one != "done")


def test_only_a_person_with_the_right_acknowledges(small: Site) -> None:
    case, other = small.open_example("stemi"), small.open_example("nstemi")
    (one,) = pending(small, case)
    for principal in (VIEWER, ADMIN, SYSTEM):
        assert say(small, case, one["id"], principal).status_code == 403
    assert say(small, other, one["id"]).status_code == 404, "of another case"
    assert say(small, case, "critical-none").status_code == 404


def test_what_nobody_acknowledges_goes_up_level_by_level_and_only_once(place: Site) -> None:
    case = place.open_example("stemi")
    place.clock.forward(minutes=14)
    assert escalate(place.services) == ()
    place.clock.forward(minutes=1)
    (moved,) = escalate(place.services)
    assert (moved.level, moved.is_overdue(place.clock())) == (1, True)
    assert escalate(place.services) == ()
    place.clock.forward(minutes=60)
    (moved,) = escalate(place.services)
    assert [one.level for one in moved.escalations] == [1, 2, 3]
    place.clock.forward(hours=-2)
    assert escalate(place.services) == (), "a clock that was set back takes nothing back"
    assert row_of(place, case)["critical"][0]["level"] == 3
    events = entries(place.services.database, after=0, limit=99, action="critical.escalated")
    assert len(events) == 2
    assert events[0].event["entity"][-1]["detail"][0]["valueString"] == moved.id
    place.clock.forward(hours=2)
    say(place, case, moved.id)
    place.clock.forward(hours=5)
    assert escalate(place.services) == ()


def test_two_processes_that_escalate_at_once_do_it_once(place: Site) -> None:
    place.open_example("stemi")
    place.clock.forward(minutes=20)
    start = threading.Barrier(3)
    moved: list[int] = []

    def look() -> None:
        start.wait(timeout=30)
        moved.append(len(escalate(place.services)))

    threads = [threading.Thread(target=look) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert sorted(moved) == [0, 0, 1]
    events = entries(place.services.database, after=0, limit=99, action="critical.escalated")
    assert len(events) == 1


def test_an_overdue_critical_result_puts_its_case_first(small: Site) -> None:
    small.open_example("nstemi")
    small.clock.forward(minutes=20)
    small.open_example("stemi")
    assert [row["label"] for row in rows(small)] == ["bed nstemi", "bed stemi"]


def test_a_corrected_result_is_superseded_escalates_no_more_and_can_be_acknowledged(
    place: Site,
) -> None:
    case = place.open_example("nstemi")
    (one,) = pending(place, case)
    assert one["result"]["kind"] == "rule"
    place.cases.add_files(
        case, [correction("nstemi", SECOND, status="corrected", value=25)], principal=ADA
    )
    place.clock.forward(hours=2)
    assert escalate(place.services) == ()
    (one,) = pending(place, case)
    gone = "the result was replaced: 43 ng/L is now 25 ng/L; now observe"
    assert one["superseded_why"] == gone
    (shown,) = row_of(place, case)["critical"]
    assert shown["id"] == one["id"], "who acted on it must learn that it is gone"
    done = say(place, case, one["id"]).json()
    assert (done["name"], done["superseded_why"]) == ("Dr ada", gone)
    assert row_of(place, case)["critical"] == []


def test_a_rule_in_whose_result_was_replaced_by_another_rule_in_is_to_be_known_again(
    small: Site,
) -> None:
    """24, then 60 ng/L: still a rise of 5 ng/L and more within the hour (ESC 0/1 h, hs-cTnT)."""
    case = small.open_example("nstemi")
    (first,) = pending(small, case)
    say(small, case, first["id"])
    small.cases.add_files(
        case, [correction("nstemi", SECOND, status="corrected", value=60)], principal=ADA
    )
    (new,) = row_of(small, case)["critical"]
    assert "then 60 ng/L" in new["result"]["words"]
    old = next(one for one in pending(small, case) if one["id"] == first["id"])
    assert old["superseded_why"].startswith("the result was replaced: 43 ng/L is now 60 ng/L")


def test_several_results_of_one_case_are_acknowledged_at_once_and_a_conflict_keeps_the_others(
    place: Site,
) -> None:
    case = place.open_example("nstemi")
    potassium = correction("nstemi", "potassium-4", id="k-2", value=6.6, status="final")
    place.cases.add_files(case, [potassium], principal=ADA)
    ids = [one["id"] for one in pending(place, case)]
    assert len(ids) == 2
    acknowledge(place.services, case, ids[0], note="", principal=BOB)
    with pytest.raises(ConflictError):
        acknowledge_all(place.services, case, ids, note="told Dr X", principal=ADA)
    found = {one["id"]: one for one in pending(place, case)}
    assert [found[one]["name"] for one in ids] == ["Dr bob", "Dr ada"]
    assert found[ids[1]]["note"] == "told Dr X"
    events = entries(place.services.database, after=0, limit=99, action="critical.acknowledged")
    assert len(events) == 2
    assert row_of(place, case)["critical"] == []


def test_a_late_sample_that_was_taken_waits_for_nobody_any_more(small: Site) -> None:
    """One sample at 13:30, none since at 17:30: every later sample is late. Then one comes."""
    files = _without_second("2026-11-20T17:30:00+01:00")
    case, _ = small.cases.open(files, label="late", principal=ADA)
    (one,) = row_of(small, case)["critical"]
    assert one["result"]["subject"] == "reminder"
    taken = {"effectiveDateTime": "2026-11-20T17:20:00+01:00", "status": "final"}
    small.cases.add_files(
        case, [correction("nstemi", SECOND, id="late-1", value=24, **taken)], principal=ADA
    )
    assert row_of(small, case)["critical"] == []


def _without_second(at: str) -> list[tuple[str, bytes]]:
    """Return the files of an example with its first troponin alone, for a moment."""
    folder = EXAMPLES / "nstemi"
    chart = json.loads((folder / "chart.json").read_text())
    kept = [one for one in chart["entry"] if one["resource"].get("id") != SECOND]
    stated = (folder / "case.yaml").read_text()
    stated = stated.replace("at: 2026-11-20T14:40:00+01:00", f"at: {at}")
    content = json.dumps({**chart, "entry": kept}).encode()
    ecg = (folder / "ecg.dcm").read_bytes()
    return [("chart.json", content), ("case.yaml", stated.encode()), ("ecg.dcm", ecg)]


def test_a_new_worse_value_raises_a_new_one_beside_the_acknowledged(place: Site) -> None:
    case = place.open_example("nstemi")
    for one in pending(place, case):
        say(place, case, one["id"])
    potassium = "potassium-4"
    place.cases.add_files(
        case, [correction("nstemi", potassium, id="k-2", value=6.6, status="final")], principal=ADA
    )
    first = row_of(place, case)["critical"]
    assert [one["result"]["value"] for one in first] == ["6.6 mmol/L"]
    say(place, case, first[0]["id"])
    name, content = correction(
        "nstemi",
        potassium,
        id="k-3",
        value=7.2,
        status="final",
        effectiveDateTime="2026-11-20T14:10:00+01:00",
    )
    place.cases.add_files(case, [("k3-" + name, content)], principal=ADA)
    second = row_of(place, case)["critical"]
    assert [one["result"]["value"] for one in second] == ["7.2 mmol/L"]
    assert len(pending(place, case)) == 3


def test_a_result_that_comes_back_after_it_was_taken_back_is_raised_again(small: Site) -> None:
    case = small.open_example("nstemi")
    wrong = correction("nstemi", SECOND, status="corrected", value=25)
    small.cases.add_files(case, [wrong], principal=ADA)
    small.clock.forward(minutes=1)
    small.cases.remove_file(case, wrong[0], principal=ADA)
    found = pending(small, case)
    assert len(found) == 2
    assert ["superseded_at" in one for one in found] == [False, True]


def test_a_token_of_one_patient_sees_that_patient_alone(small: Site) -> None:
    nstemi, _ = small.open_example("nstemi"), small.open_example("stemi")
    whose = small.services.cases.find(nstemi.id)
    assert whose is not None
    narrow = VIEWER.model_copy(update={"subject": "narrow", "patient": whose.patient})
    assert [row["case"] for row in rows(small, narrow)] == [nstemi.id]
    nobody = VIEWER.model_copy(update={"subject": "nobody", "patient": "https://a|Patient/1"})
    assert rows(small, nobody) == []


def test_each_case_on_the_list_is_audited_and_an_administrator_sees_none(small: Site) -> None:
    cases = {small.open_example("nstemi").id, small.open_example("stemi").id}
    rows(small)
    events = entries(small.services.database, after=0, limit=99, action="worklist.listed")
    assert {event.event["entity"][-2]["what"]["identifier"]["value"] for event in events} == cases
    assert small.get("/v1/worklist", ADMIN).status_code == 403


def test_what_a_killed_process_did_not_raise_is_raised_by_the_watch(tmp_path: Path) -> None:
    with site(tmp_path) as cut:
        case = cut.open_example("stemi")
        assert pending(cut, case) == [], "nothing was told of the version"
        watch = Watch(cut.services)
        assert watch.catch_up() == 1
        assert len(pending(cut, case)) == 1
        assert watch.catch_up() == 0


def test_the_watch_looks_by_itself_and_ends_when_told(tmp_path: Path) -> None:
    with site(tmp_path) as cut:
        settings = cut.services.settings.model_copy(update={"worklist_check_s": 0.05})
        cut.services.settings = settings
        case = cut.open_example("stemi")
        watch = Watch(cut.services)
        others = set(threading.enumerate())
        watch.start()
        try:
            done = threading.Event()
            for _ in range(200):
                if pending(cut, case):
                    break
                done.wait(0.05)
        finally:
            watch.stop()
        assert len(pending(cut, case)) == 1
        left = set(threading.enumerate()) - others
        assert not any(thread.name == "epicrisis-watch" for thread in left)
