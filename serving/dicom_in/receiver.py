"""The C-STORE receiver: named senders alone, everything bounded, success only for what is kept."""

import logging
import ssl
import threading
from collections.abc import Callable
from typing import Any

from knowledge.errors import (
    EpicrisisError,
    IdentityConflictError,
    InvalidValueError,
    TooLargeError,
    UnavailableError,
    UnreadableError,
)
from knowledge.settings import Settings
from knowledge.transfer_syntaxes import transfer_syntaxes
from serving.access.address import is_loopback
from serving.dicom_in.extra import network_package
from serving.dicom_in.inbox import Inbox, Kept

logger = logging.getLogger(__name__)

_MIB = 1 << 20
SUCCESS = 0x0000
_OUT_OF_RESOURCES = 0xA700
_IDENTITY = 0xA900
_NOT_UNDERSTOOD = 0xC000
_DUPLICATE = 0x0111
_STATUS: tuple[tuple[type[EpicrisisError], int], ...] = (
    (TooLargeError, _OUT_OF_RESOURCES),
    (UnavailableError, _OUT_OF_RESOURCES),
    (IdentityConflictError, _IDENTITY),
    (InvalidValueError, _DUPLICATE),
    (UnreadableError, _NOT_UNDERSTOOD),
)
"""Statuses of the storage service (PS3.4 table B.2-1) and of DIMSE (PS3.7 annex C)."""


class Receiver:
    """Listens for objects.

    Args:
        settings: Address, senders, limits.
        inbox: Keeps the objects.
        kept: Told of each object after it was kept.
    """

    def __init__(
        self, settings: Settings, inbox: Inbox, *, kept: Callable[[Kept], None] = lambda _: None
    ) -> None:
        self._settings, self._inbox, self._kept = settings, inbox, kept
        self._received: dict[Any, int] = {}
        self._lock = threading.Lock()
        self._server: Any = None

    def start(self) -> tuple[str, int]:
        """Listen, and return the address and port.

        Raises:
            InvalidValueError: Nobody may send, or others would send in the clear.
            UnavailableError: The address is taken.
            MissingExtraError: pynetdicom is not installed.
        """
        settings = self._settings
        if not settings.dicom_senders:
            raise InvalidValueError(
                "EPICRISIS_DICOM_SENDERS", "names nobody who may send", "for example '[\"PACS1\"]'"
            )
        tls = tls_of(settings)
        entity = self._entity()
        events = network_package("pynetdicom.events")
        handlers = [
            (events.EVT_C_STORE, self._store),
            (events.EVT_C_ECHO, lambda event: SUCCESS),
            (events.EVT_PDU_RECV, self._count),
            (events.EVT_CONN_CLOSE, self._forget),
        ]
        try:
            self._server = entity.start_server(
                (settings.dicom_host, settings.dicom_port),
                block=False,
                evt_handlers=handlers,
                ssl_context=tls,
            )
        except OSError as error:
            raise UnavailableError(
                f"{settings.dicom_host}:{settings.dicom_port}",
                f"cannot be listened on: {error.strerror}",
                "stop what listens there, or give another --port",
            ) from error
        host, port = self._server.server_address[:2]
        return str(host), int(port)

    def stop(self) -> None:
        """End every association and stop."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def _entity(self) -> Any:
        network = network_package("pynetdicom")
        logging.getLogger("pynetdicom").setLevel(logging.CRITICAL)  # it logs names of patients
        settings = self._settings
        entity = network.AE(ae_title=settings.dicom_ae_title)
        syntaxes = list(transfer_syntaxes().decoded.rows)
        for context in network.AllStoragePresentationContexts:
            entity.add_supported_context(context.abstract_syntax, syntaxes)
        entity.add_supported_context("1.2.840.10008.1.1")
        entity.require_called_aet = True
        entity.require_calling_aet = list(settings.dicom_senders)
        entity.maximum_associations = settings.dicom_associations
        entity.network_timeout = settings.dicom_idle_s
        entity.dimse_timeout = settings.dicom_idle_s
        entity.acse_timeout = settings.dicom_idle_s
        return entity

    def _count(self, event: Any) -> None:
        """Abort an association whose one object grows over the limit, before it fills the memory.

        Counted are the bytes of its data units since its last object.
        """
        size = sum(
            len(value.presentation_data_value or b"")
            for value in getattr(event.pdu, "presentation_data_value_items", ())
        )
        with self._lock:
            total = self._received.get(event.assoc, 0) + size
            self._received[event.assoc] = total
        if total > (self._settings.dicom_object_mib + 1) * _MIB:
            logger.warning("association aborted: an object is over the limit")
            event.assoc.abort()

    def _forget(self, event: Any) -> None:
        with self._lock:
            self._received.pop(event.assoc, None)

    def _store(self, event: Any) -> int:
        """Keep one object and return its status; the sender is told success only after that."""
        with self._lock:
            self._received[event.assoc] = 0
        try:
            kept = self._inbox.keep(event.encoded_dataset())
        except EpicrisisError as error:
            logger.warning("object refused: %s", error)
            return next(
                (status for kind, status in _STATUS if isinstance(error, kind)), _NOT_UNDERSTOOD
            )
        except Exception:  # the outermost handler: a mistake of ours is no success
            logger.exception("object not kept")
            return _OUT_OF_RESOURCES
        self._kept(kept)
        return SUCCESS


def tls_of(settings: Settings) -> ssl.SSLContext | None:
    """Return how associations are encrypted; None for not at all, which only this machine may use.

    Raises:
        InvalidValueError: Others would reach it without TLS, or the files cannot be used.
    """
    cert, key, authority = (
        settings.dicom_tls_cert, settings.dicom_tls_key, settings.dicom_client_ca,
    )  # fmt: skip
    if cert is None or key is None:
        if (cert, key, authority) != (None,) * 3:
            raise InvalidValueError(
                "EPICRISIS_DICOM_TLS_CERT", "certificate and key are not both given", "give both"
            )
        if not is_loopback(settings.dicom_host) and not settings.dicom_allow_plain:
            raise InvalidValueError(
                "EPICRISIS_DICOM_HOST",
                "is not of this machine alone, and images would travel in the clear",
                "give certificate and key; or EPICRISIS_DICOM_ALLOW_PLAIN=true where the network "
                "itself is encrypted",
            )
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(cert, key)
        if authority is not None:
            context.load_verify_locations(str(authority))
            context.verify_mode = ssl.CERT_REQUIRED
    except (OSError, ssl.SSLError) as error:
        raise InvalidValueError(
            "EPICRISIS_DICOM_TLS_CERT",
            f"certificate, key or client CA cannot be used ({type(error).__name__})",
            "give readable PEM files, the key without a passphrase",
        ) from error
    return context
