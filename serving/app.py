"""The service as one FastAPI application: every resource is one line in `ROUTERS`."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI

from agent.assessment import RESEARCH_USE
from serving import openapi, problem
from serving.access.login.me import router as me
from serving.access.login.router import router as login
from serving.access.oauth.router import router as oauth
from serving.access.smart.router import router as smart
from serving.audit import origin
from serving.audit.router import router as audit
from serving.cases.router import router as cases
from serving.cds import cors
from serving.cds.router import router as cds
from serving.chat.router import router as chat
from serving.evidence.router import router as evidence
from serving.fhir_in.router import router as fhir_in
from serving.fhir_out.router import router as fhir_out
from serving.jobs.router import router as runs
from serving.limits import body
from serving.llm.gateway.router import router as llm_pool
from serving.model_card.router import router as model_card
from serving.openai.router import router as openai
from serving.operations import metrics, traces
from serving.operations.health import router as health
from serving.operations.metrics import router as counters
from serving.reading.outbox import Outbox
from serving.reading.router import router as readings
from serving.services import Services
from serving.signing.router import router as sign_offs
from serving.web.conversation import router as conversation_pages
from serving.web.router_cases import router as case_pages
from serving.web.router_ecg import router as ecg_pages
from serving.web.router_images import router as image_pages
from serving.web.router_readings import router as reading_pages
from serving.web.router_runs import router as run_pages
from serving.web.router_start import router as start_pages
from serving.web.sidebar import router as sidebar
from serving.web.signoff_pages import router as signoff_pages
from serving.web.static_files import router as static_files
from serving.web.worklist_pages import router as worklist_pages
from serving.worklist.router import router as worklist
from serving.worklist.watch import Watch

ROUTERS: Sequence[APIRouter] = (
    audit,
    case_pages,
    cases,
    cds,
    chat,
    conversation_pages,
    counters,
    ecg_pages,
    evidence,
    fhir_in,
    fhir_out,
    health,
    image_pages,
    llm_pool,
    login,
    me,
    model_card,
    oauth,
    openai,
    reading_pages,
    readings,
    run_pages,
    runs,
    sidebar,
    sign_offs,
    signoff_pages,
    smart,
    start_pages,
    static_files,
    worklist,
    worklist_pages,
)


def create_app(services: Services) -> FastAPI:
    """Return the application over these services.

    Args:
        services: What it is made of, see `serving.assembly.assemble`.
    """
    provider = traces.provider_of(services.settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        services.gateway.start()
        services.jobs.start()
        watch = Watch(services)
        watch.start()
        outbox = Outbox(services)
        outbox.start()
        try:
            yield
        finally:
            if provider is not None:
                provider.shutdown()
            outbox.stop()
            watch.stop()
            services.jobs.stop()
            if "cds" in vars(services):
                services.cds.close()
            if "chat" in vars(services):
                services.chat.close()
            if "images" in vars(services):
                services.images.close()
            services.gateway.stop()

    app = FastAPI(
        title="Epicrisis",
        summary="Multimodal diagnostic suggestions for acute chest pain.",
        description=RESEARCH_USE,
        version="0.1.0",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    app.state.services = services
    problem.install(app)
    openapi.install(app)
    origin.install(app)
    body.install(app)
    cors.install(app, services.settings)
    services.gateway.count_in(metrics.install(app, services).registry)
    if provider is not None:
        app.add_middleware(traces.TracesMiddleware, provider=provider)
    for router in ROUTERS:
        app.include_router(router)
    return app
