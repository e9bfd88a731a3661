"""Whole slides: how many patch tokens one has, and what an encoder takes to read them."""

from pydantic import Field, NonNegativeFloat, PositiveFloat, model_validator

from knowledge.model import Frozen
from serving.llm.capacity.bounds import MOST_SLIDE_TOKENS
from serving.llm.capacity.pool import Pool
from serving.llm.capacity.span import Span
from serving.llm.capacity.workload import Slides

_MOST_PX = 10**8
_MOST_TILE_PX = 10**6


class SlideTokens(Frozen):
    """A slide cut into tiles, and tiles into patches; one patch is one token of the encoder.

    Args:
        width_px, height_px: At the resolution that is read, at most 10^8.
        tile_px: Side of a tile, at most 10^6.
        patch_px: Side of a patch, at most that of a tile.
        tissue: Part of the tiles that is read, 0 to 1.

    Examples:
        >>> SlideTokens(width_px=100_000, height_px=80_000, tile_px=224, patch_px=14).tokens
        40816327
    """

    width_px: int = Field(ge=1, le=_MOST_PX)
    height_px: int = Field(ge=1, le=_MOST_PX)
    tile_px: int = Field(ge=1, le=_MOST_TILE_PX)
    patch_px: int = Field(ge=1, le=_MOST_TILE_PX)
    tissue: float = Field(default=1.0, gt=0, le=1)

    @model_validator(mode="after")
    def _some_tokens(self) -> "SlideTokens":
        if not 1 <= self.tokens <= MOST_SLIDE_TOKENS:
            raise ValueError(
                f"its sides give {self.tokens:,} tokens, not 1 to {MOST_SLIDE_TOKENS:,.0f}"
            )
        return self

    @property
    def tiles(self) -> float:
        """Tiles that are read; those at the edge are counted by area."""
        return self.width_px * self.height_px / self.tile_px**2 * self.tissue

    @property
    def tokens_per_tile(self) -> int:
        """Whole patches of a tile."""
        return (self.tile_px // self.patch_px) ** 2

    @property
    def tokens(self) -> int:
        """Of the slide."""
        return round(self.tiles * self.tokens_per_tile)


class SlideNeed(Frozen):
    """What reading slides takes beside the language model.

    Args:
        pool: Kind of accelerator.
        seconds_per_slide: On one of them.
        accelerators: Busy all the while.
    """

    pool: str
    seconds_per_slide: Span
    accelerators: Span


def slide_need(slides: Slides, pool: Pool) -> SlideNeed:
    """Return the accelerators that are busy with slides.

    Two FLOPs per parameter and token, at the arithmetic rate that the pool reaches. Reading the
    file from disk and cutting tiles is not counted; it is often slower.
    """
    each: PositiveFloat = slides.tokens * slides.encoder_params * 2
    seconds = [each / end.flops_per_s for end in (pool.worse, pool.better)]
    hourly: NonNegativeFloat = slides.per_hour / 3600
    return SlideNeed(
        pool=pool.name,
        seconds_per_slide=Span.of(*seconds),
        accelerators=Span.of(*(one * hourly for one in seconds)),
    )
