"""A published claim as data: what is claimed, and what must be assumed to examine it."""

from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, RootModel, model_validator

from knowledge.errors import InvalidValueError, ReferenceDataError
from knowledge.model import Frozen
from serving.llm.capacity.bounds import (
    MOST_ACCELERATORS,
    MOST_CACHED,
    MOST_CALLS,
    MOST_CASES_PER_HOUR,
    MOST_PARAMS,
    MOST_SLIDE_TOKENS,
    MOST_TOKENS,
    is_finite,
    numbers_in,
    shown,
)
from serving.llm.capacity.slides import SlideTokens
from serving.llm.capacity.span import Span
from serving.llm.capacity.tables import packaged, read
from serving.llm.capacity.workload import Slo

_MOST_BYTES = 1 << 20
_MOST_BATCH = 1_000_000
_MOST_SITES = 1_000_000
_MOST_RUNS_A_DAY = 1e6


def _span_within(most: float) -> AfterValidator:
    def check(span: Span) -> Span:
        if not 0 <= span.low <= span.high <= most:
            raise ValueError(f"both ends must be 0 to {most:,.0f}")
        return span

    return AfterValidator(check)


class Supposed(Frozen):
    """Something that is supposed to examine a claim."""

    label: str
    value: str
    because: str


class _Claim(Frozen):
    """What every claim has.

    Args:
        id: Its name.
        title: In a few words.
        claim: What is claimed, in our words.
        source: Where it is from.
        assumed: What must be supposed.
    """

    id: str
    title: str
    claim: str
    source: str
    assumed: tuple[Supposed, ...]


class ActiveShareClaim(_Claim):
    """A share of active parameters, and what it is said to save.

    Args:
        share: Claimed, 0 to 1.
        within: How far a model's share may lie from it.
        model: Profile that is looked at in detail.
        batches: Replies at once, at most a million each.
    """

    kind: Literal["active_share"]
    share: float = Field(gt=0, lt=1)
    within: float = Field(gt=0, le=1)
    model: str
    batches: tuple[Annotated[int, Field(ge=1, le=_MOST_BATCH)], ...] = Field(min_length=1)


class Variant(Frozen):
    """One way to read a claim that names no accelerator and no model."""

    accelerator: str
    model: str
    weights: str | None = None


class RunSize(Frozen):
    """Tokens of one run of the agent; the measured ones where no figure is given."""

    label: str
    calls: float | None = Field(default=None, ge=1, le=MOST_CALLS)
    tokens_in: float | None = Field(default=None, ge=1, le=MOST_TOKENS)
    tokens_out: float | None = Field(default=None, ge=1, le=MOST_TOKENS)
    cache_hit: float | None = Field(default=None, ge=0, le=MOST_CACHED)
    because: str

    @model_validator(mode="after")
    def _all_or_none(self) -> "RunSize":
        given = [self.calls, self.tokens_in, self.tokens_out, self.cache_hit]
        if any(one is None for one in given) and any(one is not None for one in given):
            raise ValueError("give calls, tokens_in, tokens_out and cache_hit, or none of them")
        return self


class FleetClaim(_Claim):
    """Some accelerators serve some sites.

    Args:
        accelerators, sites: Claimed, at most a million each.
        peak_share: Part of a day's runs in the busiest hour; spread evenly it would be 0.04.
        runs_per_site_per_day: What a site is supposed to need.
        slo: What must hold.
        variants: Readings of the claim; the first is the one the verdict is about.
        runs: Sizes of a run; the first is the one the verdict is about.
    """

    kind: Literal["fleet"]
    accelerators: int = Field(ge=1, le=MOST_ACCELERATORS)
    sites: int = Field(ge=1, le=_MOST_SITES)
    peak_share: float = Field(ge=0.04, le=1)
    runs_per_site_per_day: Annotated[Span, _span_within(_MOST_RUNS_A_DAY)]
    slo: Slo
    variants: tuple[Variant, ...] = Field(min_length=1)
    runs: tuple[RunSize, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _some_runs(self) -> "FleetClaim":
        if self.runs_per_site_per_day.low <= 0:
            raise ValueError("runs_per_site_per_day must be above 0 at both ends")
        hourly = self.runs_per_site_per_day.low * self.sites * self.peak_share
        if hourly > MOST_CASES_PER_HOUR:
            raise ValueError(
                f"sites x runs x peak_share is {hourly:.3g} runs in the busiest hour; at most "
                f"{MOST_CASES_PER_HOUR:,.0f} are planned with"
            )
        return self


class NamedSlide(SlideTokens):
    """A slide with its name."""

    label: str


class SlideClaim(_Claim):
    """A slide has so many tokens.

    Args:
        tokens: Claimed.
        encoder_params, encoder: Of the encoder that reads it.
        accelerator: On which it runs.
        context_model: Language model whose context the tokens are compared with.
        slides: Kinds of slides; the first is the one the verdict is about.
    """

    kind: Literal["slide_tokens"]
    tokens: Annotated[Span, _span_within(MOST_SLIDE_TOKENS)]
    encoder_params: float = Field(ge=1, le=MOST_PARAMS)
    encoder: str
    accelerator: str
    context_model: str
    slides: tuple[NamedSlide, ...] = Field(min_length=1)


Claim = ActiveShareClaim | FleetClaim | SlideClaim


class _AnyClaim(RootModel[Annotated[Claim, Field(discriminator="kind")]]):
    """A claim of any kind."""


def claim_names() -> tuple[str, ...]:
    """Return the names of the packaged claims."""
    folder = files("serving.llm.capacity").joinpath("data", "claims")
    return tuple(sorted(one.name.removesuffix(".yaml") for one in folder.iterdir()))


def claim(name: str) -> Claim:
    """Return a packaged claim by name, or one of a file of the user.

    Raises:
        InvalidValueError: There is neither.
        ReferenceDataError: The file is no claim.
    """
    if name in claim_names():
        return read(f"{name}.yaml", packaged(f"claims/{name}.yaml"), _AnyClaim).root
    path = Path(name)
    try:
        content = path.read_bytes()
    except OSError as error:
        known = ", ".join(claim_names())
        raise InvalidValueError(
            f"--claim {name}", "is no packaged claim and no file", f"one of {known}, or a file"
        ) from error
    if len(content) > _MOST_BYTES:
        raise InvalidValueError(
            f"--claim {path.name}", "is too large for a claim", "name a file of at most 1 MiB"
        )
    found = read(path.name, content, _AnyClaim).root
    for where, number in numbers_in(found.model_dump()):
        if not is_finite(number):
            raise ReferenceDataError(
                f"{path.name}: {where}", f"{shown(number)} is no figure", "correct that field"
            )
    return found
