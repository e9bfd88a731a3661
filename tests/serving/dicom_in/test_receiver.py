"""The C-STORE receiver, called by another maker's client code (pynetdicom as user)."""

import gc
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest

from knowledge.errors import InvalidValueError, UnavailableError
from knowledge.settings import Settings
from serving.dicom_in.inbox import Inbox
from serving.dicom_in.receiver import Receiver
from serving.dicom_in.sender import Peer, Sent, client_tls, send_objects
from tests.serving.access.peers import certificate
from tests.tools.imaging.ct.phantoms import dicom_slice

pytest.importorskip("pynetdicom")
MIB = 1 << 20


def ct(instance: str = "1.2.2.1", size: int = 8, **changes: Any) -> bytes:
    return dicom_slice(np.zeros((size, size), np.int16), SOPInstanceUID=instance, **changes)


@contextmanager
def receiving(folder: Path, **changes: Any) -> Iterator[tuple[Peer, Inbox]]:
    """Run a receiver for senders called SCANNER."""
    stated: dict[str, Any] = {
        "data_dir": folder, "dicom_port": 0, "dicom_senders": ("SCANNER",), **changes,
    }  # fmt: skip
    settings = Settings(**stated)
    inbox = Inbox(
        folder / "dicom", object_bytes=settings.dicom_object_mib * MIB, total_bytes=64 * MIB
    )
    receiver = Receiver(settings, inbox)
    host, port = receiver.start()
    try:
        yield Peer(ae_title="EPICRISIS", host=host, port=port), inbox
    finally:
        receiver.stop()


def sent(content: bytes, peer: Peer, name: str = "a") -> Sent:
    (one,) = send_objects({name: content}, peer, ae_title="SCANNER", timeout_s=10)
    return one


def test_what_is_taken_is_on_the_disk_and_the_same(tmp_path: Path) -> None:
    with receiving(tmp_path) as (peer, inbox):
        assert sent(ct(), peer).taken
        (path,) = inbox.folder.rglob("*.dcm")
        assert path.relative_to(inbox.folder) == Path("1.2.1/1.2.2/1.2.2.1.dcm")
        kept, given = pydicom.dcmread(path), pydicom.dcmread(io.BytesIO(ct()))
        assert kept == given
        assert not list(inbox.folder.rglob("*.part"))


def test_success_is_said_only_after_the_disk_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with receiving(tmp_path) as (peer, _):
        monkeypatch.setattr(os, "fsync", full)
        answer = sent(ct(), peer)
    assert (answer.taken, answer.status) == (False, "A700")


def test_the_same_object_again_is_taken_and_another_of_its_name_is_not(tmp_path: Path) -> None:
    with receiving(tmp_path) as (peer, inbox):
        assert sent(ct(), peer).taken
        assert sent(ct(), peer).taken
        answer = sent(ct(SliceThickness=5), peer)
        assert (answer.taken, answer.status) == (False, "0111")
        assert len(list(inbox.folder.rglob("*.dcm"))) == 1


def test_another_patient_in_the_same_study_is_refused(tmp_path: Path) -> None:
    with receiving(tmp_path) as (peer, inbox):
        assert sent(ct(), peer).taken
        answer = sent(ct("1.2.2.2", PatientID="99"), peer)
        assert (answer.taken, answer.status) == (False, "A900")
        assert len(list(inbox.folder.rglob("*.dcm"))) == 1


def test_the_same_number_with_another_sex_is_another_patient(tmp_path: Path) -> None:
    with receiving(tmp_path) as (peer, inbox):
        assert sent(ct(PatientSex="F"), peer).taken
        assert sent(ct("1.2.2.2", PatientSex="M"), peer).status == "A900"
        assert sent(ct("1.2.2.3", PatientSex="F"), peer).taken
        assert len(list(inbox.folder.rglob("*.dcm"))) == 2


def test_a_series_of_another_study_is_refused_after_a_restart_too(tmp_path: Path) -> None:
    with receiving(tmp_path) as (peer, _):
        assert sent(ct(), peer).taken
        other = ct("1.2.2.9", StudyInstanceUID="1.2.9", PatientID="99")
        assert sent(other, peer).status == "A900"
    with receiving(tmp_path) as (peer, inbox):
        assert sent(other, peer).status == "A900"
        assert len(list(inbox.folder.rglob("*.dcm"))) == 1


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2", "1.2.840.10008.1.2.1"])
def test_pixels_that_are_cut_off_are_not_taken(syntax: str, tmp_path: Path) -> None:
    ds = pydicom.dcmread(io.BytesIO(ct(size=64)))  # 64 x 64 of 2 bytes
    assert len(ds.PixelData) == 8192
    ds.PixelData = ds.PixelData[:1000]
    ds.file_meta.TransferSyntaxUID = pydicom.uid.UID(syntax)
    short = io.BytesIO()
    pydicom.dcmwrite(short, ds, implicit_vr=syntax.endswith("1.2"), little_endian=True)
    with receiving(tmp_path) as (peer, inbox):
        assert sent(short.getvalue(), peer).status == "C000"
        assert not list(inbox.folder.rglob("*.dcm"))
        assert sent(ct(size=64), peer).taken


def test_patients_are_compared_after_a_restart_too(tmp_path: Path) -> None:
    with receiving(tmp_path) as (peer, _):
        assert sent(ct(), peer).taken
    with receiving(tmp_path) as (peer, _):
        assert sent(ct("1.2.2.2", PatientBirthDate="19990101"), peer).status == "A900"
        assert sent(ct("1.2.2.3"), peer).taken


def test_a_sender_nobody_named_is_rejected(tmp_path: Path) -> None:
    with (
        receiving(tmp_path, dicom_senders=("OTHER",)) as (peer, _),
        pytest.raises(UnavailableError, match="did not accept"),
    ):
        sent(ct(), peer)


def test_who_calls_another_title_is_rejected(tmp_path: Path) -> None:
    with receiving(tmp_path) as (peer, _):
        wrong = peer.model_copy(update={"ae_title": "SOMEBODY"})
        with pytest.raises(UnavailableError, match="did not accept"):
            sent(ct(), wrong)


def test_an_object_over_the_limit_is_aborted_and_nothing_kept(tmp_path: Path) -> None:
    with receiving(tmp_path, dicom_object_mib=1) as (peer, inbox):
        answer = sent(ct(size=1200), peer)  # 2.9 MB
        assert not answer.taken
        assert not list(inbox.folder.rglob("*.dcm"))
        assert sent(ct(), peer).taken  # and it listens on


def test_a_full_inbox_says_so(tmp_path: Path) -> None:
    with receiving(tmp_path) as (peer, inbox):
        inbox._total_bytes = 100
        assert sent(ct(), peer).status == "A700"


def test_one_association_too_many_is_rejected(tmp_path: Path) -> None:
    from pynetdicom import AE

    with receiving(tmp_path, dicom_associations=1) as (peer, _):
        first = AE(ae_title="SCANNER")
        first.add_requested_context("1.2.840.10008.1.1")
        held = first.associate(peer.host, peer.port, ae_title="EPICRISIS")
        assert held.is_established
        with pytest.raises(UnavailableError):
            sent(ct(), peer)
        held.release()


def test_a_coding_that_cannot_be_decoded_is_not_negotiated(tmp_path: Path) -> None:
    ds = pydicom.dcmread(io.BytesIO(ct()))
    ds.file_meta.TransferSyntaxUID = pydicom.uid.UID("1.2.840.10008.1.2.4.53")
    ds.PixelData = pydicom.encaps.encapsulate([b"\xff\xd8\xff\xd9"])
    ds["PixelData"].is_undefined_length = True
    out = io.BytesIO()
    ds.save_as(out)
    with receiving(tmp_path) as (peer, _):
        try:
            answer = sent(out.getvalue(), peer)
        except UnavailableError:
            return
        assert not answer.taken


def test_an_echo_is_answered(tmp_path: Path) -> None:
    from pynetdicom import AE

    with receiving(tmp_path) as (peer, _):
        client = AE(ae_title="SCANNER")
        client.add_requested_context("1.2.840.10008.1.1")
        association = client.associate(peer.host, peer.port, ae_title="EPICRISIS")
        assert association.send_c_echo().Status == 0
        association.release()


@pytest.mark.filterwarnings(  # pynetdicom 3.0.4 leaves the socket of a refused connection open
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)
def test_an_object_over_tls_needs_the_certificate_of_a_named_authority(tmp_path: Path) -> None:
    _, public = certificate(tmp_path, "localhost")
    files: dict[str, Any] = {
        "dicom_tls_cert": public,
        "dicom_tls_key": tmp_path / "server.key",
        "dicom_client_ca": public,
    }
    with receiving(tmp_path, dicom_host="localhost", **files) as (peer, _):
        named = peer.model_copy(update={"host": "localhost"})
        tls = client_tls(Settings(dicom_peer_ca=public, **files))
        (answer,) = send_objects({"a": ct()}, named, ae_title="SCANNER", tls=tls, timeout_s=10)
        assert answer.taken
        with pytest.raises(UnavailableError):  # in the clear
            send_objects({"a": ct()}, named, ae_title="SCANNER", timeout_s=3)
        without = client_tls(Settings(dicom_peer_ca=public))
        with pytest.raises(UnavailableError):  # without a certificate of its own
            send_objects({"a": ct()}, named, ae_title="SCANNER", tls=without, timeout_s=3)
    gc.collect()


def test_an_authority_that_is_no_certificate_is_named(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    with pytest.raises(InvalidValueError, match="PEER_CA"):
        client_tls(Settings(dicom_peer_ca=tmp_path / "ca.pem"))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"dicom_senders": ()}, "names nobody"),
        ({"dicom_host": "0.0.0.0"}, "in the clear"),  # noqa: S104
        ({"dicom_tls_cert": Path("a.pem")}, "not both given"),
    ],
    ids=["nobody", "plain", "half-tls"],
)
def test_an_unsafe_setting_is_refused(changes: dict[str, Any], words: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidValueError, match=words), receiving(tmp_path, **changes):
        pass
