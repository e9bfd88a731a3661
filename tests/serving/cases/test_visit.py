"""One case of a patient's visit, however many ask at once and however its server is named."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from serving.access.compartment import fhir_base, patient_compartment
from serving.access.principal import Principal, Role
from serving.cases.model import Case
from serving.cases.store import CaseStore
from serving.storage.database import Database
from tests.serving.cases.fresh import Fresh, fresh
from tests.serving.storage.databases import KINDS

PATIENT, VISIT = "https://ehr.example/fhir|Patient/1", "https://ehr.example/fhir|Encounter/1"


@pytest.fixture(params=KINDS)
def made(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Fresh]:
    with fresh(tmp_path, request.param) as found:
        yield found


def asked(store: CaseStore, encounter: str | None = VISIT) -> tuple[Case, bool]:
    return store.open_visit(
        PATIENT, encounter, label="x", source="cds", by="ehr", files=[("chart.json", b"{}")]
    )


@pytest.mark.parametrize("encounter", [VISIT, None], ids=["encounter", "no encounter"])
def test_calls_that_come_at_once_make_one_case(made: Fresh, encounter: str | None) -> None:
    """Each caller has an own connection pool, as processes have."""
    together = threading.Barrier(6)
    found: list[tuple[Case, bool]] = []

    def call() -> None:
        own = Database(made.services.database.url)
        try:
            store = CaseStore(own, made.services.files, clock=made.clock)
            together.wait(timeout=30)
            found.append(asked(store, encounter))
        finally:
            own.close()

    threads = [threading.Thread(target=call) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert len(found) == 6
    assert len({case.id for case, _ in found}) == 1
    assert [new for _, new in found].count(True) == 1
    assert len(made.services.cases.list(patient=PATIENT)) == 1
    assert [one.name for one in made.services.cases.files(found[0][0].id)] == ["chart.json"]


def test_a_file_that_is_sent_at_once_by_many_is_there_once(made: Fresh) -> None:
    case, _ = asked(made.services.cases)
    together = threading.Barrier(6)

    def send(number: int) -> None:
        own = Database(made.services.database.url)
        try:
            store = CaseStore(own, made.services.files, clock=made.clock)
            together.wait(timeout=30)
            store.add_file(case.id, "chart.json", b"%d" % number, by="ehr")
        finally:
            own.close()

    threads = [threading.Thread(target=send, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert len(made.services.cases.files(case.id)) == 1


def test_another_encounter_and_a_later_visit_are_cases_of_their_own(made: Fresh) -> None:
    store = made.services.cases
    first, _ = asked(store)
    other = "https://ehr.example/fhir|Encounter/2"
    assert asked(store, other)[1]
    assert asked(store)[0].id == first.id
    made.clock.later(hours=72, minutes=1)
    assert asked(store)[0].id == first.id, "the encounter says that it is the same visit"
    assert asked(store, None)[1]


@pytest.mark.parametrize(
    "said",
    [
        "https://ehr.example/fhir",
        "https://ehr.example/fhir/",
        "https://EHR.example/fhir",
        "https://ehr.example:443/fhir",
        "HTTPS://Ehr.Example.:443/fhir//",
    ],
)
def test_one_server_is_one_however_it_is_written(said: str) -> None:
    assert fhir_base(said) == "https://ehr.example/fhir"
    tenant = Principal(
        subject="lab",
        name="lab",
        roles=frozenset({Role.INTEGRATOR}),
        tenants=frozenset({said}),
        via="service",
    )
    assert tenant.sees(PATIENT)
    one = tenant.model_copy(update={"tenants": None, "patient": patient_compartment(said, "1")})
    assert one.sees(PATIENT)
    assert one.sees(PATIENT.replace("ehr.example", "EHR.example"))


@pytest.mark.parametrize(
    "other",
    [
        "http://ehr.example/fhir",
        "https://ehr.example:8443/fhir",
        "https://ehr.example/FHIR",
        "https://ehr.example/fhir/2",
        "https://a@ehr.example/fhir",
        "http://ehr.example:443/fhir",
    ],
)
def test_another_server_is_another(other: str) -> None:
    assert fhir_base(other) != "https://ehr.example/fhir"


def test_what_is_no_address_stays_as_it_is() -> None:
    assert [fhir_base(one) for one in ("cds:EHR", "https://[x/fhir", "", "upload")] == [
        "cds:EHR",
        "https://[x/fhir",
        "",
        "upload",
    ]
