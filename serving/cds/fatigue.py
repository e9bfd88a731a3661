"""Which cards are shown: the same content once, silence after an override, never a new critical.

Rules, in order. A card that says that something failed, was refused, could not be read or is being
computed is always shown. What the user answered, or overrode at the same or a higher level, is
silent for `cds_silence_hours`. What the user was shown already is silent for `cds_repeat_minutes`,
a critical one for `cds_repeat_critical_minutes`. Another critical finding is always shown.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from knowledge.model import Frozen
from knowledge.settings import Settings
from serving.cds.cards import Made
from serving.cds.store import Shown

_RANK = {"low": 0, "intermediate": 1, "not-assessable": 2, "high": 3}
_ASSESSMENTS = frozenset({"acs-risk", "data-gap"})


class Sorted(Frozen):
    """Cards to show, and the number of those that were withheld.

    Args:
        show: To be shown; one critical at most.
        repeated: Withheld because the user was shown the same.
        silenced: Withheld because the user has answered.
    """

    show: tuple[Made, ...]
    repeated: int = 0
    silenced: int = 0


def sort_out(
    cards: Sequence[Made], shown: Sequence[Shown], *, settings: Settings, now: datetime
) -> Sorted:
    """Return which cards to show.

    Args:
        cards: Everything there is to say.
        shown: What this user was shown about this encounter, within `looks_back`.
        settings: For how long.
        now: The current moment.
    """
    show: list[Made] = []
    repeated = silenced = 0
    for made in cards:
        if made.always:
            show.append(made)
        elif _is_silenced(made, shown, settings, now):
            silenced += 1
        elif _is_repeated(made, shown, settings, now) or _is_second(made, show):
            repeated += 1
        else:
            show.append(made)
    return Sorted(show=tuple(show), repeated=repeated, silenced=silenced)


def looks_back(settings: Settings, now: datetime) -> datetime:
    """Return since when cards count that were shown; an answer may come later than its card."""
    hours = max(settings.cds_silence_hours, settings.cds_repeat_minutes / 60)
    return now - timedelta(hours=2 * hours)


def _is_silenced(made: Made, shown: Sequence[Shown], settings: Settings, now: datetime) -> bool:
    since = now - timedelta(hours=settings.cds_silence_hours)
    for card in shown:
        if card.answered_at is None or card.answered_at < since:
            continue
        if card.fingerprint == made.fingerprint and (
            card.outcome == "overridden" or made.is_critical
        ):
            return True
        if card.outcome == "overridden" and _not_higher(made, card):
            return True
    return False


def _not_higher(made: Made, card: Shown) -> bool:
    """Return whether a card says no more than one that was overridden."""
    if made.topic not in _ASSESSMENTS or card.topic not in _ASSESSMENTS:
        return False
    return _RANK[made.level] <= _RANK[card.level]


def _is_repeated(made: Made, shown: Sequence[Shown], settings: Settings, now: datetime) -> bool:
    minutes = (
        settings.cds_repeat_critical_minutes if made.is_critical else settings.cds_repeat_minutes
    )
    since = now - timedelta(minutes=minutes)
    same = [card for card in shown if card.fingerprint == made.fingerprint]
    if not same or same[-1].at < since:
        return False
    kind = [card for card in shown if _same_kind(made, card)]
    return kind[-1].fingerprint == made.fingerprint


def _is_second(made: Made, show: Sequence[Made]) -> bool:
    return made.is_critical and any(other.is_critical for other in show)


def _same_kind(made: Made, card: Shown) -> bool:
    """Return whether a card stood where this one would: what changed and came back is new again."""
    if made.topic in _ASSESSMENTS:
        return card.topic in _ASSESSMENTS
    return card.topic == made.topic and card.fingerprint == made.fingerprint
