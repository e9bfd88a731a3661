"""``epicrisis mcp``: tools, guideline search and assessment for an MCP client."""

import os
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer
from pydantic import SecretStr

from knowledge.errors import InvalidValueError, MissingExtraError
from knowledge.settings import load_settings


class Transport(StrEnum):
    """How the client is connected."""

    STDIO = "stdio"
    HTTP = "http"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("mcp")(mcp)


def mcp(
    transport: Annotated[
        Transport, typer.Option("--transport", help="stdio, or streamable HTTP")
    ] = Transport.STDIO,
    host: Annotated[str, typer.Option("--host", help="Address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=1, max=65535)] = 8765,
    token_env: Annotated[
        str | None,
        typer.Option(
            "--token-env",
            metavar="NAME",
            help="Environment variable that holds the bearer token; required beyond this machine",
        ),
    ] = None,
    allowed_host: Annotated[
        list[str] | None,
        typer.Option("--allowed-host", metavar="NAME", help="Further name clients reach it by"),
    ] = None,
    case_root: Annotated[
        list[Path] | None,
        typer.Option("--case-root", metavar="DIR", help="Cases below it may be read; repeatable"),
    ] = None,
) -> None:
    """Serve the tools, the guideline search and the assessment to an MCP client, read-only."""
    for package in ("mcp", "uvicorn"):
        if find_spec(package) is None:
            raise MissingExtraError(
                "epicrisis mcp", f"{package} is not installed", "pip install 'epicrisis[mcp]'"
            )
    from serving.mcp.offers import all_offers

    offers = all_offers(load_settings(), case_roots=case_root or ())
    if transport is Transport.STDIO:
        from serving.mcp.server import serve_stdio

        serve_stdio(offers)
        return
    from serving.mcp.http import serve_http

    serve_http(offers, host=host, port=port, token=_token(token_env), names=allowed_host or ())


def _token(variable: str | None) -> SecretStr | None:
    if variable is None:
        return None
    token = os.environ.get(variable)
    if not token:
        raise InvalidValueError(
            "--token-env", f"the variable {variable} is not set", "set it to the bearer token"
        )
    return SecretStr(token)
