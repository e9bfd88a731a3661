"""``epicrisis data check|quality``: the reference rows, and the quality of a case's data."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.table import Table

from knowledge.errors import InputError, ReferenceDataError
from knowledge.reference import Review, raw, table_hash, table_names, unsourced_numbers
from knowledge.settings import load_settings
from knowledge.tables import load_all
from serving.commands.assess import moment, utc_now
from serving.report.data_quality import show_quality
from tools.quality.report import quality_report

_INVALID = 1
_UNUSABLE = 2


def register(app: typer.Typer) -> None:
    """Add the commands."""
    data = typer.Typer(help="Reference data.", no_args_is_help=True)
    data.command("check")(check)
    data.command("list", hidden=True)(check)
    data.command("quality")(quality)
    app.add_typer(data, name="data")


def check() -> None:
    """Validate every packaged reference file and show the review states of its rows."""
    console = Console()
    problems = [
        f"{n}.yaml: {p}: no source" for n in table_names() for p in unsourced_numbers(raw(n))
    ]
    try:
        load_all()
    except ReferenceDataError as error:
        problems.append(str(error))
    table = Table()
    table.add_column("file", no_wrap=True)
    for column in ("rows", "V", "N", "R", "!"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("SHA-256", no_wrap=True)
    for name in table_names():
        tags = [Review(tag=tag) for tag in review_tags(raw(name))]
        kinds = Counter(tag.tag[0] for tag in tags)
        table.add_row(
            f"{name}.yaml",
            str(len(tags)),
            *(str(kinds[kind]) for kind in "VNR"),
            str(sum(tag.needs_clinician for tag in tags)),
            table_hash(name)[:8],
        )
    console.print(table)
    console.print(
        "V seen in a secondary source, N computed and compared, R recalled; ! to check first "
        "(recalled at 80 % or less, or sources disagree). No row has been reviewed by a clinician."
    )
    for problem in problems:
        Console(stderr=True).print(problem, markup=False)
    if problems:
        raise typer.Exit(_INVALID)


def quality(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="A case, or a folder of cases")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON")] = False,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write the report as JSON here")
    ] = None,
    each: Annotated[
        bool, typer.Option("--each", help="Every file and folder below PATH is a case of its own")
    ] = False,
    at: Annotated[
        str | None, typer.Option("--at", metavar="TIME", help="Results later than this are told")
    ] = None,
) -> None:
    """Tell what of a case's data is not used or in doubt, and the way out; for a folder, of all.

    Exit codes: 0 the report was made, whatever it says; 2 the path cannot be used.
    """
    try:
        report = quality_report(
            path, settings=load_settings(), each=each, at=moment(at), now=utc_now()
        )
    except InputError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(_UNUSABLE) from error
    text = orjson.dumps(report.to_json(), option=orjson.OPT_INDENT_2)
    if out is not None:
        try:
            out.write_bytes(text + b"\n")
        except OSError as error:
            typer.echo(f"--out: cannot write there: {error.strerror}", err=True)
            raise typer.Exit(_UNUSABLE) from error
    if as_json:
        typer.echo(text.decode())
    else:
        show_quality(report, Console())
    if out is not None:
        typer.echo(f"wrote {out}", err=as_json)


def review_tags(node: Any) -> Iterator[str]:
    """Yield the review tag of every row, wherever it stands in a file."""
    if isinstance(node, dict):
        tag = node.get("review")
        if isinstance(tag, str) and re.match(r"[VNR]", tag):
            yield tag
        for value in node.values():
            yield from review_tags(value)
    elif isinstance(node, list):
        for value in node:
            yield from review_tags(value)
