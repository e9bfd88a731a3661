"""CDS Hooks over HTTP: discovery, services, feedback; and the export of feedback."""

from datetime import datetime
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Path, Query, Request, Response

from serving.access.errors import ForbiddenError, NotFoundError
from serving.access.guard import allowed
from serving.access.principal import Permission, Principal
from serving.cds.body import read_body
from serving.cds.card_model import CardList
from serving.cds.discovery import Service, discovery
from serving.cds.discovery import service as service_by_id
from serving.cds.feedback import FeedbackExport, FeedbackService
from serving.cds.protocol import FeedbackBody, HookCall, schema_of
from serving.cds.service import CdsService
from serving.services import ServicesDep

router = APIRouter(tags=["CDS Hooks"])

_LONGEST_EXPORT = 10_000
_ERRORS: dict[int | str, dict[str, Any]] = {
    status: {
        "description": description,
        "content": {"application/fhir+json": {"schema": {"type": "object"}}},
    }
    for status, description in {
        401: "No valid signed token.",
        403: "The client may not see this patient.",
        404: "No such service.",
        412: "Data are missing, and cannot be fetched.",
        413: "The body is too large.",
        422: "Not what the hook defines.",
        429: "Calls come too often.",
        503: "The database cannot be used, so that nothing was shown.",
    }.items()
}


def cds_caller(request: Request, services: ServicesDep) -> Principal:
    """Return the client that calls.

    Raises:
        UnauthenticatedError: No valid signed token.
        ForbiddenError: It may not call CDS Hooks.
    """
    principal = services.cds.clients.caller(request)
    if not principal.grants(Permission.CDS):
        services.audit.refused(principal, Permission.CDS.value, case=None)
        raise ForbiddenError(Permission.CDS.value)
    request.state.principal = principal
    return principal


Caller = Annotated[Principal, Depends(cds_caller)]


def known_service(service_id: Annotated[str, Path(max_length=80)], principal: Caller) -> Service:
    """Return the service of an address, for a client that may call.

    Raises:
        NotFoundError: There is none.
    """
    found = service_by_id(service_id)
    if found is None:
        raise NotFoundError("service")
    return found


Called = Annotated[Service, Depends(known_service)]


async def hook_call(request: Request, service: Called) -> HookCall:
    """Return the call, read after the client is known."""
    return await read_body(request, HookCall)


async def feedback_body(request: Request, service: Called) -> FeedbackBody:
    """Return the feedback, read after the client is known."""
    return await read_body(request, FeedbackBody)


def _body(schema: dict[str, Any]) -> dict[str, Any]:
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


@router.get("/cds-services", summary="The services and their prefetch", responses=_ERRORS)
def services_there_are(principal: Caller, services: ServicesDep) -> dict[str, Any]:
    """Return the discovery document of CDS Hooks 2.0."""
    return discovery(signed=services.cds.clients.signed)


@router.post(
    "/cds-services/{service_id}",
    summary="Cards for one occasion",
    response_model=CardList,
    responses=_ERRORS,
    openapi_extra=_body(schema_of(HookCall)),
)
def call(
    service: Called,
    principal: Caller,
    services: ServicesDep,
    asked: Annotated[HookCall, Depends(hook_call)],
) -> Response:
    """Return the cards of the deterministic assessment; no language model is asked."""
    with services.cds.place():
        cards = CdsService(services).answer(asked, service, principal)
    return Response(
        orjson.dumps(cards.to_json()),
        media_type="application/json",
        headers={"Cache-Control": "no-store"},
    )


@router.post(
    "/cds-services/{service_id}/feedback",
    summary="What became of cards",
    responses=_ERRORS,
    openapi_extra=_body(schema_of(FeedbackBody)),
)
def feedback(
    service: Called,
    principal: Caller,
    services: ServicesDep,
    told: Annotated[FeedbackBody, Depends(feedback_body)],
) -> dict[str, int]:
    """Keep feedback; cards this service did not show are kept as unknown, and counted."""
    unknown = FeedbackService(services).take(told, service, principal)
    return {"taken": len(told.feedback), "unknown": unknown}


@router.get("/v1/feedback", summary="Feedback and its rates", response_model_exclude_none=True)
def export(
    services: ServicesDep,
    principal: Annotated[Principal, Depends(allowed(Permission.READ_FEEDBACK))],
    since: datetime | None = None,
    limit: Annotated[int, Query(ge=1, le=_LONGEST_EXPORT)] = 1000,
) -> FeedbackExport:
    """Return feedback on cards, newest first, with the rates by topic and level."""
    return FeedbackService(services).export(principal, since=since, limit=limit)
