"""What is known about a case, as single facts that a sentence can cite.

A fact sheet is made from structured data only: an assessment, and the guideline passages that were
found for it. A language model is given facts and writes sentences that cite them; `agent.verify`
checks each sentence against the facts it cites, and where none survives the fact's own `text` is
shown.
"""

from collections.abc import Mapping
from functools import cached_property
from typing import Literal

from knowledge.evidence import Evidence
from knowledge.model import Frozen
from knowledge.passages import Language

FactKind = Literal[
    "person",
    "onset",
    "ecg",
    "troponin",
    "troponin_result",
    "score",
    "verdict",
    "reason",
    "finding",
    "missing",
    "conflict",
    "recommendation",
    "guideline",
    "note",
    "laboratory",
    "imaging",
]
FactState = Literal[
    "present",
    "absent",
    "not_assessed",
    "not_determined",
    "supported",
    "argued_against",
    "stated",
]
Role = Literal["value", "first", "later", "delay", "change"]


class FactNumber(Frozen):
    """One number of a fact, as it is written there.

    Args:
        text: With its unit or its bounds: ``24 ng/L``, ``<6 ng/L``, ``between 4 and 8``.
        role: Which number of the fact it is; `first` and `later` are values of one series.
        time: When it was measured, as written, for a value of a series.
    """

    text: str
    role: Role = "value"
    time: str = ""


class Fact(Frozen):
    """One fact.

    Args:
        id: ``F1``, ``F2``, ...: its place in the sheet.
        key: What it is, whatever its place: ``score.heart``.
        kind: Which sort of fact.
        names: What it is about: the subject first, then other names of it. A verdict names
            every diagnosis that has it.
        state: Present, absent, not assessed, ...; `stated` where the fact has no polarity.
        numbers: The numbers it holds, in order; the numbers within `parts` stand there.
        times: Its times, as written.
        category: The category of a score, for example ``high``.
        parts: What else it says, part by part; each is said whole or not at all.
        needed: The parts that a sentence about this fact may not leave out.
        whole: Said completely and in order, or not at all: statements with conditions in them.
        text: The sentence that the templates show for it.
        language: Of `text`, `names` and `parts`.
        sentence: Which sentence of the deterministic narrative it belongs to, from 0.
        evidence: What it rests on.
        citation: Id of an entry of `Assessment.citations`, or of a passage.
        passage: Id of the guideline passage.
        original: Whether the passage is a document's own words, which alone may be called a quote.
        inputs: Ids of the clinical inputs it is about.
        outside: Whether its wording is from outside (a laboratory's name of a test, a device's
            statement, a file name): shown as it is, but neither given to a model nor joined.
        label: How a summary of a source is to be read, with its review state.
    """

    id: str = ""
    key: str
    kind: FactKind
    names: tuple[str, ...] = ()
    state: FactState = "stated"
    numbers: tuple[FactNumber, ...] = ()
    times: tuple[str, ...] = ()
    category: str = ""
    parts: tuple[str, ...] = ()
    needed: tuple[str, ...] = ()
    whole: bool = False
    text: str
    language: Language = "en"
    sentence: int | None = None
    evidence: tuple[Evidence, ...] = ()
    citation: str | None = None
    passage: str | None = None
    original: bool = False
    inputs: tuple[str, ...] = ()
    outside: bool = False
    label: str = ""

    @property
    def subject(self) -> str:
        """What it is about."""
        return self.names[0] if self.names else self.text


class FactSheet(Frozen):
    """The facts of one case.

    Args:
        facts: In an order that does not depend on the order of the input files.
        language: In which the facts are told where we have the words.
        day: The day of the assessment as its times are written; only of this day may a sentence
            tell a time by the clock alone. Empty where it is not known: then of no day.
        unread: Names of files whose content is not among the facts because it was not read.
    """

    facts: tuple[Fact, ...]
    language: Language = "en"
    day: str = ""
    unread: tuple[str, ...] = ()

    @cached_property
    def by_id(self) -> Mapping[str, Fact]:
        """The facts by id."""
        return {fact.id: fact for fact in self.facts}

    def cited(self, refs: tuple[str, ...]) -> tuple[Fact, ...]:
        """Return the facts with these ids, each once; ids that do not exist are left out."""
        return tuple(self.by_id[ref] for ref in dict.fromkeys(refs) if ref in self.by_id)

    def of_narrative(self) -> tuple[Fact, ...]:
        """Return the facts that the deterministic narrative tells."""
        return tuple(fact for fact in self.facts if fact.sentence is not None)


def numbered(
    facts: tuple[Fact, ...], language: Language, day: str = "", unread: tuple[str, ...] = ()
) -> FactSheet:
    """Return a sheet of these facts, with ids in order."""
    return FactSheet(
        facts=tuple(f.model_copy(update={"id": f"F{i}"}) for i, f in enumerate(facts, 1)),
        language=language,
        day=day,
        unread=unread,
    )
