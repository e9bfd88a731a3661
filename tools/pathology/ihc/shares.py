"""Shares of positive nuclei: index with its interval, Allred and H-score."""

from pydantic import Field

from knowledge.errors import InvalidValueError
from knowledge.ihc_measurements import ihc_measurements
from knowledge.model import Frozen
from knowledge.wilson import wilson


class Share(Frozen):
    """A share of nuclei with its 95 % interval (Wilson 1927).

    Args:
        positive, all: Nuclei.
        percent, low_percent, high_percent: The share and its interval.
    """

    positive: int = Field(ge=0)
    all: int = Field(ge=1)
    percent: float
    low_percent: float
    high_percent: float


class AllredScore(Frozen):
    """Allred score.

    Args:
        proportion: 0 to 5.
        intensity: 0 to 3.
        total: 0, or 2 to 8.
        positive: The total reaches the limit.
    """

    proportion: int
    intensity: int
    total: int
    positive: bool


def share(positive: int, every: int) -> Share:
    """Return the share of positive nuclei.

    Args:
        positive: How many.
        every: Of how many; at least 1.

    Raises:
        InvalidValueError: More positive nuclei than nuclei, or none at all.

    Examples:
        >>> share(81, 263).low_percent
        25.5
    """
    if not 0 <= positive <= every or every < 1:
        raise InvalidValueError(f"{positive} of {every}", "is no share of nuclei", "count again")
    low, high = wilson(positive, every)
    return Share(
        positive=positive,
        all=every,
        percent=round(100 * positive / every, 1),
        low_percent=round(100 * low, 1),
        high_percent=round(100 * high, 1),
    )


def h_score(weak: int, moderate: int, strong: int, every: int) -> float:
    """Return 1 x % weak + 2 x % moderate + 3 x % strong, 0 to 300.

    Args:
        weak: Weakly positive nuclei.
        moderate: Moderately.
        strong: Strongly.
        every: All nuclei, the negative ones included; at least 1.

    Examples:
        >>> h_score(10, 20, 30, 100)
        140.0
    """
    share(weak + moderate + strong, every)
    return round(100 * (weak + 2 * moderate + 3 * strong) / every, 1)


def allred(weak: int, moderate: int, strong: int, every: int) -> AllredScore:
    """Return the Allred score; the intensity is that of the mean positive nucleus.

    Args:
        weak: Weakly positive nuclei.
        moderate: Moderately.
        strong: Strongly.
        every: All nuclei; at least 1.

    Examples:
        >>> allred(0, 0, 80, 100).total, allred(0, 0, 0, 100).total
        (8, 0)
    """
    positive = weak + moderate + strong
    share(positive, every)
    rows = ihc_measurements().allred
    percent = 100 * positive / every
    proportion = next(
        step.score
        for step in rows.proportion
        if (percent > step.from_percent if step.beyond else percent >= step.from_percent)
    )
    if positive == 0:
        return AllredScore(proportion=0, intensity=0, total=0, positive=False)
    mean = (weak + 2 * moderate + 3 * strong) / positive
    intensity = sum(mean >= least for least in rows.intensity)
    total = proportion + intensity
    return AllredScore(
        proportion=proportion,
        intensity=intensity,
        total=total,
        positive=total >= rows.positive_from,
    )
