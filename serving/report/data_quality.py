"""A data-quality report on the terminal: the counts, then each item with the way out."""

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from knowledge.data_quality import data_quality
from knowledge.plain_text import visible
from tools.quality.model import CaseQuality, QualityReport

_SHOWN = 20
"""Items of one kind of one case that the terminal shows; the JSON has them all."""


def show_quality(report: QualityReport, console: Console) -> None:
    """Print the counts over all cases, then each case that has something to tell."""
    rows = data_quality().kinds
    table = Table(title=f"Data quality of {len(report.cases)} case(s)")
    table.add_column("what")
    table.add_column("found", justify="right", no_wrap=True)
    table.add_column("not assessed in", justify="right", no_wrap=True)
    for kind, row in rows.items():
        unseen = report.not_assessed.get(kind, 0)
        found = report.counts.get(kind)
        table.add_row(
            row.label.en,
            "not assessed" if found is None else str(found),
            f"{unseen} case(s)" if unseen else "",
        )
    console.print(table)
    for case in report.cases:
        if case.items:
            _show_case(case, console)


def _show_case(case: CaseQuality, console: Console) -> None:
    head = f"{visible(case.case)}: {case.files} file(s), {case.results} result(s)"
    console.print(f"\n[bold]{escape(head)}[/bold]")
    for kind, row in data_quality().kinds.items():
        items = [item for item in case.items if item.kind == kind]
        if not items:
            continue
        console.print(f"{row.label.en} ({case.counts.get(kind, len(items))}). {row.way_out.en}")
        for item in items[:_SHOWN]:
            place = f"{item.file} {item.where}".strip()
            often = f" (x {item.times})" if item.times > 1 else ""
            console.print(f"  {visible(place)}: {visible(item.what)}{often}", markup=False)
        if len(items) > _SHOWN:
            console.print(f"  and {len(items) - _SHOWN} more; --json has them all")
