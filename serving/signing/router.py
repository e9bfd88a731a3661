"""Sign-off of a case: the draft, the signature, the signed reports, and their flags."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path
from starlette.status import HTTP_201_CREATED

from serving.access.errors import NotFoundError
from serving.access.guard import PrincipalDep, allowed_case
from serving.access.principal import Permission
from serving.cases.model import Case
from serving.services import ServicesDep
from serving.signing.model import Flag, SignOff
from serving.signing.protocol import (
    DraftIn,
    DraftView,
    FlagList,
    ResolveIn,
    SignIn,
    SignOffList,
)
from serving.signing.service import SignOffService

router = APIRouter(prefix="/v1/cases/{case_id}", tags=["sign-off"])

Readable = Annotated[Case, Depends(allowed_case(Permission.READ_CASE))]
Signable = Annotated[Case, Depends(allowed_case(Permission.SIGN))]
_Id = Annotated[str, Path(max_length=80)]


@router.get("/sign-off/draft", response_model_exclude_none=True)
def draft(case: Signable, principal: PrincipalDep, services: ServicesDep) -> DraftView:
    """Return every statement of the newest version with the decisions of the person who asks."""
    return SignOffService(services).draft(case, principal)


@router.put("/sign-off/draft", response_model_exclude_none=True)
def decide(
    case: Signable, principal: PrincipalDep, services: ServicesDep, asked: DraftIn
) -> DraftView:
    """Keep decisions; 409 where a newer version was made."""
    return SignOffService(services).decide(
        case, asked.version, asked.decisions, principal=principal
    )


@router.post("/sign-offs", status_code=HTTP_201_CREATED, response_model_exclude_none=True)
def sign(case: Signable, principal: PrincipalDep, services: ServicesDep, asked: SignIn) -> SignOff:
    """Sign the newest version; 409 where it is not the newest, not decided, or signed already."""
    return SignOffService(services).sign(case, asked, principal=principal)


@router.get("/sign-offs", response_model_exclude_none=True)
def sign_offs(case: Readable, services: ServicesDep) -> SignOffList:
    """Return every signed report, newest first."""
    return SignOffList(case=case.id, sign_offs=SignOffService(services).store.sign_offs(case.id))


@router.get("/sign-offs/{sign_off_id}", response_model_exclude_none=True)
def sign_off(case: Readable, services: ServicesDep, sign_off_id: _Id) -> SignOff:
    """Return one signed report."""
    for found in SignOffService(services).store.sign_offs(case.id):
        if found.id == sign_off_id:
            return found
    raise NotFoundError("sign-off")


@router.get("/flags", response_model_exclude_none=True)
def flags(case: Readable, services: ServicesDep) -> FlagList:
    """Return what later versions do not bear out of signed reports, newest first."""
    found = SignOffService(services).store.flags(case.id)
    return FlagList(case=case.id, flags=found, open=sum(f.resolved_at is None for f in found))


@router.post("/flags/{flag_id}/resolve", response_model_exclude_none=True)
def resolve(
    case: Signable, principal: PrincipalDep, services: ServicesDep, flag_id: _Id, asked: ResolveIn
) -> Flag:
    """Say that the report stands although something changed; to change it, sign an amendment."""
    return SignOffService(services).let_stand(case, flag_id, asked.reason, principal=principal)
