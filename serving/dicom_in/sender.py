"""Objects to another archive by C-STORE, one by one, each with the status it was answered with."""

import io
import logging
import re
import ssl
import warnings
from collections.abc import Mapping
from typing import Any

from knowledge.errors import InvalidValueError, UnavailableError, UnreadableError
from knowledge.model import Frozen
from knowledge.settings import Settings
from serving.dicom_in.extra import network_package
from tools.ecg.readers.dicom import parse_errors

_PEER = re.compile(r"(?P<ae>[A-Za-z0-9_. -]{1,16})@(?P<host>[A-Za-z0-9.:-]+):(?P<port>\d{1,5})")
_WARNINGS = range(0xB000, 0xC000)


class Sent(Frozen):
    """What became of one object.

    Args:
        name: As given.
        taken: Whether the archive said that it has it.
        status: Of the answer, hexadecimal; empty where none came.
        reason: Why it was not taken; empty where it was.
    """

    name: str
    taken: bool
    status: str = ""
    reason: str = ""


class Peer(Frozen):
    """An archive that takes objects by C-STORE."""

    ae_title: str
    host: str
    port: int


def peer_of(text: str) -> Peer:
    """Return the archive that ``AETITLE@host:port`` names.

    Examples:
        >>> peer_of("PACS@127.0.0.1:104").port
        104

    Raises:
        InvalidValueError: Not of this form.
    """
    found = _PEER.fullmatch(text.strip())
    if found is None or not 0 < int(found["port"]) < 65536:
        raise InvalidValueError(f"archive {text!r}", "is not AETITLE@host:port", "PACS@host:104")
    return Peer(ae_title=found["ae"], host=found["host"], port=int(found["port"]))


def client_tls(settings: Settings) -> ssl.SSLContext | None:
    """Return how objects are sent encrypted; None for in the clear.

    Raises:
        InvalidValueError: The files cannot be used.
    """
    if settings.dicom_peer_ca is None:
        return None
    try:
        context = ssl.create_default_context(cafile=str(settings.dicom_peer_ca))
        if settings.dicom_tls_cert is not None and settings.dicom_tls_key is not None:
            context.load_cert_chain(settings.dicom_tls_cert, settings.dicom_tls_key)
    except (OSError, ssl.SSLError) as error:
        raise InvalidValueError(
            "EPICRISIS_DICOM_PEER_CA",
            f"it or our certificate cannot be used ({type(error).__name__})",
            "give readable PEM files, the key without a passphrase",
        ) from error
    return context


def send_objects(
    objects: Mapping[str, bytes],
    peer: Peer,
    *,
    ae_title: str,
    tls: ssl.SSLContext | None = None,
    timeout_s: float = 30,
) -> list[Sent]:
    """Send objects, each in the transfer syntax it is in, and return what became of each.

    Args:
        objects: Name and content of DICOM files.
        peer: Where to.
        ae_title: Ours.
        tls: How it is encrypted; None for not.
        timeout_s: For each step.

    Raises:
        UnavailableError: No association with the archive.
        MissingExtraError: pynetdicom is not installed.
    """
    network = network_package("pynetdicom")
    logging.getLogger("pynetdicom").setLevel(logging.CRITICAL)  # it logs names of patients
    read = {name: _dataset(name, content) for name, content in objects.items()}
    entity = network.AE(ae_title=ae_title)
    entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = timeout_s
    wanted = {(str(ds.SOPClassUID), str(ds.file_meta.TransferSyntaxUID)) for ds in read.values()}
    for sop_class, syntax in sorted(wanted):
        entity.add_requested_context(sop_class, syntax)
    association = entity.associate(
        peer.host,
        peer.port,
        ae_title=peer.ae_title,
        tls_args=(tls, peer.host) if tls is not None else None,
    )
    if not association.is_established:
        raise UnavailableError(
            f"{peer.ae_title}@{peer.host}:{peer.port}",
            "did not accept the association",
            "check address, titles and that the archive knows ours",
        )
    try:
        return [_sent(name, ds, association) for name, ds in read.items()]
    finally:
        association.release()


def _sent(name: str, ds: Any, association: Any) -> Sent:
    try:
        status = association.send_c_store(ds)
    except ValueError:
        return Sent(name=name, taken=False, reason="the archive does not take this kind or coding")
    except RuntimeError:
        return Sent(name=name, taken=False, reason="the association is gone")
    if "Status" not in status:
        return Sent(name=name, taken=False, reason="no answer")
    code = int(status.Status)
    taken = code == 0 or code in _WARNINGS
    return Sent(
        name=name,
        taken=taken,
        status=f"{code:04X}",
        reason="" if taken else "refused by the archive",
    )


def _dataset(name: str, content: bytes) -> Any:
    import pydicom

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ds = pydicom.dcmread(io.BytesIO(content))
        except parse_errors() as error:
            raise UnreadableError(name, "no readable DICOM file", "leave it out") from error
    if not ds.get("SOPClassUID") or not ds.get("SOPInstanceUID"):
        raise UnreadableError(name, "states no SOP class or instance", "leave it out")
    return ds
