"""The images of a round as what its report refers to: their headers, of one patient and study."""

from collections.abc import Sequence
from typing import Any

from knowledge.errors import ContractError, EpicrisisError, IdentityConflictError
from serving.access.errors import NotFoundError
from serving.cases.model import Case
from serving.images.found import Kept, images_of
from serving.reading.model import Release
from serving.reading.store import RoundStore
from serving.services import Services
from tools.dicom_out.sources import Sources, read_sources
from tools.readings.model import Image, Reading

MOST = 64
"""Images named one by one in a reading; of a longer study its identifier stands for them."""

_WHO = ("PatientID", "IssuerOfPatientID", "PatientName", "PatientBirthDate")


def sources_of(services: Services, kept: Sequence[Kept]) -> Sources | None:
    """Return the images of a round; None where one is no DICOM image with its identifiers.

    Args:
        services: Of the application.
        kept: Its files.

    Raises:
        IdentityConflictError: They are of several patients.
        ContractError: They are of several studies.
        UnavailableError: A content is not there any more or has changed.
    """
    found = [_header(services, one) for one in kept]
    headers = [ds for ds in found if ds is not None]
    if not headers or len(headers) < len(found):
        return None
    for ds in headers[1:]:
        differ = [k for k in _WHO if str(ds.get(k, "")) != str(headers[0].get(k, ""))]
        if differ:
            raise IdentityConflictError(
                "images",
                f"differ in {', '.join(differ)}",
                "take the wrong one out of the case",
                files=tuple(one.name for one in kept),
            )
        if ds.StudyInstanceUID != headers[0].StudyInstanceUID:
            raise ContractError("images", "are of several studies", "read each by itself")
    return Sources(datasets=tuple(headers), files=tuple(one.name for one in kept))


def images_read(services: Services, case: Case, identity: str) -> Sources | None:
    """Return the images of a round as far as the case still has them; None as in `sources_of`.

    Raises:
        NotFoundError: The case has no such round.
    """
    round_ = RoundStore(services.database, services.clock).find(case.id, identity)
    try:
        kept = images_of(services, case).kept
    except (ContractError, NotFoundError):
        return None
    files = [kept[name] for name in round_.files if name in kept]
    return sources_of(services, files) if files else None


def named(sources: Sources) -> tuple[Image, ...]:
    """Return the images as a reading names them; none of a study that has too many."""
    if len(sources.datasets) > MOST:
        return ()
    return tuple(
        Image(
            sop_class_uid=str(ds.SOPClassUID),
            series_uid=str(ds.SeriesInstanceUID),
            sop_uid=str(ds.SOPInstanceUID),
        )
        for ds in sources.datasets
    )


def are_of(sources: Sources | None, release: Release) -> bool:
    """Return whether a released reading is of these images: their study, and their patient."""
    if sources is None:
        return False
    reading = Reading.model_validate(release.reading)
    number = str(sources.datasets[0].get("PatientID", "") or "").strip()
    return (sources.study, number) == (reading.study.study_uid, reading.subject.id)


def _header(services: Services, one: Kept) -> Any | None:
    content = services.files.get(one.sha256)
    try:
        return read_sources({one.name: content}).datasets[0]
    except EpicrisisError:
        return None
