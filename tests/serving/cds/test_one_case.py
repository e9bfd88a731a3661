"""One patient and visit is one case, however many hooks come at once, from however many processes.

A second set of services over the same folder stands for a second process: it shares nothing with
the first but the database and the files.
"""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.serving.cds.hooks import (
    BASE,
    MOMENTS,
    Clock,
    application,
    assembled,
    chart,
    hooks,
    prefetch_of,
    view,
)

VIEW = "/cds-services/chest-pain-patient-view"
AT_ONCE: dict[str, Any] = {"cds_workers": 4, "cds_at_once": 8}


def charts() -> list[dict[str, Any]]:
    """Return the same patient four times, each call without another result."""
    whole = chart("nstemi")
    troponins = [r for r in whole if r["resourceType"] == "Observation"][:3]
    return [prefetch_of([r for r in whole if r is not gone]) for gone in (None, *troponins)]


@pytest.mark.parametrize("processes", [1, 2])
def test_hooks_that_come_at_once_make_one_case(tmp_path: Path, processes: int) -> None:
    clock = Clock(MOMENTS["nstemi"])
    with hooks(tmp_path, key=None, clock=clock, **AT_ONCE) as first:
        others = [assembled(first.services.settings, clock) for _ in range(processes - 1)]
        clients = [first.http] + [
            TestClient(application(one), base_url=BASE, client=("127.0.0.1", 5000))
            for one in others
        ]

        def call(number: int) -> int:
            http = clients[number % len(clients)]
            return int(http.post(VIEW, json=view(charts()[number])).status_code)

        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(call, range(4))) == [200] * 4
        (case,) = first.services.cases.list()
        assert [file.name for file in first.services.cases.files(case.id)] == ["ehr-chart.json"]
        assert first.services.cases.assessment(case.id) is not None
        for one, client in zip(others, clients[1:], strict=True):
            one.cds.close()
            client.close()
            one.database.close()


def test_one_server_under_several_names_is_one_patient(tmp_path: Path) -> None:
    names = (
        "https://ehr.example/fhir",
        "https://EHR.example/fhir/",
        "https://ehr.example:443/fhir",
    )
    with hooks(tmp_path, key=None, clock=Clock(MOMENTS["nstemi"])) as client:
        for server in names:
            assert client.http.post(VIEW, json=view(charts()[0], server=server)).status_code == 200
        (case,) = client.services.cases.list()
        assert case.patient == "https://ehr.example/fhir|Patient/patient"
