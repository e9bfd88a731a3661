"""From Orthanc to a reading centre and back: sent, pre-read, read twice, the report there."""

import io
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pydicom
import pytest
from typer.testing import CliRunner

from serving.cli import application
from serving.dicom_in.archive import Archive
from serving.dicom_in.filing import StudyFiling
from serving.dicom_in.inbox import Inbox
from serving.dicom_in.receiver import Receiver
from serving.dicom_in.studies import StudyStore
from serving.reading.outbox import Outbox
from serving.reading.store import RoundStore
from tests.data_folder import shared_data
from tests.peers.listening import database_of, listening
from tests.peers.orthanc import PASSWORD, USER, Orthanc, free_port, orthanc
from tests.peers.test_orthanc import OURS, _put, _send_here, real_ct, real_film
from tests.serving.cases.fresh import Fresh, fresh
from tests.serving.reading.test_reading import ANNA, BEN, Desk
from tests.tools.dicom_out.checker import errors
from tests.tools.dicom_out.objects import phantom
from tools.readings.sr_in import reading_from_sr


def real_slide() -> dict[str, bytes]:
    """Return a real slide of small size, as DICOM whole slide microscopy."""
    return {"sm.dcm": (shared_data("dicom-misc") / "sm_image.dcm").read_bytes()}


@pytest.fixture(scope="module")
def our_port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory, our_port: int) -> Iterator[Orthanc]:
    with orthanc(tmp_path_factory.mktemp("orthanc"), ours=OURS, our_port=our_port) as running:
        yield running


@pytest.fixture
def centre(tmp_path: Path, archive: Orthanc, our_port: int) -> Iterator[Fresh]:
    told: dict[str, Any] = {
        "dicom_port": our_port, "dicom_senders": ("ORTHANC",), "dicom_quiet_s": 0.1,
        "dicom_web_url": archive.url, "dicom_web_user": USER, "dicom_web_password": PASSWORD,
        "dicom_results_to": f"ORTHANC@127.0.0.1:{archive.port}", "dicom_results": "stow",
    }  # fmt: skip
    with fresh(tmp_path, **told) as made:
        yield made


class Centre(Desk):
    """The readings of a study that an archive sent."""

    def __init__(self, made: Fresh, archive: Orthanc, files: dict[str, bytes]) -> None:
        self.made, self.http = made, made.client()
        settings = made.services.settings
        heads = [
            pydicom.dcmread(io.BytesIO(one), stop_before_pixels=True) for one in files.values()
        ]
        self.study = str(heads[0].StudyInstanceUID)
        self.patient = (str(heads[0].PatientID), str(heads[0].PatientName))
        self.instances = {str(one.SOPInstanceUID) for one in heads}
        _put(archive, files)
        inbox = Inbox(settings.data_dir / "dicom", object_bytes=64 << 20, total_bytes=1 << 30)
        receiver = Receiver(settings, inbox)
        receiver.start()
        try:
            for series in {str(one.SeriesInstanceUID) for one in heads}:
                _send_here(archive, series)
        finally:
            receiver.stop()
        found = StudyFiling(made.services, inbox).file(self.study)
        assert found is not None
        assert (found.state, found.images) == ("filed", len(files)), found.reason
        self.case = str(found.case)
        self.first = self.rounds()[0]["id"]

    def confirm(self, *, by: Any, **more: str) -> None:
        """State as a reader what only a machine says, beside words of one's own."""
        said = {"by": "reader", "who": "x", "at": "2026-01-01T00:00:00Z"}
        items = self.seen()["content"]["items"]
        changes = {
            path: {**one, "said": said}
            for path, one in items.items()
            if one["state"] != "not_assessed" and one["said"]["by"] != "reader"
        }
        for path, text in more.items():
            changes[path] = {"state": "present", "text": text, "said": said}
        self.done("content", {"changes": changes}, by=by)


@pytest.mark.parametrize(
    ("study", "form", "filled", "silent"),
    [
        (real_film, "chest_film", "projection", "pneumothorax"),
        (real_ct, "chest_ct", "", "lung_volume"),
        (phantom, "chest_ct", "", "nodules"),
        (real_slide, "pathology_breast", "", "ki67_percent"),
    ],
    ids=["real film", "real CT", "CT phantom", "real slide"],
)
def test_a_study_goes_through_the_reading_centre_and_its_report_is_in_the_archive(
    study: Any, form: str, filled: str, silent: str, archive: Orthanc, centre: Fresh, tmp_path: Path
) -> None:
    desk = Centre(centre, archive, study())
    services = centre.services
    arrived = desk.seen()
    assert arrived["round"]["state"] == "to read"
    assert arrived["log"][0]["what"] == "arrived"

    desk.done("start", {"form": form}, by=ANNA)
    items = desk.seen()["content"]["items"]
    assert items[silent]["state"] == "not_assessed"
    assert items[silent]["said"]["by"] == "measurement"
    if filled:
        assert items[filled]["said"]["by"] == "measurement"
    assert all(one["said"]["by"] != "reader" for one in items.values() if one.get("said"))
    words = "findings_text" if "findings_text" in items else _a_text(form)
    desk.confirm(by=ANNA, **{words: "As the first reader sees it."})
    desk.done("sign", by=ANNA)
    desk.done("start", by=BEN)
    desk.confirm(by=BEN, **{words: "As the second reader sees it."})
    desk.done("sign", by=BEN)
    decision = {"path": words, "choice": "second", "reason": "both looked again"}
    desk.done("release", {"decisions": [decision]}, by=BEN)

    assert Outbox(services).look() == 1
    delivery = desk.seen()["delivery"]
    assert (delivery["state"], delivery["problem"]) == ("sent", "")
    known = [one for one in Archive(services.settings).series_of(desk.study)]
    (report,) = [one for one in known if one["modality"] == "SR"]
    (content,) = Archive(services.settings).images(desk.study, report["series"])
    ds = pydicom.dcmread(io.BytesIO(content))
    assert (str(ds.PatientID), str(ds.PatientName)) == desk.patient
    assert (ds.PreliminaryFlag, ds.VerificationFlag) == ("PRELIMINARY", "UNVERIFIED")
    referred = {
        str(one.ReferencedSOPInstanceUID)
        for of in ds.CurrentRequestedProcedureEvidenceSequence
        for series in of.ReferencedSeriesSequence
        for one in series.ReferencedSOPSequence
    }
    assert referred == desk.instances
    back = reading_from_sr(content)
    assert back.items[words].text == "As the second reader sees it."
    assert back.items[silent].not_assessed is not None
    assert errors(content, tmp_path, "reading") == []
    fhir = desk.call("GET", f"/{desk.first}/release?form=fhir", by=BEN).json()
    kinds = {entry["resource"]["resourceType"] for entry in fhir["entry"]}
    assert {"DiagnosticReport", "Observation", "ImagingStudy"} <= kinds
    said = next(
        entry["resource"]["conclusion"]
        for entry in fhir["entry"]
        if entry["resource"]["resourceType"] == "DiagnosticReport"
    )
    assert f"Two readers differed on {words}" in said
    page = desk.http.get(
        f"/cases/{desk.case}/readings/{desk.first}", headers={"accept": "text/html"}
    ).text
    assert "in the archive" in page


def _a_text(form: str) -> str:
    """Return a free text of a form."""
    from knowledge.reading_form import reading_form

    return next(one.id for one in reading_form(form).items.values() if one.kind == "text")


def test_the_film_and_the_phantom_are_pre_read_before_anybody_looks(
    archive: Orthanc, centre: Fresh
) -> None:
    film = Centre(centre, archive, real_film())
    seen = film.seen()
    assert seen["log"][-1]["what"] == "pre-read"
    assert seen["log"][-1]["detail"]["form"] == "chest_film"
    assert seen["log"][-1]["by"]["name"] == "Epicrisis"
    assert seen["content"]["form"] == "chest_film"
    assert seen["content"]["started"]["by"] == "measurement"
    ct = Centre(centre, archive, phantom())
    seen = ct.seen()
    assert seen["content"]["form"] == "chest_ct"
    assert {one["state"] for one in seen["content"]["items"].values()} <= {
        "present", "not_assessed"
    }  # fmt: skip


def test_a_study_is_fetched_onto_the_worklist_by_command(
    archive: Orthanc, centre: Fresh, monkeypatch: pytest.MonkeyPatch
) -> None:
    _put(archive, phantom())
    settings = centre.services.settings
    for name, value in {
        "DATA_DIR": settings.data_dir, "DATABASE_URL": database_of(settings),
        "DICOM_WEB_URL": archive.url, "DICOM_WEB_USER": USER, "DICOM_WEB_PASSWORD": PASSWORD,
        "LLM": "none",
    }.items():  # fmt: skip
        monkeypatch.setenv(f"EPICRISIS_{name}", str(value))
    fetch = ["dicom", "fetch", "2.25.88001", "--modality", "CT", "--worklist"]
    done = CliRunner().invoke(application(), fetch)
    assert done.exit_code == 0, done.output + str(done.exception)
    assert "2.25.88001 filed in case-" in done.output
    again = CliRunner().invoke(application(), fetch)
    assert again.exit_code == 0
    listed = CliRunner().invoke(application(), ["dicom", "studies"])
    assert listed.output.count("2.25.88001 filed") == 1
    (case,) = centre.services.cases.list()
    store = RoundStore(centre.services.database, centre.services.clock)
    (round_,) = store.of_case(case.id)
    assert round_.modality == "CT"


def test_the_listener_files_what_arrived_also_after_it_was_killed(
    archive: Orthanc, centre: Fresh, tmp_path: Path
) -> None:
    settings = centre.services.settings
    film = pydicom.dcmread(io.BytesIO(real_film()["rg1.dcm"]))
    store = StudyStore(centre.services.database, clock=centre.services.clock)
    _put(archive, real_film())
    slow = settings.model_copy(update={"dicom_quiet_s": 3600.0})
    with listening(slow, tmp_path / "first.log") as process:
        _send_here(archive, film.SeriesInstanceUID)
        process.kill()  # after Orthanc was told that it is here, before it is in a case
        process.wait(60)
    assert store.find(str(film.StudyInstanceUID)) is None
    with listening(settings, tmp_path / "second.log"):
        end = time.monotonic() + 240
        while store.find(str(film.StudyInstanceUID)) is None and time.monotonic() < end:
            time.sleep(0.5)
        _send_here(archive, film.SeriesInstanceUID)  # once more: the very same image
        time.sleep(3)
    found = store.find(str(film.StudyInstanceUID))
    assert found is not None
    assert (found.state, found.images) == ("filed", 1)
    (case,) = centre.services.cases.list()
    assert case.source == "dicom"
    rounds = RoundStore(centre.services.database, centre.services.clock).of_case(case.id)
    assert [one.modality for one in rounds] == ["CR"]
