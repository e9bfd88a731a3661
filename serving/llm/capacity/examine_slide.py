"""How many tokens a slide has, and whose."""

from serving.llm.capacity.accelerator import accelerator
from serving.llm.capacity.claim import NamedSlide, SlideClaim
from serving.llm.capacity.examination import Block, Examination, Line, Verdict
from serving.llm.capacity.model import numbers_of
from serving.llm.capacity.pool import pool_of
from serving.llm.capacity.slides import slide_need
from serving.llm.capacity.span import Span
from serving.llm.capacity.workload import Slides
from serving.llm.profiles.load import profile


def examine_slide(claim: SlideClaim) -> Examination:
    """Return the tokens of some slides, and what an encoder takes to read them.

    Raises:
        UnknownModelError: The claim names a model without a profile.
        UnknownAcceleratorError: It names an unknown accelerator.
    """
    context = numbers_of(profile(claim.context_model))
    counted = [(one, one.tokens) for one in claim.slides]
    inside = [one.label for one, count in counted if claim.tokens.low <= count <= claim.tokens.high]
    first = counted[0][1]
    times = first / context.context_tokens
    verdict: Verdict
    if len(inside) == len(counted):
        verdict = "holds"
    elif inside:
        verdict = "holds under conditions"
    else:
        verdict = "does not hold"
    return Examination(
        id=claim.id,
        title=claim.title,
        claim=claim.claim,
        source=claim.source,
        blocks=(
            Block(heading="Patch tokens of one slide", lines=tuple(map(_counted, claim.slides))),
            Block(
                heading=f"Reading it: {claim.encoder}",
                lines=tuple(_reading(claim, one) for one in claim.slides),
            ),
        ),
        verdict=verdict,
        reasons=(
            f"as tokens of a vision encoder: {len(inside)} of {len(counted)} slides lie within "
            f"{claim.tokens.low / 1e6:g} to {claim.tokens.high / 1e6:g} million "
            f"({', '.join(inside) or 'none'})",
            f"as tokens of a language model it does not hold: {first:,} tokens are {times:,.0f} "
            f"times the {context.context_tokens:,} tokens of context of {context.name}; it gets "
            "the findings of the slide, some hundred tokens",
        ),
        assumed=claim.assumed,
    )


def _counted(slide: NamedSlide) -> Line:
    pixels = f"{slide.width_px} x {slide.height_px} / {slide.tile_px}^2"
    share = f" x {slide.tissue:g}" if slide.tissue < 1 else ""
    return Line(
        what=slide.label,
        how=f"{pixels}{share} = {slide.tiles:,.0f} tiles x {slide.tokens_per_tile}",
        result=f"{slide.tokens / 1e6:.1f} M",
    )


def _reading(claim: SlideClaim, slide: NamedSlide) -> Line:
    pool = pool_of(accelerator(claim.accelerator), weights="bfloat16", count=1)
    need = slide_need(
        Slides(per_hour=1, tokens=slide.tokens, encoder_params=claim.encoder_params), pool
    )
    flops = 2 * claim.encoder_params * slide.tokens
    seconds: Span = need.seconds_per_slide
    return Line(
        what=slide.label,
        how=f"2 x {claim.encoder_params / 1e6:.0f} M x {slide.tokens / 1e6:.1f} M = "
        f"{flops / 1e15:.1f} PFLOP",
        result=f"{seconds.text('s')} on one {pool.label}",
    )
