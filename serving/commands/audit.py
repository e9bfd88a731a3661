"""``epicrisis audit``: is it what was written, what is its newest event, hand it on."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from knowledge.errors import InvalidValueError, UnavailableError
from knowledge.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from serving.access.principal import Principal
    from serving.audit.verification import Verification

_BROKEN = 1


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(
        help="Who saw and did what: the audit.", no_args_is_help=True, rich_markup_mode=None
    )
    group.command("verify")(verify)
    group.command("head")(head)
    group.command("export")(export)
    group.command("renew-anchor")(renew_anchor)
    app.add_typer(group, name="audit")


def verify(
    known: Annotated[
        list[str] | None,
        typer.Option(
            "--known", metavar="SEQUENCE:SHA256", help="An event as `audit head` printed it earlier"
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON")] = False,
) -> None:
    """Walk the whole chain; name the first event that is not as it was written.

    Exit code 0 where nothing is wrong, 1 otherwise.
    """
    found = _walked(known or ())
    if as_json:
        typer.echo(found.model_dump_json())
    else:
        _say(found)
    if not found.intact:
        raise typer.Exit(_BROKEN)


def head() -> None:
    """Print the newest event. Note it where the service cannot write, for `verify --known`."""
    found = _walked(())
    if not found.intact:
        _say(found)
        raise typer.Exit(_BROKEN)
    if found.head is None:
        typer.echo("the audit has no events yet", err=True)
        raise typer.Exit(_BROKEN)
    typer.echo(f"{found.head.sequence}:{found.head.sha256}")


def export(
    after: Annotated[int, typer.Option("--after", min=0, help="Place of the last known event")] = 0,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Default: standard output")
    ] = None,
) -> None:
    """Write the FHIR AuditEvents, one a line. They name patients by id; the export is audited."""
    from serving.audit.export import ndjson
    from serving.audit.log import AuditLog
    from serving.commands.assess import utc_now
    from serving.storage.opening import open_storage

    if out is not None and out.exists():
        raise InvalidValueError(str(out), "is there already", "name another file")
    settings = load_settings()
    database, _ = open_storage(settings)
    log = AuditLog.of(settings, database, lambda: utc_now().at)
    log.used(operator(), "audit.exported", case=None, detail={"after": after})
    try:
        _write(ndjson(database, after=after), out)
    except OSError as error:
        raise UnavailableError(
            "audit export", f"cannot be written: {error.strerror}", "free space, or name a file"
        ) from error
    database.close()


def renew_anchor() -> None:
    """Begin a new anchor where the old one is lost or was put aside; that is an event itself."""
    from serving.audit.anchor import Anchor
    from serving.audit.log import AuditLog
    from serving.commands.assess import utc_now
    from serving.storage.opening import open_storage

    settings = load_settings()
    if Anchor.of(settings).heads():
        raise InvalidValueError(
            str(Anchor.of(settings).path), "is there", "put it aside, and keep it as evidence"
        )
    database, _ = open_storage(settings)
    log = AuditLog.of(settings, database, lambda: utc_now().at)
    head = log.renew_anchor(operator(), "audit.anchor-renewed")
    typer.echo(f"anchored up to event {head.sequence}")
    database.close()


def _write(lines: "Iterable[bytes]", out: Path | None) -> None:
    if out is None:
        for line in lines:
            typer.echo(line, nl=False)
        return
    with os.fdopen(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.writelines(lines)


def _walked(known: "Sequence[str]") -> "Verification":
    from serving.audit import verification
    from serving.audit.anchor import Anchor
    from serving.storage.database import Database
    from serving.storage.schema import revision

    settings = load_settings()
    heads = [verification.parse_head(text) for text in known]
    database = Database.of(settings)
    if revision(database) is None:
        raise UnavailableError("database", "has no tables yet", "start the service once")
    found = verification.verify(database, anchor=Anchor.of(settings), known=heads)
    database.close()
    return found


def operator() -> "Principal":
    """Return who runs a command on this machine: whom the operating system says."""
    import getpass

    from serving.access.principal import Principal, Role

    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = "unknown"
    return Principal(
        subject=f"command line: {name}", name=name, roles=frozenset({Role.ADMIN}), via="local"
    )


def _say(found: "Verification") -> None:
    if found.broken is not None:
        typer.echo(f"BROKEN at event {found.broken}: {found.problem}")
    for problem in found.problems:
        typer.echo(f"PROBLEM: {problem}")
    walked = f"{found.events} events as written"
    typer.echo(walked if found.head is None else f"{walked}, newest {found.head.sequence}")
    if found.anchored is not None:
        typer.echo(f"anchored up to event {found.anchored}")
    if found.clock_went_back:
        typer.echo(f"{found.clock_went_back} events recorded earlier than the one before them")
    for limit in found.cannot_show:
        typer.echo(f"not shown by this: {limit}")
