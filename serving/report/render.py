"""Render an assessment as Markdown and as one self-contained HTML file."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from agent.assessment import Assessment
from agent.laboratory.view import LaboratoryView, laboratory_view
from knowledge.evidence import describe
from knowledge.passages import Language
from knowledge.plain_text import visible
from serving.fhir_out.state import PRELIMINARY, ReportState
from serving.report import agent, words
from serving.report.said import Said
from serving.report.sections import english_sections
from serving.report.timeline_svg import Event, timeline_svg

_MARKDOWN = re.compile(r"([\\`*_<>|#]|\](?=[(\[:]))")
"""What would be read as markup. A bracket alone is none: a link needs ``](``, ``][`` or ``]:``."""


@dataclass(frozen=True, kw_only=True)
class Picture:
    """One ECG picture: our own SVG, and the words around it."""

    headline: str
    svg: str
    caption: str
    notes: tuple[str, ...] = ()


def markdown(
    assessment: Assessment,
    *,
    signature: Sequence[str] = (),
    patient: str = "",
    signed: ReportState = PRELIMINARY,
) -> str:
    """Return the report as Markdown; text from outside is escaped.

    Args:
        assessment: What to show.
        signature: Whether it is signed, and what the signer changed, a line each.
        patient: Who the patient is, in a line; empty leaves the line out.
        signed: What the signer decided on each statement; of a draft, nothing.
    """
    text = (
        _environment("md")
        .get_template("report.md.j2")
        .render(
            a=assessment,
            w=words,
            lab=_laboratory(assessment),
            sections=english_sections(assessment),
            agent_lines=agent.lines,
            signature=signature,
            patient=patient,
            said=Said(signed),
        )
    )
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def html(
    assessment: Assessment,
    *,
    events: Sequence[Event] = (),
    pictures: Sequence[Picture] = (),
    signature: Sequence[str] = (),
    patient: str = "",
    signed: ReportState = PRELIMINARY,
) -> str:
    """Return the report as one HTML file without any external request or script.

    Args:
        assessment: What to show.
        events: On the timeline.
        pictures: Of the ECGs.
        signature: Whether it is signed, and what the signer changed, a line each.
        patient: Who the patient is, in a line; empty leaves the line out.
        signed: What the signer decided on each statement; of a draft, nothing.
    """
    drawn = timeline_svg(events, time_zone=assessment.time_zone)
    template = _environment("html").get_template("report.html.j2")
    return template.render(
        a=assessment,
        w=words,
        lab=_laboratory(assessment),
        sections=english_sections(assessment),
        agent_lines=agent.lines,
        signature=signature,
        patient=patient,
        said=Said(signed),
        timeline=Markup(drawn),  # noqa: S704 - our own SVG, its texts escaped where it is made
        pictures=[
            {
                "headline": p.headline,
                "svg": Markup(p.svg),  # noqa: S704 - our own SVG
                "caption": p.caption,
                "notes": p.notes,
            }
            for p in pictures
        ],
    )


def laboratory_markdown(
    view: LaboratoryView, *, heading: str, notice: str, patient: str = ""
) -> str:
    """Return the laboratory's part alone as Markdown; `patient` is the line that names them."""
    template = _environment("md").get_template("laboratory_only.md.j2")
    text = template.render(lab=view, heading=heading, patient=patient, notice=notice)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def laboratory_html(
    view: LaboratoryView, *, heading: str, notice: str, language: Language, patient: str = ""
) -> str:
    """Return the laboratory's part alone as one HTML file without any external request."""
    template = _environment("html").get_template("laboratory_only.html.j2")
    return template.render(
        lab=view, heading=heading, patient=patient, notice=notice, language=language
    )


def _laboratory(assessment: Assessment) -> LaboratoryView | None:
    report = assessment.laboratory
    if report is None:
        return None
    return laboratory_view(report, "en", time_zone=assessment.time_zone)


@cache
def _environment(form: str) -> Environment:
    environment = Environment(
        loader=PackageLoader("serving.report"),
        autoescape=form == "html",  # noqa: S701 - Markdown is escaped by the `md` filter
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["place"] = describe
    environment.filters["md"] = _escape_markdown
    return environment


def _escape_markdown(text: str) -> str:
    return _MARKDOWN.sub(r"\\\1", " ".join(visible(str(text)).split()))


def _shown(value: object) -> object:
    """Drop what cannot be seen from every text that is printed; our own SVG stays as it is."""
    if isinstance(value, Markup):
        return value
    return visible(value) if isinstance(value, str) else value
