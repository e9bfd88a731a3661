"""A round of reading, as values.

::

    to read -> reading -> to review -> reviewing -> to release -> released
       ^_________|            ^___________|
       (given back)           (given back)

A second opinion has one reader: it goes from reading to release.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from knowledge.model import Frozen
from tools.readings.model import Stated

RoundState = Literal["to read", "reading", "to review", "reviewing", "to release", "released"]
RoundKind = Literal["first", "correction", "opinion"]
VersionRole = Literal["pre-read", "first", "second"]
What = Literal[
    "arrived", "images changed", "pre-read", "started", "taken over", "saved", "given back",
    "signed", "released", "correction asked for", "opinion asked for", "written out",
]  # fmt: skip

BUSY: Sequence[RoundState] = ("reading", "reviewing")
"""States in which one person holds a round."""


class Person(Frozen):
    """Somebody who did something.

    Args:
        subject: Stable id.
        name: As shown.
    """

    subject: str
    name: str


class Round(Frozen):
    """One reading of one study, from its arrival to its release.

    Args:
        id: Its id.
        case: Of which case.
        kind: The first reading, the correction of a release, or a second opinion.
        title, modality: Of the study.
        files: Of the study, by name.
        question: What is asked of it; empty for none.
        asked: Who asked for it; the service for a study that arrived.
        of_release: The release that it corrects, or gives an opinion on.
        state: How far it is.
        form: Which form; empty until somebody has started.
        first, second: Its readers.
        locked: Who holds it now.
        locked_at: When they last did something.
        created_at: When it arrived or was asked for.
    """

    id: str
    case: str
    kind: RoundKind
    title: str
    modality: str
    files: tuple[str, ...]
    question: str = ""
    asked: Person
    of_release: str | None = None
    state: RoundState
    form: str = ""
    first: Person | None = None
    second: Person | None = None
    locked: Person | None = None
    locked_at: datetime | None = None
    created_at: datetime


class Version(Frozen):
    """What one reader or the tools wrote; never changed.

    Args:
        id: Its id.
        number: Counts from 1 in a round.
        role: By the tools, the first or the second reader.
        by: Who wrote it.
        at: When.
        signed: Whether it is their last word.
        body: JSON of `tools.readings.model.Reading`.
        sha256: Of the body.
    """

    id: str
    number: int
    role: VersionRole
    by: Person
    at: datetime
    signed: bool
    body: dict[str, Any]
    sha256: str


class Difference(Frozen):
    """One item on which two readers do not say the same.

    Args:
        path: Of the item.
        first, second: What each says.
    """

    path: str
    first: Stated
    second: Stated


class Settled(Difference):
    """A difference and what was released of it.

    Args:
        choice: Whose word was released; None for an opinion, which replaces nothing.
        reason: Why, in the words of who released it.
    """

    choice: Literal["first", "second"] | None
    reason: str = ""


class Release(Frozen):
    """A reading that went out; never changed, only followed.

    Args:
        id: Its id.
        round: Of which round.
        case: Of which case.
        number: 1 for the first, counting its corrections.
        follows: The release it corrects; empty for none.
        released_at: When.
        by: Who released it.
        reading: JSON of the final `tools.readings.model.Reading`.
        first, second: Ids of the versions both readers signed; the second empty for an opinion.
        differences: Every item on which they differ, with both words.
        sha256: Of everything above that was kept as its body.
    """

    id: str
    round: str
    case: str
    number: int
    follows: str
    released_at: datetime
    by: Person
    reading: dict[str, Any]
    first: str
    second: str
    differences: tuple[Settled, ...] = ()
    sha256: str


class Done(Frozen):
    """One line of the log.

    Args:
        at: When.
        by: Who.
        what: What they did.
        detail: Further words and numbers.
    """

    at: datetime
    by: Person
    what: What
    detail: dict[str, Any]
