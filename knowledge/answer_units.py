"""In which units a person may give a number: those that need no further question."""

from functools import cache

from knowledge.analytes import analytes, convert
from knowledge.finding import NotAssessed, Why
from knowledge.quantity import Interval


@cache
def answer_units(key: str, unit: str) -> tuple[str, ...]:
    """Return the units that are taken, the canonical one first where it is one of them.

    ``ng/mL`` of D-dimer is not: it does not say whether it counts FEU or DDU.

    Args:
        key: Key of the analyte table; another word for what is measured without it.
        unit: Canonical unit.

    Examples:
        >>> answer_units("d_dimer", "ng/mL")[0], answer_units("heart_rate_by_hand", "/min")
        ('ng/mL{FEU}', ('/min',))
    """
    analyte = analytes().analytes.get(key)
    if analyte is None:
        return () if unit == "1" else (unit,)
    named = dict.fromkeys((unit, *(row.unit for row in analyte.units)))
    return tuple(one for one in named if _is_taken(key, one))


def _is_taken(key: str, unit: str) -> bool:
    read = convert(key, Interval.exact(1.0), unit)
    return not isinstance(read, NotAssessed) or read.why is not Why.UNIT_NOT_RECOGNISED
