"""Pulls over HTTP, and the public keys this service signs with."""

from typing import Any

from fastapi import APIRouter, Request, Response

from serving.access.guard import PrincipalDep
from serving.access.smart.context import smart_context
from serving.fhir_in.backend import public_keys
from serving.fhir_in.protocol import PullIn, PullOut
from serving.fhir_in.service import PullService
from serving.openapi import problems
from serving.services import ServicesDep

router = APIRouter(prefix="/v1/fhir", tags=["fhir"])


@router.post("/pulls", status_code=201, responses=problems(409, 413))
def pull(
    asked: PullIn,
    principal: PrincipalDep,
    services: ServicesDep,
    request: Request,
    response: Response,
) -> PullOut:
    """Pull one patient from a FHIR R4 server into their case, and assess it.

    With a login by an EHR's launch the patient and the token are the launch's; else the server must
    be one that the operator named, and this service signs for itself. What could not be read is
    said, in the answer and in the assessment.
    """
    done = PullService(services).pull(asked, principal=principal, smart=smart_context(request))
    response.headers["Location"] = f"/v1/cases/{done.case.id}"
    if not done.created:
        response.status_code = 200
    return PullOut(
        case=done.case.id,
        created=done.created,
        version=done.stored.version,
        status=done.stored.status,
        headline=done.stored.headline,
        complete=not done.pulled.problems,
        counts=done.pulled.counts,
        problems=done.pulled.problems,
        not_offered=done.pulled.not_offered,
    )


@router.get("/jwks.json")
def keys(services: ServicesDep) -> dict[str, Any]:
    """Return the public keys that FHIR servers check this service's assertions with."""
    return public_keys(services.settings.fhir_backend_key)
