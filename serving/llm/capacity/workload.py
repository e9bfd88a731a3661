"""What is asked of the model: how often, how long, how much of it again."""

from collections.abc import Mapping

from pydantic import Field, NonNegativeFloat, PositiveFloat, model_validator

from knowledge.errors import InvalidValueError
from knowledge.model import Frozen
from serving.llm.capacity.bounds import MOST_TPOT_MS, MOST_TTFT_S


class Workload(Frozen):
    """The work of the busiest hour.

    Args:
        users: People who may wait for an answer at the same moment: each has one request.
            A part of a site's users may be a fraction.
        cases_per_hour: Runs of the agent.
        calls_per_case: Requests to the model in one run.
        tokens_in, tokens_out: Of one case: all its prompts, all its replies.
        cache_hit: Part of the prompt tokens that the server has in its prefix cache, 0 to 1.
        sources: Where each figure is from, by its name.
    """

    users: NonNegativeFloat
    cases_per_hour: NonNegativeFloat
    calls_per_case: float = Field(ge=1)
    tokens_in: PositiveFloat
    tokens_out: PositiveFloat
    cache_hit: float = Field(ge=0, lt=1)
    sources: Mapping[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _something_is_asked(self) -> "Workload":
        if not self.users and not self.cases_per_hour:
            raise ValueError("no users and no cases: nothing to plan")
        return self

    @property
    def calls_per_s(self) -> float:
        """Requests per second."""
        return self.cases_per_hour * self.calls_per_case / 3600

    @property
    def new_tokens(self) -> float:
        """Prompt tokens of one request that are not in the cache."""
        return self.tokens_in * (1 - self.cache_hit) / self.calls_per_case

    @property
    def cached_tokens(self) -> float:
        """Prompt tokens of one request that are."""
        return self.tokens_in * self.cache_hit / self.calls_per_case

    @property
    def reply_tokens(self) -> float:
        """Tokens of one reply."""
        return self.tokens_out / self.calls_per_case

    @property
    def longest(self) -> float:
        """Tokens of one request at its end."""
        return (self.tokens_in + self.tokens_out) / self.calls_per_case

    @property
    def mean_context(self) -> float:
        """Tokens that a request has while it is answered, on average."""
        return self.tokens_in / self.calls_per_case + self.reply_tokens / 2

    def part(self, share: float) -> "Workload":
        """Return the part of it that one of several pools takes."""
        return self.model_copy(
            update={"cases_per_hour": self.cases_per_hour * share, "users": self.users * share}
        )


class Slo(Frozen):
    """What must hold for a request.

    Args:
        ttft_s: Most seconds to the first token, waiting included, for 19 of 20 requests.
        tpot_ms: Most milliseconds from token to token.
        source: Who says so.
    """

    ttft_s: float = Field(gt=0, le=MOST_TTFT_S)
    tpot_ms: float = Field(gt=0, le=MOST_TPOT_MS)
    source: str


class Slides(Frozen):
    """Reads of whole slides by a vision encoder, which the language model never sees.

    Args:
        per_hour: Slides.
        tokens: Patch tokens of one slide.
        encoder_params: Of the encoder.
        sources: Where each figure is from, by its name.
    """

    per_hour: NonNegativeFloat
    tokens: PositiveFloat
    encoder_params: PositiveFloat
    sources: Mapping[str, str] = Field(default_factory=dict)

    @property
    def flops_per_hour(self) -> float:
        """Two per parameter and token; attention within a tile of 256 tokens adds some percent."""
        return self.per_hour * self.tokens * self.encoder_params * 2


def require(**given: float | None) -> dict[str, float]:
    """Return options that were all given.

    Raises:
        InvalidValueError: Some were not; the message names them.
    """
    missing = [f"--{name.replace('_', '-')}" for name, value in given.items() if value is None]
    if missing:
        raise InvalidValueError(
            ", ".join(missing), "must be given: nothing is assumed of the size of a site"
        )
    return {name: value for name, value in given.items() if value is not None}
