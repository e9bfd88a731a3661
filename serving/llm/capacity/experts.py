"""How much of a mixture of experts one step of a batch reads."""

import math


def touched_share(experts: int, top_k: int, tokens: float) -> float:
    """Return the expected share of a layer's experts that at least one token of a batch chooses.

    With routing uniform and independent over tokens: one token misses an expert with probability
    1 - k/E, all tokens with its power. Real routing is uneven, which lowers the expected share
    (Jensen's inequality), so this is the upper end.

    Args:
        experts: Routed experts of a layer, E; 0 for a dense model.
        top_k: Experts that a token passes, k.
        tokens: Tokens of the step, all requests together; may be fractional (a mean).

    Returns:
        0 to 1; 1 for a dense model, whose weights are read whole.

    Examples:
        >>> round(touched_share(256, 8, 1), 4)
        0.0312
        >>> round(touched_share(256, 8, 64), 2)
        0.87
    """
    if experts == 0:
        return 1.0
    return 1.0 - math.pow(1.0 - top_k / experts, tokens)
