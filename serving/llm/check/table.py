"""The capability table for people."""

from collections.abc import Iterator
from itertools import groupby

from rich.console import Console
from rich.table import Table
from rich.text import Text

from serving.llm.check.report import CheckReport
from serving.llm.check.row import Row, Verdict

_STYLE: dict[Verdict, str] = {"yes": "green", "no": "red", "not assessed": "yellow"}
_WIDTH = 120
_HEADING = {
    "server": "The server",
    "replies": "Its replies",
    "schema": "Schemas and parameters",
    "tools": "Tools",
    "scheduling": "Many requests",
    "product": "Functions of this product",
}


def show(report: CheckReport, console: Console) -> None:
    """Print the table and what it means; a file gets lines of 120 characters."""
    if not console.is_terminal:
        console.width = _WIDTH
    console.print(_head(report), markup=False, highlight=False)
    order = list(_HEADING)
    ordered = sorted(report.rows, key=lambda row: order.index(row.group))
    for group, rows in groupby(ordered, key=lambda row: row.group):
        console.print()
        console.print(_HEADING[group], style="bold", markup=False, highlight=False)
        console.print(_table(tuple(rows)))
    console.print()
    for line in summary(report):
        console.print(line, markup=False, highlight=False)


def summary(report: CheckReport) -> Iterator[str]:
    """Give what the table means, line by line."""
    working, without, unknown = (
        [name for name, verdict in report.functions.items() if verdict == wanted]
        for wanted in ("yes", "no", "not assessed")
    )
    counted = {v: sum(row.verdict == v for row in report.rows) for v in _STYLE}
    told = ", ".join(f"{number} {verdict}" for verdict, number in counted.items())
    yield f"{len(report.rows)} rows: {told}; {report.seconds:g} s."
    if report.usable == "yes":
        yield f"Usable: {', '.join(working)} work with this server."
        return
    if report.usable == "plainer":
        yield f"Usable, only plainer. Works: {', '.join(working) or 'nothing'}."
        if without:
            yield f"Falls back to working without a model: {', '.join(without)}."
        if unknown:
            yield f"Not found out: {', '.join(unknown)}."
    else:
        yield "Not usable: the product works without a model, as it always can."
    for reason in report.reasons:
        yield f"- {reason}"


def _head(report: CheckReport) -> str:
    known = [report.host, report.server, report.model]
    if report.profile is not None:
        known.append(f"profile {report.profile}")
    return ", ".join(part for part in known if part)


def _table(rows: tuple[Row, ...]) -> Table:
    table = Table(show_header=False, box=None, padding=(0, 1), pad_edge=False)
    table.add_column(width=12)
    table.add_column(width=29)
    table.add_column(ratio=1, overflow="fold")
    table.add_column(justify="right", width=8, no_wrap=True)
    for row in rows:
        told = Text(row.evidence)
        if row.way_out:
            told.append(f"\n-> {row.way_out}", style="dim")
        ms = "" if row.ms is None else f"{row.ms:.0f} ms"
        table.add_row(Text(row.verdict, style=_STYLE[row.verdict]), Text(row.title), told, ms)
    return table
