"""``epicrisis llm check``: what a language model's server can do, found out by real calls."""

import asyncio
from pathlib import Path
from typing import Annotated

import orjson
import typer
from pydantic import SecretStr
from rich.console import Console

from agent.llm.address import address
from knowledge.errors import InvalidValueError, UnreadableError
from knowledge.settings import Settings, load_settings

EXIT = (
    "Exit code: 0 every function of this product works with it; 6 usable, only plainer (the table "
    "names what works); 5 not available; 4 a wrong argument; 2 an option that is unknown or "
    "not of its type or range."
)
_KEY_BYTES = 4096
_VARIABLE = "VLLM_API_KEY="
"""Before the key in the file that `epicrisis llm launch` writes."""


def check(
    url: Annotated[
        str | None,
        typer.Argument(help="For example http://127.0.0.1:8000/v1; none for the configured one"),
    ] = None,
    model: Annotated[str | None, typer.Option(help="As the server names it")] = None,
    api_key_file: Annotated[
        Path | None, typer.Option(help="File with the key and nothing else")
    ] = None,
    profile: Annotated[
        str | None, typer.Option(help="Profile of the model; none to find it by its name")
    ] = None,
    burst: Annotated[
        int, typer.Option(min=0, max=512, help="Requests at once, to see too many refused")
    ] = 0,
    timeout_s: Annotated[
        float, typer.Option(min=1, max=3600, help="Most seconds of one call")
    ] = 60.0,
    limit_s: Annotated[
        float, typer.Option(min=1, max=86400, help="Most seconds of all checks")
    ] = 900.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on standard output")] = False,
) -> None:
    """Ask a server everything this product needs to know, by some sixty real calls.

    Each row says yes, no, or not assessed with the reason, and shows what was seen. A parser that
    does not fit is named with the one that does. Nothing of a patient is sent.
    """
    from serving.llm.check.run import checked
    from serving.llm.check.table import show
    from serving.llm.profiles.load import profile as profile_of

    where, key = target(url, api_key_file, load_settings())
    console = Console()
    waiting = Console(stderr=True)
    with waiting.status("asking") as status:
        report = asyncio.run(
            checked(
                where,
                model=model,
                api_key=key,
                profile=None if profile is None else profile_of(profile),
                burst=burst,
                timeout_s=timeout_s,
                limit_s=limit_s,
                told=lambda title: status.update(f"asking: {title}"),
            )
        )
    if as_json:
        typer.echo(orjson.dumps(report.to_json(), option=orjson.OPT_INDENT_2).decode())
    else:
        show(report, console)
    raise typer.Exit(report.exit_code)


def target(
    url: str | None, api_key_file: Path | None, settings: Settings
) -> tuple[str, SecretStr | None]:
    """Return address and key of the server that is meant.

    The configured key goes to the configured address only, the key of the local server to it only.

    Raises:
        InvalidValueError: No address is given, configured or running.
        UnreadableError: The file of the key cannot be used.
    """
    from agent.llm.choice import run_folder
    from agent.llm.local.running import found_running

    running = found_running(run_folder(settings))
    where = url or settings.llm_url or (running.url if running else None)
    if where is None:
        raise InvalidValueError(
            "URL", "is not given, and no server is configured or running", "give an address"
        )
    if url is not None:
        address(url, "URL")
    if api_key_file is not None:
        return where, _key_of(api_key_file)
    api = address(where).api
    if settings.llm_url is not None and api == address(settings.llm_url).api:
        return where, settings.llm_api_key
    if running is not None and api == address(running.url).api:
        return where, running.api_key
    return where, None


def _key_of(path: Path) -> SecretStr:
    try:
        with path.open(encoding="utf-8") as file:
            key = file.read(_KEY_BYTES).strip().removeprefix(_VARIABLE).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadableError(path.name, "the file of the key cannot be read") from error
    if not key or not key.isascii() or not key.isprintable() or " " in key:
        raise UnreadableError(path.name, "is no key: one line of ASCII without spaces")
    return SecretStr(key)
