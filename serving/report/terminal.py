"""The report on a terminal: headline first, then what to do, then why."""

from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from agent.assessment import Assessment, Sentence, Status, Verdict
from agent.fact_sheet.imaging_words import measure_lines
from agent.laboratory.view import laboratory_view
from knowledge.evidence import describe
from knowledge.pathways import Urgency
from knowledge.plain_text import visible
from knowledge.risk import Risk
from serving.report import agent, words
from serving.report.imaging import imaging_section
from serving.report.laboratory_terminal import show_laboratory_short

_COLOUR = {
    Urgency.IMMEDIATE: "bold red",
    Urgency.URGENT: "bold yellow",
    Urgency.SOON: "bold cyan",
    Urgency.ROUTINE: "bold green",
}
_MISSING_SHOWN = 8
_PLACES = 2
_PASSAGES_SHOWN = 5


def show(assessment: Assessment, console: Console) -> None:
    """Print the report; nothing in it is read as markup."""
    console.print(_headline(assessment))
    if assessment.status is Status.REFUSED:
        _files(assessment, console)
        return
    _actions(assessment, console)
    _conflicts(assessment, console)
    _risks(assessment, console)
    _differential(assessment, console)
    if assessment.laboratory is not None:
        zone = assessment.time_zone
        show_laboratory_short(laboratory_view(assessment.laboratory, "en", time_zone=zone), console)
    _imaging(assessment, console)
    _missing(assessment, console)
    _agent(assessment, console)
    _files(assessment, console)


def show_agent(assessment: Assessment, console: Console) -> None:
    """Print what the agent adds to a report that was shown before: its words and its steps."""
    console.print(_headline(assessment))
    _agent(assessment, console)


def _agent(assessment: Assessment, console: Console) -> None:
    if assessment.agent is None:
        return
    table = _table("How the agent worked", "step", "what")
    for step, said in agent.lines(assessment.agent):
        table.add_row(_text(step), _text(said))
    console.print(table)
    if assessment.agent.passages:
        passages = _table("Guideline passages", "", "what", "source")
        for number, passage in enumerate(assessment.agent.passages[:_PASSAGES_SHOWN], start=1):
            passages.add_row(
                str(number),
                _text(passage.text),
                _text(f"{passage.label}; {passage.citation.review}", style="dim"),
            )
        console.print(passages)
        more = len(assessment.agent.passages) - _PASSAGES_SHOWN
        if more > 0:
            console.print(
                _text(f"... and {more} more in the report files (--out) or --json", style="dim")
            )


def _text(text: str, style: str = "") -> Text:
    """Return text that is shown as it is: no markup, no escapes, line breaks kept."""
    lines = text.split("\n")
    return Text("\n".join(visible(line) for line in lines), style=style)


def _headline(assessment: Assessment) -> Panel:
    narrative = assessment.narrative
    colour = _COLOUR[narrative.urgency]
    at = assessment.provenance.at.show(assessment.time_zone)
    lines: list[RenderableType] = [
        _text(narrative.headline, style=colour),
        _text(f"for {at}; {words.STATUS[assessment.status.value]}", style="dim"),
    ]
    lines += [_text(f"- {sentence.text}{_cited(sentence)}") for sentence in narrative.sentences]
    if assessment.agent is not None:
        lines.append(_text(f"Words: {narrative.author}.", style="dim"))
    notice = assessment.notice
    if assessment.synthetic:
        notice += " Synthetic case: an invented patient."
    lines.append(_text(notice, style="italic dim"))
    return Panel(Group(*lines), title=_text(words.title(assessment)), border_style=colour)


def _cited(sentence: Sentence) -> str:
    """Return the places a sentence of an agent's narrative rests on, in words."""
    places = list(dict.fromkeys(describe(evidence) for evidence in sentence.evidence))
    if not places:
        return ""
    more = f" and {len(places) - _PLACES} more" if len(places) > _PLACES else ""
    return f"  [{'; '.join(places[:_PLACES])}{more}]"


def _actions(assessment: Assessment, console: Console) -> None:
    if not assessment.recommendations:
        return
    table = _table("What to do", "when", "what", "source")
    for row in assessment.recommendations:
        table.add_row(
            _text(row.urgency.value, style=_COLOUR[row.urgency]),
            _text(row.text),
            _text(f"{row.label}; {row.review}", style="dim"),
        )
    console.print(table)


def _conflicts(assessment: Assessment, console: Console) -> None:
    if not assessment.conflicts:
        return
    table = _table("Sources disagree", "question", "what each source says", "what follows")
    for conflict in assessment.conflicts:
        sides = "\n".join(f"{side.says}  ({side.who})" for side in conflict.sides)
        table.add_row(_text(conflict.what), _text(sides), _text(conflict.consequence))
    console.print(table)


def _risks(assessment: Assessment, console: Console) -> None:
    table = _table("Risks", "rule", "result", "points", "missing")
    silent: dict[str, list[str]] = {}
    for risk in assessment.risks:
        if risk.not_assessed is not None:
            silent.setdefault(risk.not_assessed.detail, []).append(risk.name)
            continue
        table.add_row(
            _text(risk.name),
            _text(_result(risk), style="" if risk.category not in _OPEN else "yellow"),
            _text(words.score(risk)),
            _text(", ".join(item.label for item in risk.missing), style="dim"),
        )
    for reason, names in silent.items():
        table.add_row(
            _text(", ".join(names)), _text(f"not assessed: {reason}", style="yellow"), "", ""
        )
    console.print(table)


_OPEN = ("not assessed", "not determined")


def _result(risk: Risk) -> str:
    meaning = words.meaning(risk)
    return words.category(risk) + (f" ({meaning})" if meaning else "")


def _differential(assessment: Assessment, console: Console) -> None:
    table = _table("Must not miss", "diagnosis", "verdict", "why")
    styles = {Verdict.SUPPORTED: "bold red", Verdict.ARGUED_AGAINST: "green"}
    for entry in assessment.differential:
        why = [f"for: {reason.text}" for reason in entry.supporting]
        why += [f"against: {reason.text}" for reason in entry.against]
        if entry.not_assessed is not None:
            why.append(entry.not_assessed.detail)
        style = styles.get(entry.verdict, "yellow")
        table.add_row(
            _text(entry.diagnosis), _text(entry.verdict.value, style=style), _text("\n".join(why))
        )
    console.print(table)


def _imaging(assessment: Assessment, console: Console) -> None:
    """Print what was measured on images, or why not."""
    section = imaging_section(assessment, str, chinese=False)
    if section is None:
        return
    table = _table("Images and slides", "study", "what was measured, or why not")
    for study, item in zip(assessment.imaging, section.items, strict=False):
        lines = [line.text for one in study.measured for line in measure_lines(one, "en")]
        table.add_row(_text(item.heading), _text("\n".join([*lines, item.open])))
    for one in assessment.readings:
        signed = f" by {one.signed_by}" if one.signed_by else ""
        said = [f"reading, {one.standing}{signed}", *one.summary_en]
        table.add_row(_text(one.title.en), _text("\n".join(said)))
    console.print(table)
    console.print(_text(section.note, style="dim"))


def _missing(assessment: Assessment, console: Console) -> None:
    if not assessment.missing:
        return
    table = _table("Missing, most useful first", "", "what", "why", "unlocks")
    for item in assessment.missing[:_MISSING_SHOWN]:
        table.add_row(
            str(item.priority),
            _text(f"{item.label}\n{item.how}"),
            _text(item.reason.detail),
            _text(", ".join(item.unlocks), style="dim"),
        )
    console.print(table)
    more = len(assessment.missing) - _MISSING_SHOWN
    if more > 0:
        console.print(
            _text(f"... and {more} more in the report files (--out) or --json", style="dim")
        )


def _files(assessment: Assessment, console: Console) -> None:
    table = _table("Files", "file", "kind", "outcome")
    for item in assessment.inputs:
        outcome = item.status + (f": {item.reason}" if item.reason else "")
        style = "" if item.status == "read" else "yellow"
        table.add_row(_text(item.file), _text(item.kind), _text(outcome, style=style))
    console.print(table)


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", expand=True)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table
