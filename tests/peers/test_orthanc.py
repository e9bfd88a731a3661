"""A CT goes from Orthanc to us, is analysed on arrival, and the report is found in Orthanc."""

import io
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pydicom
import pytest
from pydantic import SecretStr

from knowledge.errors import UnavailableError
from knowledge.settings import Settings
from serving.dicom_in.analysis import analyse_series
from serving.dicom_in.archive import Archive
from serving.dicom_in.arrivals import Arrivals, result_of
from serving.dicom_in.inbox import Inbox
from serving.dicom_in.receiver import Receiver
from serving.dicom_in.sender import Peer, send_objects
from tests.data_folder import shared_data
from tests.peers.orthanc import PASSWORD, USER, Orthanc, free_port, orthanc
from tests.tools.dicom_out.objects import phantom

OURS = "EPICRISIS"
MOMENT = datetime(2026, 1, 10, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def our_port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory, our_port: int) -> Iterator[Orthanc]:
    with orthanc(tmp_path_factory.mktemp("orthanc"), ours=OURS, our_port=our_port) as running:
        yield running


def _settings(folder: Path, archive: Orthanc, port: int, **more: Any) -> Settings:
    return Settings(
        data_dir=folder,
        dicom_port=port,
        dicom_senders=("ORTHANC",),
        dicom_quiet_s=0.5,
        dicom_web_url=archive.url,
        dicom_web_user=USER,
        dicom_web_password=SecretStr(PASSWORD),
        dicom_results_to=f"ORTHANC@127.0.0.1:{archive.port}",
        **more,
    )


def real_ct() -> dict[str, bytes]:
    """Return the real abdomen CT; the published copy lost its identifiers, so it gets some here."""
    found = {}
    folder = shared_data("ct-totalseg-ref") / "tests/reference_files/example_ct_dicom"
    for place, path in enumerate(sorted(folder.iterdir()), start=1):
        ds = pydicom.dcmread(path)
        ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID
        ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID
        ds.StudyInstanceUID, ds.SeriesInstanceUID = "2.25.77001", "2.25.77002"
        ds.PatientID, ds.PatientName = "T-77", "Test^Archive"
        ds.InstanceNumber = place
        out = io.BytesIO()
        ds.save_as(out, enforce_file_format=True)
        found[path.name] = out.getvalue()
    return found


def real_film() -> dict[str, bytes]:
    """Return a real chest film, coded in JPEG 2000."""
    return {"rg1.dcm": (shared_data("dicom-misc") / "RG1_J2KI.dcm").read_bytes()}


def _put(archive: Orthanc, objects: dict[str, bytes]) -> None:
    peer = Peer(ae_title="ORTHANC", host="127.0.0.1", port=archive.port)
    assert all(one.taken for one in send_objects(objects, peer, ae_title=OURS))


def _send_here(archive: Orthanc, series_uid: str) -> None:
    """Let Orthanc send a series to us, as its users do."""
    base = archive.url.removesuffix("/dicom-web")
    auth = (USER, PASSWORD)
    (found,) = [
        one["ID"]
        for one in httpx.post(f"{base}/tools/lookup", content=series_uid, auth=auth).json()
        if one["Type"] == "Series"
    ]
    answer = httpx.post(f"{base}/modalities/ours/store", content=found, auth=auth, timeout=120)
    assert answer.status_code == httpx.codes.OK, answer.text


def _until(arrivals: Arrivals) -> None:
    end = time.monotonic() + 300
    while time.monotonic() < end:
        if any(one.sent for one in arrivals.look()):
            return
        time.sleep(0.2)
    pytest.fail("no result was sent")


@pytest.mark.parametrize("way", ["stow", "store"])
def test_a_series_is_analysed_on_arrival_and_its_report_found_in_the_archive(
    way: str, archive: Orthanc, our_port: int, tmp_path: Path
) -> None:
    study, series_uid, files = {
        "stow": ("2.25.88001", "2.25.88002", phantom),
        "store": ("2.25.77001", "2.25.77002", real_ct),
    }[way]
    _put(archive, files())
    settings = _settings(tmp_path, archive, our_port, dicom_results=way)
    inbox = Inbox(tmp_path / "dicom", object_bytes=64 << 20, total_bytes=1 << 30)
    receiver = Receiver(settings, inbox)
    receiver.start()
    try:
        _send_here(archive, series_uid)
        arrivals = Arrivals(settings, inbox, clock=lambda: MOMENT)
        _until(arrivals)
    finally:
        receiver.stop()
    (folder,) = inbox.series_folders()
    result = result_of(folder)
    assert result is not None
    assert result.images == len(files())
    known = Archive(settings).series_of(study)
    (report,) = [one for one in known if one["modality"] == "SR"]
    assert report["description"] == "Research use: CT measurements"
    (content,) = Archive(settings).images(study, report["series"])
    ds = pydicom.dcmread(io.BytesIO(content))
    assert (ds.PreliminaryFlag, ds.VerificationFlag) == ("PRELIMINARY", "UNVERIFIED")
    said = str(ds)
    if way == "stow":  # the phantom has both lungs, and everything else comes with them
        assert set(result.kinds) == {"sr", "seg", "sc", "pr"}
        assert {one["modality"] for one in known} == {"CT", "SR", "SEG", "OT", "PR"}
        assert "Lungs" in said
    else:  # the abdomen is refused as lungs, by name, in the report itself
        assert "not both lungs" in _comments(ds) or "largest air space" in _comments(ds)
        assert "seg" not in result.kinds


def _comments(ds: Any) -> str:
    return " | ".join(str(one.get("TextValue", "")) for one in ds.ContentSequence)


def test_a_real_film_is_analysed_on_arrival_and_its_report_found(
    archive: Orthanc, our_port: int, tmp_path: Path
) -> None:
    film = pydicom.dcmread(io.BytesIO(real_film()["rg1.dcm"]))
    _put(archive, real_film())
    settings = _settings(tmp_path, archive, our_port, dicom_results="stow")
    inbox = Inbox(tmp_path / "dicom", object_bytes=64 << 20, total_bytes=1 << 30)
    receiver = Receiver(settings, inbox)
    receiver.start()
    try:
        _send_here(archive, film.SeriesInstanceUID)
        _until(Arrivals(settings, inbox, clock=lambda: MOMENT))
    finally:
        receiver.stop()
    known = Archive(settings).series_of(film.StudyInstanceUID)
    (report,) = [one for one in known if one["modality"] == "SR"]
    (content,) = Archive(settings).images(film.StudyInstanceUID, report["series"])
    ds = pydicom.dcmread(io.BytesIO(content))
    assert ds.PatientID == film.PatientID
    assert "no sign of disease is looked for" in _comments(ds)
    (picture,) = [one for one in known if one["description"].endswith("overlay")]
    (content,) = Archive(settings).images(film.StudyInstanceUID, picture["series"])
    shown = pydicom.dcmread(io.BytesIO(content))
    assert shown.SourceImageSequence[0].ReferencedSOPInstanceUID == film.SOPInstanceUID


def test_a_study_is_fetched_bit_by_bit(archive: Orthanc, tmp_path: Path) -> None:
    _put(archive, phantom())
    settings = _settings(tmp_path, archive, free_port())
    fetched = list(Archive(settings).images("2.25.88001", "2.25.88002"))
    sent = {
        str(pydicom.dcmread(io.BytesIO(one)).SOPInstanceUID): pydicom.dcmread(
            io.BytesIO(one)
        ).PixelData
        for one in phantom().values()
    }
    back = {
        str(ds.SOPInstanceUID): ds.PixelData
        for ds in (pydicom.dcmread(io.BytesIO(one)) for one in fetched)
    }
    assert back == sent
    found = analyse_series(
        {f"{i}.dcm": one for i, one in enumerate(fetched)}, settings=settings, at=MOMENT
    )
    assert found.rule == "chest-ct"
    assert "sr" in found.objects


def test_who_is_asked_for_is_found(archive: Orthanc, tmp_path: Path) -> None:
    _put(archive, phantom())
    settings = _settings(tmp_path, archive, free_port())
    found = Archive(settings).studies(PatientID="T-88")
    assert [one["study"] for one in found] == ["2.25.88001"]
    assert Archive(settings).studies(PatientID="nobody") == []


def test_a_sender_orthanc_does_not_know_stores_nothing(archive: Orthanc) -> None:
    peer = Peer(ae_title="ORTHANC", host="127.0.0.1", port=archive.port)
    try:
        taken = [one.taken for one in send_objects(phantom(), peer, ae_title="STRANGER")]
    except UnavailableError:
        taken = []
    assert not any(taken)
