"""What was compared, in words."""

from knowledge.quantity import Quantity, format_number
from tools.labs.troponin_case import TroponinCase
from tools.labs.troponin_samples import SeriesSample


def basis(case: TroponinCase, second: SeriesSample | None) -> str:
    """Return the samples an algorithm compared, with the change between them.

    Args:
        case: The case.
        second: The sample of its window; None where the first stands alone.
    """
    first = case.series.first
    if second is None:
        later_samples = len(case.series.later)
        more = f" and {later_samples} later outside the window" if later_samples else ""
        return f"first sample {first.value}{more}"
    change = "unknown within bounds"
    if isinstance(second.change, Quantity):
        sign = "+" if second.change.value > 0 else ""
        change = f"{sign}{format_number(second.change.value)} ng/L"
    minutes = format_number(round(second.minutes, 1))
    return f"{first.value}, then {second.value} after {minutes} min (change {change})"
