"""A released reading in a real FHIR R4 server: there once, corrected in its place, read back."""

import io
from pathlib import Path
from typing import Any

from pydicom import dcmread

from serving.reading.outbox import Outbox
from serving.sandbox.servers import FhirServer
from tests.serving.cases.fresh import fresh
from tests.serving.reading.test_fhir_way import patient
from tests.serving.reading.test_outbox import released
from tests.serving.reading.test_reading import ANNA, BEN, FILM, Desk, stated


def _reports(server: FhirServer) -> list[dict[str, Any]]:
    found = server.get("DiagnosticReport?subject=Patient/anna&_count=50")
    return [entry["resource"] for entry in found.get("entry", ())]


def test_a_release_and_its_correction_are_one_report_at_the_server(
    fhir_server: FhirServer, tmp_path: Path
) -> None:
    fhir_server.put(patient())
    study = str(dcmread(io.BytesIO(FILM)).StudyInstanceUID)
    fhir_server.put(
        {
            "resourceType": "ImagingStudy",
            "id": "film",
            "status": "available",
            "subject": {"reference": "Patient/anna"},
            "identifier": [{"system": "urn:dicom:uid", "value": f"urn:oid:{study}"}],
        }
    )
    with fresh(tmp_path, reading_fhir_url=fhir_server.base) as made:
        desk = Desk(made)
        released(desk, abnormal="absent", impression_text="First words.")
        assert Outbox(made.services).look() == 1
        delivery = desk.seen()["fhir_delivery"]
        assert (delivery["state"], delivery["problem"]) == ("sent", "")
        (first,) = _reports(fhir_server)
        assert first["status"] == "final"
        assert first["imagingStudy"] == [{"reference": "ImagingStudy/film"}]
        assert "First words." in str(first["contained"])

        again = desk.done("corrections", {"words": "the other side"}, by=ANNA)["id"]
        desk.done("start", by=ANNA, of=again)
        changes = {"changes": stated(impression_text="Other words.")}
        desk.done("content", changes, by=ANNA, of=again)
        desk.done("sign", by=ANNA, of=again)
        desk.done("start", by=BEN, of=again)
        desk.done("sign", by=BEN, of=again)
        desk.done("release", by=BEN, of=again)
        assert Outbox(made.services).look() == 1
        assert desk.seen(again)["fhir_delivery"]["state"] == "sent"
        (second,) = _reports(fhir_server)
        assert second["id"] == first["id"]
        assert second["status"] == "corrected"
        assert "Other words." in str(second["contained"])
        assert "First words." not in str(second["contained"])


def test_a_server_that_does_not_have_the_patient_gets_nothing(
    fhir_server: FhirServer, tmp_path: Path
) -> None:
    before = fhir_server.get("DiagnosticReport?_count=50").get("entry", [])
    with fresh(tmp_path, reading_fhir_url=f"{fhir_server.base}/") as made:
        fhir_server.put(patient(identifier=[{"system": "urn:oid:1", "value": "somebody else"}]))
        desk = Desk(made)
        released(desk, impression_text="Seen.")
        Outbox(made.services).look()
        delivery = desk.seen()["fhir_delivery"]
        assert delivery["state"] == "refused"
        assert "has none of it" in delivery["problem"]
    assert len(fhir_server.get("DiagnosticReport?_count=50").get("entry", [])) == len(before)
