"""Who a reading is of, by everything that its file says: not by one number alone."""

from knowledge.errors import InvalidValueError
from knowledge.patient import Identity
from tools.ecg.readers.dicom_header import identity as dicom_identity
from tools.imaging.dicom_object import header
from tools.intake.fhir.bundle import parse
from tools.intake.fhir.patient import patients
from tools.intake.identity import compare
from tools.readings.in_case import ReadingFile

_WAY_OUT = "export the reading again, with one patient"


def identified(one: ReadingFile, content: bytes) -> ReadingFile:
    """Return a reading with the identity that its whole file states.

    Beside the number of the reading count name, birth date and further numbers of the Patient of
    a FHIR bundle and of the header of a DICOM report, and the age at the examination.

    Args:
        one: As read, with the number and the sex alone.
        content: Of its file.

    Raises:
        InvalidValueError: The file states two numbers of one issuer, or two patients.
    """
    who = one.reading.subject
    stated = _stated(one, content)
    numbers = sorted({*one.identity.identifiers, *(i for s in stated for i in s.identifiers)})
    issuers = [issuer for issuer, _ in numbers]
    if len(set(issuers)) != len(issuers):
        reason = "states two numbers of one issuer for its patient"
        raise InvalidValueError(one.file, reason, _WAY_OUT)
    for other in stated:
        if compare(one.identity, other).differ or compare(stated[0], other).differ:
            raise InvalidValueError(one.file, "states two patients", _WAY_OUT)
    named = next((s for s in stated if s.family or s.given), one.identity)
    born = next((s.birth_date for s in stated if s.birth_date is not None), None)
    done = None if one.time is None or who.age_years is None else one.time
    identity = one.identity.model_copy(
        update={
            "identifiers": tuple(numbers),
            "family": named.family,
            "given": named.given,
            "birth_date": born,
            "age_years": None if done is None else who.age_years,
            "age_on": done,
        }
    )
    return one.model_copy(update={"identity": identity})


def _stated(one: ReadingFile, content: bytes) -> tuple[Identity, ...]:
    """Return who the parts of a file that carry names say the patient is."""
    if one.written_as == "FHIR bundle":
        return tuple(p.identity for p in patients([parse(content, one.file)], {}))
    if one.written_as == "DICOM SR":
        ds = header(content, one.file).ds
        return (dicom_identity(ds, file=one.file, zone=None, notes=[]),)
    return ()
