"""``epicrisis clients check|new-key``: the systems that may ask for tokens and call hooks."""

from pathlib import Path
from typing import Annotated

import typer

from knowledge.errors import InvalidValueError, UnavailableError
from knowledge.settings import load_settings


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(
        help="Systems that may use the service.", no_args_is_help=True, rich_markup_mode=None
    )
    group.command("check")(check)
    group.command("new-key")(new_key)
    app.add_typer(group, name="clients")


def check(
    file: Annotated[
        Path | None, typer.Argument(help="The file; without it that of EPICRISIS_CLIENTS_FILE")
    ] = None,
) -> None:
    """Say what each client of the file may do; a scope that is not understood allows nothing."""
    from serving.access.clients import read_clients
    from serving.access.jwt_keys import FixedKeys
    from serving.access.principal import Principal
    from serving.access.scopes import BACKEND, parse_scopes

    path = file or load_settings().clients_file
    if path is None:
        raise InvalidValueError("clients", "no file is set", "set EPICRISIS_CLIENTS_FILE")
    try:
        clients = read_clients(path)
    except OSError as error:
        raise InvalidValueError(path.name, f"cannot be read: {error.strerror}") from error
    unknown = False
    for client in clients:
        if client.jwks is not None:
            FixedKeys(client.jwks)
        parsed = parse_scopes(client.scopes)
        stands_for = Principal(
            subject=client.client_id,
            name=client.name,
            roles=frozenset(client.roles),
            scopes=parsed.permissions(contexts=BACKEND),
            via="service",
        )
        may = sorted(one.value for one in stands_for.scopes or () if stands_for.grants(one))
        hooks = ", CDS Hooks" if client.cds else ""
        typer.echo(f"{client.client_id}: {', '.join(may) or 'nothing'}{hooks}")
        for word in sorted(parsed.other):
            unknown = True
            typer.echo(f"{client.client_id}: scope {word} is not known", err=True)
    if unknown:
        raise typer.Exit(1)


def new_key(
    private: Annotated[Path, typer.Argument(metavar="FILE", help="Where the private key goes")],
    kid: Annotated[str, typer.Option("--kid", help="Its name in both key sets")] = "key-1",
) -> None:
    """Make a key pair (ES384): the private part into a file, the public part printed."""
    import os

    import orjson
    from joserfc.jwk import ECKey

    key = ECKey.generate_key("P-384", parameters={"kid": kid, "alg": "ES384", "use": "sig"})
    try:
        handle = os.open(private, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(orjson.dumps(key.as_dict(private=True)))
    except FileExistsError as error:
        raise InvalidValueError(
            private.name, "is there already", "a key is never overwritten; give another name"
        ) from error
    except OSError as error:
        raise UnavailableError(private.name, f"cannot be written: {error.strerror}") from error
    typer.echo(orjson.dumps({"keys": [key.as_dict(private=False)]}).decode())
