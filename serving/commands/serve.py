"""``epicrisis serve``: the service, until it is told to stop."""

import socket
from typing import TYPE_CHECKING, Annotated

import typer

from knowledge.errors import InvalidValueError, UnavailableError
from knowledge.settings import Settings, load_settings

if TYPE_CHECKING:
    import uvicorn
    from fastapi import FastAPI

    from serving.services import Services

_GRACE_S = 10
"""Seconds that open answers have to end at a stop."""
_BACKLOG = 2048

LOCAL = (
    "Local mode: whoever has an account on this machine is the one local user, without a login; "
    "nothing is reached from another machine."
)

OPEN_BESIDE = (
    "EPICRISIS_LOCAL_USER is on beside {settings}: that user sees their patients too, without a "
    "token."
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("serve")(serve)


def serve(
    host: Annotated[str | None, typer.Option("--host", help="Address to listen on")] = None,
    port: Annotated[
        int | None, typer.Option("--port", min=1, max=65535, help="Port to listen on")
    ] = None,
) -> None:
    """Start the web service: workspace, API, CDS Hooks.

    With nothing configured it is for one local user and listens on this machine only. As soon as
    people can log in or systems have clients, every request needs a login or a token.
    """
    settings = load_settings()
    given = {"host": host, "port": port}
    run(settings.model_copy(update={key: v for key, v in given.items() if v is not None}))


def run(settings: Settings) -> None:
    """Run the service until the process is told to stop.

    Raises:
        InvalidValueError: Nobody could log in, or others would reach it without TLS.
        UnavailableError: The address is taken, or the database cannot be used.
    """
    from agent.assessment import RESEARCH_USE
    from serving.access.address import public_base
    from serving.app import create_app
    from serving.assembly import assemble
    from serving.operations import logs

    who = who_may_come(settings)
    logs.configure(settings.log_format)
    with _listening(settings) as listening:
        services = assemble(settings)
        app = create_app(services)
        for line in (f"Epicrisis on {public_base(settings)}", who, RESEARCH_USE):
            typer.echo(line)
        _server(app, services).run(sockets=[listening])


def who_may_come(settings: Settings) -> str:
    """Return in words who may use the service.

    Raises:
        InvalidValueError: Nobody could log in, or others would reach it without TLS.
    """
    from serving.access.address import is_loopback, public_base
    from serving.access.local import is_local_mode, set_up

    public_base(settings)
    beside = ", ".join(set_up(settings))
    if is_local_mode(settings):
        return LOCAL if not beside else f"{LOCAL} {OPEN_BESIDE.format(settings=beside)}"
    ways = {
        "people log in (EPICRISIS_OIDC_ISSUER)": settings.oidc_issuer is not None,
        "EHRs launch it (EPICRISIS_SMART_ISSUERS)": bool(settings.smart_issuers),
        "systems have clients (EPICRISIS_CLIENTS_FILE)": settings.clients_file is not None,
    }
    opened = [words for words, is_set in ways.items() if is_set]
    if opened:
        return f"Every request needs a login or a token: {'; '.join(opened)}."
    if is_loopback(settings.host) and beside and settings.local_user is None:
        raise InvalidValueError(
            beside,
            "is set, so there is no local user, and nobody could log in",
            f"set one of: {_named(ways)}; or EPICRISIS_LOCAL_USER=true, and whoever has an account "
            "on this machine sees its patients",
        )
    if is_loopback(settings.host):
        raise InvalidValueError(
            "EPICRISIS_LOCAL_USER", "is off and nobody could log in", f"set one of: {_named(ways)}"
        )
    raise InvalidValueError(
        "EPICRISIS_HOST",
        "is not of this machine alone, and without a login there is only the local user",
        f"listen on 127.0.0.1, or set one of: {_named(ways)}",
    )


def _named(ways: dict[str, bool]) -> str:
    return "; ".join(ways)


def _listening(settings: Settings) -> socket.socket:
    """Return the socket, taken before anything is opened."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, settings.port), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise UnavailableError(
            f"{settings.host}:{settings.port}",
            f"cannot be listened on: {error.strerror}",
            "stop what listens there, or give another --port",
        ) from error


def _server(app: "FastAPI", services: "Services") -> "uvicorn.Server":
    """Return the server; at a signal, streams are told to end before it waits for them."""
    import uvicorn

    class Server(uvicorn.Server):
        def handle_exit(self, sig: int, frame: object) -> None:
            services.closing.set()
            super().handle_exit(sig, frame)  # type: ignore[arg-type]

    return Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=_GRACE_S,
        )
    )
