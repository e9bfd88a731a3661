"""Signed readings with signs that are to be told at once, as headline and actions name them."""

from collections.abc import Iterable

from agent.assessment import Sentence
from agent.state import State
from knowledge.clinical_time import ClinicalTime, elapsed
from knowledge.evidence import Evidence
from knowledge.reading_words import reading_words
from knowledge.rules import Answer
from knowledge.words import Language
from tools.readings.urgent import UrgentReading

PRESENT = "reading.urgent"
"""Answer: whether a signed reading of this presentation states a sign to be told at once."""

SAID = "reading.urgent-said"
PLACE = "{urgent_readings}"
_BETWEEN = ". "
_HOUR = 60.0


def of_now(
    found: Iterable[UrgentReading], at: ClinicalTime, max_age_hours: float
) -> tuple[UrgentReading, ...]:
    """Return those whose examination may be of this presentation; an undated one may be.

    Args:
        found: Of the case.
        at: The moment of assessment.
        max_age_hours: An older examination is of another presentation.
    """
    return tuple(one for one in found if _may_be_of_now(one, at, max_age_hours))


def urgent_answers(found: Iterable[UrgentReading], *, time_zone: str | None) -> dict[str, Answer]:
    """Return whether there is one, and all of them in words."""
    said = [in_words(one, time_zone) for one in found]
    return {PRESENT: bool(said), **({SAID: _BETWEEN.join(said)} if said else {})}


def urgent_basis(found: Iterable[UrgentReading]) -> dict[str, tuple[Evidence, ...]]:
    """Return what the answers rest on."""
    evidence = tuple(dict.fromkeys(e for one in found for e in one.evidence))
    return {PRESENT: evidence, SAID: evidence} if evidence else {}


def urgent_sentences(state: State) -> list[Sentence]:
    """Return the sentence that names every urgent sign; none where there is none."""
    said = state.extra.get(SAID)
    if not said:
        return []
    return [Sentence(text=f"{said}.", evidence=state.basis.get(SAID, ()))]


def urgent_said(text: str, state: State) -> str:
    """Return a text with the urgent readings in their place."""
    return text.replace(PLACE, str(state.extra.get(SAID) or ""))


def in_words(one: UrgentReading, time_zone: str | None, language: Language = "en") -> str:
    """Return which reading it is, by whom and when, and each sign.

    Args:
        one: The reading.
        time_zone: IANA zone for times in the wording.
        language: Of the words.
    """
    words, english = reading_words().headings, language == "en"
    made = None if one.time is None else one.time.show(time_zone)
    signs = [_lower(sign.en) if english else sign.zh for sign in one.signs]
    form, told = one.title.read(language), one.told.read(language)
    return (
        words["urgent"]
        .filled(
            form=_lower(form) if english else form,
            made=made or words["urgent_undated"],
            who=one.signed_by,
            signed=one.signed_at.show(time_zone),
            signs="; ".join(signs),
            told=_lower(told) if english else told,
        )
        .read(language)
    )


def _lower(text: str) -> str:
    """Return a text that begins small, unless its first word is an abbreviation."""
    first = text.split(" ", 1)[0]
    return text if first[1:] != first[1:].lower() else text[:1].lower() + text[1:]


def _may_be_of_now(one: UrgentReading, at: ClinicalTime, max_age_hours: float) -> bool:
    minutes = elapsed(one.time, at).minutes
    if minutes is None:
        return True
    old = minutes.low is not None and minutes.low > max_age_hours * _HOUR
    later = minutes.high is not None and minutes.high < 0
    return not old and not later
