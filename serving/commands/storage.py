"""``epicrisis storage``: upgrade, back up, restore, delete, keep no longer than allowed."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from knowledge.errors import InvalidValueError
from knowledge.settings import load_settings

if TYPE_CHECKING:
    from knowledge.settings import Settings
    from serving.storage.database import Database
    from serving.storage.files import FileStore


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(
        help="The service's database and files.", no_args_is_help=True, rich_markup_mode=None
    )
    group.command("upgrade")(upgrade)
    group.command("backup")(backup)
    group.command("restore")(restore)
    group.command("delete-case")(delete_case)
    group.command("retention")(retention)
    app.add_typer(group, name="storage")


def upgrade() -> None:
    """Bring the database to the tables of this version; `serve` does so at its start."""
    from serving.storage.schema import revision

    database, _ = _opened(load_settings())
    typer.echo(f"database at revision {revision(database)}")
    database.close()


def backup(
    target: Annotated[Path, typer.Argument(metavar="FILE", help="The archive, .tar.gz")],
) -> None:
    """Save every row and file of one moment. It holds patient data: encrypt where it is kept."""
    from serving.storage import backup as archive

    database, files = _opened(load_settings())
    made = archive.backup(database, files, target, now=_now())
    rows = sum(count for count, _ in made.tables.values())
    typer.echo(f"wrote {target}: {rows} rows, {len(made.files)} files")
    for sha256 in made.absent:
        typer.echo(f"not in the file store, so not saved: {sha256}", err=True)
    if made.absent:
        raise typer.Exit(1)


def restore(
    source: Annotated[Path, typer.Argument(metavar="FILE", help="An archive of `backup`")],
) -> None:
    """Put an archive into an installation that has nothing yet; every hash is checked first."""
    from serving.audit.log import AuditLog
    from serving.commands.audit import operator
    from serving.storage import backup as archive

    settings = load_settings()
    database, files = _opened(settings)
    found = archive.restore(database, files, source)
    log = AuditLog.of(settings, database, _now)
    log.renew_anchor(operator(), "storage.restored", detail={"of": found.at.isoformat()})
    rows = sum(count for count, _ in found.tables.values())
    typer.echo(f"restored {rows} rows and {len(found.files)} files of {found.at.isoformat()}")


def delete_case(
    case: Annotated[str, typer.Argument(metavar="CASE", help="Id of the case")],
    by: Annotated[str, typer.Option("--by", help="Who deletes; kept in the audit")],
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without, only say what would be")] = (
        False
    ),
) -> None:
    """Delete a case with everything that belongs to it; that it was there stays in the audit."""
    if not yes:
        raise InvalidValueError("--yes", "is not given, and this cannot be undone", "add --yes")
    from serving.storage.removal import remove

    settings = load_settings()
    database, files = _opened(settings)
    done = remove(settings, database, files, case, by=by, clock=_now)
    typer.echo(f"deleted {case}: {sum(done.rows.values())} rows, {done.files} files")


def retention(
    by: Annotated[str, typer.Option("--by", help="Who deletes; kept in the audit")],
    days: Annotated[
        int | None, typer.Option("--days", min=1, help="Default: EPICRISIS_RETENTION_DAYS")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without, only list")] = False,
) -> None:
    """Delete every case that was made longer ago than cases may be kept."""
    from serving.storage.deletion import older_than
    from serving.storage.removal import remove

    settings = load_settings()
    limit = days or settings.retention_days
    if limit is None:
        raise InvalidValueError("--days", "is not given and no setting says", "give --days")
    database, files = _opened(settings)
    found = older_than(database, days=limit, now=_now())
    for case in found:
        if yes:
            remove(settings, database, files, case, by=by, clock=_now)
        typer.echo(f"{'deleted' if yes else 'would delete'} {case}")
    typer.echo(f"{len(found)} cases older than {limit} days")


def _now() -> datetime:
    return datetime.now(UTC)


def _opened(settings: "Settings") -> tuple["Database", "FileStore"]:
    from serving.storage.opening import open_storage

    return open_storage(settings)
