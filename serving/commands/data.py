"""``epicrisis data check``: is every reference row valid and sourced, and how sure is it?"""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import typer
from rich.console import Console
from rich.table import Table

from knowledge.errors import ReferenceDataError
from knowledge.reference import Review, raw, table_hash, table_names, unsourced_numbers
from knowledge.tables import load_all

_INVALID = 1


def register(app: typer.Typer) -> None:
    """Add the commands."""
    data = typer.Typer(help="Reference data.", no_args_is_help=True)
    data.command("check")(check)
    data.command("list", hidden=True)(check)
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
