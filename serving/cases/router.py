"""Cases over HTTP: files in, the assessment at once, questions and answers."""

import asyncio
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response
from pydantic import PositiveInt

from knowledge.clinical_time import load_zone
from knowledge.errors import IdentityConflictError
from knowledge.plain_text import visible
from serving.access.errors import NotFoundError
from serving.access.guard import PrincipalDep, allowed, allowed_case
from serving.access.principal import Permission, Principal
from serving.cases.model import Case, StoredAssessment
from serving.cases.protocol import (
    LABEL,
    AnswerIn,
    AssessIn,
    AssessmentList,
    AssessmentOut,
    CaseList,
    CaseOut,
    QuestionList,
    assessment_out,
    case_out,
    case_summary,
    summary_of,
)
from serving.cases.service import CaseService, newest_unless_altered, refused_files
from serving.cases.upload import FILE_PART, SCHEMA, read_upload
from serving.openapi import not_kept, problems
from serving.problem import problem
from serving.services import Services, ServicesDep
from tools.intake.answer import Answer

router = APIRouter(prefix="/v1/cases", tags=["cases"], dependencies=[Depends(not_kept)])

Creator = Annotated[Principal, Depends(allowed(Permission.CREATE_CASE))]
Reader = Annotated[Principal, Depends(allowed(Permission.READ_CASE))]
ReadCase = Annotated[Case, Depends(allowed_case(Permission.READ_CASE))]
FilesCase = Annotated[Case, Depends(allowed_case(Permission.ADD_FILES))]
AssessCase = Annotated[Case, Depends(allowed_case(Permission.ASSESS))]
AnswerCase = Annotated[Case, Depends(allowed_case(Permission.ANSWER))]
Limit = Annotated[int, Query(ge=1, le=500, description="At most this many")]
Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=8,
        max_length=120,
        pattern=r"^[!-~]+$",
        description="Two requests of one person with one key and the same files are one case",
    ),
]
Version = Annotated[
    Annotated[PositiveInt, Path(le=2**31 - 1)] | Literal["newest"],
    Path(description="A version's number, or `newest`", union_mode="left_to_right"),
]

_ZONE = 80


def _body(**fields: str) -> dict[str, Any]:
    """Return the OpenAPI of an upload with these fields beside its files."""
    more = {name: {"type": "string", "description": words} for name, words in fields.items()}
    schema = {**SCHEMA, "properties": {**FILE_PART, **more}}
    content = {"multipart/form-data": {"schema": schema}}
    return {"requestBody": {"required": True, "content": content}}


@router.post(
    "",
    status_code=201,
    response_model=CaseOut,
    responses=problems(409, 413, 415),
    openapi_extra=_body(
        label=f"What people call the case (a bed); at most {LABEL} characters, no identity",
        time_zone="IANA zone for times that have none",
    ),
)
async def create_case(
    request: Request,
    principal: Creator,
    services: ServicesDep,
    response: Response,
    key: Key = None,
) -> Response | CaseOut:
    """Make a case of one patient's files and assess it at once.

    Where the same request may be sent again, give it an `Idempotency-Key`: it is one case then.

    Files that are not of one patient give 409 with their names: the case is kept (`Location`), its
    assessment says "refused", and taking out the wrong file assesses it.
    """
    sent = await read_upload(request, services.settings)
    label = visible(sent.field("label", most=LABEL)).strip() or "unnamed"
    zone = sent.field("time_zone", most=_ZONE) or None
    if zone is not None:
        load_zone(zone)

    def make() -> tuple[CaseOut, StoredAssessment]:
        case, stored = CaseService(services).open(
            sent.files, label=label, time_zone=zone, principal=principal, key=key
        )
        services.audit.used(principal, Permission.CREATE_CASE.value, case=case)
        return _whole(services, case), stored

    made, stored = await asyncio.to_thread(make)
    headers = {"Location": f"/v1/cases/{made.id}"}
    if wrong := refused_files(stored):
        return problem(
            request,
            409,
            item="files",
            reason="not shown to be of one patient; nothing was combined",
            way_out="take out the wrong file, or make a case of its own for each patient",
            headers=headers,
            extra={"case": made.id, "files": list(wrong)},
        )
    response.headers.update(headers)
    return made


@router.get("")
def list_cases(principal: Reader, services: ServicesDep, limit: Limit = 100) -> CaseList:
    """Return the cases you may see, newest first."""
    there = services.cases.list(patient=principal.patient, limit=limit)
    found = tuple(case for case in there if principal.sees(case.patient))
    services.audit.listed(principal, "case.listed", cases=found)
    return CaseList(cases=tuple(case_summary(case) for case in found))


@router.get("/{case_id}")
def get_case(case: ReadCase, services: ServicesDep) -> CaseOut:
    """Return a case with its files and its newest assessment."""
    return _whole(services, case)


@router.post(
    "/{case_id}/files",
    response_model=AssessmentOut,
    responses=problems(409, 413, 415),
    openapi_extra=_body(),
)
async def add_files(
    request: Request, case: FilesCase, principal: PrincipalDep, services: ServicesDep
) -> AssessmentOut:
    """Take more files into a case, all or none, and assess it at once.

    One of a known name takes the place of the earlier. A file of another patient gives 409 and
    changes nothing.
    """
    sent = await read_upload(request, services.settings)
    service = CaseService(services)
    stored = await asyncio.to_thread(service.add_files, case, sent.files, principal=principal)
    return assessment_out(stored)


@router.delete("/{case_id}/files", responses=problems(409))
def remove_file(
    case: FilesCase,
    principal: PrincipalDep,
    services: ServicesDep,
    name: Annotated[str, Query(max_length=400, description="As the case lists it")],
) -> AssessmentOut:
    """Take a file out of a case and assess the rest; earlier versions keep what they say."""
    stored = CaseService(services).remove_file(case, name, principal=principal)
    return assessment_out(_not_refused(stored))


@router.post("/{case_id}/assessments", responses={201: {"model": AssessmentOut}, **problems(409)})
def assess(
    case: AssessCase,
    principal: PrincipalDep,
    services: ServicesDep,
    response: Response,
    asked: AssessIn | None = None,
) -> AssessmentOut:
    """Assess a case as of now: 201 with a new version, 200 with the newest if none differs."""
    service = CaseService(services)
    before = newest_unless_altered(services, case)
    asked = asked or AssessIn()
    stored = service.assess(
        case,
        principal=principal,
        why="asked for",
        language=asked.language,
        as_of_now=asked.as_of_now,
    )
    if before is None or stored.version > before.version:
        response.status_code = 201
    return assessment_out(_not_refused(stored))


@router.get("/{case_id}/assessments")
def list_assessments(case: ReadCase, services: ServicesDep) -> AssessmentList:
    """Return every version, newest first."""
    found = services.cases.assessments(case.id)
    return AssessmentList(assessments=tuple(summary_of(stored) for stored in found))


@router.get("/{case_id}/assessments/{version}")
def get_assessment(case: ReadCase, version: Version, services: ServicesDep) -> AssessmentOut:
    """Return one version as it was made; also one that says "refused"."""
    number = None if version == "newest" else version
    stored = services.cases.assessment(case.id, number)
    if stored is None:
        raise NotFoundError(f"assessment {version}")
    return assessment_out(stored)


@router.get("/{case_id}/questions")
def questions(case: ReadCase, services: ServicesDep) -> QuestionList:
    """Return what a person can answer of what is missing."""
    return QuestionList(case=case.id, questions=CaseService(services).questions(case))


@router.post("/{case_id}/answers", responses=problems(409))
def answer(
    case: AnswerCase, principal: PrincipalDep, services: ServicesDep, given: AnswerIn
) -> AssessmentOut:
    """Keep an answer with its author and time, and return the assessment with it."""
    value = Answer(value=given.value, unit=given.unit, time=given.observed_at, items=given.items)
    stored = CaseService(services).answer(case, given.input, value, principal=principal)
    return assessment_out(_not_refused(stored))


def _whole(services: Services, case: Case) -> CaseOut:
    files = services.cases.files(case.id)
    return case_out(case, files, services.cases.assessment(case.id))


def _not_refused(stored: StoredAssessment) -> StoredAssessment:
    """Return an assessment that is one.

    Raises:
        IdentityConflictError: The files of the case are not of one patient; names them.
    """
    if wrong := refused_files(stored):
        raise IdentityConflictError(
            "files",
            "not shown to be of one patient; nothing was combined",
            "take out the wrong file",
            files=wrong,
        )
    return stored
