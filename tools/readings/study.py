"""Of whom and of what a reading is, as the images say."""

import re
from datetime import datetime, timedelta, timezone
from typing import Any

from knowledge.clinical_time import load_zone
from knowledge.errors import ContractError
from tools.dicom_out.sources import Sources
from tools.readings.model import Image, Study, Subject

_AGE = re.compile(r"(\d{3})([DWMY])")
_DAYS = {"D": 1.0, "W": 7.0, "M": 30.4375, "Y": 365.25}
_YEAR_DAYS = 365.25
_SEX = {"F": "female", "M": "male", "O": "other"}


def subject_and_study(sources: Sources, *, zone: str | None = None) -> tuple[Subject, Study]:
    """Return who was examined, and the study with its images.

    Args:
        sources: Images of one patient and one study.
        zone: IANA zone of times without an offset; without one they stay unknown.

    Raises:
        ContractError: The images name no patient.
    """
    first = sources.datasets[0]
    patient = str(first.get("PatientID", "") or "").strip()
    if not patient:
        raise ContractError(
            sources.files[0], "names no patient", "give --patient with the study's own identifiers"
        )
    subject = Subject.model_validate(
        {
            "id": patient,
            "issuer": str(first.get("IssuerOfPatientID", "") or ""),
            "age_years": _age(str(first.get("PatientAge", "") or "")),
            "sex": _SEX.get(str(first.get("PatientSex", "") or ""), "unknown"),
        }
    )
    images = [
        Image(
            sop_class_uid=str(ds.SOPClassUID),
            series_uid=str(ds.SeriesInstanceUID),
            sop_uid=str(ds.SOPInstanceUID),
        )
        for ds in sources.datasets
    ]
    study = Study(
        study_uid=sources.study,
        modality=sources.modality or "OT",
        done=_done(first, zone),
        accession=str(first.get("AccessionNumber", "") or ""),
        images=tuple(images),
    )
    return subject, study


def _age(text: str) -> float | None:
    """Return years.

    Examples:
        >>> _age("066Y"), _age("018M"), _age("")
        (66.0, 1.5, None)
    """
    found = _AGE.fullmatch(text)
    return None if found is None else round(int(found[1]) * _DAYS[found[2]] / _YEAR_DAYS, 4)


def _done(ds: Any, zone: str | None) -> datetime | None:
    """Return when the images were made; None where day, time or zone is not known."""
    day = str(ds.get("AcquisitionDate", "") or ds.get("StudyDate", "") or "")
    clock = str(ds.get("AcquisitionTime", "") or ds.get("StudyTime", "") or "")[:6]
    try:
        naive = datetime.strptime(day + clock, "%Y%m%d%H%M%S")  # noqa: DTZ007 - zoned below
    except ValueError:
        return None
    offset = re.fullmatch(r"([+-])(\d{2})(\d{2})", str(ds.get("TimezoneOffsetFromUTC", "") or ""))
    if offset is not None:
        shift = timedelta(hours=int(offset[2]), minutes=int(offset[3]))
        return naive.replace(tzinfo=timezone(shift if offset[1] == "+" else -shift))
    return naive.replace(tzinfo=load_zone(zone)) if zone is not None else None
