"""How precise and true a method should be, from biological variation."""

import math

from knowledge.biological_variation import biological_variation
from knowledge.model import Frozen


class DesirableQuality(Frozen):
    """Desirable specifications of one analyte, per cent.

    Args:
        imprecision: Largest analytical coefficient of variation.
        bias: Largest bias; None where the between-subject variation is not held.
        total_error: Allowable total error; None where the bias is.
    """

    imprecision: float
    bias: float | None = None
    total_error: float | None = None


def desirable_quality(analyte: str) -> DesirableQuality | None:
    """Return the desirable specifications, %, or None where no variation is held.

    Examples:
        >>> desirable_quality("potassium").imprecision
        1.95
    """
    table = biological_variation()
    row = table.rows.get(analyte)
    if row is None:
        return None
    imprecision = table.desirable.imprecision * row.cvi
    between = table.between_subject.get(analyte)
    if between is None:
        return DesirableQuality(imprecision=imprecision)
    bias = table.desirable.bias * math.hypot(row.cvi, between.cvg)
    total = table.desirable.total_error * imprecision + bias
    return DesirableQuality(imprecision=imprecision, bias=bias, total_error=total)
