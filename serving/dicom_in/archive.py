"""An archive by DICOMweb: what it has (QIDO-RS), its images (WADO-RS), results to it (STOW-RS)."""

import io
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from knowledge.errors import InvalidValueError, TooLargeError, UnavailableError
from knowledge.settings import Settings
from serving.access.address import is_loopback
from serving.dicom_in.extra import network_package

_PAGE = 500
_MIB = 1 << 20


class Archive:
    """A DICOMweb server.

    Args:
        settings: Address, who we are there, limits.

    Every method raises `UnavailableError` where the archive gives no usable answer.
    """

    def __init__(self, settings: Settings) -> None:
        if settings.dicom_web_url is None:
            raise InvalidValueError(
                "EPICRISIS_DICOM_WEB_URL", "is not set", "give the archive's DICOMweb address"
            )
        self._limit = settings.max_case_mib * _MIB
        self._files = settings.max_files
        self._client = _client(settings, settings.dicom_web_url)

    def series_of(self, study: str) -> list[dict[str, str]]:
        """Return modality, description and UID of every series of a study."""
        with _answers("QIDO-RS"):
            found = self._client.search_for_series(study, limit=_PAGE)
        return [
            {
                "series": _value(one, "0020000E"),
                "modality": _value(one, "00080060"),
                "description": _value(one, "0008103E"),
            }
            for one in found
        ]

    def studies(self, **filters: str) -> list[dict[str, str]]:
        """Return UID, date and description of the studies that fit.

        Args:
            filters: DICOM keyword and value, for example ``PatientID``.
        """
        with _answers("QIDO-RS"):
            found = self._client.search_for_studies(search_filters=filters, limit=_PAGE)
        return [
            {
                "study": _value(one, "0020000D"),
                "date": _value(one, "00080020"),
                "modalities": _value(one, "00080061"),
                "description": _value(one, "00081030"),
            }
            for one in found
        ]

    def instances(self, study: str, series: str) -> list[str]:
        """Return the SOP Instance UIDs of a series."""
        with _answers("QIDO-RS"):
            found = self._client.search_for_instances(study, series, limit=100_000)
        return [_value(one, "00080018") for one in found]

    def images(self, study: str, series: str) -> Iterator[bytes]:
        """Yield the objects of a series as DICOM files.

        Raises:
            TooLargeError: More than a case may hold.
        """
        total = count = 0
        with _answers("WADO-RS"):
            for ds in self._client.iter_series(study, series):
                content = _written(ds)
                total, count = total + len(content), count + 1
                if total > self._limit or count > self._files:
                    raise TooLargeError(
                        f"series {series}",
                        "is larger than a case may be",
                        "EPICRISIS_MAX_CASE_MIB and EPICRISIS_MAX_FILES",
                    )
                yield content

    def store(self, objects: Mapping[str, bytes]) -> None:
        """Store objects; all of them are there then.

        Raises:
            UnavailableError: Some were not taken.
        """
        import pydicom

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            datasets = [pydicom.dcmread(io.BytesIO(one)) for one in objects.values()]
        with _answers("STOW-RS"):
            answer = self._client.store_instances(datasets)
        taken = len(answer.get("ReferencedSOPSequence") or [])
        if answer.get("FailedSOPSequence") or taken < len(datasets):
            raise UnavailableError(
                "the archive", f"took {taken} of {len(datasets)} objects", "see its log"
            )


def _client(settings: Settings, url: str) -> Any:
    api = network_package("dicomweb_client.api")
    session = network_package("dicomweb_client.session_utils")
    parts = urlsplit(url)
    if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
        raise InvalidValueError(
            "EPICRISIS_DICOM_WEB_URL", "is plain http to another machine", "use https"
        )
    made = session.create_session()
    made.trust_env = False  # no proxy and no password of the environment
    if settings.outbound_ca_file is not None:
        made.verify = str(settings.outbound_ca_file)
    if settings.dicom_web_token is not None:
        made.headers["Authorization"] = f"Bearer {settings.dicom_web_token.get_secret_value()}"
    elif settings.dicom_web_user is not None:
        secret = settings.dicom_web_password
        made.auth = (settings.dicom_web_user, secret.get_secret_value() if secret else "")
    return api.DICOMwebClient(url=url, session=made)


@contextmanager
def _answers(what: str) -> Iterator[None]:
    """Turn what the client raises into one error that names no patient."""
    requests = network_package("requests")
    try:
        yield
    except requests.HTTPError as error:
        status = error.response.status_code if error.response is not None else "no answer"
        raise UnavailableError(
            "the archive", f"{what} was answered with {status}", "see its log"
        ) from error
    except requests.RequestException as error:
        raise UnavailableError(
            "the archive", f"{what}: {type(error).__name__}", "check address and network"
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UnavailableError(
            "the archive", f"{what}: an answer that is no DICOM ({type(error).__name__})"
        ) from error


def _value(one: Mapping[str, Any], tag: str) -> str:
    found = one.get(tag, {}).get("Value") or [""]
    return "\\".join(str(v) for v in found)


def _written(ds: Any) -> bytes:
    out = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ds.save_as(out, enforce_file_format=True)
    return out.getvalue()
