"""The service as one FastAPI application: every resource is one line in `ROUTERS`."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI

from agent.assessment import RESEARCH_USE
from serving import problem
from serving.services import Services

ROUTERS: Sequence[APIRouter] = ()


def create_app(services: Services) -> FastAPI:
    """Return the application over these services.

    Args:
        services: What it is made of, see `serving.assembly.assemble`.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        services.jobs.start()
        try:
            yield
        finally:
            services.jobs.stop()

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
    for router in ROUTERS:
        app.include_router(router)
    return app
