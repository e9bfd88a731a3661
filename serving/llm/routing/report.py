"""What is counted of a mixture's routing, and what follows from the counts.

Counts are of token slots: a token on which two experts work takes two. Entropy is in bits; divided
by the logarithm of the number of experts it is 1 where all work equally often and 0 where one does
all the work.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import NonNegativeFloat, NonNegativeInt, PositiveInt

from knowledge.model import Frozen

BATCHES = (1, 2, 4, 8, 16, 32, 64)
"""Tokens decoded together for which it is counted how many experts are read."""
_DRAWS = 200


class LayerLoad(Frozen):
    """One layer.

    Args:
        layer: From 0.
        load: Share of all token slots that went to each expert; adds up to 1.
        entropy_bits: Of the load.
        balance: Entropy by its maximum, 0 to 1.
        largest_to_mean: Load of the busiest expert by the mean: 1 is balanced, N is one for all.
        unused: Experts that no token went to.
        confidence: Mean weight that the router gave to the first expert, before weights are made
            to add up to 1; 1 by N is a router that does not decide.
    """

    layer: NonNegativeInt
    load: tuple[NonNegativeFloat, ...]
    entropy_bits: NonNegativeFloat
    balance: NonNegativeFloat
    largest_to_mean: NonNegativeFloat
    unused: NonNegativeInt
    confidence: NonNegativeFloat


class Touched(Frozen):
    """How many of a layer's experts a batch of tokens reads.

    Args:
        tokens: In the batch.
        share: Mean share of experts, over layers and random batches of counted tokens.
        expected: ``1 - (1 - k / N) ** tokens``: what a router without preference would read.
    """

    tokens: PositiveInt
    share: NonNegativeFloat
    expected: NonNegativeFloat


class Routing(Frozen):
    """What was counted.

    Args:
        layers: In order.
        experts: Of a layer.
        top_k: That work on one token.
        tokens: Counted.
        balance: Mean over the layers.
        touched: By size of a batch.
    """

    layers: tuple[LayerLoad, ...]
    experts: PositiveInt
    top_k: PositiveInt
    tokens: PositiveInt
    balance: NonNegativeFloat
    touched: tuple[Touched, ...]


def routing(
    chosen: Sequence[NDArray[np.int64]],
    first_weight: Sequence[float],
    *,
    experts: int,
    seed: int = 0,
) -> Routing:
    """Return the report of the experts that worked on each token.

    Args:
        chosen: For each layer the experts of each token, ``(tokens, k)``.
        first_weight: For each layer the mean weight of the first expert.
        experts: Of a layer.
        seed: Of the random batches.

    Examples:
        >>> found = routing([np.array([[0], [0], [1], [0]])], [0.6], experts=2)
        >>> found.layers[0].load, round(found.layers[0].entropy_bits, 3)
        ((0.75, 0.25), 0.811)
    """
    layers = tuple(
        _layer(number, picked, weight, experts)
        for number, (picked, weight) in enumerate(zip(chosen, first_weight, strict=True))
    )
    tokens, top_k = chosen[0].shape
    return Routing(
        layers=layers,
        experts=experts,
        top_k=top_k,
        tokens=tokens,
        balance=float(np.mean([layer.balance for layer in layers])),
        touched=_touched(chosen, experts, seed),
    )


def _layer(number: int, picked: NDArray[np.int64], weight: float, experts: int) -> LayerLoad:
    counts = np.bincount(picked.ravel(), minlength=experts)
    load = counts / counts.sum()
    used = load[load > 0]
    entropy = abs(float(-(used * np.log2(used)).sum()))
    return LayerLoad(
        layer=number,
        load=tuple(float(share) for share in load),
        entropy_bits=entropy,
        balance=entropy / math.log2(experts),
        largest_to_mean=float(load.max() * experts),
        unused=int((counts == 0).sum()),
        confidence=weight,
    )


def _touched(chosen: Sequence[NDArray[np.int64]], experts: int, seed: int) -> tuple[Touched, ...]:
    """Return the experts that batches of the counted tokens read.

    They are drawn at random, since decoding mixes tokens of several requests.
    """
    chance = np.random.default_rng(seed)
    tokens, top_k = chosen[0].shape
    found = []
    for size in BATCHES:
        if size > tokens:
            break
        shares = []
        for _ in range(_DRAWS):
            batch = chance.choice(tokens, size=size, replace=False)
            shares += [np.unique(picked[batch]).size / experts for picked in chosen]
        expected = 1 - (1 - top_k / experts) ** size
        found.append(Touched(tokens=size, share=float(np.mean(shares)), expected=expected))
    return tuple(found)
