"""Whether rules hold for a person of this age, or why that is not so: most are of adults."""

from knowledge.finding import NotAssessed, Why
from knowledge.laboratory_patterns import pattern_words
from knowledge.quantity import Interval, format_number
from knowledge.rules import Answer
from knowledge.words import Words


def not_for_age(from_years: float, age: Answer) -> tuple[NotAssessed, Words] | None:
    """Return why rules do not hold for an age; None where they do.

    Args:
        from_years: Youngest age that they hold for, years.
        age: Of the person, years; None where not known.

    Examples:
        >>> from knowledge.quantity import Interval
        >>> not_for_age(18, Interval.exact(60)) is None
        True
        >>> not_for_age(18, Interval.exact(6))[0].why.value
        'outside-contract'
        >>> not_for_age(18, None)[0].why.value
        'missing'
    """
    old_enough = age.compare("ge", from_years) if isinstance(age, Interval) else None
    if old_enough:
        return None
    key, why = ("age_not_known", Why.MISSING)
    if old_enough is False:
        key, why = ("too_young", Why.OUTSIDE_CONTRACT)
    words = pattern_words().phrases[key].filled(years=format_number(from_years))
    return NotAssessed(why=why, detail=words.en), words
