"""The agent's run as a job: done once, cancelled, failed with the reason, never shown as done."""

import json
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete

from serving.cases.model import Case
from serving.cases.service import CaseService
from serving.jobs.lock import JobLock
from serving.jobs.queue import JobQueue
from serving.jobs.seam import Job, JobState
from serving.jobs.tables import JobEventRow
from serving.storage.deletion import delete_case
from tests.agent.graph.scripts import fake
from tests.serving.cases.fresh import ANNA, Fresh, example, fresh
from tests.serving.jobs.models import Down, OpenLLM, Waiting, opened
from tests.serving.storage.databases import KINDS

LIMIT_S = 120.0
OPEN = (JobState.WAITING, JobState.RUNNING)


@pytest.fixture(params=KINDS)
def made(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Fresh]:
    with fresh(tmp_path, request.param) as found:
        yield found


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Fresh]:
    with fresh(tmp_path) as found:
        yield found


def using(made: Fresh, open_llm: OpenLLM) -> JobQueue:
    """Give the services a queue with this model."""
    services = made.services
    made.services.jobs.stop()
    queue = JobQueue(services.database, services.settings, clock=made.clock, open_llm=open_llm)
    queue.works_for(services)
    services.jobs = queue
    return queue


def opened_case(made: Fresh) -> Case:
    return CaseService(made.services).open(example(), label="bed 7", principal=ANNA)[0]


def submitted(made: Fresh, case: Case, key: str = "the key") -> Job:
    return made.services.jobs.submit(case.id, by="anna", language="en", key=key)


def ended(made: Fresh, job: Job) -> Job:
    end = time.monotonic() + LIMIT_S
    while time.monotonic() < end:
        found = made.services.jobs.get(job.id)
        assert found is not None
        if found.state not in OPEN:
            return found
        time.sleep(0.05)
    raise AssertionError(f"still {found}")


def types(made: Fresh, job: Job) -> list[str]:
    return [event.type for event in made.services.jobs.events(job.id)]


def leftovers(made: Fresh) -> list[str]:
    work = made.services.settings.data_dir / "work"
    return [path.name for path in work.iterdir()] if work.is_dir() else []


def test_a_run_keeps_one_assessment_and_tells_its_steps(made: Fresh) -> None:
    queue = using(made, opened(fake()))
    case = opened_case(made)
    job = submitted(made, case)
    assert job.state is JobState.WAITING
    queue.start()
    done = ended(made, job)
    assert (done.state, done.problem) == (JobState.DONE, "")
    versions = made.services.cases.assessments(case.id)
    assert [(one.version, one.author, one.job) for one in versions] == [
        (2, "agent", job.id),
        (1, "templates", None),
    ]
    assert done.assessment == versions[0].id
    assert versions[0].result_sha256 == versions[1].result_sha256
    told = made.services.jobs.events(job.id)
    assert [event.sequence for event in told] == list(range(len(told)))
    assert types(made, job)[:3] == ["job.waiting", "job.running", "run.started"]
    assert types(made, job)[-2:] == ["run.finished", "job.done"]
    queue.stop()
    assert leftovers(made) == []


def test_the_same_key_is_the_same_run_whoever_is_first(made: Fresh) -> None:
    case, other = opened_case(made), opened_case(made)
    found: list[str] = []
    threads = [
        threading.Thread(target=lambda: found.append(submitted(made, case).id)) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LIMIT_S)
    assert len(found) == 8
    assert len(set(found)) == 1
    assert submitted(made, other).id not in found
    assert submitted(made, case, "another").id not in found


def test_a_model_that_is_down_leaves_the_pathways_words_with_the_reason(one: Fresh) -> None:
    using(one, opened(Down())).start()
    case = opened_case(one)
    done = ended(one, submitted(one, case))
    assert done.state is JobState.DONE
    kept = one.services.cases.assessment(case.id)
    assert kept is not None
    assert kept.author == "templates"
    assert kept.body["agent"]["mode"] == "degraded"
    assert "does not answer" in kept.body["agent"]["reason"]
    first = one.services.cases.assessment(case.id, 1)
    assert first is not None
    assert kept.body["narrative"] == first.body["narrative"]


def test_no_model_is_said(one: Fresh) -> None:
    using(one, opened(None, reason="switched off")).start()
    case = opened_case(one)
    assert ended(one, submitted(one, case)).state is JobState.DONE
    kept = one.services.cases.assessment(case.id)
    assert kept is not None
    assert kept.body["agent"]["mode"] == "without language model"
    assert kept.body["agent"]["reason"] == "switched off"
    assert kept.author == "templates"


def test_words_of_the_templates_are_never_kept_as_chinese(one: Fresh) -> None:
    using(one, opened(None, reason="switched off")).start()
    case = opened_case(one)
    job = one.services.jobs.submit(case.id, by="anna", language="zh", key="k")
    ended(one, job)
    kept = one.services.cases.assessment(case.id)
    assert kept is not None
    assert (kept.job, kept.language) == (job.id, "en")


def test_a_run_that_is_cancelled_stops_and_makes_no_assessment(made: Fresh) -> None:
    model = Waiting("write")
    using(made, opened(model)).start()
    case = opened_case(made)
    job = submitted(made, case)
    assert model.reached.wait(LIMIT_S)
    assert made.services.jobs.cancel(job.id) is True
    done = ended(made, job)
    assert (done.state, done.assessment) == (JobState.CANCELLED, None)
    assert len(made.services.cases.assessments(case.id)) == 1
    assert made.services.jobs.cancel(job.id) is False
    assert types(made, job)[-1] == "job.cancelled"
    made.services.jobs.stop()
    assert leftovers(made) == []


def test_a_run_that_waits_is_cancelled_at_once(one: Fresh) -> None:
    job = submitted(one, opened_case(one))
    assert one.services.jobs.cancel(job.id) is True
    found = one.services.jobs.get(job.id)
    assert found is not None
    assert found.state is JobState.CANCELLED


def test_a_run_over_its_wall_time_has_failed_and_says_so(tmp_path: Path) -> None:
    with fresh(tmp_path, run_wall_s=0.5) as made:
        model = Waiting("plan")
        using(made, opened(model)).start()
        case = opened_case(made)
        done = ended(made, submitted(made, case))
        assert done.state is JobState.FAILED
        assert "not finished within 0.5 s" in done.problem
        assert len(made.services.cases.assessments(case.id)) == 1


def test_a_token_budget_that_is_spent_leaves_the_pathways_words(tmp_path: Path) -> None:
    with fresh(tmp_path, run_llm_tokens=1) as made:
        using(made, opened(fake())).start()
        case = opened_case(made)
        assert ended(made, submitted(made, case)).state is JobState.DONE
        kept = made.services.cases.assessment(case.id)
        assert kept is not None
        assert kept.author == "templates"
        assert "tokens of this case are spent" in kept.body["agent"]["reason"]


def test_a_content_that_is_lost_fails_the_run_with_the_reason(one: Fresh) -> None:
    case = opened_case(one)
    lost = next(file for file in one.services.cases.files(case.id) if file.name == "ecg.dcm")
    one.services.files.delete(lost.sha256)
    using(one, opened(fake())).start()
    done = ended(one, submitted(one, case))
    assert done.state is JobState.FAILED
    assert "is not in the file store" in done.problem
    assert len(one.services.cases.assessments(case.id)) == 1


def test_a_mistake_of_ours_fails_the_run_without_its_message(
    one: Fresh, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(settings: Any) -> Any:
        raise ZeroDivisionError("Clara Muster, born 1955-07-21")

    case = opened_case(one)
    using(one, broken).start()
    done = ended(one, submitted(one, case))
    assert done.state is JobState.FAILED
    assert done.problem == "a mistake of ours (ZeroDivisionError)"
    assert "Muster" not in done.problem + " ".join(caplog.messages)


def test_files_added_during_a_run_are_for_the_next_one(one: Fresh) -> None:
    model = Waiting("coverage")
    using(one, opened(model)).start()
    case = opened_case(one)
    job = submitted(one, case)
    assert model.reached.wait(LIMIT_S)
    one.services.jobs.stop()
    service = CaseService(one.services)
    newer = service.answer(case, "distended_neck_veins", "no", principal=ANNA)
    service.add_files(case, [("note.txt", b"a later note")], principal=ANNA)
    one.clock.later(minutes=90)
    model.go.set()
    one.services.jobs.start()
    done = ended(one, job)
    assert (done.state, done.problem) == (JobState.DONE, "")
    first = one.services.cases.assessment(case.id, 1)
    of_run = next(v for v in one.services.cases.assessments(case.id) if v.job == job.id)
    assert first is not None
    assert of_run.result_sha256 == first.result_sha256 != newer.result_sha256


def test_tool_calls_that_were_made_but_not_told_before_a_kill_are_told_at_the_next_start(
    made: Fresh,
) -> None:
    def tools(job: Job) -> Counter[str]:
        events = made.services.jobs.events(job.id)
        return Counter(event.data["tool"] for event in events if event.type == "tool.finished")

    model = Waiting("coverage")
    using(made, opened(model)).start()
    case = opened_case(made)
    job = submitted(made, case)
    assert model.reached.wait(LIMIT_S)
    made.services.jobs.stop()
    with made.services.database.transaction() as session:
        session.execute(delete(JobEventRow).where(JobEventRow.type == "tool.finished"))
    model.go.set()
    made.services.jobs.start()
    assert ended(made, job).state is JobState.DONE
    whole = submitted(made, case, "another")
    assert ended(made, whole).state is JobState.DONE
    assert tools(job) == tools(whole)
    assert tools(job)["serial_troponin"] > 0


def test_a_job_another_process_runs_is_left_to_it(made: Fresh, tmp_path: Path) -> None:
    case = opened_case(made)
    job = submitted(made, case)
    work = made.services.settings.data_dir / "work"
    other = JobLock(made.services.database, work, job.id)
    assert other.take() is True
    second = JobLock(made.services.database, work, job.id)
    assert second.take() is False
    using(made, opened(fake())).start()
    time.sleep(2.5)
    found = made.services.jobs.get(job.id)
    assert found is not None
    assert found.state is JobState.WAITING
    assert other.is_held() is True
    other.release()
    assert ended(made, job).state is JobState.DONE


def test_a_case_deleted_during_its_run_leaves_nothing_of_it(made: Fresh) -> None:
    model = Waiting("write")
    using(made, opened(model)).start()
    case = opened_case(made)
    job = submitted(made, case)
    assert model.reached.wait(LIMIT_S)
    delete_case(made.services.database, made.services.files, case.id, clock=made.clock)
    model.go.set()
    end = time.monotonic() + LIMIT_S
    while leftovers(made) and time.monotonic() < end:
        time.sleep(0.1)
    made.services.jobs.stop()
    assert leftovers(made) == []
    assert made.services.jobs.get(job.id) is None
    assert made.services.cases.assessments(case.id) == ()


def test_events_are_streamed_from_where_a_browser_left_off(one: Fresh) -> None:
    using(one, opened(fake()))
    case = opened_case(one)
    with one.client() as client:
        asked = client.post(f"/v1/cases/{case.id}/runs", json={"language": "en"})
        assert asked.status_code == 202
        address = asked.headers["location"] + "/events"
        whole = client.get(address)
        assert whole.headers["content-type"].startswith("text/event-stream")
        ids = [int(one) for one in re.findall(r"^id: (\d+)$", whole.text, flags=re.MULTILINE)]
        assert ids == list(range(len(ids)))
        last = whole.text.strip().split("\n\n")[-1]
        assert "event: job.done" in last
        data = json.loads(last.split("data: ")[1])
        assert data["type"] == "job.done"
        part = client.get(address, headers={"Last-Event-ID": "5"})
        assert part.text == whole.text.split("\n\n", 6)[6]
        nothing = client.get(address, headers={"Last-Event-ID": str(ids[-1])})
        assert nothing.status_code == 204
        state = client.get(asked.headers["location"]).json()
        assert (state["state"], state["problem"]) == ("done", "")
        assert client.delete(asked.headers["location"]).status_code == 409
        other = opened_case(one)
        stolen = asked.headers["location"].replace(case.id, other.id)
        assert client.get(stolen).status_code == 404
        assert client.delete(stolen).status_code == 404
        listed = client.get(f"/v1/cases/{case.id}/runs").json()["runs"]
        assert [run["id"] for run in listed] == [state["id"]]
