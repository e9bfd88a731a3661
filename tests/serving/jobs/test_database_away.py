"""A PostgreSQL that goes away and comes back: 503 meanwhile, and nothing is lost."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import Request

from knowledge.settings import Settings
from serving.access.principal import Principal
from serving.assembly import assemble
from serving.jobs.seam import JobState
from tests.postgresql import postgresql
from tests.serving.cases.fresh import ANNA, Clock, Fresh
from tests.serving.jobs.models import Waiting, opened
from tests.serving.jobs.proxy import Way, way_to
from tests.serving.jobs.test_runs import LIMIT_S, ended, opened_case, submitted, using


@pytest.fixture
def served() -> Iterator[tuple[Way, str]]:
    with postgresql() as address, way_to(address) as found:
        yield found


@pytest.fixture
def way(served: tuple[Way, str]) -> Way:
    return served[0]


@pytest.fixture
def made(served: tuple[Way, str], tmp_path: Path) -> Iterator[Fresh]:
    def anna(request: Request) -> Principal:
        request.state.principal, request.state.csrf = ANNA, ""
        return ANNA

    settings = Settings.model_validate(
        {"database_url": served[1], "data_dir": tmp_path / "data", "llm": "none"}
    )
    clock = Clock()
    services = assemble(settings, clock=clock)
    services.authenticate = anna
    try:
        yield Fresh(services, clock)
    finally:
        services.jobs.stop()
        services.database.close()


def test_requests_get_503_until_the_database_is_back(way: Way, made: Fresh) -> None:
    case = opened_case(made)
    client = made.client()
    before = client.get(f"/v1/cases/{case.id}").json()
    way.cut()
    for answer in (
        client.get(f"/v1/cases/{case.id}"),
        client.post(f"/v1/cases/{case.id}/answers", json={"input": "ckd", "value": "yes"}),
        client.post(f"/v1/cases/{case.id}/runs"),
    ):
        assert answer.status_code == 503, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        assert "database" in answer.json()["item"]
    way.join()
    assert client.get(f"/v1/cases/{case.id}").json() == before
    answer = client.post(f"/v1/cases/{case.id}/answers", json={"input": "ckd", "value": "yes"})
    assert (answer.status_code, answer.json()["version"]) == (200, 2)


def test_a_run_goes_on_when_the_database_is_back(way: Way, made: Fresh) -> None:
    model = Waiting("write")
    using(made, opened(model)).start()
    case = opened_case(made)
    job = submitted(made, case)
    assert model.reached.wait(LIMIT_S)
    way.cut()
    model.go.set()
    time.sleep(1.5)
    way.join()
    done = ended(made, job)
    assert (done.state, done.problem) == (JobState.DONE, "")
    versions = made.services.cases.assessments(case.id)
    assert [one.job for one in versions] == [job.id, None]
    assert versions[0].result_sha256 == versions[1].result_sha256
    assert versions[0].author == "agent"
    told = made.services.jobs.events(job.id)
    assert [event.sequence for event in told] == list(range(len(told)))
