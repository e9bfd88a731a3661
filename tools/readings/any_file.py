"""A reading from any of the forms it is written in: its JSON, a FHIR bundle, a DICOM SR."""

from pydantic import ValidationError

from knowledge.errors import InvalidValueError, UnsupportedError
from tools.readings.check import faults
from tools.readings.fhir_in import reading_from_fhir
from tools.readings.model import Reading
from tools.readings.plain_json import strict_json
from tools.readings.sr_in import reading_from_sr

_DICOM = slice(128, 132)


def read_any(content: bytes, *, name: str, fit: bool = True, any_version: bool = False) -> Reading:
    """Return a reading.

    Args:
        content: Of the file.
        name: Of the file, for messages.
        fit: Refuse a reading that does not fit its form; FHIR and DICOM are always checked.
        any_version: It may be of another version of the form, where it fits the one here too.

    Raises:
        UnreadableError: Not a reading that can be read.
        UnsupportedError: Something else than a reading.
        InvalidValueError: It does not fit its form.
    """
    if content[_DICOM] == b"DICM":
        return reading_from_sr(content, name=name, any_version=any_version)
    data = strict_json(content, name=name)
    if not isinstance(data, dict):
        raise UnsupportedError(name, "is no reading", "give a reading, a FHIR bundle or a DICOM SR")
    if data.get("resourceType") == "Bundle":
        return reading_from_fhir(data, name=name, any_version=any_version)
    try:
        found = Reading.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InvalidValueError(
            f"{name}: {where}"[:300], first["msg"], "see `epicrisis schema reading`"
        ) from error
    if fit:
        for fault in faults(found, any_version=any_version):
            raise fault
    return found
