"""One request of a measurement, as the client saw it."""

from itertools import pairwise

from pydantic import NonNegativeFloat, NonNegativeInt

from knowledge.model import Frozen
from serving.llm.check.answer import Streamed, cached_of, count_of


class Sample(Frozen):
    """One streamed request.

    Args:
        error: What went wrong; empty where the reply is whole. A failed request has no times.
        start_s: When it was sent, from the beginning of its run.
        first_ms: Until the first piece of the reply.
        ms: Until the last.
        gaps_ms: Between one piece and the next.
        prompt_tokens: As the server counts them; None where it does not.
        reply_tokens: Likewise; where the server does not count, the pieces that came.
        cached_tokens: Prompt tokens from the prefix cache; None where not stated.
    """

    error: str = ""
    start_s: NonNegativeFloat
    first_ms: NonNegativeFloat | None = None
    ms: NonNegativeFloat | None = None
    gaps_ms: tuple[NonNegativeFloat, ...] = ()
    prompt_tokens: NonNegativeInt | None = None
    reply_tokens: NonNegativeInt = 0
    cached_tokens: NonNegativeInt | None = None

    @property
    def per_token_ms(self) -> float | None:
        """Time of one token after the first: (last - first) / (tokens - 1)."""
        if self.ms is None or self.first_ms is None or self.reply_tokens < 2:
            return None
        return (self.ms - self.first_ms) / (self.reply_tokens - 1)


def sample_of(answer: Streamed, *, start_s: float) -> Sample:
    """Return what a streamed answer took; one that is not whole is an error, with its reason."""
    if answer.error:
        return Sample(start_s=start_s, error=answer.error)
    if not answer.times_ms:
        return Sample(start_s=start_s, error="an empty reply")
    if not answer.finish:
        return Sample(start_s=start_s, error="the stream broke off without an end")
    counted = count_of(answer.usage, "completion_tokens")
    return Sample(
        start_s=start_s,
        first_ms=answer.times_ms[0],
        ms=answer.times_ms[-1],
        gaps_ms=tuple(after - before for before, after in pairwise(answer.times_ms)),
        prompt_tokens=count_of(answer.usage, "prompt_tokens"),
        reply_tokens=counted if counted else len(answer.times_ms),
        cached_tokens=cached_of(answer.usage),
    )
