"""``epicrisis knowledge ingest|documents|review|withdraw``: the hospital's own documents."""

import getpass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

import orjson
import typer

from knowledge.errors import EpicrisisError, InvalidValueError
from knowledge.ingest import collection
from knowledge.ingest.document import Document, DocumentFacts
from knowledge.plain_text import visible
from knowledge.settings import Settings, load_settings
from serving.cli import UNUSABLE_INPUT

_REBUILD = (
    "Searches see this at once, by words alone until the index is built again: "
    "epicrisis knowledge build"
)


def add_commands(group: typer.Typer) -> None:
    """Add the commands to the group ``knowledge``."""
    group.command("ingest")(ingest)
    group.command("documents")(documents)
    group.command("review")(review)
    group.command("withdraw")(withdraw)


def ingest(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="PDF, HTML, DOCX, Markdown")
    ],
    title: Annotated[str, typer.Option("--title", help="As it is cited")],
    body: Annotated[str, typer.Option("--body", help="Society or hospital that issued it")],
    year: Annotated[int, typer.Option("--year", help="Year of issue")],
    licence: Annotated[
        str, typer.Option("--licence", help="Under which the hospital may use the text")
    ],
    doi: Annotated[str | None, typer.Option("--doi")] = None,
    topic: Annotated[
        list[str] | None, typer.Option("--topic", help="For example acs; may be repeated")
    ] = None,
    population: Annotated[str, typer.Option("--population", help="Whom it is about")] = "",
    language: Annotated[str, typer.Option("--language", help="en or zh")] = "en",
    issued: Annotated[
        str | None, typer.Option("--date", metavar="YYYY-MM-DD", help="Date of issue")
    ] = None,
    supersedes: Annotated[
        str | None, typer.Option("--supersedes", metavar="ID", help="The version it replaces")
    ] = None,
    by: Annotated[
        str | None, typer.Option("--by", metavar="NAME", help="Default: the account's name")
    ] = None,
) -> None:
    """Take licensed guideline documents into quarantine; nothing of them is found until reviewed.

    Several files are parts of one work: each becomes a document, its file name in the title.
    """
    if supersedes is not None and len(files) > 1:
        raise InvalidValueError(
            "--supersedes", "several files are given", "give one file at a time"
        )
    facts = collection.stated(
        title=title,
        body=body,
        year=year,
        licence=licence,
        doi=doi,
        topics=tuple(topic or ()),
        population=population,
        language=language,
        published=_day(issued),
        supersedes=supersedes,
    )
    settings, who = load_settings(), by or getpass.getuser()
    failed = [file for file in files if not _ingest(file, _part(facts, file, files), who, settings)]
    if failed:
        raise typer.Exit(UNUSABLE_INPUT)


def documents(
    document_id: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="One document, with its history")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on standard output")] = False,
) -> None:
    """List the documents with their state."""
    found = collection.documents(load_settings())
    if document_id is not None:
        found = tuple(d for d in found if d.id == document_id)
        if not found:
            raise InvalidValueError(f"document {visible(document_id)}", "there is none of that id")
    if as_json:
        rows = [document.to_json() for document in found]
        typer.echo(orjson.dumps(rows, option=orjson.OPT_INDENT_2).decode())
        return
    if not found:
        typer.echo("No document was ever ingested.")
    for document in found:
        _line(document)
        if document_id is not None:
            _history(document)


def review(
    document_id: Annotated[str, typer.Argument(metavar="ID")],
    reviewer: Annotated[
        str | None, typer.Option("--reviewer", metavar="NAME", help="Who decides")
    ] = None,
    approve: Annotated[
        bool | None, typer.Option("--approve/--reject", help="Without either: show what to review")
    ] = None,
    note: Annotated[str, typer.Option("--note", help="Kept with the decision")] = "",
) -> None:
    """Show a document for review, or approve or reject it."""
    settings = load_settings()
    if approve is None:
        _show(document_id, settings)
        return
    if reviewer is None:
        raise InvalidValueError("--reviewer", "a decision needs the name of who made it")
    document = collection.review(
        document_id, approve=approve, by=reviewer, at=_now(), note=note, settings=settings
    )
    _line(document)
    typer.echo(_REBUILD)


def withdraw(
    document_id: Annotated[str, typer.Argument(metavar="ID")],
    by: Annotated[str, typer.Option("--by", metavar="NAME", help="Who withdraws it")],
    reason: Annotated[str, typer.Option("--reason", help="Kept with the document")],
) -> None:
    """Withdraw a document: it stays in the collection and is no longer found."""
    document = collection.withdraw(
        document_id, by=by, at=_now(), reason=reason, settings=load_settings()
    )
    _line(document)
    typer.echo(_REBUILD)


def _ingest(file: Path, facts: DocumentFacts, who: str, settings: Settings) -> bool:
    try:
        done = collection.ingest(file, facts, by=who, at=_now(), settings=settings)
    except EpicrisisError as error:
        typer.echo(visible(f"epicrisis: {error}"), err=True)
        return False
    if not done.new:
        typer.echo("There already, nothing was added:")
    _line(done.document)
    _observed(done.document)
    return True


def _part(facts: DocumentFacts, file: Path, files: list[Path]) -> DocumentFacts:
    if len(files) == 1:
        return facts
    return collection.stated(**{**facts.model_dump(), "title": f"{facts.title}: {file.stem}"})


def _show(document_id: str, settings: Settings) -> None:
    document, passages = collection.to_review(document_id, settings)
    _line(document)
    _history(document)
    _observed(document)
    for number, (chunk, text) in enumerate(passages, start=1):
        typer.echo(f"\n[{number}] {visible(' > '.join(chunk.heading))}".rstrip())
        typer.echo(visible(text))


def _line(document: Document) -> None:
    facts = document.facts
    replaced = f", superseded by {document.superseded_by}" if document.superseded_by else ""
    typer.echo(
        visible(
            f"{document.id}  {document.state}{replaced}  {facts.title}, {facts.body} ({facts.year})"
            f"  {document.format.value}, {document.passages} passages; licence: {facts.licence}"
        )
    )


def _history(document: Document) -> None:
    for act in document.acts:
        said = f": {act.text}" if act.text else ""
        typer.echo(
            visible(f"  {act.at.isoformat(timespec='seconds')} {act.deed} by {act.by}{said}")
        )


def _observed(document: Document) -> None:
    for note in document.notes:
        page = f", page {note.page}" if note.page else ""
        shown = f" [{note.excerpt}]" if note.excerpt else ""
        typer.echo(visible(f"  note: {note.kind}{page}: {note.detail} ({note.count}){shown}"))
    for flag in document.flags:
        typer.echo(visible(f"  LOOK AT: {flag.where} {flag.rule} [{flag.excerpt}]"))


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InvalidValueError("--date", "is not a date", "for example 2025-08-29") from error


def _now() -> datetime:
    return datetime.now(UTC)
