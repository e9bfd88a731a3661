"""``GET /v1/worklist``, and the critical results of one case."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query

from serving.access.guard import PrincipalDep, allowed, allowed_case
from serving.access.principal import Permission, Principal
from serving.cases.model import Case
from serving.services import ServicesDep
from serving.worklist.acknowledge import acknowledge
from serving.worklist.model import Acknowledgement, Worklist
from serving.worklist.protocol import AcknowledgeIn, AcknowledgementList
from serving.worklist.service import worklist
from serving.worklist.store import AcknowledgementStore

router = APIRouter(prefix="/v1", tags=["worklist"])


@router.get("/worklist", response_model_exclude_none=True)
def worklist_of(
    principal: Annotated[Principal, Depends(allowed(Permission.READ_CASE))],
    services: ServicesDep,
    everything: Annotated[
        bool, Query(alias="all", description="Also signed cases without anything to do")
    ] = False,
) -> Worklist:
    """Return the cases the caller may see, those first that need somebody soonest."""
    return worklist(services, principal, everything=everything)


@router.get("/cases/{case_id}/acknowledgements", response_model_exclude_none=True)
def acknowledgements(
    case: Annotated[Case, Depends(allowed_case(Permission.READ_CASE))], services: ServicesDep
) -> AcknowledgementList:
    """Return the critical results of a case, newest first."""
    store = AcknowledgementStore(services.database, services.clock)
    return AcknowledgementList(case=case.id, acknowledgements=store.of_case(case.id))


@router.post(
    "/cases/{case_id}/acknowledgements/{acknowledgement_id}", response_model_exclude_none=True
)
def acknowledge_one(
    case: Annotated[Case, Depends(allowed_case(Permission.ACKNOWLEDGE))],
    principal: PrincipalDep,
    services: ServicesDep,
    acknowledgement_id: Annotated[str, Path(max_length=80)],
    asked: AcknowledgeIn,
) -> Acknowledgement:
    """Say by name that one knows a critical result; 409 where somebody else has."""
    return acknowledge(services, case, acknowledgement_id, note=asked.note, principal=principal)
