"""What a hook fetches has one deadline, and a slow server costs its own EHR alone."""

import threading
import time
from pathlib import Path
from typing import Any

from serving.cds.fetching import FetchPlaces
from tests.serving.cds.fhir_server import FhirServer, fhir_server
from tests.serving.cds.hooks import MOMENTS, Clock, Hooks, chart, example, hooks
from tests.serving.cds.test_prefetch import with_token

SLOW_S = 20.0
PATIENT_VIEW = "chest-pain-patient-view"


def slow(server: FhirServer, *kinds: str) -> threading.Event:
    """Make a server wait with these types until the test lets it go on."""
    go_on = threading.Event()

    def override(kind: str, _: dict[str, list[str]]) -> tuple[int, Any]:
        if kind in kinds:
            go_on.wait(SLOW_S)
        return 0, None

    server.override = override
    return go_on


def hosts(*servers: FhirServer) -> tuple[str, ...]:
    return tuple(server.base.split("/")[2] for server in servers)


def test_everything_that_is_fetched_has_one_deadline(tmp_path: Path) -> None:
    with (
        fhir_server(chart("nstemi")) as server,
        hooks(
            tmp_path,
            clock=Clock(MOMENTS["nstemi"]),
            outbound_private_hosts=hosts(server),
            cds_fetch_ms=2_000,
        ) as client,
    ):
        go_on = slow(server, "Observation", "Condition")
        start = time.monotonic()
        (card,) = client.cards(PATIENT_VIEW, with_token(server, None))
        took = time.monotonic() - start
        go_on.set()
        assert took < SLOW_S  # the server had not answered
        assert card["summary"].startswith("Not assessable: conditions, observations")
        assert client.services.cases.list() == ()


def test_pages_have_no_deadline_of_their_own(tmp_path: Path) -> None:
    with (
        fhir_server(chart("nstemi")) as server,
        hooks(
            tmp_path,
            clock=Clock(MOMENTS["nstemi"]),
            outbound_private_hosts=hosts(server),
            cds_fetch_ms=600,
        ) as client,
    ):
        server.page_size = 1
        server.delay_s = 0.25  # each page is quick enough, all of them are not
        (card,) = client.cards(PATIENT_VIEW, with_token(server, None))
        assert card["summary"].startswith("Not assessable: ")
        assert "observations" in card["detail"]


def test_a_slow_server_does_not_take_the_places_of_others(tmp_path: Path) -> None:
    with (
        fhir_server(chart("nstemi")) as bad,
        fhir_server(chart("nstemi")) as good,
        hooks(
            tmp_path,
            clock=Clock(MOMENTS["nstemi"]),
            outbound_private_hosts=hosts(bad, good),
            cds_at_once=8,
        ) as client,
    ):
        go_on = slow(bad, "Observation")
        callers = [threading.Thread(target=ask, args=(client, bad, n)) for n in range(6)]
        for caller in callers:
            caller.start()
        try:
            until = time.monotonic() + 10
            while (place := client.services.cds.fetching.take(bad.base)) is not None:
                place()
                assert time.monotonic() < until
                time.sleep(0.01)  # until its share is used up
            (busy,) = client.cards(PATIENT_VIEW, with_token(bad, None))
            assert busy["summary"].startswith("Not assessable: ")
            assert "too many calls wait for this FHIR server" in busy["detail"]
            (card,) = client.cards(PATIENT_VIEW, with_token(good, None))
            assert "could not be read" not in card["summary"]
        finally:
            go_on.set()
            for caller in callers:
                caller.join(30)


def ask(client: Hooks, server: FhirServer, number: int) -> None:
    body = with_token(server, None)
    body["context"]["userId"] = f"Practitioner/{number}"
    client.call(PATIENT_VIEW, body)


def test_each_server_has_a_share_and_all_together_half() -> None:
    places = FetchPlaces(8)
    one = [places.take("https://one.example/fhir") for _ in range(3)]
    assert [place is not None for place in one] == [True, True, False]
    assert places.take("https://ONE.example/other") is None
    two = places.take("https://two.example/fhir")
    assert two is not None
    assert places.take("https://three.example/fhir") is not None
    assert places.take("https://four.example/fhir") is None
    two()
    assert places.take("https://four.example/fhir") is not None


def test_what_was_sent_stays_where_nothing_better_comes(tmp_path: Path) -> None:
    with (
        fhir_server(chart("nstemi")) as server,
        hooks(
            tmp_path, clock=Clock(MOMENTS["nstemi"]), outbound_private_hosts=hosts(server)
        ) as client,
    ):
        server.override = lambda kind, _: (500, {}) if kind == "Observation" else (0, None)
        sent = example("nstemi")
        sent["observations"]["total"] = 99
        (card,) = client.cards(PATIENT_VIEW, with_token(server, sent))
        assert "Not everything could be read" in card["detail"]
        assert "43 ng/L" in card["detail"]
