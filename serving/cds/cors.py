"""Which browser pages of other origins may call CDS Hooks: those the operator names, no others."""

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from knowledge.settings import Settings

PREFIX = "/cds-services"


class CdsCors:
    """Lets the named origins call the addresses of CDS Hooks; everything else is as before.

    Args:
        app: The application.
        origins: As browsers name them.
    """

    def __init__(self, app: ASGIApp, origins: tuple[str, ...]) -> None:
        self._app = app
        self._cors = CORSMiddleware(
            app,
            allow_origins=origins,
            allow_methods=["GET", "POST"],
            allow_headers=["authorization", "content-type", "accept"],
            allow_credentials=False,
            max_age=600,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection."""
        if scope["type"] == "http" and scope["path"].startswith(PREFIX):
            await self._cors(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def install(app: FastAPI, settings: Settings) -> None:
    """Add this to an application, where any origin is named."""
    if settings.cds_origins:
        app.add_middleware(CdsCors, origins=settings.cds_origins)
