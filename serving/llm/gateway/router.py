"""The pool of language models for who operates the service: as JSON, and as a page."""

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from serving.access.guard import allowed
from serving.access.principal import Permission
from serving.llm.gateway.gateway import GatewayStatus
from serving.services import ServicesDep
from serving.web.pages import render

router = APIRouter(tags=["operations"], dependencies=[Depends(allowed(Permission.OPERATE))])


@router.get("/v1/llm/pool", summary="Model servers, queues, tenants and recorded switches")
def pool(services: ServicesDep) -> GatewayStatus:
    """Return what the pool of language models is doing now."""
    return services.gateway.status()


@router.get("/llm/pool", include_in_schema=False)
def page(request: Request, services: ServicesDep) -> HTMLResponse:
    """Return the same as a page."""
    return render(request, "llm_pool.html", found=services.gateway.status())
