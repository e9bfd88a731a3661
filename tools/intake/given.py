"""Answers a person gave after the files: who, when, and what, in the form of a case file's answers.

They are later than every file of the case and settle what the files leave open or dispute. An
answer to an input takes the place of the case file's own ``answers`` entry to it; ``facts`` and the
chart stay beside it, as they do beside any answer.
"""

import hashlib
from collections.abc import Iterable, Iterator

from knowledge.clinical_time import parse_fhir
from knowledge.errors import InvalidValueError
from knowledge.model import Frozen
from knowledge.plain_text import visible
from knowledge.timeline import Category, Fact
from tools.intake.answer import Answer, stated_finding
from tools.intake.result import InputFile

FILE = "entered answers"
"""The name these answers have in a list of sources."""

REVIEWED = "chart_items_reviewed"
"""The answer that says what a person has read; it counts for what was there when it was given."""

_AUTHOR = 80


class GivenAnswer(Frozen):
    """One answer as it was entered.

    Args:
        input: Clinical-input id.
        answer: The value, with its unit and the time it was observed where stated.
        author: Who entered it.
        entered_at: When, as FHIR instant with its offset.
    """

    input: str
    answer: Answer
    author: str
    entered_at: str

    @property
    def record(self) -> str:
        """Where it stands, in words that name who entered it and when."""
        author = visible(self.author)[:_AUTHOR]
        return f"answers.{self.input} entered by {author} at {self.entered_at}"


def given_facts(
    given: Iterable[GivenAnswer], *, zone: str | None, problems: list[str]
) -> Iterator[Fact]:
    """Yield the answers as facts; one that cannot be used is told in `problems`."""
    for one in given:
        try:
            finding = stated_finding(
                one.input, one.answer, file=FILE, record=one.record, zone=zone, hint=False
            )
        except InvalidValueError as error:
            problems.append(str(error))
            continue
        changed: dict[str, object] = {"method": f"stated by {visible(one.author)[:_AUTHOR]}"}
        if one.input == REVIEWED and finding.time is None:
            changed["time"] = parse_fhir(one.entered_at, clock=FILE, zone=zone)
        yield Fact(category=Category.STATED, finding=finding.model_copy(update=changed))


def given_file(given: Iterable[GivenAnswer], problems: Iterable[str]) -> InputFile | None:
    """Return the entry of a list of sources for these answers; None where there are none."""
    listed = tuple(given)
    if not listed:
        return None
    content = "\n".join(one.model_dump_json() for one in listed).encode()
    return InputFile(
        file=FILE,
        kind="entered answers",
        status="read",
        sha256=hashlib.sha256(content).hexdigest(),
        counts={"answers": len(listed)},
        problems=tuple(problems),
    )
