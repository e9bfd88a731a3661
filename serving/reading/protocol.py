"""What the reading worklist takes and gives over HTTP."""

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from knowledge.model import Frozen
from serving.reading.model import Difference, Done, Release, Round
from serving.reading.outbox import Delivery

Path = Annotated[str, StringConstraints(min_length=1, max_length=140)]
Reason = Annotated[str, StringConstraints(max_length=1000)]


class Decision(Frozen):
    """Whose word on one item goes out, and why."""

    path: Path
    choice: Literal["first", "second"]
    reason: Reason


class StartIn(Frozen):
    """Start to read or to review.

    Args:
        form: Which form; empty where only one fits.
    """

    form: Annotated[str, StringConstraints(max_length=60)] = ""


class ContentIn(Frozen):
    """What a reader states.

    Args:
        changes: Path of an item to what is stated of it (``epicrisis schema reading``).
    """

    changes: dict[str, dict[str, Any]] = Field(min_length=1, max_length=500)


class SignIn(Frozen):
    """Sign a reading.

    Args:
        accept: Keys of what was to be looked at again and is right as stated.
    """

    accept: tuple[Path, ...] = Field(default=(), max_length=200)


class ReleaseIn(Frozen):
    """Release a reading.

    Args:
        decisions: On every difference of its readers.
    """

    decisions: tuple[Decision, ...] = Field(default=(), max_length=1000)


class AskIn(Frozen):
    """Ask for a correction or for a second opinion.

    Args:
        words: Why, or what is asked.
    """

    words: Annotated[str, StringConstraints(min_length=1, max_length=2000)]


class Span(Frozen):
    """How long something took.

    Args:
        what: Waiting, reading, reviewing, to release, or the whole.
        by: Who, where it was one person's work.
        minutes: To a tenth.
    """

    what: str
    by: str = ""
    minutes: float


class RoundOut(Frozen):
    """A round with everything known of it.

    Args:
        round: The round.
        content: What stands in it now (``epicrisis/reading/1``); None before it was started.
        differences: Where its readers differ, once both have signed.
        release: What went out.
        delivery: How far it is on its way to the archive; None where it is not to be sent.
        fhir_delivery: The same of its way to a FHIR server.
        log: Who did what.
        spans: How long each step took.
    """

    round: Round
    content: dict[str, Any] | None
    differences: tuple[Difference, ...]
    release: Release | None
    delivery: Delivery | None = None
    fhir_delivery: Delivery | None = None
    log: tuple[Done, ...]
    spans: tuple[Span, ...]


class RoundList(Frozen):
    """Rounds, those that wait first."""

    at: datetime
    rounds: tuple[Round, ...]


def spans(round_: Round, log: tuple[Done, ...], now: datetime) -> tuple[Span, ...]:
    """Return how long each step took, from the log alone.

    Args:
        round_: The round.
        log: Who did what, oldest first.
        now: The current moment, for a step that is not over.
    """
    found: list[Span] = []
    begun: dict[str, Done] = {}
    for one in log:
        if one.what in ("started", "taken over"):
            role = str(one.detail.get("role", "first"))
            if role not in begun and not found:
                found.append(Span(what="waiting", minutes=_minutes(one.at - round_.created_at)))
            begun[role] = one
        elif one.what in ("signed", "given back"):
            role = str(one.detail.get("role", "first"))
            start = begun.pop(role, None)
            if start is not None:
                name = "reading" if role == "first" else "reviewing"
                found.append(Span(what=name, by=one.by.name, minutes=_minutes(one.at - start.at)))
    done = next((one for one in log if one.what == "released"), None)
    end = now if done is None else done.at
    return (*found, Span(what="whole", minutes=_minutes(end - round_.created_at)))


def _minutes(length: timedelta) -> float:
    return round(length.total_seconds() / 60, 1)
