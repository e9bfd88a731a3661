"""What many samples say: percentiles with their counts, rates, and the share within a target."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence

from pydantic import NonNegativeFloat, NonNegativeInt, PositiveFloat

from knowledge.model import Frozen
from serving.llm.measure.sample import Sample


class Target(Frozen):
    """What a request must keep to, to count as good; None for no limit.

    Args:
        first_ms: Until the first token (TTFT).
        per_token_ms: Of each token after the first (TPOT).
        whole_ms: Until the last token.
    """

    first_ms: PositiveFloat | None = None
    per_token_ms: PositiveFloat | None = None
    whole_ms: PositiveFloat | None = None

    @property
    def stated(self) -> bool:
        """Whether anything is asked."""
        return any(value is not None for value in self.model_dump().values())

    def kept(self, sample: Sample) -> bool:
        """Return whether a sample keeps to it; one that failed never does."""
        if sample.error:
            return False
        pairs = (
            (self.first_ms, sample.first_ms),
            (self.per_token_ms, sample.per_token_ms if sample.reply_tokens > 1 else 0.0),
            (self.whole_ms, sample.ms),
        )
        return all(most is None or (got is not None and got <= most) for most, got in pairs)


class Spread(Frozen):
    """Percentiles of one time, in ms.

    Args:
        count: Values they are of.
        mean: Arithmetic.
        p50: Median.
        p95: None for fewer than 20 values: the largest would stand for it.
        p99: None for fewer than 100 values, likewise.
        most: The largest.
    """

    count: NonNegativeInt
    mean: NonNegativeFloat | None = None
    p50: NonNegativeFloat | None = None
    p95: NonNegativeFloat | None = None
    p99: NonNegativeFloat | None = None
    most: NonNegativeFloat | None = None


class Figures(Frozen):
    """One run at one concurrency.

    Args:
        concurrency: Requests in flight.
        requests: Sent.
        answered: Whole replies; every time below is of these alone.
        errors: How many of each; none is left out.
        seconds: From the first request to the last answer.
        requests_per_s: Answered requests.
        output_tokens_per_s: Of answered requests.
        input_tokens_per_s: Likewise; None where the server does not count.
        prompt_tokens: Least, median, most; None where the server does not count.
        reply_tokens: Least, median, most.
        cached_tokens: Of all prompts together; None where not stated.
        first: Until the first token.
        gap: Between pieces of a reply.
        per_token: Of each token after the first.
        whole: Until the last token.
        good: Requests within the target; None where there is none.
        good_per_s: Goodput.
    """

    concurrency: int
    requests: int
    answered: int
    errors: dict[str, int]
    seconds: NonNegativeFloat
    requests_per_s: NonNegativeFloat
    output_tokens_per_s: NonNegativeFloat
    input_tokens_per_s: NonNegativeFloat | None = None
    prompt_tokens: tuple[int, int, int] | None = None
    reply_tokens: tuple[int, int, int] | None = None
    cached_tokens: int | None = None
    first: Spread
    gap: Spread
    per_token: Spread
    whole: Spread
    good: int | None = None
    good_per_s: NonNegativeFloat | None = None


def percentile(values: Sequence[float], share: float) -> float:
    """Return a percentile by linear interpolation between ranks, as numpy's default does.

    Args:
        values: At least one.
        share: 0 to 1.

    Examples:
        >>> percentile([1.0, 2.0, 3.0, 4.0], 0.5)
        2.5
    """
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def spread(values: Iterable[float | None]) -> Spread:
    """Return the percentiles of the values that are there."""
    known = [value for value in values if value is not None]
    if not known:
        return Spread(count=0)

    def at(share: float, least: int) -> float | None:
        return round(percentile(known, share), 2) if len(known) >= least else None

    return Spread(
        count=len(known),
        mean=round(sum(known) / len(known), 2),
        p50=at(0.5, 1),
        p95=at(0.95, 20),
        p99=at(0.99, 100),
        most=round(max(known), 2),
    )


def figures(
    samples: Sequence[Sample], seconds: float, *, concurrency: int, target: Target
) -> Figures:
    """Return what the samples of one run say."""
    whole = [sample for sample in samples if not sample.error]
    prompts = [s.prompt_tokens for s in whole if s.prompt_tokens is not None]
    cached = [s.cached_tokens for s in whole if s.cached_tokens is not None]
    good = sum(target.kept(sample) for sample in samples) if target.stated else None
    return Figures(
        concurrency=concurrency,
        requests=len(samples),
        answered=len(whole),
        errors=dict(Counter(s.error for s in samples if s.error).most_common()),
        seconds=round(seconds, 3),
        requests_per_s=round(len(whole) / seconds, 3),
        output_tokens_per_s=round(sum(s.reply_tokens for s in whole) / seconds, 2),
        input_tokens_per_s=round(sum(prompts) / seconds, 2) if prompts else None,
        prompt_tokens=_range(prompts),
        reply_tokens=_range([s.reply_tokens for s in whole]),
        cached_tokens=sum(cached) if cached else None,
        first=spread(s.first_ms for s in whole),
        gap=spread(gap for s in whole for gap in s.gaps_ms),
        per_token=spread(s.per_token_ms for s in whole),
        whole=spread(s.ms for s in whole),
        good=good,
        good_per_s=None if good is None else round(good / seconds, 3),
    )


def _range(counts: Sequence[int]) -> tuple[int, int, int] | None:
    if not counts:
        return None
    return min(counts), round(percentile(counts, 0.5)), max(counts)
