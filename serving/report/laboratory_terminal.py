"""The laboratory's part of a report on a terminal."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from agent.laboratory.view import LaboratoryView, Line, Part
from knowledge.plain_text import visible

_STYLES = {"critical": "bold red", "out": "yellow", "none": "dim italic", "in": ""}


def show_laboratory(view: LaboratoryView, console: Console) -> None:
    """Print the part; nothing in it is read as markup."""
    console.print(Text(view.title, style="bold"))
    console.print(_text(view.intro, "dim"))
    for part in view.parts:
        _part(part, console)
    for panel in view.panels:
        table = Table(title=_text(panel.name), title_justify="left", show_lines=False)
        for column in view.columns:
            table.add_column(_text(column), overflow="fold")
        for row in panel.rows:
            style = _STYLES[row.tone]
            value = f"{row.value} (= {row.converted})" if row.converted else row.value
            flag = f"{row.sign} {row.flag}".strip()
            table.add_row(
                _text(row.name),
                _text(value, style),
                _text(row.time),
                _text(flag, style),
                _text(row.interval, "dim"),
                _text(row.before),
            )
        console.print(table)
        for row in panel.rows:
            if row.notes:
                said = "; ".join(_words(note) for note in row.notes)
                console.print(_text(f"- {row.name} ({row.time}): {said}"))
    for part in view.after:
        _part(part, console)


def show_laboratory_short(view: LaboratoryView, console: Console) -> None:
    """Print what somebody must know of the results, without the tables."""
    console.print(_text(f"{view.title}: {view.intro}", "bold"))
    for part in view.parts:
        _part(part, console, details=False)
    console.print(_text("Every result: `epicrisis laboratory PATH`", "dim"))


def _part(part: Part, console: Console, *, details: bool = True) -> None:
    if not part.lines and not part.none:
        return
    console.print(_text(part.title, "bold"))
    for line in part.lines:
        console.print(_text(f"- {_words(line)}"))
        for detail in line.details if details else ():
            console.print(_text(f"    {detail}", "dim"))
    if part.note:
        console.print(_text(f"  {part.note}", "dim"))
    for cited in part.citations if details else ():
        console.print(_text(f"  [{cited.label}; {cited.review}]", "dim"))
    if not part.lines:
        console.print(_text(f"  {part.none}", "dim"))


def _words(line: Line) -> str:
    cited = "".join(f" [{c.label}; {c.review}]" for c in line.citations[:1])
    return " ".join(part for part in (line.text, line.english) if part) + cited


def _text(text: str, style: str = "") -> Text:
    return Text(visible(text), style=style)
