"""The report as a PDF, from the same data as the HTML report."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from typing import TYPE_CHECKING, Any

from agent.assessment import Assessment, Recommended
from knowledge.evidence import describe
from knowledge.passages import Language
from knowledge.risk import Risk
from serving.fhir_out.state import PRELIMINARY, ReportState
from serving.report import words
from serving.report.pdf_laboratory import laboratory_flowables
from serving.report.pdf_style import BODY, COLOURS, Style, made_style
from serving.report.sections import sections
from serving.signing.statements import entry_words, risk_words

if TYPE_CHECKING:
    from reportlab.platypus import Flowable

_MARGIN_MM = 16
_ECG_WIDTH_MM = 178
_NUMBER_MM = 12
"""Kept free for the page number beside the line above each page."""


@dataclass(frozen=True, kw_only=True)
class PdfPicture:
    """One ECG picture.

    Args:
        headline: What was found.
        png: The picture.
        caption: Scale, source and status.
        notes: What must be read with it.
    """

    headline: str
    png: bytes
    caption: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """What stands around the assessment.

    Args:
        state: Draft or signed, in one line; on every page.
        made_at: When the assessment was computed.
        version: Its version in the case.
        sha256: Of the kept assessment.
        signed: What the signer decided on each statement; of a draft, nothing.
        running: The state in a line that stands on every page; empty for the same as `state`.
        language: Of the headings; text that was computed stays as it is.
        patient: Who the patient is, in a line on every page; empty leaves it out.
    """

    state: str
    made_at: datetime
    version: int
    sha256: str
    signed: ReportState = PRELIMINARY
    running: str = ""
    language: Language = "en"
    patient: str = ""


def report_pdf(
    assessment: Assessment, sheet: Sheet, *, pictures: Sequence[PdfPicture] = ()
) -> bytes:
    """Return the report as a PDF; the same input gives the same bytes.

    Args:
        assessment: What to show.
        sheet: What stands around it.
        pictures: ECG pictures.
    """
    from reportlab.lib.pagesizes import A4
    from reportlab.lib.units import mm
    from reportlab.platypus import SimpleDocTemplate

    style = made_style(sheet.language)
    out = BytesIO()
    document = SimpleDocTemplate(
        out,
        pagesize=A4,
        leftMargin=_MARGIN_MM * mm,
        rightMargin=_MARGIN_MM * mm,
        topMargin=(_MARGIN_MM + 6) * mm,
        bottomMargin=(_MARGIN_MM + 4) * mm,
        title=words.title(assessment),
        author="Epicrisis",
        subject=sheet.state,
        lang=sheet.language,
        invariant=1,
    )

    def frame(canvas: Any, page: Any) -> None:
        _frame(canvas, style, sheet, notice=assessment.notice, number=page.page)

    document.build(
        list(_story(assessment, sheet, style, pictures)), onFirstPage=frame, onLaterPages=frame
    )
    return out.getvalue()


def _story(
    a: Assessment, sheet: Sheet, style: Style, pictures: Sequence[PdfPicture]
) -> Iterator["Flowable"]:
    _ = style.translate
    yield style.paragraph(words.title(a), "title")
    if sheet.patient:
        yield style.paragraph(sheet.patient, "heading")
    if a.synthetic:
        yield style.paragraph(_("Synthetic data: an invented patient."), "small")
    yield style.paragraph(sheet.state, "state")
    headline = sheet.signed.marked(a.narrative.headline, "headline")
    yield style.paragraph(headline, "headline", colour=COLOURS[a.narrative.urgency])
    yield style.paragraph(
        f"{_('Urgency')}: {a.narrative.urgency}. {_('Completeness')}: {words.STATUS[a.status]}"
        + (f" ({a.reason})" if a.reason else ""),
        BODY,
    )
    sentences = [sheet.signed.marked(one.text, "sentence") for one in a.narrative.sentences]
    yield from _lines(style, _("Summary"), sentences)
    yield style.paragraph(f"{_('Words by')}: {a.narrative.author}", "small")
    yield from _recommendations(a, sheet, style)
    yield from _lines(
        style,
        _("Missing"),
        [
            f"{item.label}: {item.reason.detail}"
            + (f" ({_('would settle')}: {', '.join(item.unlocks)})" if item.unlocks else "")
            for item in a.missing
        ],
    )
    yield from _conflicts(a, style)
    yield from _risks(a, sheet, style)
    yield from _differential(a, sheet, style)
    yield from _pictures(pictures, style)
    yield from laboratory_flowables(a, sheet.language, style)
    yield from _sections(a, sheet, style)
    yield from _files(a, style)
    yield from _citations(a, style)
    yield from _provenance(a, sheet, style)


def _lines(style: Style, heading: str, lines: Sequence[str]) -> Iterator["Flowable"]:
    if lines:
        yield style.paragraph(heading, "heading")
        for line in lines:
            yield style.bullet(line)


def _recommendations(a: Assessment, sheet: Sheet, style: Style) -> Iterator["Flowable"]:
    if not a.recommendations:
        return
    _ = style.translate
    labels = {citation.id: citation.label for citation in a.citations}
    yield style.paragraph(_("Recommendations"), "heading")
    for item in a.recommendations:
        said = sheet.signed.marked(item.text, "recommendation")
        yield style.bullet(f"{said} ({_graded(item, a, style)})")
        source = labels.get(item.citation, item.citation)
        yield style.paragraph(f"{item.label}. {source}. {item.review}.", "small", indent=True)


def _graded(item: Recommended, a: Assessment, style: Style) -> str:
    _ = style.translate
    parts = [str(item.urgency)]
    if item.strength:
        parts.append(f"{_('class')} {item.strength}")
    if item.due is not None:
        parts.append(f"{_('due')} {item.due.show(a.time_zone)}")
    return "; ".join(parts)


def _conflicts(a: Assessment, style: Style) -> Iterator["Flowable"]:
    lines = [
        f"{c.what}: " + "; ".join(f"{s.who} - {s.says}" for s in c.sides) + f". {c.consequence}"
        for c in a.conflicts
    ]
    yield from _lines(style, style.translate("Conflicts"), lines)


def _risks(a: Assessment, sheet: Sheet, style: Style) -> Iterator["Flowable"]:
    if not a.risks:
        return
    _ = style.translate
    yield from style.table_heading(_("Risks"))
    rows = [[_("Rule"), _("Points"), _("Result"), _("Statement")]]
    rows += [_risk_row(risk, a, sheet, style) for risk in a.risks]
    yield style.table(rows, widths_mm=(34, 18, 38, 88))


def _risk_row(risk: Risk, a: Assessment, sheet: Sheet, style: Style) -> list[str]:
    """Return one row; of a result that the signer changed the computed one stands in words only."""
    _ = style.translate
    decided = sheet.signed.about(risk_words(risk), "risk")
    if decided is None or decided.decision == "accepted":
        return [risk.name, words.score(risk), _result(risk), _statement(risk, a, sheet, style)]
    said = _("rejected by the signer") if decided.decision == "rejected" else _("signer's words")
    return [risk.name, "", said, sheet.signed.marked(risk_words(risk), "risk")]


def _result(risk: Risk) -> str:
    shown = words.category(risk)
    if risk.not_assessed is not None:
        return f"{shown}: {risk.not_assessed.detail}"
    return f"{shown} ({words.meaning(risk)})" if words.meaning(risk) else shown


def _statement(risk: Risk, a: Assessment, sheet: Sheet, style: Style) -> str:
    _ = style.translate
    parts = [sheet.signed.marked(risk_words(risk), "risk"), *risk.caveats]
    if risk.missing:
        parts.append(f"{_('Missing')}: {', '.join(item.label for item in risk.missing)}.")
    if risk.next_due is not None:
        late = f", {_('overdue')}" if risk.overdue else ""
        when = risk.next_due.show(a.time_zone)
        said = _("By %(rule)s alone the next sample is due %(time)s")
        parts.append(f"{said % {'rule': risk.name, 'time': when}}{late}.")
    return " ".join(part for part in parts if part)


def _differential(a: Assessment, sheet: Sheet, style: Style) -> Iterator["Flowable"]:
    if not a.differential:
        return
    _ = style.translate
    yield style.paragraph(_("Must not be missed"), "heading")
    for entry in a.differential:
        yield style.bullet(sheet.signed.marked(entry_words(entry), "differential"))


def _pictures(pictures: Sequence[PdfPicture], style: Style) -> Iterator["Flowable"]:
    _ = style.translate
    for picture in pictures:
        yield style.paragraph("ECG", "heading")
        yield style.paragraph(picture.headline, BODY)
        yield style.image(picture.png, width_mm=_ECG_WIDTH_MM)
        yield style.paragraph(picture.caption, "small")
        yield style.paragraph(_("Drawn smaller than paper speed: measure by its grid."), "small")
        for note in picture.notes:
            yield style.bullet(note)


def _sections(a: Assessment, sheet: Sheet, style: Style) -> Iterator["Flowable"]:
    for section in sections(a, style.translate, chinese=sheet.language == "zh"):
        yield style.paragraph(section.title, "heading")
        yield style.paragraph(section.note, "small")
        for item in section.items:
            yield style.paragraph(f"{item.heading}. {item.open}".strip(), BODY)
            for line in item.lines:
                yield style.bullet(line)
        for one in section.small:
            yield style.paragraph(one, "small")


def _files(a: Assessment, style: Style) -> Iterator["Flowable"]:
    yield from _lines(
        style,
        style.translate("Files"),
        [
            f"{item.file} ({item.kind}): {item.status}"
            + (f", {item.reason}" if item.reason else "")
            + (f"; {item.content}" if item.content else "")
            for item in a.inputs
        ],
    )


def _citations(a: Assessment, style: Style) -> Iterator["Flowable"]:
    lines = (f"{c.label}{f', doi {c.doi}' if c.doi else ''}: {c.review}" for c in a.citations)
    yield style.paragraph(style.translate("Sources"), "heading")
    for line in dict.fromkeys(lines):
        yield style.paragraph(line, "small")


def _provenance(a: Assessment, sheet: Sheet, style: Style) -> Iterator["Flowable"]:
    _ = style.translate
    made_by = a.provenance
    computed = sheet.made_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
    lines = [
        f"{_('Assessed for')} {made_by.at.show(a.time_zone)}; {_('computed')} {computed}",
        f"{_('Version')} {sheet.version}; Epicrisis {made_by.epicrisis}; {made_by.pathway}",
        f"SHA-256 {_('of this assessment')}: {sheet.sha256}",
        f"SHA-256 {_('of the result')}: {made_by.result_sha256}",
        f"SHA-256 {_('of the input files')}: {made_by.inputs_sha256}",
        *(f"{_('Override')}: {text}" for text in made_by.overrides),
        *(f"{i.file}: {i.sha256}" for i in a.inputs if i.sha256),
    ]
    yield from _lines(style, _("Provenance"), lines)
    evidence = sorted({describe(e) for f in a.findings for e in f.evidence})
    yield style.paragraph(
        f"{_('Evidence')}: {len(evidence)} {_('places; see the HTML or JSON report')}", "small"
    )
    yield style.paragraph(a.notice, "state")


def _frame(canvas: Any, style: Style, sheet: Sheet, *, notice: str, number: int) -> None:
    """Write the state and the patient above and the research-use line below every page."""
    from reportlab.lib.units import mm

    width, height = canvas._pagesize
    canvas.saveState()
    left, room = _MARGIN_MM * mm, width - 2 * _MARGIN_MM * mm
    state = sheet.running or sheet.state
    beside = room - _NUMBER_MM * mm
    style.line(canvas, state, x=left, y=height - 12 * mm, size=8, room=beside)
    style.line(canvas, sheet.patient, x=left, y=height - 16 * mm, size=8, room=room)
    style.line(canvas, notice, x=left, y=10 * mm, size=7.5, room=room)
    at = width - _MARGIN_MM * mm
    style.line(canvas, str(number), x=at, y=height - 12 * mm, size=8, room=_MARGIN_MM * mm)
    canvas.restoreState()
