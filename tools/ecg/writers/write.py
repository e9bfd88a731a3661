"""The one entry for writing an ECG."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from knowledge.errors import InvalidValueError
from tools.ecg.model import EcgRecording
from tools.ecg.writers.aecg import aecg
from tools.ecg.writers.dicom import dicom_ecg
from tools.ecg.writers.fhir import observation_json

FORMATS: Mapping[str, Callable[[EcgRecording], bytes]] = MappingProxyType(
    {"dicom": dicom_ecg, "aecg": aecg, "fhir": observation_json}
)
"""What can be written."""


def write_ecg(recording: EcgRecording, form: str) -> bytes:
    """Return the file content of a recording in one of `FORMATS`.

    Raises:
        InvalidValueError: No such format.
        ContractError: The recording cannot be said in it, with the reason.
    """
    writer = FORMATS.get(form)
    if writer is None:
        raise InvalidValueError(form, "no format of that name", f"one of {', '.join(FORMATS)}")
    return writer(recording)
