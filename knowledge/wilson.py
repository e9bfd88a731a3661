"""Confidence interval of a share."""

_Z_95 = 1.959964  # two-sided 95 % of the normal distribution


def wilson(successes: float, trials: int) -> tuple[float, float]:
    """Return the 95 % score interval of a share (Wilson 1927), without continuity correction.

    Args:
        successes: How often it happened; a fraction where several cases count as one trial.
        trials: Of how many; at least 1.

    Examples:
        >>> [round(bound, 4) for bound in wilson(81, 263)]
        [0.2553, 0.3662]
        >>> [round(bound, 4) for bound in wilson(0, 20)]
        [0.0, 0.1611]
    """
    share = successes / trials
    square = _Z_95**2
    centre = (share + square / (2 * trials)) / (1 + square / trials)
    spread = (share * (1 - share) / trials + square / (4 * trials**2)) ** 0.5
    half = _Z_95 * spread / (1 + square / trials)
    return max(0.0, centre - half), min(1.0, centre + half)
