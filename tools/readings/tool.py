"""The category of a structured reading, as a tool."""

from knowledge.model import Frozen
from knowledge.reading_form import reading_form
from tools.readings.category import contradictions, headline, outcomes
from tools.readings.check import faults
from tools.readings.contradictions import Clash
from tools.readings.model import Reading
from tools.readings.outcome import Outcome
from tools.readings.report import CategoryLine, reading_report
from tools.toolbox import Card, tool

_CARD = Card(
    title="Category of a structured reading",
    group="imaging",
    topic="structured reading",
    needs=("a reading of a packaged form (`epicrisis reading forms`)",),
    refuses=("a reading that does not fit its form",),
    limits=(
        "what is not assessed leaves a range of categories with the missing items",
        "categories are the form's rows in our words; management only where one category is left",
    ),
    sources=("the sources in the form's file",),
    on_request=True,
)


class ReadingCategories(Frozen):
    """What the tables of a form say.

    Args:
        reading: Id of the reading.
        version: Its version.
        headline: The categories in short; empty unless all are determined.
        outcomes: Of every table.
        lines: The same in words.
        contradictions: What cannot stand together, and what is to be looked at again.
    """

    reading: str
    version: int
    headline: str
    outcomes: tuple[Outcome, ...]
    lines: tuple[CategoryLine, ...]
    contradictions: tuple[Clash, ...] = ()


@tool(card=_CARD, version="1")
def reading_category(reading: Reading) -> ReadingCategories:
    """Return the categories of a structured reading, each with the rows and items it rests on.

    Raises:
        InvalidValueError: The reading does not fit its form.
    """
    for fault in faults(reading):
        raise fault
    form = reading_form(reading.form)
    found = outcomes(form, reading.items)
    return ReadingCategories(
        reading=reading.id,
        version=reading.version,
        headline=headline(form, found),
        outcomes=found,
        lines=reading_report(reading).categories,
        contradictions=contradictions(reading),
    )
