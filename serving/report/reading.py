"""A structured reading as one HTML file, in English or Chinese."""

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from knowledge.plain_text import visible
from knowledge.reading_words import reading_words
from knowledge.words import Language
from tools.readings.report import ReadingReport
from tools.readings.sentences import listed


def reading_html(report: ReadingReport) -> str:
    """Return the report as one HTML file without any external request or script."""
    template = _environment().get_template("reading.html.j2")
    return template.render(r=report, h=_headings(report.language), listed=listed)


def _headings(language: Language) -> dict[str, str]:
    return {key: words.read(language) for key, words in reading_words().headings.items()}


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("serving.report"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _shown(value: object) -> object:
    if isinstance(value, Markup):
        return value
    return visible(value) if isinstance(value, str) else value
