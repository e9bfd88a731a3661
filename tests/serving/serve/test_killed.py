"""A service that is killed during a run: started again, the same assessment, once."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from agent.assess import assess_paths
from knowledge.clinical_time import parse_fhir
from knowledge.settings import Settings
from tests.agent.cases import EXAMPLES
from tests.postgresql import postgresql
from tests.serving.serve.process import (
    LIMIT_S,
    Served,
    events_of,
    run_of,
    scripted_model,
    serving,
)
from tests.serving.storage.databases import KINDS

CASE = EXAMPLES / "nstemi"
ENDED = ("done", "failed", "cancelled")


def upload(client: httpx.Client) -> str:
    """Return the id of a new case of the example."""
    files = [("files", (path.name, path.read_bytes())) for path in sorted(CASE.iterdir())]
    made = client.post("/v1/cases", data={"label": "bed 7"}, files=files)
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


@pytest.fixture(params=KINDS)
def where(request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    if request.param == "sqlite":
        yield {}
        return
    with postgresql() as address:
        yield {"EPICRISIS_DATABASE_URL": address}


def test_killed_twice_in_a_run_and_started_again_it_gives_the_same_assessment_once(
    tmp_path: Path, where: dict[str, str]
) -> None:
    with (
        scripted_model() as model,
        serving(tmp_path, EPICRISIS_LLM="auto", EPICRISIS_LLM_URL=model.url, **where) as served,
        httpx.Client(base_url=served.url, timeout=LIMIT_S) as client,
    ):
        case = upload(client)
        model.hold = {"coverage", "write"}
        asked = client.post(f"/v1/cases/{case}/runs", headers={"Idempotency-Key": "same-key-1"})
        assert asked.status_code == 202, asked.text
        run = asked.json()["id"]
        for purpose in ("coverage", "write"):
            assert model.reached.wait(LIMIT_S), served.log[-2000:]
            assert served.kill() == -9
            model.hold.discard(purpose)
            model.reached.clear()
            served.start()
            served.wait()
        again = client.post(f"/v1/cases/{case}/runs", headers={"Idempotency-Key": "same-key-1"})
        assert again.json()["id"] == run
        done = run_of(client, case, run, until=ENDED)
        assert (done["state"], done["problem"]) == ("done", "")
        # The model is not asked again what it has answered; a call cut off by the kill is.
        assert Counter(model.asked) == {"plan": 1, "coverage": 2, "write": 2}
        _check_once(client, case, run, done)
        whole = client.post(f"/v1/cases/{case}/runs").json()["id"]
        assert run_of(client, case, whole, until=ENDED)["state"] == "done"
        assert _tools(client, case, run) == _tools(client, case, whole)
        assert not list((tmp_path / "data" / "work").iterdir())


def _check_once(client: httpx.Client, case: str, run: str, done: Any) -> None:
    listed = client.get(f"/v1/cases/{case}/assessments").json()["assessments"]
    of_run = [one for one in listed if one["run"] == run]
    assert [one["id"] for one in of_run] == [done["assessment"]]
    assert [one["author"] for one in of_run] == ["agent"]
    assert of_run[0]["result_sha256"] == _outside()
    events = _events(client, case, run)
    assert [one["sequence"] for one in events] == list(range(len(events)))
    kinds = Counter(one["type"] for one in events)
    assert (kinds["run.started"], kinds["job.running"], kinds["job.done"]) == (3, 3, 1)


def _tools(client: httpx.Client, case: str, run: str) -> Counter[str]:
    """Return how often each tool was run to its end."""
    finished = [e for e in _events(client, case, run) if e["type"] == "tool.finished"]
    assert len(finished) >= 10
    return Counter(one["data"]["tool"] for one in finished)


def _events(client: httpx.Client, case: str, run: str) -> list[dict[str, Any]]:
    return events_of(client.get(f"/v1/cases/{case}/runs/{run}/events").text)


def _outside() -> str:
    """Return the result's hash by the command line's way, without the service."""
    now = parse_fhir("2026-11-22T08:00:00Z", clock="test")
    outcome = assess_paths([CASE], at=None, now=now, settings=Settings())
    return outcome.assessment.provenance.result_sha256


def test_told_to_stop_during_a_run_it_ends_in_time_and_goes_on_at_the_next_start(
    tmp_path: Path,
) -> None:
    with (
        scripted_model() as model,
        serving(tmp_path, EPICRISIS_LLM="auto", EPICRISIS_LLM_URL=model.url) as served,
        httpx.Client(base_url=served.url, timeout=LIMIT_S) as client,
    ):
        case = upload(client)
        model.hold = {"write"}
        run = client.post(f"/v1/cases/{case}/runs").json()["id"]
        assert model.reached.wait(LIMIT_S)
        assert _stopped_while_streaming(served, client, case, run) == -15
        model.hold.clear()
        served.start()
        served.wait()
        assert run_of(client, case, run, until=ENDED)["state"] == "done"
        events = _events(client, case, run)
        assert "run.cancelled" not in {one["type"] for one in events}
        assert not list((tmp_path / "data" / "work").iterdir())


def _stopped_while_streaming(served: Served, client: httpx.Client, case: str, run: str) -> int:
    """Stop the service while a browser follows the run; the stream ends with it."""
    with client.stream("GET", f"/v1/cases/{case}/runs/{run}/events") as stream:
        lines = stream.iter_lines()
        assert next(lines) == "id: 0"
        ended = served.stop()
        assert any(line.startswith("event: tool.finished") for line in lines)
    return ended
