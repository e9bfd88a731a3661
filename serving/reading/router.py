"""``/v1/readings``, and the readings of one case."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from fastapi.responses import Response

from serving.access.errors import ConflictError
from serving.access.guard import PrincipalDep, allowed, allowed_case
from serving.access.principal import Permission, Principal
from serving.cases.model import Case
from serving.reading.lists import details, rounds_seen
from serving.reading.model import Release, Round
from serving.reading.outbox import Delivery, Outbox
from serving.reading.protocol import (
    AskIn,
    ContentIn,
    ReleaseIn,
    RoundList,
    RoundOut,
    SignIn,
    StartIn,
)
from serving.reading.service import ReadingService
from serving.reading.sources import are_of, images_read
from serving.reading.written import MEDIA, Form, written
from serving.services import ServicesDep
from tools.readings.check import as_stated

router = APIRouter(prefix="/v1", tags=["readings"])

ReadableCase = Annotated[Case, Depends(allowed_case(Permission.READ_CASE))]
SignableCase = Annotated[Case, Depends(allowed_case(Permission.SIGN))]
ExportableCase = Annotated[Case, Depends(allowed_case(Permission.EXPORT))]
ReadingId = Annotated[str, Path(max_length=80)]


@router.get("/readings", response_model_exclude_none=True)
def readings(
    principal: Annotated[Principal, Depends(allowed(Permission.READ_CASE))],
    services: ServicesDep,
    everything: Annotated[bool, Query(alias="all", description="Also released readings")] = False,
) -> RoundList:
    """Return the readings the caller may see, those that wait longest first."""
    return rounds_seen(services, principal, everything=everything)


@router.get("/cases/{case_id}/readings", response_model_exclude_none=True)
def readings_of(case: ReadableCase, services: ServicesDep) -> RoundList:
    """Return the readings of a case, oldest first."""
    store = ReadingService(services).store
    return RoundList(at=services.clock(), rounds=store.of_case(case.id))


@router.get("/cases/{case_id}/readings/{reading_id}", response_model_exclude_none=True)
def reading(case: ReadableCase, services: ServicesDep, reading_id: ReadingId) -> RoundOut:
    """Return a reading: its content, its differences, its release, who did what and how long."""
    return details(services, case, reading_id)


@router.post("/cases/{case_id}/readings/{reading_id}/start", response_model_exclude_none=True)
def start(
    case: SignableCase,
    principal: PrincipalDep,
    services: ServicesDep,
    reading_id: ReadingId,
    asked: StartIn,
) -> Round:
    """Hold a reading as its first or second reader; 409 where somebody else holds it."""
    return ReadingService(services).start(case, reading_id, principal=principal, form=asked.form)


@router.put("/cases/{case_id}/readings/{reading_id}/content")
def save(
    case: SignableCase,
    principal: PrincipalDep,
    services: ServicesDep,
    reading_id: ReadingId,
    given: ContentIn,
) -> RoundOut:
    """Keep what the reader states; each save is a version of its own."""
    changes = {path: as_stated(one, path=path) for path, one in given.changes.items()}
    ReadingService(services).save(case, reading_id, changes, principal=principal)
    return details(services, case, reading_id)


@router.post("/cases/{case_id}/readings/{reading_id}/give-back", response_model_exclude_none=True)
def give_back(
    case: SignableCase, principal: PrincipalDep, services: ServicesDep, reading_id: ReadingId
) -> Round:
    """Let somebody else read it; what was saved stays."""
    return ReadingService(services).give_back(case, reading_id, principal=principal)


@router.post("/cases/{case_id}/readings/{reading_id}/sign", response_model_exclude_none=True)
def sign(
    case: SignableCase,
    principal: PrincipalDep,
    services: ServicesDep,
    reading_id: ReadingId,
    asked: SignIn | None = None,
) -> Round:
    """Sign what one has read; refused where nothing is stated or answers contradict each other."""
    accept = () if asked is None else asked.accept
    return ReadingService(services).sign(case, reading_id, accept, principal=principal)


@router.post("/cases/{case_id}/readings/{reading_id}/release", response_model_exclude_none=True)
def release(
    case: SignableCase,
    principal: PrincipalDep,
    services: ServicesDep,
    reading_id: ReadingId,
    asked: ReleaseIn,
) -> Release:
    """Release a signed reading; 409 names every difference that is not decided."""
    service = ReadingService(services)
    return service.release(case, reading_id, asked.decisions, principal=principal)


@router.get("/cases/{case_id}/readings/{reading_id}/release")
def released(
    case: ExportableCase,
    services: ServicesDep,
    reading_id: ReadingId,
    form: Annotated[Form, Query(description="json, fhir (R4 collection) or sr (DICOM)")] = "json",
) -> Response:
    """Return what was released; 409 where nothing was."""
    store = ReadingService(services).store
    store.find(case.id, reading_id)
    found = store.release(reading_id)
    if found is None:
        raise ConflictError("reading", "was not released: nothing unsigned leaves", "release it")
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    sources = images_read(services, case, reading_id) if form == "sr" else None
    sources = sources if are_of(sources, found) else None
    return Response(written(found, form, sources), media_type=MEDIA[form], headers=headers)


@router.post("/cases/{case_id}/readings/{reading_id}/send", status_code=202)
def send(case: SignableCase, services: ServicesDep, reading_id: ReadingId) -> Delivery:
    """Send a released reading to the archive now, also one that was refused; 409 names why not."""
    return Outbox(services).again(case, reading_id)


@router.post("/cases/{case_id}/readings/{reading_id}/corrections", status_code=201)
def correct(
    case: SignableCase,
    principal: PrincipalDep,
    services: ServicesDep,
    reading_id: ReadingId,
    asked: AskIn,
) -> Round:
    """Ask for the correction of a released reading."""
    service = ReadingService(services)
    return service.correct(case, reading_id, reason=asked.words, principal=principal)


@router.post("/cases/{case_id}/readings/{reading_id}/opinions", status_code=201)
def opinion(
    case: SignableCase,
    principal: PrincipalDep,
    services: ServicesDep,
    reading_id: ReadingId,
    asked: AskIn,
) -> Round:
    """Ask for a second opinion on a released reading."""
    service = ReadingService(services)
    return service.opinion(case, reading_id, question=asked.words, principal=principal)
